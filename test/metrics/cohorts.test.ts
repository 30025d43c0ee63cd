import fc from 'fast-check'
import t from 'tap'
import { activeUsers } from '../../src/metrics/active-users.js'
import { answerMetric } from '../../src/metrics/answer.js'
import type { Membership } from '../../src/metrics/cohort-query.js'
import { measure } from '../../src/metrics/measure.js'
import { repeatRate } from '../../src/metrics/repeat-rate.js'
import type { MetricQuery } from '../../src/metrics/resolve-query.js'
import type { CohortFilter } from '../../src/people/cohort-filter.js'
import { findMembers } from '../../src/people/find-members.js'
import { putCohort } from '../../src/people/put-cohort.js'
import { testDatabase } from '../support/database.js'
import { countsOf } from './naive.js'
import { isMember } from './naive-members.js'
import { dateOf, filters, type Person, type Stretch, seedWorld, type World, worlds } from './world.js'

const { db } = await testDatabase(t)

type Known = Partial<Omit<Stretch, 'from' | 'to'>>

const always = (known: Known): Person['roster'] => [{ from: null, to: null, cohorts: [], ...known }]

/** Somebody of the roster, active on these days. */
const person = (roster: Person['roster'], ...activeDays: readonly number[]): Person => ({
  known: true,
  roster,
  days: activeDays.map(day => ({ day, counts: { opened: 1 } }))
})

/** The positions in the world of those who are members on a day. */
async function membersOn(world: World, filter: CohortFilter, day: number): Promise<readonly number[]> {
  const tenantId = await seedWorld(db, world)
  return membersOf(tenantId, filter, day)
}

async function membersOf(tenantId: number, filter: CohortFilter, day: number): Promise<readonly number[]> {
  const request = { tenantId, filter, day: dateOf(day), nextDay: dateOf(day + 1), after: null, limit: 100 }
  const { members } = await findMembers(db, request)
  return members.map(({ personId }) => Number(personId.replace('person-', ''))).sort((a, b) => a - b)
}

t.test('each attribute is asked for by its values; what is not known is none of them', async t => {
  const world = {
    people: [
      person(
        always({
          role: 'engineer',
          team: 'red',
          manager: 'person-1',
          region: 'north',
          jobFamily: 'tech',
          assignmentType: 'contributor',
          cohorts: ['pilot', 'early'],
          demographics: { age: 'young' }
        })
      ),
      person(always({ role: 'lead', manager: 'outside', demographics: { age: 'old', 'a"b': 'x' } })),
      person(always({}))
    ]
  }
  const tenantId = await seedWorld(db, world)
  const table: readonly (readonly [CohortFilter, readonly number[]])[] = [
    [{ role: ['engineer'] }, [0]],
    [{ role: ['engineer', 'lead'] }, [0, 1]],
    [{ role: ['Engineer'] }, []],
    [{ team: ['red'] }, [0]],
    [{ manager: ['person-1'] }, [0]],
    [{ manager: ['outside'] }, [1]],
    [{ line: ['outside'] }, [0, 1]],
    [{ region: ['north'] }, [0]],
    [{ jobFamily: ['tech'] }, [0]],
    [{ assignmentType: ['contributor'] }, [0]],
    [{ cohort: ['early'] }, [0]],
    [{ person: ['person-1', 'person-2', 'nobody'] }, [1, 2]],
    [{ demographic: { key: 'age', values: ['young', 'old'] } }, [0, 1]],
    [{ demographic: { key: 'a"b', values: ['x'] } }, [1]],
    [{ not: { role: ['engineer'] } }, [1, 2]],
    [{ not: { not: { role: ['engineer'] } } }, [0]],
    [{ and: [{ role: ['engineer'] }, { team: ['blue'] }] }, []],
    [{ or: [{ role: ['lead'] }, { team: ['red'] }] }, [0, 1]],
    [{ not: { tenureBand: ['0-12', '12-36', '36+'] } }, [0, 1, 2]]
  ]
  for (const [filter, expected] of table) t.same(await membersOf(tenantId, filter, 0), expected, JSON.stringify(filter))
})

t.test(
  'tenure turns at 12 and at 36 whole months by the end of the day; on 29 February a year ends on the 28th',
  async t => {
    const dayNumber = (date: string) => (Date.parse(date) - Date.parse(dateOf(0))) / 86_400_000
    const hired = ['2025-03-09', '2025-03-10', '2023-03-09', '2023-03-10', '2024-02-29', '2026-03-08']
    const world = { people: hired.map(date => person(always({ hired: dayNumber(date) }))) }
    const tenantId = await seedWorld(db, world)
    const bands = async (date: string) => [
      await membersOf(tenantId, { tenureBand: ['0-12'] }, dayNumber(date)),
      await membersOf(tenantId, { tenureBand: ['12-36'] }, dayNumber(date)),
      await membersOf(tenantId, { tenureBand: ['36+'] }, dayNumber(date))
    ]
    t.same(await bands('2026-03-08'), [[1, 5], [0, 3, 4], [2]])
    t.same(await bands('2026-03-07'), [[0, 1], [2, 3, 4], []], 'a day earlier')
    t.same((await bands('2025-02-26'))[0]?.includes(4), true, 'the year is over with 27 February, not before')
    t.same((await bands('2025-02-27'))[1]?.includes(4), true)
    t.same((await bands('2027-02-26'))[1]?.includes(4), true)
    t.same((await bands('2027-02-27'))[2]?.includes(4), true)
  }
)

t.test('a line goes down to any depth, follows the day, and a circle of managers ends', async t => {
  const world = {
    people: [
      person(always({ manager: 'person-0' })),
      person(always({ manager: 'person-0' })),
      person([
        { from: null, to: 5, cohorts: [], manager: 'person-1' },
        { from: 5, to: null, cohorts: [], manager: 'person-7' }
      ]),
      person(always({ manager: 'person-2' })),
      // Three who report to one another in a circle, and one below it.
      person(always({ manager: 'person-6' })),
      person(always({ manager: 'person-4' })),
      person(always({ manager: 'person-5' })),
      person(always({ manager: 'person-6', left: 2 }))
    ]
  }
  const tenantId = await seedWorld(db, world)
  const line = (name: string, day: number) => membersOf(tenantId, { line: [name] }, day)
  t.same(await line('person-0', 0), [1, 2, 3], 'four levels, and nobody is their own report')
  t.same(await membersOf(tenantId, { manager: ['person-0'] }, 0), [1])
  t.same(await line('person-0', 5), [1], 'the branch has moved')
  t.same(await line('person-7', 5), [2, 3], 'below one who has left')
  t.same(await line('person-4', 1), [4, 5, 6, 7], 'everybody on a circle is below everybody on it')
  t.same(await line('person-4', 5), [2, 3, 4, 5, 6])
})

t.test('a merged person is no learner, and their name means whom they were merged into', async t => {
  const world = {
    people: [
      person(always({ role: 'lead' })),
      { ...person(always({ role: 'lead', manager: 'person-3' })), mergedInto: 0 },
      { ...person(always({ role: 'lead' })), mergedInto: 1 },
      person(always({ manager: 'person-2' })),
      person(always({ manager: 'person-3' }))
    ]
  }
  const tenantId = await seedWorld(db, world)
  t.same(await membersOf(tenantId, { role: ['lead'] }, 0), [0])
  t.same(await membersOf(tenantId, { person: ['person-2'] }, 0), [0])
  for (const name of ['person-0', 'person-1', 'person-2']) {
    t.same(await membersOf(tenantId, { manager: [name] }, 0), [3], name)
    t.same(await membersOf(tenantId, { line: [name] }, 0), [3, 4], name)
  }
})

t.test('nobody is a member before their first day, after their last, or off the roster', async t => {
  const world = {
    people: [
      person(always({ hired: 3 })),
      person(always({ left: 3 })),
      person(always({ hired: 5, left: 1 })),
      person([{ from: 2, to: 4, cohorts: [] }]),
      { ...person(always({})), known: false }
    ]
  }
  const anyone: CohortFilter = { not: { role: ['nobody'] } }
  const found = await Promise.all([1, 2, 3, 4].map(day => membersOn(world, anyone, day)))
  t.same(found, [[1], [1, 3], [0, 1, 3], [0]])
})

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-20T10:00:00Z') }
const week = { from: '2026-03-02', to: '2026-03-09' }

/** Moves from red to blue in the middle of the first week. */
const mover = (...activeDays: readonly number[]) =>
  person(
    [
      { from: null, to: 3, cohorts: [], team: 'red' },
      { from: 3, to: null, cohorts: [], team: 'blue' }
    ],
    ...activeDays
  )

t.test('who changes team in mid-window belongs by the chosen moment, and at_event by what each day says', async t => {
  const red = (days: readonly number[], known: Known = {}) => person(always({ team: 'red', ...known }), ...days)
  const people = [
    mover(1),
    mover(4),
    mover(),
    red([0]),
    red([6]),
    red([]),
    red([5], { hired: 2 }),
    red([1], { left: 4 }),
    red([4], { hired: 7 }),
    person(always({ team: 'blue' }), 4)
  ]
  const tenantId = await seedWorld(db, { people })
  const ask = async (team: string, membership: Membership) => {
    const { results, meta } = await answerMetric(db, activeUsers, { ...week, team, membership }, { ...asker, tenantId })
    t.same([meta.query.filters, meta.query.membership], [{ team: [team] }, membership])
    const [cell] = results
    return cell?.suppressed ? 'hidden' : [cell?.numerator, cell?.denominator]
  }
  t.same(await ask('red', 'at_window_start'), [5, 7], 'three movers, three who stay, the leaver')
  t.same(await ask('red', 'at_event'), [5, 8], 'the joiner too; what the mover does in blue does not count')
  t.same(await ask('red', 'current'), [4, 5], 'three who stay, the joiner and who was not hired yet then')
  t.same(await ask('blue', 'at_window_start'), 'hidden')
  const blues = await Promise.all(
    (['at_event', 'current'] as const).map(membership =>
      measure(db, activeUsers, {
        tenantId,
        timeZone: 'UTC',
        source: 'rollup',
        periods: [week],
        window: week,
        filter: { team: ['blue'] },
        membership,
        breakdown: [],
        module: null,
        today: '2026-03-20',
        asOf: asker.asOf,
        options: { basis: 'opened' }
      })
    )
  )
  t.match(
    blues.map(measurement => countsOf(measurement)[0]),
    [
      { numerator: 2, denominator: 4 },
      { numerator: 3, denominator: 4 }
    ]
  )
})

t.test('at_event, the first day must be a member day; a return counts wherever the learner is by then', async t => {
  const people = [mover(1, 5), mover(2, 9), mover(4, 6), mover(0), mover(1, 3), mover()]
  const tenantId = await seedWorld(db, { people })
  const query = { ...week, team: 'red', membership: 'at_event' } as const
  const { results } = await answerMetric(db, repeatRate, query, { ...asker, tenantId })
  t.match(results, [{ suppressed: true }], 'four came first while they were red')
  const more = await seedWorld(db, { people: [...people, ...people] })
  const answer = await answerMetric(db, repeatRate, query, { ...asker, tenantId: more })
  t.match(answer.results, [{ numerator: 6, denominator: 8 }])
})

t.test(
  'parameters: any of the values of one, all of several; saved filters go before the cohorts of the roster',
  async t => {
    const people = [
      ...Array.from({ length: 6 }, (_, at) => person(always({ role: 'lead', team: 'red', cohorts: ['pilot'] }), at)),
      ...Array.from({ length: 6 }, () => person(always({ role: 'seller', team: 'red', manager: 'person-0' }), 0)),
      ...Array.from({ length: 6 }, () => person(always({ role: 'seller', team: 'blue', manager: 'person-6' }), 0))
    ]
    const tenantId = await seedWorld(db, { people })
    const saved: CohortFilter = { and: [{ role: ['seller'] }, { not: { team: ['blue'] } }] }
    await putCohort(db, tenantId, { id: 'red-sellers', name: null, filter: saved })
    const ask = async (query: MetricQuery) => {
      const { results, meta } = await answerMetric(db, activeUsers, { ...week, ...query }, { ...asker, tenantId })
      return { n: results[0]?.denominator, warnings: meta.warnings.map(({ code, message }) => `${code}: ${message}`) }
    }
    const table: readonly (readonly [MetricQuery, number])[] = [
      [{ role: 'lead,seller' }, 18],
      [{ role: 'seller', team: 'red' }, 6],
      [{ cohort: 'pilot' }, 6],
      [{ cohort: 'red-sellers' }, 6],
      [{ cohort: 'pilot,red-sellers' }, 12],
      [{ cohort: 'red-sellers', role: 'lead' }, 0],
      [{ manager: 'person-0' }, 12],
      [{ manager: 'person-6' }, 6]
    ]
    for (const [query, n] of table) {
      t.equal((await ask(query)).n, n, JSON.stringify(query))
    }
    t.same(
      (await ask({ cohort: 'pilot,typo', role: 'lead,led', manager: 'person-0,person-99', team: 'red' })).warnings,
      [
        'unknown_cohort: No roster entry of any time names the cohort "typo".',
        'unknown_value: No roster entry of any time names the line "person-99".',
        'unknown_value: No roster entry of any time names the role "led".'
      ]
    )
    const other: CohortFilter = {
      or: [
        { demographic: { key: 'age', values: ['young'] } },
        { person: ['person-0', 'ghost'] },
        { tenureBand: ['36+'] }
      ]
    }
    await putCohort(db, tenantId, { id: 'others', name: null, filter: other })
    t.same((await ask({ cohort: 'others' })).warnings, [
      'unknown_value: No roster entry of any time names the demographic age "young".',
      'unknown_value: No roster entry of any time names the person "ghost".'
    ])
  }
)

t.test('a query that is wrong or too large is refused by name', async t => {
  const tenantId = await seedWorld(db, { people: [] })
  const many: CohortFilter = { or: Array.from({ length: 26 }, (_, at) => ({ role: [`role ${at}`] })) }
  for (const id of ['many', 'more']) await putCohort(db, tenantId, { id, name: null, filter: many })
  const table: readonly (readonly [MetricQuery, RegExp])[] = [
    [{ role: 'a,,b' }, /^role \("a,,b"\) must be 1 to 100 values/],
    [{ team: 'x'.repeat(501) }, /^team/],
    [{ cohort: Array.from({ length: 101 }, (_, at) => at).join() }, /^cohort/],
    [{ tenureBand: '12' }, /^tenureBand \("12"\) must be one of 0-12, 12-36, 36\+/],
    [{ cohort: 'many,more' }, /52 conditions/]
  ]
  for (const [query, message] of table) {
    await t.rejects(answerMetric(db, activeUsers, query, { ...asker, tenantId }), {
      code: 'invalid-parameter',
      message
    })
  }
  const { meta } = await answerMetric(db, activeUsers, { tenureBand: '36 ,0-12' }, { ...asker, tenantId })
  t.same(meta.query.filters, { tenureBand: ['36+', '0-12'] }, 'a plus sign is a space in a query string')
})

t.test('any roster, filter and day: the members that asking one person after another finds', async () => {
  const day = fc.integer({ min: -6, max: 46 })
  await fc.assert(
    fc.asyncProperty(worlds, filters, day, async (world, filter, day) => {
      const expected = world.people.flatMap((_, at) =>
        isMember(world, { at, day, tenureAt: day + 1 }, filter) ? [at] : []
      )
      t.strictSame(await membersOn(world, filter, day), expected)
    }),
    { numRuns: 150 }
  )
})
