import { setTimeout as sleep } from 'node:timers/promises'
import { checkAll } from './check.js'
import type { Cluster } from './cluster.js'
import { startLoad } from './load.js'
import type { Check, Scenario } from './scenario.js'

const seconds = 120
const senders = 8

/** Two services under load, one of them killed every few seconds, and PostgreSQL once. */
export const killedServices: Scenario = {
  name: 'killed-services',
  what: `two services under a load of posts for ${seconds} s; one is killed with -9 every 1 to 5 s, PostgreSQL once`,
  play
}

async function play(cluster: Cluster): Promise<readonly Check[]> {
  const services = [await cluster.startService(), await cluster.startService()]
  const load = startLoad(
    services.map(({ url }) => url),
    senders
  )
  const end = Date.now() + seconds * 1000
  const databaseDiesAt = Date.now() + seconds * (300 + Math.random() * 400)
  const kills = { services: 0, database: 0 }
  for (let at = 0; Date.now() < end; at++) {
    await sleep(1000 + Math.random() * 4000)
    if (kills.database === 0 && Date.now() > databaseDiesAt) {
      await cluster.killDatabase()
      kills.database += 1
    }
    const service = services[at % services.length]
    await service?.kill()
    kills.services += 1
    await service?.restart()
  }
  await load.stop()
  const seen = `${kills.services} of services, ${kills.database} of PostgreSQL; ${load.repeated()} requests sent again`
  return [
    { claim: 'kills', held: kills.services > 10 && kills.database === 1, seen },
    ...(await checkAll(cluster, services, load))
  ]
}
