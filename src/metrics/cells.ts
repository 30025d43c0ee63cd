import type { Cell, ConfidenceInterval } from './cell.js'
import { type DeedDimension, type Dimension, isDeedDimension } from './dimension.js'
import type { Guard } from './disclosure/guard.js'
import { keyOf as keyOfGroup } from './disclosure/partition.js'
import { ratioInterval, wilson } from './interval.js'
import type { CellSum } from './measurement.js'
import type { Metric } from './metric.js'
import { hide, suppressPartition, suppressSmall } from './suppression.js'
import type { Period, Window } from './window.js'

/** What decides how sums become cells. */
export interface CellFrame {
  readonly metric: Pick<Metric, 'calculation'>
  readonly window: Window
  /** What each of the window's periods is compared with; empty without a comparison. */
  readonly previous: readonly Period[]
  readonly breakdown: readonly (Dimension | DeedDimension)[]
  readonly minGroupSize: number
  /** Hides groups that differ by few people from others as well; null for who may see these people by name. */
  readonly guard?: Guard | null
}

/**
 * Makes cells of sums: values, intervals, comparisons, and small groups hidden. The sums' periods are the window's and,
 * after them, those to compare with.
 *
 * Where learners are told apart by something, the cells of a period are parts of one whole, and so none that is hidden
 * may be had by taking the others from it. Cohorts overlap and make no whole.
 */
export function toCells(frame: CellFrame, sums: readonly CellSum[]): readonly Cell[] {
  const { window, previous } = frame
  const groups: CellSum[][] = [...window.periods, ...previous].map(() => [])
  for (const sum of sums) groups[sum.period]?.push(sum)
  const cellsOf = (position: number, period: Period) => {
    const ofPeriod = groups[position] ?? []
    const cells = ofPeriod.map(sum => toCell(frame, period, sum))
    return hideSmall({ ...frame, position }, cells)
  }
  return window.periods.flatMap((period, position) => {
    const cells = cellsOf(position, period)
    const before = previous[position]
    if (before === undefined) return cells
    const earlier = new Map(cellsOf(window.periods.length + position, before).map(cell => [keyOf(cell), cell]))
    return cells.map(cell => compared(cell, earlier.get(keyOf(cell))))
  })
}

/** What decides how the sums of a period become cells. */
interface PeriodFrame extends CellFrame {
  /** Of the period, among all that were counted. */
  readonly position: number
}

/** Of deeds, each value is a whole of its own, in which the learners are told apart by the roster. */
function hideSmall(frame: PeriodFrame, cells: readonly Cell[]): readonly Cell[] {
  const ofDeeds = frame.breakdown.filter(isDeedDimension)
  if (ofDeeds.length === 0) return hideInWhole(frame, cells)
  const breakdown = frame.breakdown.filter(name => !isDeedDimension(name))
  const wholes = new Map<string, Cell[]>()
  for (const cell of cells) {
    const key = JSON.stringify(ofDeeds.map(name => cell.dimensions[name]))
    const whole = wholes.get(key)
    if (whole === undefined) wholes.set(key, [cell])
    else whole.push(cell)
  }
  const shown = new Map(
    [...wholes.values()].flatMap(whole => {
      const hidden = hideInWhole({ ...frame, breakdown }, whole)
      return whole.map((cell, at) => [cell, hidden[at] ?? cell] as const)
    })
  )
  return cells.map(cell => shown.get(cell) ?? cell)
}

function hideInWhole(frame: PeriodFrame, cells: readonly Cell[]): readonly Cell[] {
  const { breakdown, minGroupSize, guard } = frame
  if (guard) return hideGuarded(guard, frame, cells)
  if (breakdown.length > 0 && !breakdown.includes('cohort')) return suppressPartition(cells, minGroupSize)
  return cells.map(cell => suppressSmall(cell, minGroupSize))
}

function hideGuarded(guard: Guard, { breakdown, position }: PeriodFrame, cells: readonly Cell[]): readonly Cell[] {
  const begun = cells.filter(({ nullReason }) => nullReason !== 'period_not_started')
  const parts = begun.map(cell => ({
    cell,
    n: cell.n ?? 0,
    key: keyOfGroup(breakdown.map(name => cell.dimensions[name] ?? null))
  }))
  const hidden = new Set([...guard.hide(position, parts)].map(({ cell }) => cell))
  return cells.map(cell => (hidden.has(cell) ? hide(cell) : cell))
}

function keyOf({ dimensions }: Cell): string {
  return JSON.stringify(Object.values(dimensions))
}

/** A period that has not begun has nothing to count yet: null, not 0. */
function toCell({ metric, window, breakdown }: CellFrame, { from, to, partial }: Period, sum: CellSum): Cell {
  const dimensions = Object.fromEntries(breakdown.map((name, at) => [name, sum.dimensions[at] ?? null]))
  const frame = { period: { from, to }, dimensions, previous: null, change: null, partial, suppressed: false }
  if (from > window.today) {
    const nothing = { value: null, numerator: null, denominator: null, n: null, ci: null, details: null }
    return { ...frame, ...nothing, nullReason: 'period_not_started' }
  }
  const denominator = metric.calculation === 'count' ? sum.per : sum.sumY
  const value = quotientOf(metric, sum)
  return {
    ...frame,
    value,
    numerator: sum.sumX,
    denominator,
    n: sum.n,
    ci: value === null ? null : intervalOf(metric, sum),
    nullReason: value === null ? 'empty_denominator' : null,
    details: value === null ? null : sum.details
  }
}

function quotientOf(
  { calculation }: Pick<Metric, 'calculation'>,
  { sumX, sumY, per, population }: CellSum
): number | null {
  if (calculation !== 'count') return sumY === 0 ? null : sumX / sumY
  if (population === 0 || per === 0) return null
  return per === null ? sumX : sumX / per
}

function intervalOf({ calculation }: Pick<Metric, 'calculation'>, sum: CellSum): ConfidenceInterval | null {
  if (calculation === 'count') return null
  return calculation === 'proportion' ? wilson(sum.sumX, sum.sumY) : ratioInterval(sum)
}

function compared(cell: Cell, before: Cell | undefined): Cell {
  const previous = before?.value ?? null
  if (cell.value === null) return cell
  return { ...cell, previous, change: previous === null ? null : cell.value - previous }
}
