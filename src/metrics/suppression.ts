import { LrsError } from '../errors.js'
import type { Cell } from './metric.js'

/** However it is configured, no group smaller than this is ever shown. */
export const groupSizeFloor = 5

/**
 * The size below which a group is hidden: the configured one, which a caller may raise and never lower.
 *
 * @throws LrsError `invalid-parameter` when the caller asks for less
 */
export function resolveMinGroupSize(configured: number, requested: number | undefined): number {
  const least = Math.max(groupSizeFloor, configured)
  if (requested === undefined || requested >= least) return requested ?? least
  throw new LrsError(
    'invalid-parameter',
    `minGroupSize (${requested}) may be raised above ${least}, which protects small groups here, but not lowered`
  )
}

/** Hides a cell whose denominator is 1 to `minGroupSize - 1`: it would speak of people who could be recognised. */
export function suppressSmall(cell: Cell, minGroupSize: number): Cell {
  return isSmall(cell, minGroupSize) ? hide(cell) : cell
}

/**
 * Hides the small cells among siblings that together make up one total, and, so that no hidden one can be had by
 * subtracting the others from that total, more of them (complementary suppression).
 *
 * The hidden cells together must stand for at least `minGroupSize`; until they do, the smallest one still visible is
 * hidden too (on a tie the first). Empty cells stay: hiding one protects nobody. Where every cell that is not empty
 * has been hidden, the total itself is small, and its own suppression protects them.
 *
 * @param cells siblings whose denominators add up to the total's, none hidden yet
 */
export function suppressPartition(cells: readonly Cell[], minGroupSize: number): readonly Cell[] {
  const hidden = new Set(cells.filter(cell => isSmall(cell, minGroupSize)))
  if (hidden.size === 0) return cells
  const visible = cells.filter(cell => sizeOf(cell) > 0 && !hidden.has(cell)).sort((a, b) => sizeOf(a) - sizeOf(b))
  let hiddenSize = [...hidden].reduce((sum, cell) => sum + sizeOf(cell), 0)
  for (const cell of visible) {
    if (hiddenSize >= minGroupSize) break
    hidden.add(cell)
    hiddenSize += sizeOf(cell)
  }
  return cells.map(cell => (hidden.has(cell) ? hide(cell) : cell))
}

function isSmall(cell: Cell, minGroupSize: number): boolean {
  return sizeOf(cell) > 0 && sizeOf(cell) < minGroupSize
}

function sizeOf(cell: Cell): number {
  return cell.denominator ?? 0
}

function hide(cell: Cell): Cell {
  return {
    ...cell,
    value: null,
    numerator: null,
    denominator: null,
    n: null,
    ci: null,
    previous: null,
    change: null,
    suppressed: true,
    nullReason: 'small_group'
  }
}
