import autocannon from 'autocannon'
import { type Percentiles, percentilesOf } from './latency.js'
import { makeStatement } from './statements.js'

/** A load to put on an address, from a process of its own. */
export interface Load {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly connections: number
  readonly seconds: number
  /** Statements in a request; a request of one is the statement alone. */
  readonly statements: number
  /** Of the statements that are made. */
  readonly seed: number
}

/** What came of a load. */
export interface LoadResult {
  /** Requests a second that were answered with success. */
  readonly rate: number
  /** Requests that were not. */
  readonly failed: number
  /** How long an answer was waited for, in milliseconds. */
  readonly latency: Percentiles
  /** CPU that making the load took a request, in microseconds. */
  readonly cpuUs: number
}

/**
 * How many statements are made before the load begins. They are sent in turns, each time with new ids in the place of
 * the old: to make them while the load runs would take as much of the machine as to answer them.
 */
const readyMade = 20_000

process.once('message', async (load: Load) => {
  process.send?.(await run(load))
  process.disconnect()
})

async function run({ url, headers, connections, seconds, statements, seed }: Load): Promise<LoadResult> {
  const bodies = Array.from({ length: Math.ceil(readyMade / statements) }, (_, n) => {
    const made = Array.from({ length: statements }, (_, at) => makeStatement(seed, n * statements + at))
    return JSON.stringify(statements === 1 ? made[0] : made)
  })
  let next = 0
  const times: number[] = []
  const before = process.cpuUsage()
  const result = await autocannon({
    url,
    method: 'POST',
    headers,
    connections,
    duration: seconds,
    setupClient: client => {
      const prepare = () => client.setBody(withNewIds(bodies[next % bodies.length] ?? '', next++))
      prepare()
      client.on('response', (_status, _bytes, ms) => {
        times.push(ms)
        prepare()
      })
    }
  })
  const { user, system } = process.cpuUsage(before)
  const requests = result['2xx'] + result.non2xx
  return {
    latency: percentilesOf(times),
    rate: result['2xx'] / result.duration,
    failed: result.non2xx + result.errors,
    cpuUs: (user + system) / requests
  }
}

/** A body as it was made, but for the first digits of its statements' ids, which say how often something was sent. */
function withNewIds(body: string, sent: number): string {
  const digits = sent.toString(16).padStart(8, '0')
  return body.replaceAll(/"id":"[0-9a-f]{8}(-[0-9a-f]{4}-5)/g, `"id":"${digits}$1`)
}
