import { styleText } from 'node:util'
import type { Cell, JudgedMetric, Thresholds } from './metrics.js'

/** One line of the pilot's table: a metric for one cohort. */
export interface Line {
  /** What the first column says. */
  readonly label: string
  readonly metric: JudgedMetric
  readonly cell: Cell
}

type State = 'success' | 'minimum met' | 'below minimum'

/** A value against its thresholds, and which of them its confidence interval leaves open. */
export interface Verdict {
  readonly state: State
  readonly straddles: readonly ('minimum' | 'success')[]
}

const columns = ['', 'value', '95 % interval', 'learners', 'minimum', 'success', 'verdict']

/** Judges a cell; null when it has no value. */
export function judge(cell: Cell, thresholds: Thresholds): Verdict | null {
  const { value, ci } = cell
  if (value === null) return null
  const met = value >= thresholds.minimum ? 'minimum met' : 'below minimum'
  const open = (['minimum', 'success'] as const).filter(
    name => ci !== null && ci.low < thresholds[name] && thresholds[name] <= ci.high
  )
  return { state: value >= thresholds.success ? 'success' : met, straddles: open }
}

/** The pilot's table as text; verdicts are coloured where `colours` says so. */
export function formatTable(lines: readonly Line[], colours: boolean): string {
  const rows = lines.map(line => ({ line, texts: textsOf(line) }))
  const widths = columns.map((title, index) =>
    Math.max(title.length, ...rows.map(({ texts }) => texts[index]?.length ?? 0))
  )
  const aligned = (texts: readonly string[]) =>
    texts.map((text, index) => (isLeft(index) ? text.padEnd(widths[index] ?? 0) : text.padStart(widths[index] ?? 0)))
  const rule = widths.map(width => '─'.repeat(width)).join('  ')
  const body = rows.map(({ line, texts }) => {
    const cells = aligned(texts)
    const verdict = (cells.pop() ?? '').trimEnd()
    return [...cells, colours ? coloured(line, verdict) : verdict].join('  ').trimEnd()
  })
  return [aligned(columns).join('  ').trimEnd(), rule, ...body].join('\n')
}

/** Values 0..1 as a row of blocks, with a gap where there is none. */
export function sparkline(values: readonly (number | null)[]): string {
  const blocks = '▁▂▃▄▅▆▇█'
  return values.map(value => (value === null ? ' ' : (blocks[Math.min(7, Math.floor(value * 8))] ?? ' '))).join('')
}

/** A value in its unit: proportions as percentages, everything else with two decimals. */
export function formatValue(value: number | null, unit: string, decimals = 1): string {
  if (value === null) return '–'
  return unit === 'proportion' ? `${(value * 100).toFixed(decimals)} %` : value.toFixed(2)
}

function textsOf({ label, metric, cell }: Line): readonly string[] {
  const { unit, thresholds } = metric
  const interval = cell.ci === null ? '' : `${formatValue(cell.ci.low, unit)} to ${formatValue(cell.ci.high, unit)}`
  return [
    label,
    formatValue(cell.value, unit),
    interval,
    cell.denominator === null ? '' : `${cell.numerator} of ${cell.denominator}`,
    formatValue(thresholds.minimum, unit, 0),
    formatValue(thresholds.success, unit, 0),
    verdictOf(cell, thresholds)
  ]
}

function verdictOf(cell: Cell, thresholds: Thresholds): string {
  const verdict = judge(cell, thresholds)
  if (verdict === null) return cell.suppressed ? 'hidden: too few learners' : `no value: ${reasonOf(cell)}`
  const open =
    verdict.straddles.length > 0 ? ` (not certain: the interval straddles ${verdict.straddles.join(' and ')})` : ''
  return verdict.state + open
}

function reasonOf(cell: Cell): string {
  return cell.nullReason === 'empty_denominator'
    ? 'nobody to count'
    : (cell.nullReason ?? 'unknown').replaceAll('_', ' ')
}

function coloured({ cell, metric }: Line, text: string): string {
  const verdict = judge(cell, metric.thresholds)
  if (verdict === null) return styleText('dim', text)
  const colour = { success: 'green', 'minimum met': 'yellow', 'below minimum': 'red' } as const
  return styleText(colour[verdict.state], text)
}

function isLeft(column: number): boolean {
  return column === 0 || column === columns.length - 1
}
