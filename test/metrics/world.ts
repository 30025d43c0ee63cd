import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import type { Database, LearnerDayCounts } from '../../src/database/schema.js'
import type { Membership } from '../../src/metrics/cohort-query.js'
import type { CohortFilter } from '../../src/people/cohort-filter.js'

/** Days are whole numbers in a test's world; day 0 is this one. */
const dayZero = '2026-03-02'

export const dateOf = (day: number): string =>
  new Date(Date.parse(`${dayZero}T00:00:00Z`) + day * 86_400_000).toISOString().slice(0, 10)

/** What is true in one tenant: who is known, who is where when, and who did what on which day. */
export interface World {
  readonly people: readonly Person[]
}

export interface Person {
  /** Whether the roster gave the person an id; otherwise they are provisional. */
  readonly known: boolean
  readonly roster: readonly Stretch[]
  readonly days: readonly { day: number; counts: Partial<LearnerDayCounts> }[]
  /** The position of the person that this one was merged into. */
  readonly mergedInto?: number | null
}

/** What the roster says over a stretch of days, half-open; null runs on. What is absent is not known. */
export interface Stretch {
  readonly from: number | null
  readonly to: number | null
  readonly cohorts: readonly string[]
  readonly role?: string | null
  readonly team?: string | null
  /** The manager's personId; the person at position 3 is `person-3`. */
  readonly manager?: string | null
  readonly region?: string | null
  readonly jobFamily?: string | null
  readonly assignmentType?: string | null
  /** First and last day of employment. */
  readonly hired?: number | null
  readonly left?: number | null
  readonly demographics?: Readonly<Record<string, string>>
}

const noCounts: LearnerDayCounts = {
  delivered: 0,
  opened: 0,
  completed_task: 0,
  repeated_session: 0,
  peer_feedback: 0,
  peer_feedback_received: 0,
  manager_check: 0,
  manager_check_received: 0,
  assessed: 0,
  completed: 0,
  started: 0,
  terminated: 0,
  posted: 0,
  replied: 0,
  endorsed: 0,
  reward_offered: 0,
  reward_claimed: 0,
  visited: 0,
  voided: 0,
  future: 0
}

const columns = Object.keys(noCounts) as (keyof LearnerDayCounts)[]

export const isCountColumn = (column: string): boolean => column in noCounts

let tenants = 0

/** Writes a world into a tenant of its own. */
export async function seedWorld(db: Kysely<Database>, world: World, timeZone = 'UTC'): Promise<number> {
  tenants += 1
  const tenant = await db
    .insertInto('tenant')
    .values({ name: `world ${tenants}`, time_zone: timeZone })
    .returning('id')
    .executeTakeFirstOrThrow()
  const tenant_id = tenant.id
  if (world.people.length === 0) return tenant_id
  const people = await db
    .insertInto('person')
    .values(
      world.people.map(({ known }, at) => ({
        tenant_id,
        external_id: known ? `person-${at}` : null,
        first_agent_id: known ? null : at + 1,
        name: null
      }))
    )
    .returning('id')
    .execute()
  const ids = people.map(({ id }) => id).sort((a, b) => a - b)
  const dayOrNull = (day: number | null | undefined) => (day === null || day === undefined ? null : dateOf(day))
  // No row of the roster is of someone whom it doesn't name.
  const roster = world.people.flatMap((person, at) =>
    (person.known ? person.roster : []).map(
      ({ from, to, cohorts, manager, jobFamily, assignmentType, hired, left, ...others }) => ({
        tenant_id,
        person_id: ids[at] ?? 0,
        valid: sql<string>`daterange(${dayOrNull(from)}::date, ${dayOrNull(to)}::date)`,
        cohorts: [...cohorts],
        role: others.role ?? null,
        team: others.team ?? null,
        manager_id: manager ?? null,
        region: others.region ?? null,
        job_family: jobFamily ?? null,
        assignment_type: assignmentType ?? null,
        hired_on: dayOrNull(hired),
        left_on: dayOrNull(left),
        demographics: JSON.stringify(others.demographics ?? {})
      })
    )
  )
  const days = world.people.flatMap((person, at) =>
    person.days.map(({ day, counts }) => ({
      tenant_id,
      person_id: ids[at] ?? 0,
      day: dateOf(day),
      ...noCounts,
      ...counts
    }))
  )
  if (roster.length > 0) await db.insertInto('roster').values(roster).execute()
  if (days.length > 0) await db.insertInto('learner_day').values(days).execute()
  for (const [at, { mergedInto }] of world.people.entries()) {
    if (mergedInto === undefined || mergedInto === null) continue
    await db
      .updateTable('person')
      .set({ merged_into: ids[mergedInto] ?? 0 })
      .where('tenant_id', '=', tenant_id)
      .where('id', '=', ids[at] ?? 0)
      .execute()
  }
  return tenant_id
}

const roles = ['engineer', 'seller', 'lead']
const teams = ['red', 'blue']
const personIds = [...Array.from({ length: 12 }, (_, at) => `person-${at}`), 'ghost']

/** About the days on which somebody completes a band of tenure within the window, or is hired or leaves. */
const hireDay = fc.oneof(
  fc.integer({ min: -5, max: 45 }),
  fc.integer({ min: -370, max: -320 }),
  fc.integer({ min: -1100, max: -1050 })
)

const attributes = fc.record({
  cohorts: fc.subarray(['north', 'south', 'east']),
  role: fc.option(fc.constantFrom(...roles)),
  team: fc.option(fc.constantFrom(...teams)),
  manager: fc.option(fc.constantFrom(...personIds), { freq: 4 }),
  region: fc.option(fc.constantFrom('emea', 'apac')),
  jobFamily: fc.option(fc.constantFrom('tech', 'sales')),
  assignmentType: fc.option(fc.constantFrom('contributor', 'manager')),
  hired: fc.option(hireDay),
  left: fc.option(fc.integer({ min: -5, max: 45 }), { freq: 2 }),
  demographics: fc.constantFrom({}, { age: 'young' }, { age: 'old', site: 'north' })
})

/** Stretches made by cutting the calendar at some days; a stretch may be absent. */
const roster: fc.Arbitrary<readonly Stretch[]> = fc
  .record({
    cuts: fc.uniqueArray(fc.integer({ min: -5, max: 45 }), { maxLength: 3 }),
    stretches: fc.array(fc.option(attributes, { freq: 6 }), { minLength: 4, maxLength: 4 })
  })
  .map(({ cuts, stretches }) => {
    const bounds = [null, ...cuts.sort((a, b) => a - b), null]
    return bounds.slice(1).flatMap((to, at) => {
      const known = stretches[at] ?? null
      return known === null ? [] : [{ from: bounds[at] ?? null, to, ...known }]
    })
  })

/** Now and then more than the digits of `learner_weeks` tell. */
const howOften = fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 1, max: 3 }) }, fc.integer({ min: 4, max: 11 }))

const counts = fc
  .uniqueArray(fc.constantFrom(...columns), { minLength: 1, maxLength: 3 })
  .chain(chosen => fc.record(Object.fromEntries(chosen.map(column => [column, howOften]))))

/** Learners of few days and of many, also of none; opened often, so that repeats happen. */
const person: fc.Arbitrary<Person> = fc.record({
  known: fc.nat(4).map(chance => chance > 0),
  roster,
  days: fc.uniqueArray(fc.record({ day: fc.integer({ min: -3, max: 50 }), counts }), {
    maxLength: 12,
    selector: ({ day }) => day
  })
})

/** Worlds from empty to a dozen people, of whom some were merged into others. */
export const worlds: fc.Arbitrary<World> = fc
  .record({
    people: fc.array(person, { maxLength: 12 }),
    merges: fc.array(fc.record({ from: fc.nat(11), into: fc.nat(11) }), { maxLength: 3 })
  })
  .map(({ people, merges }) => ({
    people: people.map((person, at) => {
      const merge = merges.find(({ from, into }) => from === at && into < at && person.known && people[into]?.known)
      return { ...person, mergedInto: merge?.into ?? null }
    })
  }))

const someOf = (...values: readonly string[]) => fc.subarray([...values], { minLength: 1, maxLength: 2 })

/** Filters of every kind, up to three levels deep. */
export const filters: fc.Arbitrary<CohortFilter> = fc.letrec<{ node: CohortFilter; leaf: CohortFilter }>(tie => ({
  node: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    tie('leaf'),
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map(and => ({ and })),
    fc.array(tie('node'), { minLength: 1, maxLength: 3 }).map(or => ({ or })),
    tie('node').map(not => ({ not }))
  ),
  leaf: fc.oneof(
    someOf('north', 'south', 'nowhere').map(cohort => ({ cohort })),
    someOf(...roles, 'nobody').map(role => ({ role })),
    someOf(...teams).map(team => ({ team })),
    someOf(...personIds).map(manager => ({ manager })),
    someOf(...personIds).map(line => ({ line })),
    someOf('emea', 'apac').map(region => ({ region })),
    someOf('tech', 'sales').map(jobFamily => ({ jobFamily })),
    someOf('contributor', 'manager').map(assignmentType => ({ assignmentType })),
    someOf(...personIds).map(person => ({ person })),
    someOf('young', 'old').map(values => ({ demographic: { key: 'age', values } })),
    fc.subarray(['0-12', '12-36', '36+'] as const, { minLength: 1 }).map(tenureBand => ({ tenureBand }))
  ) as fc.Arbitrary<CohortFilter>
})).node

/** Periods that may overlap or leave gaps, the day of the asking, and who is asked about. */
export interface Question {
  readonly periods: readonly { readonly from: number; readonly days: number }[]
  readonly today: number
  readonly filter: CohortFilter | null
  readonly membership: Membership
}

export const questions: fc.Arbitrary<Question> = fc.record({
  periods: fc.array(fc.record({ from: fc.integer({ min: -2, max: 40 }), days: fc.integer({ min: 1, max: 15 }) }), {
    minLength: 1,
    maxLength: 4
  }),
  today: fc.integer({ min: 0, max: 60 }),
  filter: fc.option(filters, { freq: 6 }),
  membership: fc.constantFrom('at_window_start', 'at_event', 'current')
})
