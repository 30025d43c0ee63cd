import fc from 'fast-check'
import t from 'tap'
import { LrsError } from '../../src/errors.js'
import type { Cell } from '../../src/metrics/cell.js'
import { resolveMinGroupSize, suppressPartition, suppressSmall } from '../../src/metrics/suppression.js'

const cellOf = (denominator: number, numerator = 0): Cell => ({
  period: { from: '2026-03-02', to: '2026-03-09' },
  dimensions: {},
  value: denominator === 0 ? null : numerator / denominator,
  numerator,
  denominator,
  n: denominator,
  ci: null,
  previous: 0.5,
  change: 0.1,
  partial: false,
  suppressed: false,
  nullReason: denominator === 0 ? 'empty_denominator' : null,
  details: null
})

const sizes = (cells: readonly Cell[]) => cells.map(cell => cell.denominator)

t.test('a cell of 1 to k-1 people is hidden in every number', async t => {
  t.match(suppressSmall(cellOf(9, 4), 10), {
    period: { from: '2026-03-02', to: '2026-03-09' },
    value: null,
    numerator: null,
    denominator: null,
    n: null,
    ci: null,
    previous: null,
    change: null,
    suppressed: true,
    nullReason: 'small_group'
  })
  t.match(suppressSmall(cellOf(1), 10), { suppressed: true })
})

t.test('an empty cell and one of k people are shown', async t => {
  t.match(suppressSmall(cellOf(0), 10), { denominator: 0, suppressed: false, nullReason: 'empty_denominator' })
  t.match(suppressSmall(cellOf(10, 4), 10), { denominator: 10, value: 0.4, suppressed: false, nullReason: null })
})

t.test('where one sibling is hidden, the next smallest is hidden too', async t => {
  t.same(sizes(suppressPartition([cellOf(40), cellOf(3), cellOf(12), cellOf(0)], 10)), [40, null, null, 0])
})

t.test('two hidden siblings that are still fewer than k together take a third with them', async t => {
  t.same(sizes(suppressPartition([cellOf(40), cellOf(3), cellOf(12), cellOf(2)], 10)), [40, null, null, null])
  t.same(sizes(suppressPartition([cellOf(40), cellOf(6), cellOf(12), cellOf(7)], 10)), [40, null, 12, null])
})

t.test('on a tie the first sibling is hidden', async t => {
  t.same(sizes(suppressPartition([cellOf(12), cellOf(12), cellOf(3)], 10)), [null, 12, null])
})

t.test('nothing is hidden where nothing is small', async t => {
  t.same(sizes(suppressPartition([cellOf(10), cellOf(0), cellOf(200)], 10)), [10, 0, 200])
})

t.test('a hidden cell cannot be had by subtracting its siblings from their total', async () => {
  const partition = fc.array(fc.nat(30), { maxLength: 8 })
  fc.assert(
    fc.property(partition, fc.integer({ min: 5, max: 15 }), (denominators, k) => {
      const total = denominators.reduce((sum, size) => sum + size, 0)
      const shown = suppressPartition(
        denominators.map(size => cellOf(size)),
        k
      )
      const rest = shown.reduce((left, cell) => left - (cell.denominator ?? 0), total)
      const noneSmall = shown.every(({ denominator }) => denominator === null || denominator === 0 || denominator >= k)
      const keepsOrder = shown.every((cell, at) => cell.suppressed || cell.denominator === denominators[at])
      // Either nothing is left over, or at least k people are, or the total itself is a small group.
      return noneSmall && keepsOrder && (rest === 0 || rest >= k || total < k)
    })
  )
})

t.test('the group size may be raised, never lowered, and never falls below 5', async t => {
  t.equal(resolveMinGroupSize(10, undefined), 10)
  t.equal(resolveMinGroupSize(10, 10), 10)
  t.equal(resolveMinGroupSize(10, 25), 25)
  t.equal(resolveMinGroupSize(2, undefined), 5)
  t.throws(
    () => resolveMinGroupSize(10, 9),
    new LrsError(
      'invalid-parameter',
      'minGroupSize (9) may be raised above 10, which protects small groups here, but not lowered'
    )
  )
  t.throws(() => resolveMinGroupSize(2, 4), { code: 'invalid-parameter' })
})
