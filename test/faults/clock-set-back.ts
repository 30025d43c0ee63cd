import { setTimeout as sleep } from 'node:timers/promises'
import { credential } from './cluster.js'
import { headers } from './load.js'
import type { Scenario } from './scenario.js'
import { underLoad } from './under-load.js'

const preload = new URL('./clock.mjs', import.meta.url)

/** The clock of the service's machine goes back by an hour, and then by a day. */
export const clockSetBack: Scenario = {
  name: 'clock-set-back',
  what: 'the clock of the service goes back by an hour after 5 s, and by a day after 10 s',
  play: underLoad({
    start: async cluster => [await cluster.startService({ environment: { NODE_OPTIONS: `--import=${preload}` } })],
    rage: async ({ services: [service] }) => {
      await sleep(13_000)
      const response = await fetch(`${service?.url}/xapi/statements?limit=300`, { headers })
      const { statements } = (await response.json()) as { statements: readonly { stored: string }[] }
      const times = statements.map(({ stored }) => stored)
      const isSorted = times.every((time, at) => at === 0 || time <= String(times[at - 1]))
      return {
        claim: `what ${credential.key} stores is in the order of its stored times, newest first`,
        held: isSorted && times.length === 300,
        seen: `${times.length} statements, ${times.at(-1)} to ${times[0]}`
      }
    }
  })
}
