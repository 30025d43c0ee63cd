import { LrsError } from '../errors.js'
import type { Cell } from './cell.js'

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

/** Hides a cell of 1 to `minGroupSize - 1` learners: it would speak of people who could be recognised. */
export function suppressSmall(cell: Cell, minGroupSize: number): Cell {
  return isSmall(cell, minGroupSize) ? hide(cell) : cell
}

/**
 * Hides the small cells among siblings that together make up one total, and, so that no hidden one can be had by
 * subtracting the others from that total, more of them (complementary suppression).
 *
 * @param cells siblings whose learners add up to the total's, none hidden yet
 * @see hiddenParts
 */
export function suppressPartition(cells: readonly Cell[], minGroupSize: number): readonly Cell[] {
  const hidden = hiddenParts(cells, sizeOf, minGroupSize)
  return cells.map(cell => (hidden.has(cell) ? hide(cell) : cell))
}

/**
 * Which parts of a whole are hidden: the small ones, and others with them.
 *
 * The hidden parts together must stand for at least `minGroupSize`; until they do, the smallest one still visible is
 * hidden too (on a tie the first). Empty parts stay: hiding one protects nobody. Where every part that is not empty
 * has been hidden, the whole itself is small, and its own suppression protects them.
 */
export function hiddenParts<Part>(
  parts: readonly Part[],
  sizeOf: (part: Part) => number,
  minGroupSize: number
): ReadonlySet<Part> {
  const bySize = parts.filter(part => sizeOf(part) > 0).sort((a, b) => sizeOf(a) - sizeOf(b))
  const hidden = new Set(bySize.filter(part => sizeOf(part) < minGroupSize))
  if (hidden.size === 0) return hidden
  let hiddenSize = [...hidden].reduce((sum, part) => sum + sizeOf(part), 0)
  for (const part of bySize.slice(hidden.size)) {
    if (hiddenSize >= minGroupSize) break
    hidden.add(part)
    hiddenSize += sizeOf(part)
  }
  return hidden
}

function isSmall(cell: Cell, minGroupSize: number): boolean {
  return sizeOf(cell) > 0 && sizeOf(cell) < minGroupSize
}

function sizeOf(cell: Cell): number {
  return cell.n ?? 0
}

/** A cell without its numbers. */
export function hide(cell: Cell): Cell {
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
    nullReason: 'small_group',
    details: null
  }
}
