import { type RawBuilder, sql } from 'kysely'
import type { ScoreScale } from '../database/schema-activities.js'
import { scoreColumns } from '../rollup/learner-attempts.js'
import { eventDeeds } from './event-deeds.js'
import type { MeasureRequest, MetricOption } from './metric.js'

export const scaleOption: MetricOption<ScoreScale> = {
  description:
    'Which scores: `scaled`, `score.scaled` as it was sent, -1 to 1; or `ratio`, (raw - min) ÷ (max - min), where all three were sent. The two are never mixed.',
  values: ['scaled', 'ratio'],
  default: 'scaled'
}

/**
 * A query for the scored attempts (*assessed*) as deeds: `score` on the scale that is asked for, null where the attempt
 * has one only on the other; the activity, the module, and what orders them.
 */
export function scoredAttempts(request: Omit<MeasureRequest, 'options'>, scale: ScoreScale): RawBuilder<unknown> {
  return eventDeeds(request, {
    kinds: ['assessed'],
    columns: [
      sql`event.activity_id`,
      sql`event.module_id`,
      sql`${sql.ref(`event.${scoreColumns[scale]}`)} as score`,
      sql`event."timestamp"`,
      sql`event.statement_seq`
    ],
    where: sql`event.activity_id is not null and num_nonnulls(event.score_scaled, event.score_ratio) > 0`
  })
}
