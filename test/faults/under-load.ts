import { setTimeout as sleep } from 'node:timers/promises'
import { checkAll } from './check.js'
import type { Cluster, RunningService } from './cluster.js'
import { type Load, startLoad } from './load.js'
import type { Check } from './scenario.js'

const senders = 6

/** What is done to services under load. */
export interface Ordeal {
  /** Starts the services; one, unless told. */
  readonly start?: (cluster: Cluster) => Promise<readonly RunningService[]>
  /** Does its worst, and says what it has done and whether that was enough. */
  readonly rage: (parts: {
    readonly cluster: Cluster
    readonly services: readonly RunningService[]
    readonly load: Load
  }) => Promise<Check>
}

/** Plays an ordeal under load, waits until every request in flight is acknowledged, and looks at everything. */
export function underLoad({ start = async cluster => [await cluster.startService()], rage }: Ordeal) {
  return async (cluster: Cluster): Promise<readonly Check[]> => {
    const services = await start(cluster)
    const load = startLoad(
      services.map(({ url }) => url),
      senders
    )
    await sleep(2000)
    const check = await rage({ cluster, services, load })
    // What works again is seen by what is acknowledged after it.
    const before = load.acknowledged.size
    while (load.acknowledged.size === before) await sleep(100)
    await load.stop()
    return [
      { ...check, seen: `${check.seen}; ${load.repeated()} requests sent again` },
      ...(await checkAll(cluster, services, load))
    ]
  }
}
