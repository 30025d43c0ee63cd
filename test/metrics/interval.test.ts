import fc from 'fast-check'
import t from 'tap'
import { wilson } from '../../src/metrics/interval.js'

t.test("Wilson's 95 % interval agrees with published tables to four places", async t => {
  // Newcombe (1998), "Two-sided confidence intervals for the single proportion", table I, method 3; others by hand.
  const table = [
    { successes: 81, n: 263, low: 0.2553, high: 0.3662 },
    { successes: 15, n: 148, low: 0.0624, high: 0.1605 },
    { successes: 0, n: 20, low: 0, high: 0.1611 },
    { successes: 1, n: 29, low: 0.0061, high: 0.1718 },
    { successes: 4, n: 10, low: 0.1682, high: 0.6873 },
    { successes: 20, n: 20, low: 0.8389, high: 1 }
  ]
  for (const { successes, n, low, high } of table) {
    const interval = wilson(successes, n)
    t.equal(interval?.low.toFixed(4), low.toFixed(4), `lower bound of ${successes} of ${n}`)
    t.equal(interval?.high.toFixed(4), high.toFixed(4), `upper bound of ${successes} of ${n}`)
    t.equal(interval?.method, 'wilson')
  }
})

t.test('nothing is known of a proportion of nothing', async t => {
  t.equal(wilson(0, 0), null)
})

t.test('the interval holds the proportion, stays within 0..1, and mirrors failures', async () => {
  const counts = fc.nat(100_000).chain(n => fc.tuple(fc.nat(n), fc.constant(n)))
  fc.assert(
    fc.property(counts, ([successes, n]) => {
      const interval = wilson(successes, n)
      const mirror = wilson(n - successes, n)
      if (n === 0 || !interval || !mirror) return n === 0 && interval === null
      const p = successes / n
      const within = interval.low >= 0 && interval.low <= p && p <= interval.high && interval.high <= 1
      return within && Math.abs(interval.low + mirror.high - 1) < 1e-12
    })
  )
})
