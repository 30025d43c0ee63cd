import type { FunnelAnswer } from '../../metrics/journeys/funnel.js'
import { type LifecycleAnswer, lifecycleStates } from '../../metrics/journeys/lifecycle.js'
import type { RetentionAnswer } from '../../metrics/journeys/retention.js'
import type { SequenceAnswer } from '../../metrics/journeys/sequence.js'
import type { Share } from '../../metrics/journeys/share.js'
import { type CsvRow, ciCells, toCsv } from './csv.js'

/** One row per step. */
export function stepsCsv({ eligible, results }: FunnelAnswer | SequenceAnswer): string {
  return table(
    results.map(result => ({
      position: result.position,
      step: result.step,
      eligible,
      n: result.n,
      ...shareCells(result.stepConversion, 'step_'),
      ...shareCells(result.totalConversion, 'total_'),
      drop_off: result.dropOff,
      median_seconds_from_first: result.timeFromFirst.medianSeconds,
      p90_seconds_from_first: result.timeFromFirst.p90Seconds,
      median_seconds_from_previous: result.timeFromPrevious.medianSeconds,
      p90_seconds_from_previous: result.timeFromPrevious.p90Seconds,
      suppressed: result.suppressed
    }))
  )
}

/** One row per cohort and period; the curve's rows come last and have no cohort. */
export function retentionCsv({ results, curve }: RetentionAnswer): string {
  const cells = results.flatMap(({ cohort, partial, size, cells }) =>
    cells.map(cell => ({ from: cohort.from, to: cohort.to, partial, size, ...cell, loss: null }))
  )
  const points = curve.map(cell => ({ from: null, to: null, partial: null, size: null, ...cell }))
  return table(
    [...cells, ...points].map(({ from, to, partial, size, period, eligible, loss, ...share }) => ({
      cohort_from: from,
      cohort_to: to,
      partial,
      size,
      period,
      eligible,
      ...shareCells(share),
      loss
    }))
  )
}

/** One row per period and state. */
export function lifecycleCsv({ results }: LifecycleAnswer): string {
  return table(
    results.flatMap(result =>
      lifecycleStates.map(state => ({
        from: result.period.from,
        to: result.period.to,
        partial: result.partial,
        state,
        population: result.population,
        ...shareCells(result[state])
      }))
    )
  )
}

function shareCells({ value, numerator, denominator, n, ci, suppressed, nullReason }: Share, prefix = ''): CsvRow {
  const cells = { value, numerator, denominator, n }
  const named = Object.entries(cells).map(([name, cell]) => [`${prefix}${name}`, cell])
  return {
    ...Object.fromEntries(named),
    ...ciCells(ci, prefix),
    [`${prefix}suppressed`]: suppressed,
    [`${prefix}null_reason`]: nullReason
  }
}

/** Every row has the same columns, and there is always one row. */
function table(rows: readonly CsvRow[]): string {
  return toCsv(Object.keys(rows[0] ?? {}), rows)
}
