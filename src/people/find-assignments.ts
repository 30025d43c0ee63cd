import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import type { AssignmentKind } from '../database/schema-people.js'
import { findNumbers } from '../store/dictionary.js'
import { type Assignment, joinNames, selectAssignment } from './assignment.js'

/** Which assignments are asked for. All that is given must hold. */
export interface AssignmentQuery {
  /** Those of the person, and of everybody who is merged into them. */
  readonly personId?: string
  /** The activity's IRI. */
  readonly activity?: string
  readonly kind?: AssignmentKind
  /** First local day of the deadline. */
  readonly dueFrom?: string
  /** The local day after the last one of the deadline. */
  readonly dueBefore?: string
  /** Only assignments behind this `assignmentId`. */
  readonly after?: string
  readonly limit: number
}

/** A page of assignments, in the order of their `assignmentId`, and where the next one begins; null behind the last. */
export interface AssignmentPage {
  readonly assignments: readonly Assignment[]
  readonly next: string | null
}

/** Finds assignments, also withdrawn ones. Each has the `personId` that it was given for, whoever was merged since. */
export async function findAssignments(
  db: Kysely<Database>,
  tenantId: number,
  query: AssignmentQuery
): Promise<AssignmentPage> {
  const activityId = await findActivityId(db, tenantId, query.activity)
  // In the dictionary is every activity that was assigned.
  if (activityId === undefined) return { assignments: [], next: null }
  const { rows } = await sql<Assignment>`
    select ${selectAssignment} from assignment ${joinNames}
    where ${sql.join(conditionsOf(tenantId, query, activityId), sql` and `)}
    order by assignment.assignment_id
    limit ${query.limit + 1}`.execute(db)
  const assignments = rows.slice(0, query.limit)
  return { assignments, next: rows.length > query.limit ? (assignments.at(-1)?.assignmentId ?? null) : null }
}

/** The number of the activity that is asked for; null when none is, undefined for one that nobody has named. */
async function findActivityId(
  db: Kysely<Database>,
  tenantId: number,
  activity: string | undefined
): Promise<number | null | undefined> {
  if (activity === undefined) return null
  return (await findNumbers(db, { tenantId, dictionary: 'activity' }, [activity])).get(activity)
}

function conditionsOf(
  tenantId: number,
  query: AssignmentQuery,
  activityId: number | null
): readonly RawBuilder<unknown>[] {
  const { personId, kind, dueFrom, dueBefore, after } = query
  return [
    sql`assignment.tenant_id = ${tenantId}`,
    ...(personId === undefined ? [] : [isOf(tenantId, personId)]),
    ...(activityId === null ? [] : [sql`assignment.activity_id = ${activityId}`]),
    ...(kind === undefined ? [] : [sql`assignment.kind = ${kind}::assignment_kind`]),
    ...(dueFrom === undefined ? [] : [sql`assignment.due_on >= ${dueFrom}::date`]),
    ...(dueBefore === undefined ? [] : [sql`assignment.due_on < ${dueBefore}::date`]),
    ...(after === undefined ? [] : [sql`assignment.assignment_id > ${after}`])
  ]
}

function isOf(tenantId: number, personId: string): RawBuilder<unknown> {
  return sql`assignment.person_id in (
    select one.id from person as named
    join person as one on one.tenant_id = named.tenant_id and (one.id = named.id or one.merged_into = named.id)
    where named.tenant_id = ${tenantId} and named.external_id = ${personId})`
}
