import type { Answer, Cell } from '../../metrics/cell.js'
import { type CsvRow, ciCells, toCsv } from './csv.js'

const before = ['metric', 'from', 'to']
const after = [
  ...['value', 'numerator', 'denominator', 'n', 'ci_low', 'ci_high', 'ci_method', 'previous', 'change', 'partial'],
  ...['suppressed', 'nullReason']
]

/**
 * Writes an answer as a table: a row for each cell, with the same numbers as in JSON; a column for each dimension, and
 * for each detail that is a number or a word. What the answer says of itself is left out.
 */
export function answerCsv({ metric, results, meta }: Answer): string {
  const details = [...new Set(results.flatMap(({ details }) => Object.keys(plainDetails(details))))].sort()
  const columns = [...before, ...meta.query.breakdown, ...after, ...details.map(name => `details_${name}`)]
  return toCsv(
    columns,
    results.map(cell => toRow(metric, cell))
  )
}

function toRow(metric: string, { period, dimensions, ci, details, ...cell }: Cell): CsvRow {
  const extra = Object.entries(plainDetails(details)).map(([name, value]) => [`details_${name}`, value])
  return { metric, ...period, ...dimensions, ...cell, ...ciCells(ci), ...Object.fromEntries(extra) }
}

function plainDetails(details: Cell['details']): CsvRow {
  const isPlain = (value: unknown) => value === null || typeof value !== 'object'
  return Object.fromEntries(Object.entries(details ?? {}).filter(([, value]) => isPlain(value))) as CsvRow
}
