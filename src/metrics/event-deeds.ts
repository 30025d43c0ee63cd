import { type RawBuilder, sql } from 'kysely'
import type { LearningEventKind } from '../database/schema.js'
import { futureToleranceMs, isVoided } from '../rollup/learner-days.js'
import { isOfModule } from '../rollup/of-module.js'
import type { MeasureRequest } from './metric.js'
import { extent, isSmallCohort } from './shares.js'

/** Which learning events count, and what of them is needed. */
export interface EventDeeds {
  readonly kinds: readonly LearningEventKind[]
  /** Whose deed it is: who did it (default), or whom it was about. */
  readonly side?: 'doer' | 'subject'
  /** Columns over `event` (of `learning_event`), with their names. */
  readonly columns: readonly RawBuilder<unknown>[]
  /** Joins over `event`. */
  readonly joins?: RawBuilder<unknown>
  /** A condition over `event` and what is joined. */
  readonly where?: RawBuilder<unknown>
}

/**
 * A query for learning events as deeds: `person_id`, `day` and the columns; voided and future ones left out. For what
 * the learner-days don't hold, such as which activity it was. The events are read whatever the source, and so are exact
 * at once; the source only says whose days they lie on, the tenant's own or those of the query's zone.
 *
 * The events of a small cohort are looked up by their agents, those of a large one are scanned and sifted, as with
 * learner-days.
 */
export function eventDeeds(request: Omit<MeasureRequest, 'options'>, deeds: EventDeeds): RawBuilder<unknown> {
  const { tenantId, filter } = request
  const { columns, joins = sql``, where = sql`true` } = deeds
  const agent = sql.ref(deeds.side === 'subject' ? 'event.subject_agent_id' : 'event.agent_id')
  const { day, isInside } = daysOf(request)
  const of = (whose: RawBuilder<unknown>) => sql`
    select owner.person_id, ${sql.join([sql`${day} as day`, ...columns])}
    from learning_event as event
    join person_agent as owner on owner.tenant_id = ${tenantId} and owner.agent_id = ${agent}
    ${joins}
    where event.tenant_id = ${tenantId} and ${isInside} and ${isOneOf(deeds.kinds)} and ${agent} is not null
      and ${isOfModule(sql`event.module_id`, request)}
      and "timestamp" <= ${new Date(request.asOf.getTime() + futureToleranceMs).toISOString()}::timestamptz
      and not ${isVoided} and ${where} and ${whose}`
  if (filter === null) return of(sql`true`)
  const isSmall = isSmallCohort(tenantId)
  const agents = sql`
    select agent_id from person_agent
    where tenant_id = ${tenantId} and person_id = any(array(select person_id from in_population))`
  return sql`
    ${of(sql`${isSmall} and ${agent} = any(array(${agents}))`)}
    union all
    ${of(sql`not ${isSmall} and (owner.person_id in (select person_id from in_population)) is true`)}`
}

function isOneOf(kinds: readonly LearningEventKind[]): RawBuilder<unknown> {
  return sql`event.kind in (${sql.join(kinds.map(kind => sql.lit(kind)))})`
}

/**
 * The local day of an event, and whether the periods reach it. `learning_event.day`, which has an index, is the tenant's
 * local day: two zones' days of one instant are at most two apart.
 */
function daysOf(request: Omit<MeasureRequest, 'options'>): { day: RawBuilder<string>; isInside: RawBuilder<boolean> } {
  const { from, to } = extent(request, {})
  if (request.source === 'rollup') {
    return {
      day: sql<string>`event.day`,
      isInside: sql<boolean>`event.day >= ${from}::date and event.day < ${to}::date`
    }
  }
  const day = sql<string>`(event."timestamp" at time zone ${request.timeZone})::date`
  const isNear = sql`event.day >= ${from}::date - 4 and event.day < ${to}::date + 4`
  return { day, isInside: sql<boolean>`${isNear} and ${day} >= ${from}::date and ${day} < ${to}::date` }
}
