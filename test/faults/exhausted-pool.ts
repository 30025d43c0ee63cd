import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Scenario } from './scenario.js'
import { underLoad } from './under-load.js'

/** Two connections for everything, while what they want to write is locked for seconds. */
export const exhaustedPool: Scenario = {
  name: 'exhausted-pool',
  what: 'a pool of 2 connections, while the statements are locked for 3 s four times',
  play: underLoad({
    start: async cluster => [await cluster.startService({ environment: { DATABASE_POOL_SIZE: '2' } })],
    rage: async ({ cluster, services }) => {
      const client = new pg.Client(cluster.databaseUrl)
      await client.connect()
      let waiting = 0
      for (let round = 0; round < 4; round++) {
        await client.query('begin; lock table statement, document in access exclusive mode')
        await sleep(3000)
        const live = await fetch(`${services[0]?.url}/health/live`)
        if (live.status === 200) waiting += 1
        await client.query('commit')
        await sleep(1000)
      }
      await client.end()
      return { claim: 'it lived while nothing could be written', held: waiting === 4, seen: `${waiting} of 4 times` }
    }
  })
}
