import { createHash, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import type { Insertable, Kysely } from 'kysely'
import type { Database, LearningEventKind, LearningEventTable } from '../../src/database/schema.js'
import { rebuildPersons } from '../../src/rollup/rebuild-rollups.js'
import type { NaiveMoment, Stage } from './agreement.js'
import { dateOf, seedWorld, type World, worlds } from './world.js'

/** A world that is told by its learning events. */
export interface EventWorld extends World {
  readonly deeds: readonly Deed[]
}

/** What somebody did; the later one of two at the same instant was stored later. */
export interface Deed {
  readonly kind: LearningEventKind
  /** Position of who did it. */
  readonly by: number
  readonly day: number
  /** Of the day, 0 by default. */
  readonly minute?: number
  /** Position of whom it was about. */
  readonly about?: number | null
  /** Numbers that stand for activities. */
  readonly activity?: number | null
  readonly module?: number | null
  readonly type?: number | null
  readonly categories?: readonly number[] | null
  readonly scaled?: number | null
  readonly ratio?: number | null
  readonly durationMs?: number | null
  /** Whether it has a duration of months or years. */
  readonly isCalendar?: boolean
  readonly voided?: boolean
}

/** The IRI of the activity that a number stands for. */
export const iriOf = (activity: number): string => `https://lms.example/activities/${activity}`

const activities = 8

/** Writes a world into a tenant of its own, with all that is derived of it. */
export async function seedDerivedWorld(db: Kysely<Database>, world: EventWorld): Promise<number> {
  const tenantId = await seedEventWorld(db, world)
  await db.transaction().execute(trx => rebuildPersons(trx, tenantId, 0))
  return tenantId
}

/** Writes a world into a tenant of its own; agents of who was merged belong to whom they were merged into. */
export async function seedEventWorld(db: Kysely<Database>, world: EventWorld, timeZone = 'UTC'): Promise<number> {
  const tenant_id = await seedWorld(db, world, timeZone)
  if (world.people.length === 0 || world.deeds.length === 0) return tenant_id
  const persons = await db.selectFrom('person').select('id').where('tenant_id', '=', tenant_id).orderBy('id').execute()
  const ifis = world.people.map((_person, at) => ({ tenant_id, digest: digestOf(`agent ${at}`), ifi: `agent ${at}` }))
  const agents = idsOf(await db.insertInto('agent').values(ifis).returning('id').execute())
  await db
    .insertInto('person_agent')
    .values(agents.map((agent_id, at) => ({ tenant_id, agent_id, person_id: persons[rootOf(world, at)]?.id ?? 0 })))
    .execute()
  const iris = Array.from({ length: activities }, (_, at) => iriOf(at))
  const rows = iris.map(iri => ({ tenant_id, digest: digestOf(iri), iri }))
  const things = idsOf(await db.insertInto('activity').values(rows).returning('id').execute())
  const thing = (number: number | null | undefined) => things[number ?? -1] ?? null
  const events = world.deeds.map((deed, position): Insertable<LearningEventTable> & { statement_id: string } => ({
    tenant_id,
    statement_seq: position + 1,
    statement_id: randomUUID(),
    kind: deed.kind,
    agent_id: agents[deed.by] ?? 0,
    subject_agent_id: agents[deed.about ?? -1] ?? null,
    activity_id: thing(deed.activity),
    module_id: thing(deed.module),
    activity_type_id: thing(deed.type),
    category_ids: deed.categories?.map(category => thing(category) ?? 0) ?? null,
    timestamp: new Date(Date.parse(`${dateOf(deed.day)}T00:00:00Z`) + (deed.minute ?? 0) * 60_000).toISOString(),
    day: dateOf(deed.day),
    score_scaled: deed.scaled?.toString() ?? null,
    score_ratio: deed.ratio?.toString() ?? null,
    duration_ms: deed.isCalendar ? null : (deed.durationMs ?? null),
    has_calendar_duration: deed.isCalendar ?? false,
    success: null,
    completion: null,
    outcome_tags: null,
    registration: null,
    platform: null,
    cohort_tag: null,
    role: null,
    team: null,
    manager_id: null,
    manager_agent_id: null
  }))
  await db.insertInto('learning_event').values(events).execute()
  const voided = events.filter((_event, position) => world.deeds[position]?.voided === true)
  if (voided.length > 0) {
    const voids = voided.map(({ statement_id, timestamp }) => ({ tenant_id, voids: statement_id, timestamp }))
    await db
      .insertInto('statement')
      .values(voids.map(row => ({ ...row, ...voiding, id: randomUUID(), stored: row.timestamp })))
      .execute()
  }
  return tenant_id
}

const voiding = { verb_id: 1, authority_id: 1, registration: null, refers_to: null, text: '{}' }

const digestOf = (name: string) => createHash('sha256').update(name).digest()

const idsOf = (rows: readonly { readonly id: number }[]) => rows.map(({ id }) => id).sort((a, b) => a - b)

/** Who somebody is in the end. */
export function rootOf({ people }: World, at: number): number {
  const into = people[at]?.mergedInto ?? null
  return into === null ? at : rootOf({ people }, into)
}

/** What a person did, in order, of all that is neither voided nor still to come. */
export function deedsOf(world: EventWorld, at: number, { today }: Pick<NaiveMoment, 'today'>): readonly Deed[] {
  return inOrder(liveDeeds(world, today).filter(deed => rootOf(world, deed.by) === at))
}

/** What counts of all that was done; a question is asked at 10 o'clock, and what comes within five minutes counts. */
export function liveDeeds({ deeds }: EventWorld, today: number): readonly Deed[] {
  return deeds.filter(({ day, minute = 0, voided }) => voided !== true && day * 1440 + minute <= today * 1440 + 605)
}

/** In the order of their instants; what was stored later comes later. */
function inOrder(deeds: readonly Deed[]): readonly Deed[] {
  const instantOf = ({ day, minute = 0 }: Deed) => day * 1440 + minute
  return [...deeds].sort((a, b) => instantOf(a) - instantOf(b))
}

const number = fc.option(fc.nat(activities - 1), { freq: 8 })
/** Scores, and what is missing to 1, whose quotients are binary fractions: their sums are exact in any order. */
const score = fc.option(fc.constantFrom(-1, 0, 0.5, 0.75, 1), { freq: 6 })

/** Worlds of deeds of these kinds, on days that questions ask about. */
export function eventStage(...kinds: readonly [LearningEventKind, ...LearningEventKind[]]): Stage<EventWorld> {
  const deed = fc.record({
    kind: fc.constantFrom(...kinds),
    by: fc.nat(11),
    about: fc.option(fc.nat(11), { freq: 8 }),
    day: fc.integer({ min: -3, max: 40 }),
    minute: fc.oneof(fc.nat(3), fc.nat(1439)),
    activity: number,
    module: fc.nat(2),
    type: number,
    categories: fc.option(fc.uniqueArray(fc.nat(activities - 1), { minLength: 1, maxLength: 3 }), { freq: 6 }),
    scaled: score,
    ratio: score,
    durationMs: fc.option(fc.constantFrom(60_000, 5_400_000)),
    isCalendar: fc.nat(5).map(chance => chance === 0),
    voided: fc.nat(9).map(chance => chance === 0)
  })
  const eventWorlds = fc.record({ world: worlds, deeds: fc.array(deed, { maxLength: 60, size: 'max' }) })
  return {
    worlds: eventWorlds.map(({ world, deeds }) => ({
      people: world.people.map(person => ({ ...person, days: [] })),
      deeds: deeds
        .filter(({ by, about }) => by < world.people.length && (about ?? 0) < world.people.length)
        // What has no activity has no module either.
        .map(deed => (deed.activity === null ? { ...deed, module: null } : deed))
    })),
    sources: ['rollup', 'events'],
    seed: seedEventWorld
  }
}

/** A world with five of everybody, who do the same, so that no group of it is small. */
export function fivefold({ people, deeds }: EventWorld): EventWorld {
  const rounds = Array.from({ length: 5 }, (_, round) => round * people.length)
  const moved = (at: number | null | undefined, offset: number) =>
    at === null || at === undefined ? null : at + offset
  return {
    people: rounds.flatMap(() => people),
    deeds: deeds.flatMap(deed =>
      rounds.map(offset => ({ ...deed, by: deed.by + offset, about: moved(deed.about, offset) }))
    )
  }
}
