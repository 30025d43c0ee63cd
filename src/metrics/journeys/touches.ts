import { type RawBuilder, sql } from 'kysely'
import { futureTolerance, isVoided } from '../../rollup/learner-days.js'
import { isOfModule } from '../../rollup/of-module.js'
import { notFew } from '../shares.js'
import type { JourneyRequest } from './journey.js'
import { columnsOf, findStep, type StepKind } from './steps.js'

/** Which events are touches of a step. */
export interface TouchRequest extends JourneyRequest {
  /** The steps in their order; each is known. */
  readonly steps: readonly string[]
  /** The IRI of the only module that counts; null for all. */
  readonly module: string | null
  /** The local days that are looked at, half-open. */
  readonly days: { readonly from: string; readonly to: string }
}

/** The column of `touch_day` with a step's first instant on the day; steps are counted from 1. */
export const firstAt = (step: number) => sql.ref(`first_${step}_at`)
/** The column of `touch_day` with how often a step was touched on the day. */
export const touches = (step: number) => sql.ref(`touches_${step}`)

/**
 * The expression `touch_day` from the rollup: for each learner and local day with a touch of any step the first instant and
 * the number of touches of each. Those of `entered_day` whose bracket has closed are looked up along the key.
 *
 * @param bracket SQL over `entered_day` for the days that are looked at: `between` these.
 */
export function keptDays(
  { tenantId, steps, filter, membership }: TouchRequest,
  bracket: RawBuilder<unknown>
): RawBuilder<unknown> {
  const columns = steps.map((step, at) => {
    const { count, first } = columnsOf(step)
    return sql`${sql.ref(first)} as ${firstAt(at + 1)}, ${sql.ref(count)} as ${touches(at + 1)}`
  })
  const isTouched = steps.map(step => sql`${sql.ref(columnsOf(step).first)} is not null`)
  const days = sql`
    select person_id, day, ${sql.join(columns)}
    from entered_day join learner_day using (person_id)
    where is_closed and tenant_id = ${tenantId} and day between ${bracket} and (${sql.join(isTouched, sql` or `)})`
  // Of a cohort so few are expected that all would be gone through for each learner who came to a step.
  const isForeseen = filter === null && membership !== 'at_event'
  return sql`touch_day as materialized (${isForeseen ? days : notFew(days)})`
}

/**
 * The same from the events, for every day that is looked at: a scan of those of the steps' kinds. A few days beside those
 * asked for do no harm: windows and brackets are looked at again.
 */
export function countedDays(request: TouchRequest): RawBuilder<unknown> {
  const kinds = request.steps.map(stepOf)
  const columns = kinds.map(({ kind, role }, at) => {
    const isStep = sql`role = ${sql.lit(role)} and kind = ${sql.lit(kind)}`
    return sql`min("timestamp") filter (where ${isStep}) as ${firstAt(at + 1)},
      count(*) filter (where ${isStep})::integer as ${touches(at + 1)}`
  })
  const sides = (['doer', 'subject'] as const).flatMap(role => {
    const ofRole = kinds.filter(kind => kind.role === role).map(({ kind }) => sql.lit(kind))
    return ofRole.length === 0 ? [] : [eventsOf(request, role, ofRole)]
  })
  return sql`
    touch_day as materialized (
      select person_id, day, ${sql.join(columns)}
      from (${sql.join(sides, sql` union all `)}) as event
      where (person_id in (select person_id from population)) is true
      group by person_id, day
    )`
}

function eventsOf(request: TouchRequest, role: StepKind['role'], kinds: readonly RawBuilder<unknown>[]) {
  const { tenantId, days } = request
  return sql`
    select person_agent.person_id, ${localDay(request)} as day, ${sql.lit(role)} as role, event.kind, event."timestamp"
    from learning_event as event
    join person_agent on person_agent.tenant_id = event.tenant_id and person_agent.agent_id = ${agentOf(role)}
    where event.tenant_id = ${tenantId} and event.kind in (${sql.join(kinds)})
      and event.day >= ${days.from}::date - 4 and event.day < ${days.to}::date + 4 and ${counts(request)}`
}

/**
 * A query for all touches of a step by one learner on one local day, as `"timestamp"`. The days of `touch_day` have the
 * first touch only; whoever needs another one, because it was touched before the step that it must follow, looks here.
 * `day`, which has an index, is the tenant's local day: two zones' days of one instant are at most two apart.
 */
export function touchesOn(
  request: TouchRequest,
  step: number,
  on: { readonly person: RawBuilder<unknown>; readonly day: RawBuilder<unknown> }
): RawBuilder<unknown> {
  const { kind, role } = stepOf(request.steps[step - 1] ?? '')
  return sql`
    select event."timestamp"
    from person_agent
    join learning_event as event on event.tenant_id = person_agent.tenant_id and ${agentOf(role)} = person_agent.agent_id
    where person_agent.tenant_id = ${request.tenantId} and person_agent.person_id = ${on.person}
      and event.kind = ${sql.lit(kind)} and event.day between ${on.day} - 4 and ${on.day} + 4
      and ${localDay(request)} = ${on.day} and ${counts(request)}`
}

/** SQL for the local day of an `event`, in the window's zone. */
function localDay({ window }: JourneyRequest): RawBuilder<string> {
  return sql<string>`(event."timestamp" at time zone ${window.timeZone})::date`
}

function agentOf(role: StepKind['role']): RawBuilder<number | null> {
  return sql<number | null>`${sql.ref(role === 'doer' ? 'event.agent_id' : 'event.subject_agent_id')}`
}

/** Whether an `event` counts: not voided, not of the future, and of the module. */
function counts(request: TouchRequest): RawBuilder<boolean> {
  const live = sql`not ${isVoided} and event."timestamp" <= ${request.asOf.toISOString()}::timestamptz + ${futureTolerance}::interval`
  return sql<boolean>`(${live} and ${isOfModule(sql`event.module_id`, request)})`
}

function stepOf(name: string): StepKind {
  const step = findStep(name)
  if (step === undefined) throw new RangeError(`${name} is no step`)
  return step
}
