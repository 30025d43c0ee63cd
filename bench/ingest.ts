import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import autocannon from 'autocannon'
import fastify from 'fastify'
import { sql } from 'kysely'
import { recordStatements } from '../src/rollup/record-statements.js'
import { parseStatements } from '../src/xapi/parse.js'
import { prepareStatement } from '../src/xapi/prepare.js'
import { validateStatement } from '../src/xapi/validate.js'
import { authority, type BenchService, startBenchService } from './service.js'
import { idOf, makeStatement } from './statements.js'

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

/** Batches through HTTP against a bare insert of the same statements' rows into a table of the same columns. */
async function measureBatches(service: BenchService): Promise<readonly Measurement[]> {
  const bare = await bareInsertRate(service)
  let next = 0
  const result = await autocannon({
    url: `${service.url}/xapi/statements`,
    method: 'POST',
    headers: service.headers,
    connections: 4,
    duration: seconds,
    setupClient: client => {
      const prepare = () => client.setBody(batch(3, next++))
      prepare()
      client.on('response', prepare)
    }
  })
  const rate = (result['2xx'] * batchSize) / result.duration
  return [
    { what: 'bare INSERT … SELECT unnest of statement rows, batches of 100', value: perSecond(bare), ratio: '1' },
    { what: 'POST in batches of 100, 4 connections', value: perSecond(rate), ratio: (rate / bare).toFixed(2) }
  ]
}

/** How fast PostgreSQL takes the rows of `statement` alone, from one connection, committing every batch. */
async function bareInsertRate({ db, tenantId }: BenchService): Promise<number> {
  await sql`create table bare (like statement including all)`.execute(db)
  const began = performance.now()
  let stored = 0
  for (let number = 0; performance.now() - began < seconds * 1000; number++) {
    const numbers = Array.from({ length: batchSize }, (_, n) => number * batchSize + n)
    await sql`
      insert into bare (tenant_id, id, stored, "timestamp", verb_id, authority_id, registration, refers_to, voids, text)
      select ${tenantId}::integer, id, clock_timestamp(), clock_timestamp(), verb_id, 1, null, null, null, text
      from unnest(
        ${numbers.map(n => idOf(2, n))}::uuid[],
        ${numbers.map(n => n % 7)}::integer[],
        ${numbers.map(n => JSON.stringify(makeStatement(2, n)))}::text[]) as given(id, verb_id, text)`.execute(db)
    stored += batchSize
  }
  return stored / ((performance.now() - began) / 1000)
}

/** Single statements over many connections against a route that parses the same body and does nothing. */
async function measureSingles(service: BenchService): Promise<readonly Measurement[]> {
  const empty = fastify()
  empty.post('/', async () => ['ok'])
  await empty.listen({ host: '127.0.0.1', port: 0 })
  const ceiling = await singleRate(`http://127.0.0.1:${(empty.server.address() as AddressInfo).port}/`, service)
  await empty.close()
  const rate = await singleRate(`${service.url}/xapi/statements`, service)
  return [
    { what: 'empty Fastify route that parses the body, 32 connections', value: perSecond(ceiling), ratio: '1' },
    { what: 'POST of single statements, 32 connections', value: perSecond(rate), ratio: (rate / ceiling).toFixed(2) }
  ]
}

let single = 0

async function singleRate(url: string, { headers }: BenchService): Promise<number> {
  const result = await autocannon({
    url,
    method: 'POST',
    headers,
    connections,
    duration: seconds,
    setupClient: client => {
      const prepare = () => client.setBody(JSON.stringify(makeStatement(4, single++)))
      prepare()
      client.on('response', prepare)
    }
  })
  if (result.non2xx > 0) throw new Error(`${result.non2xx} requests failed`)
  return result['2xx'] / result.duration
}

function perSecond(rate: number): string {
  return `${Math.round(rate).toLocaleString('en')} statements/s`
}
