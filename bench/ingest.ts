import { fork } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import fastify from 'fastify'
import { recordStatements } from '../src/rollup/record-statements.js'
import { parseStatements } from '../src/xapi/parse.js'
import { prepareStatement } from '../src/xapi/prepare.js'
import { validateStatement } from '../src/xapi/validate.js'
import { allTables, bareInsertRate } from './bare-insert.js'
import { cpuMeter } from './cpu-meter.js'
import { shownPercentiles } from './latency.js'
import type { Load, LoadResult } from './load.js'
import { authority, type BenchService, startBenchService } from './service.js'
import { makeStatement } from './statements.js'

/** One line of the results: what was measured, and how it compares within the same run. */
export interface Measurement {
  readonly what: string
  readonly value: string
  /** The same against its yardstick of the same run. */
  readonly ratio: string
}

const batchSize = 100
const seconds = 10
const connections = 32
const limits = { maxStatements: 5000, maxDepth: 100 }

/** Measures what it costs to store statements. */
export async function benchIngest(): Promise<readonly Measurement[]> {
  const service = await startBenchService()
  try {
    return [...(await measureChecks(service)), ...(await measureBatches(service)), ...(await measureSingles(service))]
  } finally {
    await service.stop()
  }
}

function batch(seed: number, number: number): string {
  return JSON.stringify(Array.from({ length: batchSize }, (_, n) => makeStatement(seed, number * batchSize + n)))
}

/** The CPU that this process spends on a statement, with every check on and with validation left out, by turns. */
async function measureChecks({ db, tenantId }: BenchService): Promise<readonly Measurement[]> {
  const spent = { checked: 0, unchecked: 0 }
  const rounds = 150
  for (let round = 0; round < 2 * rounds + 20; round++) {
    const isChecked = round % 2 === 0
    const body = batch(1, round)
    const before = process.cpuUsage()
    const statements = parseStatements(body, limits).map(received => {
      if (isChecked && validateStatement(received.value, '1.0.3') !== null) throw new Error('an invalid statement')
      return prepareStatement(received, { makeId: randomUUID, authority, version: '1.0.3' })
    })
    await recordStatements(db, tenantId, statements, { mayDefine: true })
    const { user, system } = process.cpuUsage(before)
    // The first rounds warm up code and dictionaries.
    if (round >= 20) spent[isChecked ? 'checked' : 'unchecked'] += user + system
  }
  const perStatement = (us: number) => `${(us / rounds / batchSize).toFixed(1)} µs of CPU a statement`
  return [
    { what: 'storing in batches of 100, validation left out', value: perStatement(spent.unchecked), ratio: '1' },
    {
      what: 'storing in batches of 100, every check on',
      value: perStatement(spent.checked),
      ratio: `${(spent.checked / spent.unchecked).toFixed(2)} times`
    }
  ]
}

/** Batches through HTTP against bare inserts: of all the rows that they make, and of the statements' rows alone. */
async function measureBatches(service: BenchService): Promise<readonly Measurement[]> {
  const cpu = await cpuMeter(service)
  const { rate: requests, latency } = await loadOf(statementsOf(service), {
    statements: batchSize,
    connections: 4,
    seed: 3
  })
  const rate = requests * batchSize
  const spent = await cpu(rate * seconds)
  const bare = await bareInsertRate(service, allTables, batchSize)
  const bareStatements = await bareInsertRate(service, allTables.slice(0, 1), batchSize)
  return [
    {
      what: 'bare INSERT … SELECT unnest of the same rows into the same tables, batches of 100',
      value: perSecond(bare),
      ratio: '1'
    },
    {
      what: 'the same of the rows of `statement` alone',
      value: perSecond(bareStatements),
      ratio: (bareStatements / bare).toFixed(2)
    },
    {
      what: 'POST in batches of 100, 4 connections',
      value: `${perSecond(rate)}; ${shownPercentiles(latency)}; ${spent}`,
      ratio: (rate / bare).toFixed(2)
    }
  ]
}

/** Single statements over many connections against a route that parses the same body and does nothing. */
async function measureSingles(service: BenchService): Promise<readonly Measurement[]> {
  const empty = fastify()
  empty.post('/', async () => ['ok'])
  await empty.listen({ host: '127.0.0.1', port: 0 })
  const url = `http://127.0.0.1:${(empty.server.address() as AddressInfo).port}/`
  const { rate: ceiling, cpuUs } = await loadOf({ ...service, url }, { statements: 1, connections, seed: 4 })
  await empty.close()
  const cpu = await cpuMeter(service)
  const mergedSince = await mergedMeter(service)
  const { rate, latency } = await loadOf(statementsOf(service), { statements: 1, connections, seed: 4 })
  const spent = await cpu(rate * seconds)
  const merged = await mergedSince()
  const bare = await bareInsertRate(service, allTables, Math.round(merged))
  return [
    {
      what: 'empty Fastify route that parses the body, 32 connections',
      value: `${perSecond(ceiling)}; load generator ${cpuUs.toFixed(0)} µs of CPU a request`,
      ratio: '1'
    },
    {
      what: `bare INSERT of the rows of ${Math.round(merged)} statements a commit, into all tables`,
      value: perSecond(bare),
      ratio: (bare / ceiling).toFixed(2)
    },
    {
      what: 'POST of single statements, 32 connections',
      value: `${perSecond(rate)}, ${merged.toFixed(1)} in a commit; ${shownPercentiles(latency)}; ${spent}`,
      ratio: `${(rate / ceiling).toFixed(2)}; ${(rate / bare).toFixed(2)} of the bare INSERT`
    }
  ]
}

/** Begins to count how many statements went into a transaction on average; every row says which made it. */
async function mergedMeter({ pool }: BenchService): Promise<() => Promise<number>> {
  const { rows: before } = await pool.query<{ seq: number }>('select coalesce(max(seq), 0) as seq from statement')
  return async () => {
    const { rows } = await pool.query<{ merged: number }>(
      'select count(*)::float8 / count(distinct xmin::text) as merged from statement where seq > $1',
      [before[0]?.seq]
    )
    return rows[0]?.merged ?? Number.NaN
  }
}

/** Where statements go. */
function statementsOf({ url, headers }: BenchService) {
  return { url: `${url}/xapi/statements`, headers }
}

/** Puts a load on a service from a process of its own. */
async function loadOf(
  { url, headers }: Pick<BenchService, 'url' | 'headers'>,
  load: Pick<Load, 'statements' | 'connections' | 'seed'>
): Promise<LoadResult> {
  const child = fork(new URL('./load.js', import.meta.url))
  child.send({ url, headers, seconds, ...load } satisfies Load)
  const [result] = (await once(child, 'message')) as [LoadResult]
  if (result.failed > 0) throw new Error(`${result.failed} requests failed`)
  return result
}

function perSecond(rate: number): string {
  return `${Math.round(rate).toLocaleString('en')} statements/s`
}
