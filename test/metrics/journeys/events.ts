import { createHash, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import { DateTime } from 'luxon'
import type { Database, LearningEventKind } from '../../../src/database/schema.js'
import type { Membership } from '../../../src/metrics/cohort-query.js'
import type { JourneyRequest, PreparedJourney } from '../../../src/metrics/journeys/journey.js'
import type { MetricAsker } from '../../../src/metrics/resolve-query.js'
import { resolveWindow } from '../../../src/metrics/window.js'
import type { CohortFilter } from '../../../src/people/cohort-filter.js'
import { rebuildPersons } from '../../../src/rollup/rebuild-rollups.js'
import { dateOf, seedWorld, type World } from '../world.js'

/** A deed of a person of the world, at an instant in milliseconds. */
export interface Deed {
  readonly kind: LearningEventKind
  readonly at: number
  readonly by: number
  /** Whom it was about; null for nobody else. */
  readonly about?: number | null | undefined
  readonly voided?: boolean
  readonly module?: string
}

/** An instant of the world, by its day (0 is 2 March 2026) and hour, in UTC. */
export const instant = (day: number, hour: number): number => Date.parse(`${dateOf(day)}T00:00:00Z`) + hour * 3_600_000

/** The number of the local day that an instant falls in. */
export function dayOf(at: number, timeZone: string): number {
  const date = DateTime.fromMillis(at, { zone: timeZone }).toISODate() ?? ''
  return Math.round((Date.parse(date) - Date.parse(dateOf(0))) / 86_400_000)
}

/** Writes people and their deeds into a tenant of its own, as events and as the rollup of them. */
export async function seedDeeds(
  db: Kysely<Database>,
  { people }: World,
  deeds: readonly Deed[],
  timeZone: string
): Promise<number> {
  const tenant_id = await seedWorld(db, { people: people.map(person => ({ ...person, days: [] })) }, timeZone)
  if (people.length === 0) return tenant_id
  const persons = await db.selectFrom('person').select('id').where('tenant_id', '=', tenant_id).orderBy('id').execute()
  const agents = await db
    .insertInto('agent')
    .values(
      people.map((_, at) => ({ tenant_id, digest: digestOf(`${at}`), ifi: `["mbox","mailto:${at}@example.org"]` }))
    )
    .returning('id')
    .execute()
  const agentIds = agents.map(({ id }) => id).sort((a, b) => a - b)
  const agentOf = (at: number) => agentIds[at] ?? 0
  await db
    .insertInto('person_agent')
    .values(persons.map(({ id }, at) => ({ tenant_id, person_id: id, agent_id: agentOf(at) })))
    .execute()
  const modules = await seedModules(db, tenant_id, deeds)
  const events = deeds.map(({ kind, at, by, about, module }, seq) => ({
    tenant_id,
    statement_seq: seq + 1,
    statement_id: randomUUID(),
    kind,
    agent_id: agentOf(by),
    subject_agent_id: typeof about === 'number' ? agentOf(about) : null,
    module_id: module === undefined ? null : (modules.get(module) ?? null),
    timestamp: new Date(at).toISOString(),
    day: dateOf(dayOf(at, timeZone))
  }))
  if (events.length > 0) await db.insertInto('learning_event').values(events).execute()
  const voided = events.filter((_, at) => deeds[at]?.voided)
  if (voided.length > 0) {
    await sql`insert into statement (tenant_id, id, stored, "timestamp", verb_id, authority_id, voids, text)
      select ${tenant_id}, gen_random_uuid(), now(), now(), 1, 1, unnest(${voided.map(event => event.statement_id)}::uuid[]), '{}'`.execute(
      db
    )
  }
  for (let last: number | null = 0; last !== null; ) {
    const after: number = last
    const rebuilt = await db.transaction().execute(trx => rebuildPersons(trx, tenant_id, after))
    last = rebuilt?.last ?? null
  }
  return tenant_id
}

async function seedModules(db: Kysely<Database>, tenant_id: number, deeds: readonly Deed[]) {
  const iris = [...new Set(deeds.flatMap(({ module }) => module ?? []))]
  if (iris.length === 0) return new Map<string, number>()
  const rows = await db
    .insertInto('activity')
    .values(iris.map(iri => ({ tenant_id, digest: digestOf(iri), iri })))
    .returning(['id', 'iri'])
    .execute()
  return new Map(rows.map(({ id, iri }) => [iri, id]))
}

const digestOf = (text: string) => createHash('sha256').update(text).digest()

const kinds: readonly LearningEventKind[] = [
  ...(['delivered', 'opened', 'opened', 'completed-task', 'peer-feedback'] as const),
  ...(['manager-check', 'assessed'] as const)
]

/** Deeds of up to a dozen people, at few hours of the day so that ties are common, some about the turn of a day. */
export const deeds: fc.Arbitrary<readonly Deed[]> = fc.array(
  fc.record({
    kind: fc.constantFrom(...kinds),
    at: fc
      .tuple(fc.integer({ min: -2, max: 20 }), fc.constantFrom(0, 3.9, 4, 5, 12, 18, 23.999))
      .map(([day, hour]) => instant(day, hour)),
    by: fc.nat(11),
    about: fc.option(fc.nat(11), { freq: 3 }),
    voided: fc.nat(9).map(chance => chance === 0),
    module: fc.constantFrom('https://m.example/a', 'https://m.example/b')
  }),
  { minLength: 20, maxLength: 120, size: 'max' }
)

/** The deeds as those of the world's people, as far as they were done by noon of a day. */
export function within(deeds: readonly Deed[], { people }: World, today: number): readonly Deed[] {
  if (people.length === 0) return []
  return deeds
    .filter(({ at }) => at <= instant(today, 12))
    .map(deed => {
      const isAbout = ['peer-feedback', 'manager-check'].includes(deed.kind) && typeof deed.about === 'number'
      return { ...deed, by: deed.by % people.length, about: isAbout ? (deed.about ?? 0) % people.length : null }
    })
}

/** What is asked, in whole days. */
export interface AskedJourney {
  readonly tenantId: number
  readonly timeZone: string
  readonly source: 'rollup' | 'events'
  readonly from: number
  readonly to: number
  readonly today: number
  readonly interval?: 'day' | 'week' | 'month'
  readonly filter: CohortFilter | null
  readonly membership: Membership
}

/** The request that such a question comes to; asked at noon of today. */
export function requestOf({ from, to, today, timeZone, interval, ...asked }: AskedJourney): JourneyRequest {
  const asOf = DateTime.fromISO(`${dateOf(today)}T12:00`, { zone: timeZone }).toJSDate()
  const window = resolveWindow(
    { from: dateOf(from), to: dateOf(to), ...(interval === undefined ? {} : { interval }) },
    { timeZone, asOf, lagDays: 0 }
  )
  return { ...asked, asOf, isConfined: false, rosterMemory: null, window, cohort: null, filters: {}, minGroupSize: 10 }
}

/** Prepares a journey and counts it at once. */
export function answering<Query, Answer>(
  prepare: (db: Kysely<Database>, query: Query, asker: MetricAsker) => Promise<PreparedJourney<Answer>>
) {
  return async (db: Kysely<Database>, query: Query, asker: MetricAsker): Promise<Answer> =>
    (await (await prepare(db, query, asker)).complete()).answer
}

export const timeZones = fc.constantFrom('UTC', 'America/New_York')

/** A window, a unit and a day of the asking; `spread` lays deeds out over months, or more than a year. */
export const activities = fc.record({
  from: fc.integer({ min: -40, max: 30 }),
  days: fc.integer({ min: 1, max: 70 }),
  today: fc.integer({ min: 0, max: 80 }),
  unit: fc.constantFrom('day', 'week', 'month'),
  spread: fc.constantFrom(1, 4, 20).map(
    factor =>
      (deeds: readonly Deed[]): readonly Deed[] =>
        deeds.map(deed => ({ ...deed, at: deed.at + (factor - 1) * 86_400_000 * (dayOf(deed.at, 'UTC') - 5) }))
  )
})
