import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { raiseDataVersions } from '../store/data-version.js'
import { findNumbers, internWords, type Numbers } from '../store/dictionary.js'
import { transact } from '../store/transact.js'
import { type Assignment, assignmentFields, joinNames, selectAssignment } from './assignment.js'
import type { Differences } from './attributes.js'
import { mostChanges } from './rehearse-people.js'

/** From so many assignments on, plans are made anew. */
const manyRecords = 1000

/** What became of one assignment. */
export interface AssignmentChange {
  readonly assignmentId: string
  readonly change: 'created' | 'updated'
  /** The members that differ from what was known; all that are not null of a new one. */
  readonly fields: Differences
}

/** How many assignments were new, changed, or just as given before. */
export interface PutAssignmentsOutcome {
  readonly received: number
  readonly created: number
  readonly updated: number
  readonly unchanged: number
  /** The first of those that were made or changed. */
  readonly changes: readonly AssignmentChange[]
}

/**
 * Makes assignments, or replaces those of the same name, all of them or none.
 *
 * Whom they name must be in the roster, be it as somebody who is merged into another. The persons are held against an
 * erasure until the end, so none is left without a person.
 *
 * @throws {LrsError} `unknown-person` when the roster does not name one of the persons; `invalid-body` when an
 * `assignmentId` is given twice.
 */
export async function putAssignments(
  db: Kysely<Database>,
  tenantId: number,
  assignments: readonly Assignment[],
  { dryRun }: { readonly dryRun: boolean }
): Promise<PutAssignmentsOutcome> {
  refuseRepeated(assignments)
  if (assignments.length === 0) return tell(assignments, [])
  const activities = assignments.flatMap(({ activity }) => activity ?? [])
  const of = { tenantId, dictionary: 'activity' } as const
  // A dry run leaves the dictionary alone: an activity that it lacks is in no assignment either.
  const numbers = dryRun ? await findNumbers(db, of, activities) : await internWords(db, of, activities)
  return transact(db, async trx => {
    const personNumbers = await holdPersons(trx, tenantId, assignments)
    const known = await findKnown(trx, tenantId, assignments)
    const changes = assignments.flatMap(assignment => changeOf(assignment, known.get(assignment.assignmentId)) ?? [])
    if (!dryRun && changes.length > 0) {
      const changed = new Set(changes.map(({ assignmentId }) => assignmentId))
      const rest = assignments.filter(({ assignmentId }) => changed.has(assignmentId))
      await write(trx, tenantId, rest, { personNumbers, activityNumbers: numbers })
      await raiseDataVersions(trx, [tenantId])
    }
    return tell(assignments, changes)
  })
}

function refuseRepeated(assignments: readonly Assignment[]): void {
  const seen = new Set<string>()
  for (const [index, { assignmentId }] of assignments.entries()) {
    if (seen.has(assignmentId)) {
      const message = `The assignmentId "${assignmentId}" is given twice`
      throw new LrsError('invalid-body', message, { index, pointer: '/assignmentId' })
    }
    seen.add(assignmentId)
  }
}

function tell(assignments: readonly Assignment[], changes: readonly AssignmentChange[]): PutAssignmentsOutcome {
  const created = changes.filter(({ change }) => change === 'created').length
  return {
    received: assignments.length,
    created,
    updated: changes.length - created,
    unchanged: assignments.length - changes.length,
    changes: changes.slice(0, mostChanges)
  }
}

/** Finds the persons' numbers and keeps them from being erased; whoever comes after an erasure doesn't find them. */
async function holdPersons(
  trx: Transaction<Database>,
  tenantId: number,
  assignments: readonly Assignment[]
): Promise<Numbers> {
  const wanted = [...new Set(assignments.map(({ personId }) => personId))]
  const { rows } = await sql<{ id: number; external_id: string }>`
    select id, external_id from person
    where tenant_id = ${tenantId} and external_id = any(${wanted}::text[])
    order by id for key share`.execute(trx)
  const numbers = new Map(rows.map(({ id, external_id }) => [external_id, id]))
  refuseUnknown(assignments, numbers, wanted.length - rows.length)
  return numbers
}

function refuseUnknown(assignments: readonly Assignment[], numbers: Numbers, unknown: number): void {
  const index = assignments.findIndex(({ personId }) => !numbers.has(personId))
  const first = assignments[index]
  if (first === undefined) return
  const others = unknown > 1 ? `, nor ${unknown - 1} more of those who are named here` : ''
  const message = `The roster has no person "${first.personId}"${others}`
  throw new LrsError('unknown-person', message, { index, pointer: '/personId' })
}

/** The assignments of these names that there are, locked in one order. */
async function findKnown(
  trx: Transaction<Database>,
  tenantId: number,
  assignments: readonly Assignment[]
): Promise<ReadonlyMap<string, Assignment>> {
  const { rows } = await sql<Assignment>`
    select ${selectAssignment} from assignment ${joinNames}
    where assignment.tenant_id = ${tenantId}
      and assignment.assignment_id = any(${assignments.map(({ assignmentId }) => assignmentId)}::text[])
    order by assignment.assignment_id for no key update of assignment`.execute(trx)
  return new Map(rows.map(row => [row.assignmentId, row]))
}

function changeOf(assignment: Assignment, known: Assignment | undefined): AssignmentChange | null {
  const { assignmentId } = assignment
  const different = assignmentFields.filter(name => assignment[name] !== (known?.[name] ?? null))
  if (different.length === 0) return null
  const fields = different.map(name => [name, { from: known?.[name] ?? null, to: assignment[name] }])
  return { assignmentId, change: known === undefined ? 'created' : 'updated', fields: Object.fromEntries(fields) }
}

async function write(
  trx: Transaction<Database>,
  tenantId: number,
  assignments: readonly Assignment[],
  { personNumbers, activityNumbers }: { readonly personNumbers: Numbers; readonly activityNumbers: Numbers }
): Promise<void> {
  // As in `putPeople`: the foreign keys' checks keep plans that were made when the tables were small.
  if (assignments.length >= manyRecords) await sql`discard plans`.execute(trx)
  await sql`
    insert into assignment (tenant_id, assignment_id, person_id, kind, activity_id, assigned_on, due_on, withdrawn_on)
    select ${tenantId}::integer, * from unnest(
      ${assignments.map(({ assignmentId }) => assignmentId)}::text[],
      ${assignments.map(({ personId }) => personNumbers.get(personId))}::integer[],
      ${assignments.map(({ kind }) => kind)}::assignment_kind[],
      ${assignments.map(({ activity }) => (activity === null ? null : activityNumbers.get(activity)))}::integer[],
      ${assignments.map(({ assignedOn }) => assignedOn)}::date[],
      ${assignments.map(({ dueOn }) => dueOn)}::date[],
      ${assignments.map(({ withdrawnOn }) => withdrawnOn)}::date[])
      as given(assignment_id, person_id, kind, activity_id, assigned_on, due_on, withdrawn_on)
    order by assignment_id
    on conflict (tenant_id, assignment_id) do update set person_id = excluded.person_id, kind = excluded.kind,
      activity_id = excluded.activity_id, assigned_on = excluded.assigned_on, due_on = excluded.due_on,
      withdrawn_on = excluded.withdrawn_on`.execute(trx)
}
