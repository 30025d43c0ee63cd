import { type RawBuilder, sql } from 'kysely'
import { eventDeeds } from './event-deeds.js'
import type { MeasureRequest, MetricOption } from './metric.js'

/** On which scale scores are read: as they were sent, or placed between the least and the most that could be had. */
export type Scale = 'scaled' | 'ratio'

export const scaleOption: MetricOption<Scale> = {
  description:
    'Which scores: `scaled`, `score.scaled` as it was sent, -1 to 1; or `ratio`, (raw - min) ÷ (max - min), where all three were sent. The two are never mixed.',
  values: ['scaled', 'ratio'],
  default: 'scaled'
}

const columnOf = { scaled: sql.ref('event.score_scaled'), ratio: sql.ref('event.score_ratio') } as const

/** Order of a learner's attempts: equal instants by the order in which they were stored. */
export const inTime = sql`"timestamp", statement_seq`
export const backInTime = sql`"timestamp" desc, statement_seq desc`

/**
 * A query for the scored attempts (*assessed*) as deeds: `score` on the scale that is asked for, null where the attempt
 * has one only on the other; the activity, the module, and what orders them.
 */
export function scoredAttempts(request: Omit<MeasureRequest, 'options'>, scale: Scale): RawBuilder<unknown> {
  return eventDeeds(request, {
    kinds: ['assessed'],
    columns: [
      sql`event.activity_id`,
      sql`event.module_id`,
      sql`${columnOf[scale]} as score`,
      sql`event."timestamp"`,
      sql`event.statement_seq`
    ],
    where: sql`event.activity_id is not null and num_nonnulls(event.score_scaled, event.score_ratio) > 0`
  })
}
