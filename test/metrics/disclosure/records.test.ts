import fc from 'fast-check'
import t from 'tap'
import { findRoster } from '../../../src/metrics/disclosure/find-roster.js'
import { type GuardedQuery, guardOf } from '../../../src/metrics/disclosure/guard.js'
import { keyOf } from '../../../src/metrics/disclosure/partition.js'
import { extentOf, recordsIn, tenureFlags } from '../../../src/metrics/disclosure/records.js'
import { type Attribute, dayNumber } from '../../../src/metrics/disclosure/roster.js'
import { findKnownRoster, rosterMemoryOf } from '../../../src/metrics/disclosure/roster-memory.js'
import { type Roll, recordsWith } from '../../../src/metrics/disclosure/traits-of-group.js'
import { type CohortFilter, leavesOf } from '../../../src/people/cohort-filter.js'
import { putCohort } from '../../../src/people/put-cohort.js'
import { testDatabase } from '../../support/database.js'
import { isMember } from '../naive-members.js'
import { dateOf, filters, questions, seedWorld, type World, worlds } from '../world.js'

const { db } = await testDatabase(t)

/** What can be asked for by a parameter, with the filter that the parameter means. */
const parameters: readonly (readonly [attribute: Attribute, value: string, filter: CohortFilter])[] = [
  ['role', 'engineer', { role: ['engineer'] }],
  ['team', 'red', { team: ['red'] }],
  ['region', 'emea', { region: ['emea'] }],
  ['jobFamily', 'tech', { jobFamily: ['tech'] }],
  ['assignmentType', 'manager', { assignmentType: ['manager'] }],
  ['cohort', 'north', { cohort: ['north'] }],
  ['tenureBand', '0-12', { tenureBand: ['0-12'] }],
  ['tenureBand', '12-36', { tenureBand: ['12-36'] }],
  ['tenureBand', '36+', { tenureBand: ['36+'] }],
  ['line', 'person-0', { line: ['person-0'] }],
  ['line', 'ghost', { line: ['ghost'] }]
]

/** The positions in the world of those who have a trait. */
function having(roll: Roll, attribute: Attribute, value: string): readonly number[] {
  const { roster, rows } = roll.records
  const trait = roster.numbers.find(attribute, roster.nameNow(value))
  const records = trait === undefined ? [] : [...recordsWith(roll, trait)]
  const names = records.map(at => roster.names[roster.own[rows[at] as number] as number] ?? '')
  return [...new Set(names.map(name => Number(name.replace('person-', ''))))].sort((a, b) => a - b)
}

const isExact = (filter: CohortFilter) => leavesOf(filter).every(leaf => !('line' in leaf))

t.test('who has what on the remembered roster is who belongs to it by the rules of metrics', async t => {
  await fc.assert(
    fc.asyncProperty(worlds, filters, questions, async (world, saved, { periods, today, membership }) => {
      const tenantId = await seedWorld(db, world)
      const cohort = { tenant_id: tenantId, id: 'saved', name: null, filter: JSON.stringify(saved) }
      await db.insertInto('cohort').values(cohort).execute()
      const roster = await findRoster(db, tenantId)
      const [{ from, days } = { from: 0, days: 1 }] = periods
      const moment = { membership, from: dateOf(from), to: dateOf(from + days), today: dateOf(today) }
      const records = recordsIn(roster, extentOf(moment))
      const roll = { records, tenure: tenureFlags(records, dayNumber(moment.to)) }
      const counted = membership === 'at_event' ? daysFrom(from, days) : [membership === 'current' ? today : from]
      for (const [attribute, value, filter] of [...parameters, ['saved', 'saved', saved] as const]) {
        // By day, who is in a line on one day of a stretch is taken to be in it on all.
        if (membership === 'at_event' && !isExact(filter)) continue
        const expected = membersOn(world, filter, { days: counted, tenureAt: from + days })
        t.strictSame(having(roll, attribute, value), expected, `${attribute} ${value} ${membership}`)
      }
    }),
    { numRuns: 60 }
  )
})

function daysFrom(from: number, days: number): readonly number[] {
  return Array.from({ length: days }, (_, nth) => from + nth)
}

function membersOn(
  world: World,
  filter: CohortFilter,
  { days, tenureAt }: { readonly days: readonly number[]; readonly tenureAt: number }
): readonly number[] {
  return world.people.flatMap((_person, at) =>
    days.some(day => isMember(world, { at, day, tenureAt }, filter)) ? [at] : []
  )
}

t.test('a roster is remembered until its version is raised, and read once for all who wait for it', async t => {
  const tenantId = await seedWorld(db, { people: [] })
  const memory = rosterMemoryOf(db)
  const [known, other] = await Promise.all([1, 2].map(() => findKnownRoster(db, memory, tenantId)))
  t.equal(known, other)
  t.equal(await findKnownRoster(db, rosterMemoryOf(db), tenantId), known)
  await putCohort(db, tenantId, { id: 'reds', name: null, filter: { team: ['red'] } })
  const later = await findKnownRoster(db, memory, tenantId)
  t.equal(later.roster.version, (known?.roster.version ?? 0) + 1)
  t.ok(later.roster.numbers.find('saved', 'reds') !== undefined)
})

t.test('who reads in a transaction waits for no one, and a snapshot that is older takes the newer roster', async t => {
  const tenantId = await seedWorld(db, { people: [] })
  const memory = rosterMemoryOf(db)
  await db
    .transaction()
    .setIsolationLevel('repeatable read')
    .execute(async trx => {
      await findKnownRoster(trx, memory, tenantId)
      await putCohort(db, tenantId, { id: 'reds', name: null, filter: { team: ['red'] } })
      const newer = await findKnownRoster(db, memory, tenantId)
      t.equal(await findKnownRoster(trx, memory, tenantId), newer)
    })
})

t.test('a reading that fails is tried again', async t => {
  const tenantId = await seedWorld(db, { people: [] })
  const memory = rosterMemoryOf(db)
  const failing = Promise.reject(new Error('cut'))
  failing.catch(() => undefined)
  memory.readings.set(tenantId, failing)
  t.equal((await findKnownRoster(db, memory, tenantId)).roster.version, 0)
})

const query: Omit<GuardedQuery, 'tenantId'> = {
  today: dateOf(10),
  periods: [{ from: dateOf(0), to: dateOf(7) }],
  membership: 'at_window_start',
  filters: {},
  cohort: null,
  breakdown: [],
  minGroupSize: 5
}

t.test('what the roster does not know is hidden, and so is what has too much in common to be looked into', async t => {
  const stretch = { from: null, to: null, cohorts: [], role: 'engineer' }
  const people = Array.from({ length: 20 }, (_, at) => {
    const cohorts = at < 10 ? Array.from({ length: 31 }, (_, nth) => `cohort-${nth}`) : []
    return { known: true, roster: [{ ...stretch, cohorts, team: at < 10 ? 'red' : 'blue' }], days: [] }
  })
  const tenantId = await seedWorld(db, { people })
  const guard = await guardOf(db, rosterMemoryOf(db), { ...query, tenantId, breakdown: ['team'] })
  const parts = ['red', 'blue', 'new'].map(team => ({ team, key: keyOf([team]), n: 10 }))
  const hidden = (given: typeof parts) => [...guard.hide(0, given)].map(({ team }) => team).sort()
  t.strictSame(hidden(parts.slice(2)), ['new'])
  // Of the two teams that everyone is in, one alone can't be hidden.
  t.strictSame(hidden(parts.slice(0, 2)), ['blue', 'red'])
})

t.test('a group is hidden where few of it count, and where it is few people of whom none counts', async t => {
  const people = Array.from({ length: 23 }, (_, at) => ({
    known: true,
    roster: [{ from: null, to: null, cohorts: [], team: at < 3 ? 'red' : 'blue' }],
    days: []
  }))
  const tenantId = await seedWorld(db, { people })
  const hiddenOf = async (team: string, n: number) => {
    const guard = await guardOf(db, rosterMemoryOf(db), { ...query, tenantId, filters: { team: [team] } })
    return guard.hide(0, [{ key: keyOf([]), n }]).size > 0
  }
  t.strictSame([await hiddenOf('red', 0), await hiddenOf('red', 3)], [true, true])
  t.strictSame([await hiddenOf('nobody', 0), await hiddenOf('nobody', 1)], [false, true])
  const everyone = await guardOf(db, rosterMemoryOf(db), { ...query, tenantId })
  t.strictSame(
    [0, 4, 5].map(n => everyone.hide(0, [{ key: keyOf([]), n }]).size),
    [0, 1, 0]
  )
})

t.test('tenure counts where all of a group have it in common with few others', async t => {
  // Ten of the red team and one of the blue were hired long ago, the others of the blue lately.
  const people = Array.from({ length: 30 }, (_, at) => ({
    known: true,
    roster: [{ from: null, to: null, cohorts: [], team: at < 10 ? 'red' : 'blue', hired: at < 11 ? -2000 : -100 }],
    days: []
  }))
  const tenantId = await seedWorld(db, { people })
  const guard = await guardOf(db, rosterMemoryOf(db), { ...query, tenantId, filters: { team: ['red'] } })
  t.equal(guard.hide(0, [{ key: keyOf([]), n: 10 }]).size, 1)
})
