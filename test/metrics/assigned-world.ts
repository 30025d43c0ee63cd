import { deepStrictEqual } from 'node:assert'
import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import type { Database, LearningEventKind } from '../../src/database/schema.js'
import type { AssignmentKind } from '../../src/database/schema-people.js'
import { measure } from '../../src/metrics/measure.js'
import type { Metric, MetricOptions } from '../../src/metrics/metric.js'
import { rebuildPersons } from '../../src/rollup/rebuild-rollups.js'
import { breakdowns, type NaiveMoment, type Stage } from './agreement.js'
import { type EventWorld, eventStage, fivefold, iriOf, rootOf, seedEventWorld } from './event-world.js'
import { dateOf, questions, type World } from './world.js'

/** A world of events in which learners are assigned things. */
export interface AssignedWorld extends EventWorld {
  readonly assignments: readonly WorldAssignment[]
}

/** An assignment; its days are whole numbers. */
export interface WorldAssignment {
  /** Position of whom it was sent for. */
  readonly to: number
  readonly kind: AssignmentKind
  /** The number that stands for the activity; of a manager check it says nothing. */
  readonly activity: number
  readonly assigned: number
  readonly due: number
  /** The first day on which it holds no more. */
  readonly withdrawn: number | null
}

/** Writes a world into a tenant of its own. */
export async function seedAssignedWorld(db: Kysely<Database>, world: AssignedWorld, timeZone = 'UTC'): Promise<number> {
  const tenantId = await seedEventWorld(db, world, timeZone)
  const { assignments } = world
  if (assignments.length === 0) return tenantId
  const iris = assignments.map(({ activity }) => iriOf(activity))
  await db
    .insertInto('activity')
    .values(
      [...new Set(iris)].map(iri => ({ tenant_id: tenantId, iri, digest: createHash('sha256').update(iri).digest() }))
    )
    .onConflict(conflict => conflict.doNothing())
    .execute()
  await sql`
    insert into assignment (tenant_id, assignment_id, person_id, kind, activity_id, assigned_on, due_on, withdrawn_on)
    select ${tenantId}::integer, 'assignment ' || nth, person.id, given.kind::assignment_kind,
      case when given.kind = 'activity' then activity.id end, assigned_on, due_on, withdrawn_on
    from unnest(
      ${assignments.map(({ to }) => to + 1)}::integer[], ${assignments.map(({ kind }) => kind)}::text[], ${iris}::text[],
      ${assignments.map(({ assigned }) => dateOf(assigned))}::date[], ${assignments.map(({ due }) => dateOf(due))}::date[],
      ${assignments.map(({ withdrawn }) => (withdrawn === null ? null : dateOf(withdrawn)))}::date[]
    ) with ordinality as given(at, kind, iri, assigned_on, due_on, withdrawn_on, nth)
    join (select id, row_number() over (order by id) as at from person where tenant_id = ${tenantId}) as person using (at)
    join activity on activity.tenant_id = ${tenantId} and activity.iri = given.iri`.execute(db)
  return tenantId
}

/** What a learner was assigned by then, as themself or under a name that was merged into theirs; what never held is not. */
export function assignedTo(
  world: AssignedWorld,
  at: number,
  { kind, today }: { readonly kind: AssignmentKind; readonly today: NaiveMoment['today'] }
): readonly WorldAssignment[] {
  return world.assignments.filter(
    given =>
      rootOf(world, given.to) === at && given.kind === kind && given.assigned <= today && holdsOn(given, given.assigned)
  )
}

export const holdsOn = ({ assigned, withdrawn }: WorldAssignment, day: number): boolean =>
  assigned <= day && (withdrawn === null || day < withdrawn)

/** Worlds of deeds of these kinds and of assignments. */
export function assignedStage(
  kind: AssignmentKind,
  ...kinds: readonly [LearningEventKind, ...LearningEventKind[]]
): Stage<AssignedWorld> {
  const day = fc.integer({ min: -5, max: 42 })
  const assignment = fc.record({
    to: fc.nat(11),
    kind: fc.nat(9).map(chance => (chance > 0 ? kind : kind === 'activity' ? 'manager-check' : 'activity')),
    activity: fc.nat(3),
    assigned: day,
    due: day,
    withdrawn: fc.option(day, { freq: 1 })
  }) as fc.Arbitrary<WorldAssignment>
  const { worlds } = eventStage(...kinds)
  const assignments = fc.array(assignment, { maxLength: 30, size: 'max' })
  return {
    worlds: fc.record({ world: worlds, assignments }).map(({ world, assignments }) => ({
      // Merges don't nest: who is merged into somebody is into whom that one is in the end.
      people: world.people.map((person, at) => ({
        ...person,
        mergedInto: person.mergedInto === null ? null : rootOf(world, at)
      })),
      // Few activities, so that the same ones are assigned, opened and done.
      deeds: world.deeds.map(deed => ({ ...deed, activity: few(deed.activity) })),
      assignments: assignments.filter(({ to }) => to < world.people.length)
    })),
    sources: ['events'],
    seed: seedAssignedWorld
  }
}

const few = (activity: number | null | undefined) => (typeof activity === 'number' ? activity % 4 : null)

/** A world with five of everybody, who are assigned and do the same, so that no group of it is small. */
export function fivefoldAssigned({ assignments, ...world }: AssignedWorld): AssignedWorld {
  return {
    ...fivefold(world),
    assignments: [0, 1, 2, 3, 4].flatMap(round =>
      assignments.map(given => ({ ...given, to: given.to + round * world.people.length }))
    )
  }
}

/** Compares what a metric makes of the rollups with what it makes of the events, when all of them have happened. */
export async function agreeWithRollups<Options extends MetricOptions, Known extends World>(
  db: Kysely<Database>,
  metric: Metric<Options>,
  { stage, options }: { readonly stage: Stage<Known>; readonly options: fc.Arbitrary<Options> }
): Promise<void> {
  const asked = fc.record({ question: questions, breakdown: breakdowns, options })
  await fc.assert(
    fc.asyncProperty(stage.worlds, asked, async (world, { question, breakdown, options }) => {
      const { filter, membership } = question
      const tenantId = await stage.seed(db, world)
      await db.transaction().execute(trx => rebuildPersons(trx, tenantId, 0))
      const periods = question.periods.map(({ from, days }) => ({ from: dateOf(from), to: dateOf(from + days) }))
      const request = {
        ...{ tenantId, timeZone: 'UTC', periods, filter, membership, breakdown, module: null, options },
        window: periods[0] ?? { from: dateOf(0), to: dateOf(1) },
        today: dateOf(60),
        asOf: new Date(`${dateOf(60)}T10:00:00Z`)
      }
      const rollups = await measure(db, metric, { ...request, source: 'rollup' })
      const events = await measure(db, metric, { ...request, source: 'events' })
      deepStrictEqual(rollups.cells, events.cells)
    }),
    { numRuns: 60 }
  )
}
