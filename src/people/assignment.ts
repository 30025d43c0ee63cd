import { type RawBuilder, sql } from 'kysely'
import type { AssignmentKind } from '../database/schema-people.js'

/** An assignment as the LMS knows it, whole: what is null is not so. */
export interface Assignment {
  /** The LMS's own name for it. */
  readonly assignmentId: string
  /** Who is to do the activity, or to be checked: the roster's own name. */
  readonly personId: string
  readonly kind: AssignmentKind
  /** The activity's IRI; null for a manager check. */
  readonly activity: string | null
  /** First local day, `YYYY-MM-DD`. */
  readonly assignedOn: string
  /** Last local day on which it is done in time; null for no deadline, which a manager check must have. */
  readonly dueOn: string | null
  /** First local day on which it holds no more; null while it was not withdrawn. */
  readonly withdrawnOn: string | null
}

/** The members of an assignment by which one is told from an older one of the same name. */
export const assignmentFields = ['personId', 'kind', 'activity', 'assignedOn', 'dueOn', 'withdrawnOn'] as const

/** SQL that joins the person and the activity of `assignment`, for `selectAssignment`. */
export const joinNames: RawBuilder<unknown> = sql`
  join person on person.tenant_id = assignment.tenant_id and person.id = assignment.person_id
  left join activity on activity.tenant_id = assignment.tenant_id and activity.id = assignment.activity_id`

/** SQL for an assignment's members, each under its name here. */
export const selectAssignment: RawBuilder<unknown> = sql`
  assignment.assignment_id as "assignmentId", person.external_id as "personId", assignment.kind,
  activity.iri as activity, assignment.assigned_on as "assignedOn", assignment.due_on as "dueOn",
  assignment.withdrawn_on as "withdrawnOn"`
