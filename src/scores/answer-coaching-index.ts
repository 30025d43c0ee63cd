import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import type { Meta } from '../metrics/cell.js'
import { guardFor } from '../metrics/disclosure/guard.js'
import { toMeta } from '../metrics/meta.js'
import { type MetricAsker, toRequest } from '../metrics/resolve-query.js'
import { daysBetween } from '../metrics/window.js'
import { onOneSnapshot } from '../store/on-one-snapshot.js'
import { findDefinition } from './find-definition.js'
import { coachingScore, type GroupScore, readCoachingIndex } from './read-coaching-index.js'
import { resolveScore, type ScoreQuery } from './resolve-score.js'
import type { ScoreWindow } from './score.js'
import { weeksFrom } from './weeks.js'

export interface CoachingAnswer {
  readonly score: string
  readonly period: ScoreWindow
  /** The full weeks of the period that were looked at. */
  readonly weeks: number
  readonly groups: readonly (Omit<GroupScore, 'dimensions'> & {
    readonly dimensions: Readonly<Record<string, string | null>>
  })[]
  readonly meta: Meta
}

/**
 * Answers a query for the coaching index: of everyone who is asked for, or of each group of a breakdown. It rests on the
 * full weeks of the window, counted from its first day.
 *
 * @throws {LrsError} `invalid-parameter` as for a metric, and for a window without a full week; `not-found` for a version
 *   of the definition that there is not
 */
export async function answerCoachingIndex(
  db: Kysely<Database>,
  query: ScoreQuery,
  asker: MetricAsker
): Promise<CoachingAnswer> {
  return onOneSnapshot(db, async trx => {
    const resolved = await resolveScore(trx, coachingScore, query, asker)
    const { window, breakdown } = resolved
    const weeks = Math.floor(daysBetween(window.from, window.to) / 7)
    if (weeks === 0) {
      throw new LrsError('invalid-parameter', 'The coaching index needs a window of 7 days or more', {
        pointer: '/from'
      })
    }
    const saved = await findDefinition(trx, asker.tenantId, coachingScore, query.definitionVersion)
    const periods = weeksFrom(window.from, weeks)
    const guard = await guardFor(trx, { ...resolved, window: { today: window.today, periods } })
    const request = { ...toRequest(resolved), periods, minGroupSize: resolved.minGroupSize, guard }
    const { groups, snapshot } = await readCoachingIndex(trx, request, saved.definition)
    return {
      score: coachingScore.id,
      period: { from: window.from, to: window.to },
      weeks,
      groups: groups.map(({ dimensions, ...group }) => ({
        ...group,
        dimensions: Object.fromEntries(breakdown.map((name, at) => [name, dimensions[at] ?? null]))
      })),
      meta: {
        ...toMeta({ id: coachingScore.id, definitionVersion: saved.version }, resolved, { snapshot, cells: [] }),
        nextCursor: null
      }
    }
  })
}
