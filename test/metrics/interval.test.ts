import fc from 'fast-check'
import t from 'tap'
import { medianInterval, newcombe, type RatioSums, ratioInterval, wilson } from '../../src/metrics/interval.js'

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

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length

const sumsOf = (pairs: readonly (readonly [number, number])[]): RatioSums => ({
  n: pairs.length,
  sumX: pairs.reduce((sum, [x]) => sum + x, 0),
  sumY: pairs.reduce((sum, [, y]) => sum + y, 0),
  sumXX: pairs.reduce((sum, [x]) => sum + x * x, 0),
  sumXY: pairs.reduce((sum, [x, y]) => sum + x * y, 0),
  sumYY: pairs.reduce((sum, [, y]) => sum + y * y, 0)
})

t.test('the t interval has the quantiles of the published tables of Student’s distribution', async t => {
  // The two-sided 5 % points by degrees of freedom, as every textbook prints them.
  const table = { 1: 12.706, 2: 4.303, 4: 2.776, 9: 2.262, 29: 2.045, 60: 2.0, 120: 1.98, 1000000: 1.96 }
  for (const [freedom, point] of Object.entries(table)) {
    const n = Number(freedom) + 1
    // A mean of 0 and a standard error of 1, so that the bound is the quantile itself.
    const interval = ratioInterval({ n, sumX: 0, sumY: n, sumXX: n * (n - 1), sumXY: 0, sumYY: n })
    t.equal(interval?.high.toFixed(3), point.toFixed(3), `${freedom} degrees of freedom`)
    t.equal(interval?.low, -(interval?.high ?? 0))
    t.equal(interval?.method, 't')
  }
})

t.test('the t interval of a mean and of a ratio of sums agree with those by hand', async t => {
  const values = [2, 4, 4, 4, 5, 5, 7, 9].map(x => [x, 1] as const)
  const ofMean = ratioInterval(sumsOf(values))
  t.equal(ofMean?.low.toFixed(4), '3.2125', 'mean 5, SD 2.1381, t 2.3646')
  t.equal(ofMean?.high.toFixed(4), '6.7875')
  // r = 17 ÷ 25; residuals −0.36, 0.28, −0.72, −0.8, 1.6 have the squares 3.9264; SE = √(5 · 3.9264 ÷ 4) ÷ 25.
  const learners = [
    [1, 2],
    [3, 4],
    [2, 4],
    [6, 10],
    [5, 5]
  ] as const
  const ofRatio = ratioInterval(sumsOf(learners))
  t.equal(ofRatio?.low.toFixed(4), (0.68 - 2.77645 * 0.088616).toFixed(4))
  t.equal(ofRatio?.high.toFixed(4), (0.68 + 2.77645 * 0.088616).toFixed(4))
})

t.test('there is no t interval of one learner, of none, or over nothing', async t => {
  t.equal(ratioInterval(sumsOf([])), null)
  t.equal(ratioInterval(sumsOf([[3, 1]])), null)
  t.equal(
    ratioInterval(
      sumsOf([
        [0, 0],
        [0, 0]
      ])
    ),
    null
  )
  t.equal(
    ratioInterval(
      sumsOf([
        [3, 1],
        [5, 1]
      ])
    )?.low.toFixed(4),
    (4 - 12.7062047).toFixed(4),
    'two are enough'
  )
})

t.test('where all learners have the same ratio the interval has no width, whatever rounding leaves', async () => {
  const alike = fc.tuple(fc.double({ min: 0.01, max: 1e6, noNaN: true }), fc.integer({ min: 2, max: 200 }))
  fc.assert(
    fc.property(alike, fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1 }), ([ratio, n], weights) => {
      const pairs = Array.from({ length: n }, (_, at) => {
        const y = weights[at % weights.length] ?? 1
        return [ratio * y, y] as const
      })
      const interval = ratioInterval(sumsOf(pairs))
      return interval !== null && interval.low === interval.high && Math.abs(interval.low / ratio - 1) < 1e-9
    })
  )
})

t.test('with every y = 1 the interval is the textbook’s interval of a mean', async () => {
  const values = fc.array(fc.integer({ min: -1000, max: 1000 }), { minLength: 2, maxLength: 60 })
  fc.assert(
    fc.property(values, xs => {
      const interval = ratioInterval(sumsOf(xs.map(x => [x, 1] as const)))
      const sd = Math.sqrt(xs.reduce((sum, x) => sum + (x - mean(xs)) ** 2, 0) / (xs.length - 1))
      const unit = ratioInterval({ ...sumsOf(xs.map(() => [0, 1] as const)), sumXX: xs.length - 1 })
      const expected = (unit?.high ?? Number.NaN) * sd
      const half = ((interval?.high ?? Number.NaN) - (interval?.low ?? Number.NaN)) / 2
      return Math.abs(half - expected) <= 1e-6 * (1 + expected)
    })
  )
})

t.test('the bounds follow the unit of x, and don’t depend on the unit of learners’ weights', async () => {
  const pair = fc.tuple(fc.integer({ min: 0, max: 500 }), fc.integer({ min: 0, max: 20 }))
  fc.assert(
    fc.property(fc.array(pair, { minLength: 2, maxLength: 40 }), pairs => {
      const interval = ratioInterval(sumsOf(pairs))
      const inHours = ratioInterval(sumsOf(pairs.map(([x, y]) => [x * 60, y] as const)))
      if (!interval || !inHours) return pairs.every(([, y]) => y === 0)
      return Math.abs(inHours.high - 60 * interval.high) <= 1e-6 * (1 + Math.abs(inHours.high))
    })
  )
})

t.test("Newcombe's interval of a difference agrees with his published table", async t => {
  // Newcombe (1998), "Interval estimation for the difference between independent proportions", table II, method 10.
  const table = [
    { a: [56, 70], b: [48, 80], low: 0.0524, high: 0.3339 },
    { a: [9, 10], b: [3, 10], low: 0.1705, high: 0.809 },
    { a: [6, 7], b: [2, 7], low: 0.0582, high: 0.8062 },
    { a: [5, 56], b: [0, 29], low: -0.0381, high: 0.1926 },
    { a: [0, 10], b: [0, 20], low: -0.1611, high: 0.2775 },
    { a: [10, 10], b: [0, 20], low: 0.6791, high: 1 }
  ] as const
  for (const { a, b, low, high } of table) {
    const interval = newcombe({ successes: a[0], n: a[1] }, { successes: b[0], n: b[1] })
    t.equal(interval?.low.toFixed(4), low.toFixed(4), `lower bound of ${a} and ${b}`)
    t.equal(interval?.high.toFixed(4), high.toFixed(4), `upper bound of ${a} and ${b}`)
    t.equal(interval?.method, 'newcombe')
  }
})

t.test('a difference from nothing is not known, and one turned round is its mirror', async t => {
  t.equal(newcombe({ successes: 0, n: 0 }, { successes: 1, n: 2 }), null)
  t.equal(newcombe({ successes: 1, n: 2 }, { successes: 0, n: 0 }), null)
  const counts = fc.integer({ min: 1, max: 5000 }).chain(n => fc.record({ successes: fc.nat(n), n: fc.constant(n) }))
  fc.assert(
    fc.property(counts, counts, (a, b) => {
      const there = newcombe(a, b)
      const back = newcombe(b, a)
      if (!there || !back) return false
      const difference = a.successes / a.n - b.successes / b.n
      const holds = there.low <= difference && difference <= there.high
      const within = there.low >= -1 - 1e-12 && there.high <= 1 + 1e-12
      return holds && within && Math.abs(there.low + back.high) < 1e-12
    })
  )
})

t.test("a median's interval is where the medians of all resamples lie", async t => {
  // 11 values: P(median of a resample <= second) = P(Bin(11, 2/11) >= 6) = 0.0072, <= third = 0.0512; so the third.
  t.same(medianInterval([11, 1, 10, 2, 9, 3, 8, 4, 7, 5, 6]), { low: 3, high: 9, method: 'bootstrap' })
  t.same(medianInterval([1, 2, 3, 4, 5, 6]), { low: 1, high: 6, method: 'bootstrap' })
  t.same(medianInterval([1, 2, 3, 4, 5, 6, 7]), { low: 2, high: 6, method: 'bootstrap' })
  t.same(medianInterval([4, 4, 4, 4, 4, 4, 4]), { low: 4, high: 4, method: 'bootstrap' })
  const twenty = Array.from({ length: 20 }, (_, at) => at + 1)
  t.same(medianInterval(twenty), { low: 6, high: 15, method: 'bootstrap' })
})

t.test('of fewer than six values the median has no 95 % interval', async t => {
  for (const values of [[], [1], [1, 2, 3, 4, 5]]) t.equal(medianInterval(values), null)
})

t.test("a median's interval is the same for every order and mirrors when the values do", async () => {
  const values = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 6, maxLength: 80 })
  fc.assert(
    fc.property(values, given => {
      const interval = medianInterval(given)
      const turned = medianInterval(given.map(value => -value).reverse())
      if (!interval || !turned) return false
      return interval.low === 0 - turned.high && interval.high === 0 - turned.low && interval.low <= interval.high
    })
  )
})

/** The share of all equally likely resamples of `n` ranks whose m-th smallest is at most `k`: a binomial tail, summed. */
function shareAtMost(k: number, n: number, m: number): number {
  const p = k / n
  let term = (1 - p) ** n
  let below = 0
  for (let hits = 0; hits < m; hits += 1) {
    below += term
    term *= ((n - hits) / (hits + 1)) * (p / (1 - p))
  }
  return 1 - below
}

t.test('the ends are the first values that 2.5 % of the resamples do not exceed, counted one by one', async t => {
  for (let n = 6; n <= 120; n += 1) {
    const ranks = Array.from({ length: n }, (_, at) => at + 1)
    const middle = Math.ceil(n / 2)
    const first = ranks.find(k => shareAtMost(k, n, middle) >= 0.025)
    t.match(medianInterval(ranks), { low: first, high: n + 1 - (first ?? 0) }, `${n} values`)
  }
})
