import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import t from 'tap'
import { testDatabase } from '../support/database.js'
import type { Orders } from './play-stories.js'

/**
 * How many stories, and the seed that they are drawn with, so that the same ones come again. Where there is time, as
 * many processes at once as there are cores, each with a seed of its own:
 *
 * `MASTER_RUNS=50000 MASTER_SEED=1 npm test -- --disable-coverage test/rollup/master.test.ts`
 */
const runs = Number(process.env.MASTER_RUNS ?? 100)
const seed = Number(process.env.MASTER_SEED ?? Date.now() % 2 ** 31)

t.setTimeout(60_000 + runs * 2000)

const { url } = await testDatabase(t, 1)

t.test(
  'the master test: whatever order statements, voids, duplicates, merges, splits, corrections of the roster, mappings and zones come in, however workers run and connections are lost, derived tables and metrics equal a recomputation by hand, and a verification finds nothing',
  async t => {
    t.comment(`MASTER_SEED=${seed}`)
    const begun = performance.now()
    // In a thread of its own: tap follows every promise of its thread, which takes a quarter of the time of a story.
    const workerData: Orders = { url, runs, seed }
    const worker = new Worker(new URL('./play-stories.ts', import.meta.url), { workerData })
    const [code] = await once(worker, 'exit')
    t.equal(code, 0)
    t.pass(`${runs} stories in ${((performance.now() - begun) / 1000).toFixed(1)} s, MASTER_SEED=${seed}`)
  }
)
