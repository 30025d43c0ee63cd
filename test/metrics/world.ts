import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import type { Database, LearnerDayCounts } from '../../src/database/schema.js'

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
  /** Stretches of the roster, half-open; null runs on. */
  readonly roster: readonly { from: number | null; to: number | null; cohorts: readonly string[] }[]
  readonly days: readonly { day: number; counts: Partial<LearnerDayCounts> }[]
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
  const roster = world.people.flatMap((person, at) =>
    person.roster.map(({ from, to, cohorts }) => ({
      tenant_id,
      person_id: ids[at] ?? 0,
      valid: sql<string>`daterange(${from === null ? null : dateOf(from)}::date, ${to === null ? null : dateOf(to)}::date)`,
      cohorts: [...cohorts]
    }))
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
  return tenant_id
}

/** Stretches made by cutting the calendar at some days; a stretch may be absent. */
const roster = fc
  .record({
    cuts: fc.uniqueArray(fc.integer({ min: -5, max: 45 }), { maxLength: 3 }),
    stretches: fc.array(fc.option(fc.subarray(['north', 'south', 'east'])), { minLength: 4, maxLength: 4 })
  })
  .map(({ cuts, stretches }) => {
    const bounds = [null, ...cuts.sort((a, b) => a - b), null]
    return bounds.slice(1).flatMap((to, at) => {
      const cohorts = stretches[at] ?? null
      return cohorts === null ? [] : [{ from: bounds[at] ?? null, to, cohorts }]
    })
  })

const counts = fc
  .uniqueArray(fc.constantFrom(...columns), { minLength: 1, maxLength: 3 })
  .chain(chosen => fc.record(Object.fromEntries(chosen.map(column => [column, fc.integer({ min: 1, max: 3 })]))))

/** Learners of few days and of many, also of none; opened often, so that repeats happen. */
const person: fc.Arbitrary<Person> = fc.record({
  known: fc.nat(4).map(chance => chance > 0),
  roster,
  days: fc.uniqueArray(fc.record({ day: fc.integer({ min: -3, max: 50 }), counts }), {
    maxLength: 12,
    selector: ({ day }) => day
  })
})

/** Worlds from empty to a dozen people. */
export const worlds: fc.Arbitrary<World> = fc.record({ people: fc.array(person, { maxLength: 12 }) })

/** Periods that may overlap or leave gaps, and the day of the asking. */
export const questions = fc.record({
  periods: fc.array(fc.record({ from: fc.integer({ min: -2, max: 40 }), days: fc.integer({ min: 1, max: 15 }) }), {
    minLength: 1,
    maxLength: 4
  }),
  today: fc.integer({ min: 0, max: 60 }),
  cohort: fc.constantFrom(null, 'north', 'south', 'nowhere')
})
