import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { testDatabase } from '../support/database.js'
import type { Orders } from './send-requests.js'

/**
 * How many requests, and the seed that they are drawn with, so that the same ones come again. Where there is time, with
 * a database of its own for each seed:
 *
 * `FUZZ_RUNS=50000 FUZZ_SEED=1 npm test -- --disable-coverage test/fuzz/fuzz.test.ts`
 */
const runs = Number(process.env.FUZZ_RUNS ?? 2000)
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 31)

t.setTimeout(60_000 + runs * 50)

const { url } = await testDatabase(t, 1)

t.test(
  'whatever is asked, of any resource, in path, parameters, headers, JSON or parts, whole or cut off: nothing is answered 5xx, every answer is one that the OpenAPI document tells of, nothing that was refused has left anything behind, what was acknowledged is stored and nothing else, derived tables verify, and memory stays',
  async t => {
    t.comment(`FUZZ_SEED=${seed}`)
    const begun = performance.now()
    // In a thread of its own: tap follows every promise of its thread.
    const workerData: Orders = { url, runs, seed }
    const worker = new Worker(new URL('./send-requests.ts', import.meta.url), { workerData })
    const [code] = await once(worker, 'exit')
    t.equal(code, 0)
    t.pass(`${runs} requests in ${((performance.now() - begun) / 1000).toFixed(1)} s, FUZZ_SEED=${seed}`)
  }
)
