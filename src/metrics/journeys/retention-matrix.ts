import type { Interval, Window } from '../window.js'
import { isSmall, noShare, type Share, shareOf } from './share.js'
import { addUnits, startOfUnit } from './units.js'

/** What was counted of one cohort, in learners; the lists have one number for each period. */
export interface CohortCounts {
  readonly size: number
  readonly eligible: readonly number[]
  readonly retained: readonly number[]
}

/** Of the learners whose period has closed, how many were retained in it. */
export interface RetentionCell extends Share {
  /** From 0, the cohort's own. */
  readonly period: number
  /** Learners whose period has closed; null when hidden. */
  readonly eligible: number | null
}

/** Those whose first active day ever lies in one unit of the window. */
export interface RetentionCohort {
  readonly cohort: { readonly from: string; readonly to: string }
  /** The window clips the unit, or it is not over yet. */
  readonly partial: boolean
  /** Null when hidden or not begun. */
  readonly size: number | null
  readonly cells: readonly RetentionCell[]
}

/** All cohorts together, period by period. */
export interface RetentionCurve {
  readonly curve: readonly (RetentionCell & {
    /** By how much the value fell since the period before, in the cohorts shown in both; null where there are none. */
    readonly loss: number | null
  })[]
  /** Where most were lost; null where nothing fell. */
  readonly largestLoss: { readonly period: number; readonly loss: number } | null
}

interface MatrixRequest {
  readonly window: Pick<Window, 'periods' | 'today'>
  readonly unit: Interval
  readonly type: string
  /** From how many people on the numbers of the cohort of a period, by its position, are shown. */
  readonly leastShown: (period: number) => number
}

/**
 * Makes the matrix. A cell is hidden where its eligible learners are too few, and a cohort's size likewise: there is no
 * total that it could be had from, because the curve sums the cells that are shown.
 */
export function toCohorts(rows: readonly CohortCounts[], request: MatrixRequest): readonly RetentionCohort[] {
  const { window } = request
  return window.periods.map(({ from, to, partial }, at) => {
    const { size, eligible, retained } = rows[at] as CohortCounts
    const least = request.leastShown(at)
    const cells = eligible.map((count, period) => {
      const isOpen = closesOn(from, period, request) > window.today
      return toCell(
        period,
        toShare({ isBegun: from <= window.today, isOpen, count, kept: retained[period] ?? 0 }, least)
      )
    })
    const isHidden = from > window.today || isSmall(size, least)
    return { cohort: { from, to }, partial, size: isHidden ? null : size, cells }
  })
}

/** The day before which a period is over for the first who can have begun in a unit. */
function closesOn(from: string, period: number, { type, unit }: MatrixRequest): string {
  return addUnits(type === 'rolling' ? from : startOfUnit(from, unit), unit, period + 1)
}

function toShare(
  {
    isBegun,
    isOpen,
    count,
    kept
  }: { readonly isBegun: boolean; readonly isOpen: boolean; readonly count: number; readonly kept: number },
  minGroupSize: number
): Share {
  if (!isBegun) return noShare('period_not_started')
  if (isOpen) return noShare('bracket_open')
  return isSmall(count, minGroupSize) ? noShare('small_group') : shareOf(kept, count)
}

function toCell(period: number, share: Share): RetentionCell {
  return { period, eligible: share.denominator, ...share }
}

/**
 * Sums the cells that are shown, period by period: sum ÷ sum, never a mean of rates. As they are shown, nothing hidden
 * can be had from the sums. A loss compares the same cohorts before and after, so that a cohort whose period is still
 * open makes none.
 */
export function toCurve(cohorts: readonly RetentionCohort[]): RetentionCurve {
  const length = cohorts[0]?.cells.length ?? 0
  const curve = Array.from({ length }, (_, period) => {
    const cells = cohorts.flatMap(({ cells }) => cells[period] ?? [])
    return { ...toCell(period, sumOf(cells)), loss: lossOf(cohorts, period) }
  })
  const largest = curve.reduce<RetentionCurve['largestLoss']>(
    (most, { period, loss }) => ((loss ?? 0) > (most?.loss ?? 0) ? { period, loss: loss ?? 0 } : most),
    null
  )
  return { curve, largestLoss: largest }
}

function sumOf(cells: readonly RetentionCell[]): Share {
  const sum = (of: (cell: RetentionCell) => number | null) => cells.reduce((total, cell) => total + (of(cell) ?? 0), 0)
  const eligible = sum(cell => cell.denominator)
  if (eligible > 0)
    return shareOf(
      sum(cell => cell.numerator),
      eligible
    )
  if (cells.some(({ suppressed }) => suppressed)) return noShare('small_group')
  return cells.every(({ denominator }) => denominator === null) ? noShare('bracket_open') : shareOf(0, 0)
}

function lossOf(cohorts: readonly RetentionCohort[], period: number): number | null {
  const pairs = cohorts.flatMap(({ cells }) => {
    const [before, now] = [cells[period - 1], cells[period]]
    return before && now && before.value !== null && now.value !== null ? [[before, now] as const] : []
  })
  const before = sumOf(pairs.map(([before]) => before))
  const now = sumOf(pairs.map(([, now]) => now))
  return before.value === null || now.value === null ? null : before.value - now.value
}
