import { createHash } from 'node:crypto'

/** A seeded source of numbers in [0, 1): the same seed gives the same statements everywhere. */
function randomSource(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let mixed = state
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b)
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35)
    return ((mixed ^ (mixed >>> 16)) >>> 0) / 2 ** 32
  }
}

const namespace = 'https://w3id.org/momentum-lrs/verbs/'
const verbs = [
  `${namespace}opened`,
  `${namespace}completed-task`,
  `${namespace}delivered`,
  'http://adlnet.gov/expapi/verbs/answered',
  'http://adlnet.gov/expapi/verbs/experienced',
  'http://adlnet.gov/expapi/verbs/completed',
  'https://bench.example/verbs/glanced-at'
]
const agents = 20_000
const activities = 2_000
const begin = Date.UTC(2026, 0, 1)
const yearMs = 365 * 24 * 3600 * 1000

/** A law by which numbers below `count` are drawn. */
export type Law = (random: () => number, count: number) => number

/**
 * Makes the n-th statement of a seed: ids from seed and number, 20,000 learners by the law, activities by Zipf's, five
 * shapes from about 400 bytes to 8 kB as they come from LMS platforms, cmi5 players and simulations.
 */
export function makeStatement(seed: number, n: number, learners: Law = zipf): Record<string, unknown> {
  const random = randomSource(seed * 1_000_003 + n)
  const actor = { account: { homePage: 'https://lms.example', name: `learner-${learners(random, agents)}` } }
  const base = {
    id: idOf(seed, n),
    actor,
    verb: { id: verbs[zipf(random, verbs.length)], display: { en: 'did' } },
    object: { id: `https://lms.example/activities/${zipf(random, activities)}` },
    timestamp: new Date(begin + Math.floor(random() * yearMs)).toISOString()
  }
  const shape = Math.floor(random() * 10)
  if (shape < 5) return base
  if (shape < 7) return { ...base, ...withResult(random) }
  if (shape < 9) return { ...base, ...withResult(random), ...withContext(random, seed, n) }
  const payload = Array.from({ length: shape === 9 && random() < 0.3 ? 110 : 30 }, (_, at) => ({
    at,
    x: random(),
    y: random()
  }))
  return {
    ...base,
    ...withContext(random, seed, n),
    result: { extensions: { 'https://bench.example/trace': payload } }
  }
}

/** The name-based UUID of a statement. */
export function idOf(seed: number, n: number): string {
  const hex = createHash('sha1').update(`${seed}/${n}`).digest('hex')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-5${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`
}

function withResult(random: () => number) {
  const scaled = Math.round(random() * 100) / 100
  return {
    result: {
      score: { scaled, raw: scaled * 100, min: 0, max: 100 },
      success: scaled > 0.5,
      duration: `PT${Math.floor(random() * 3600)}S`
    }
  }
}

function withContext(random: () => number, seed: number, n: number) {
  return {
    context: {
      registration: idOf(seed, -1 - (n % 5000)),
      language: 'en',
      platform: 'bench',
      instructor: { mbox: `mailto:instructor-${zipf(random, 200)}@lms.example` },
      contextActivities: {
        parent: [{ id: `https://lms.example/courses/${zipf(random, 200)}` }],
        grouping: [{ id: `https://lms.example/programmes/${zipf(random, 20)}` }],
        category: [{ id: 'https://w3id.org/xapi/cmi5/context/categories/cmi5' }]
      }
    }
  }
}

/** Small numbers are by far the likeliest, about 1 ÷ rank: of a million statements the first of 20,000 gets 70,000. */
export function zipf(random: () => number, count: number): number {
  return Math.min(count - 1, Math.floor(count ** random()) - 1)
}

/**
 * Small numbers are somewhat likelier, by the cube root of 1 ÷ rank: of a million statements the first of 20,000 gets
 * 1,400, the hundredth about 200, the one in the middle 42 and the last 33.
 */
export function mild(random: () => number, count: number): number {
  return Math.floor(count * random() ** 1.5)
}
