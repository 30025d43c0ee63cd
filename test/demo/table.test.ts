import t from 'tap'
import type { Cell, JudgedMetric } from '../../demo/metrics.js'
import { formatTable, judge, sparkline } from '../../demo/table.js'

const metric: JudgedMetric = {
  id: 'active-users',
  name: 'Active users',
  unit: 'proportion',
  thresholds: { minimum: 0.4, success: 0.7 }
}

t.test('a value is judged by its thresholds, and its interval says which of them it leaves open', async t => {
  const verdict = (value: number, low: number, high: number) =>
    judge(cell({ value, ci: { low, high } }), metric.thresholds)
  t.strictSame(verdict(0.8, 0.75, 0.85), { state: 'success', straddles: [] })
  t.strictSame(verdict(0.7, 0.6, 0.8), { state: 'success', straddles: ['success'] })
  t.strictSame(verdict(0.5, 0.45, 0.55), { state: 'minimum met', straddles: [] })
  t.strictSame(verdict(0.5, 0.35, 0.75), { state: 'minimum met', straddles: ['minimum', 'success'] })
  t.strictSame(verdict(0.3, 0.2, 0.39), { state: 'below minimum', straddles: [] })
  t.equal(judge(cell({ value: null, ci: null }), metric.thresholds), null)
})

t.test('the table shows value, interval, thresholds and verdict, and says why there is none', async t => {
  const lines = [
    cell({ value: 0.5, ci: { low: 0.35, high: 0.65 }, numerator: 20, denominator: 40 }),
    cell({ value: null, ci: null, numerator: null, denominator: null, suppressed: true, nullReason: 'small_group' }),
    cell({ value: null, ci: null, numerator: 0, denominator: 0, nullReason: 'empty_denominator' })
  ].map(cell => ({ label: 'pilot', metric, cell }))
  const [, , first, second, third] = formatTable(lines, false).split('\n')
  t.match(
    first,
    /^pilot +50\.0 % +35\.0 % to 65\.0 % +20 of 40 +40 % +70 % +minimum met \(not certain: .* straddles minimum\)$/
  )
  t.match(second, /^pilot +– +40 % +70 % +hidden: too few learners$/)
  t.match(third, /^pilot +– +0 of 0 +40 % +70 % +no value: nobody to count$/)
})

t.test('a sparkline has a block per value and a gap where there is none', async t => {
  t.equal(sparkline([0, 0.5, 1, null]), '▁▅█ ')
})

function cell(parts: Partial<Cell>): Cell {
  const empty = { value: 0.5, numerator: 1, denominator: 2, ci: null, suppressed: false, nullReason: null }
  return { period: { from: '2026-04-06', to: '2026-04-13' }, ...empty, ...parts }
}
