import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import autocannon from 'autocannon'
import { type Percentiles, percentilesOf } from './latency.js'
import type { BenchService } from './service.js'

/** How long a page is waited for, in milliseconds, when 8 connections ask for it without a pause. */
export interface ReadLatency extends Percentiles {
  /** How often it was asked for. */
  readonly n: number
}

interface ReadLoad {
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

const connections = 8
const seconds = 3

/**
 * Asks for a page from a process of its own, so that reading answers takes nothing of the service's.
 *
 * @param path with its query; every answer must be a success.
 */
export async function readLatency({ url, headers }: BenchService, path: string): Promise<ReadLatency> {
  const child = fork(fileURLToPath(import.meta.url))
  child.send({ url: `${url}${path}`, headers } satisfies ReadLoad)
  const [found] = (await once(child, 'message')) as [ReadLatency & { readonly failed: number }]
  if (found.failed > 0) throw new Error(`${found.failed} requests failed: ${path}`)
  return found
}

async function run({ url, headers }: ReadLoad): Promise<ReadLatency & { readonly failed: number }> {
  const times: number[] = []
  const result = await autocannon({
    url,
    headers,
    connections,
    duration: seconds,
    setupClient: client => {
      client.on('response', (_status, _bytes, ms) => times.push(ms))
    }
  })
  return { ...percentilesOf(times), n: times.length, failed: result.non2xx + result.errors }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.once('message', async (load: ReadLoad) => {
    process.send?.(await run(load))
    process.disconnect()
  })
}
