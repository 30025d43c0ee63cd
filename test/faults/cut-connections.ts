import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from './cluster.js'
import { openProxy } from './proxy.js'
import type { Check, Scenario } from './scenario.js'
import { underLoad } from './under-load.js'

/** The network between service and PostgreSQL breaks, for a moment or for seconds. */
export const cutConnections: Scenario = {
  name: 'cut-connections',
  what: 'the connections to PostgreSQL are reset 15 times, and stay cut for up to 2 s',
  play
}

async function play(cluster: Cluster): Promise<readonly Check[]> {
  const proxy = await openProxy(cluster.databaseUrl)
  try {
    return await underLoad({
      start: async () => [await cluster.startService({ environment: { DATABASE_URL: proxy.databaseUrl } })],
      rage: async () => {
        let cuts = 0
        for (let round = 0; round < 15; round++) {
          cuts += proxy.cut()
          await sleep(round % 5 === 4 ? 2000 : 50)
          proxy.mend()
          await sleep(300 + Math.random() * 700)
        }
        return { claim: 'connections were cut', held: cuts > 15, seen: `${cuts} connections in 15 cuts` }
      }
    })(cluster)
  } finally {
    proxy.close()
  }
}
