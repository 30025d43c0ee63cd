import { randomUUID } from 'node:crypto'
import { parseArgs } from 'node:util'
import autocannon from 'autocannon'
import type { Measurement } from './ingest.js'
import { makeStatement } from './statements.js'

const seconds = 10
const batchSize = 100
const seed = 9

interface Endpoint {
  /** Without a slash at its end. */
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
}

/**
 * Measures any LRS by its standard xAPI alone, so that two can be compared on one machine: storing single statements and
 * batches, and the first pages of the commonest filters over what was just stored.
 *
 * @param args `--endpoint URL --user NAME --pass SECRET`, and `--version` for another than 1.0.3.
 */
export async function benchEndpoint(args: readonly string[]): Promise<readonly Measurement[]> {
  const endpoint = readEndpoint(args)
  const about = await load(endpoint, { path: '/about', connections: 8 })
  const single = await load(endpoint, { path: '/statements', connections: 32, body: () => JSON.stringify(statement()) })
  const batches = await load(endpoint, {
    path: '/statements',
    connections: 4,
    body: () => JSON.stringify(Array.from({ length: batchSize }, statement))
  })
  const line = (what: string, perSecond: number, { p50, p95, p99 }: Load): Measurement => ({
    what,
    value: `${Math.round(perSecond).toLocaleString('en')} a second; p50 ${p50}, p95 ${p95}, p99 ${p99} ms`,
    ratio: (perSecond / about.rate).toFixed(2)
  })
  const stored: readonly Measurement[] = [
    line('GET /about, 8 connections', about.rate, about),
    line('statements, POST one by one, 32 connections', single.rate, single),
    line(`statements, POST in batches of ${batchSize}, 4 connections`, batches.rate * batchSize, batches)
  ]
  const found: Measurement[] = []
  for (const [what, query] of Object.entries(pages())) {
    const page = await load(endpoint, {
      path: `/statements?${new URLSearchParams({ limit: '100', ...query })}`,
      connections: 8
    })
    found.push(line(`GET of a first page, ${what}, 8 connections`, page.rate, page))
  }
  return [...stored, ...found]
}

function readEndpoint(args: readonly string[]): Endpoint {
  const text = { type: 'string' } as const
  const { values } = parseArgs({ args: [...args], options: { endpoint: text, user: text, pass: text, version: text } })
  const { endpoint, user, pass, version = '1.0.3' } = values
  if (endpoint === undefined || user === undefined || pass === undefined) {
    throw new Error('Usage: npm run bench -- endpoint --endpoint URL --user NAME --pass SECRET [--version 1.0.3]')
  }
  return {
    url: endpoint.replace(/\/$/, ''),
    headers: {
      authorization: `Basic ${Buffer.from(`${user}:${pass}`).toString('base64')}`,
      'x-experience-api-version': version,
      'content-type': 'application/json'
    }
  }
}

let next = 0

/** The ids are new in each run, since an LRS keeps those of the runs before. */
function statement(): object {
  return { ...makeStatement(seed, next++), id: randomUUID() }
}

function pages(): Readonly<Record<string, Readonly<Record<string, string>>>> {
  const agent = JSON.stringify({ account: { homePage: 'https://lms.example', name: 'learner-0' } })
  const verb = 'https://w3id.org/momentum-lrs/verbs/opened'
  return {
    'no filter': {},
    'by verb': { verb },
    'by agent': { agent },
    'by activity': { activity: 'https://lms.example/activities/0' },
    'by agent and verb': { agent, verb },
    'by a verb that nobody used': { verb: 'https://bench.example/verbs/never' }
  }
}

interface Load {
  /** Answers a second. */
  readonly rate: number
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

async function load(
  { url, headers }: Endpoint,
  { path, connections, body }: { readonly path: string; readonly connections: number; readonly body?: () => string }
): Promise<Load> {
  const times: number[] = []
  const result = await autocannon({
    url: `${url}${path}`,
    method: body === undefined ? 'GET' : 'POST',
    headers,
    connections,
    duration: seconds,
    setupClient: client => {
      if (body !== undefined) client.setBody(body())
      client.on('response', (_status, _bytes, ms) => {
        times.push(ms)
        if (body !== undefined) client.setBody(body())
      })
    }
  })
  if (result.non2xx > 0) throw new Error(`${result.non2xx} of the requests to ${path} failed`)
  times.sort((a, b) => a - b)
  const at = (share: number) => Number((times[Math.floor(share * (times.length - 1))] ?? Number.NaN).toFixed(1))
  return { rate: result['2xx'] / result.duration, p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}
