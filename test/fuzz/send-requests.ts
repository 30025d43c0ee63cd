import { ok } from 'node:assert'
import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { workerData } from 'node:worker_threads'
import type { LightMyRequestResponse } from 'fastify'
import { pino } from 'pino'
import { randomFrom } from '../../demo/random.js'
import { buildApp } from '../../src/app.js'
import { readConfig } from '../../src/config.js'
import { openDatabase } from '../../src/database/open.js'
import { operatorScopes } from '../../src/http/scopes.js'
import { createCredential } from '../../src/store/credential.js'
import { ensureTenant } from '../../src/store/tenant.js'
import { basic } from '../support/app.js'
import { acknowledgedBy, judge } from './judge.js'
import { checkBatches, checkDerived, checkStatements, fingerprinter } from './kept.js'
import { readOperations } from './operations.js'
import { type FuzzRequest, makeRequest, type Source } from './requests.js'
import { dealValues } from './values.js'
import { makeBytes, sendBytes } from './wire.js'

/** What this thread is told. */
export interface Orders {
  /** The address of a database of its own. */
  readonly url: string
  readonly runs: number
  readonly seed: number
}

/** Requests that are under way together; after so many the values are dealt anew, and what is stored is looked at. */
const together = 8
const dealt = 5000
const { url, runs, seed } = workerData as Orders

// Limits that a short request reaches.
const limits = {
  maxBodyBytes: 60_000,
  maxMultipartBytes: 80_000,
  maxAttachmentBytes: 20_000,
  maxAttachments: 3,
  maxBatchStatements: 50,
  maxPeople: 100,
  maxPeopleBytes: 60_000,
  maxPageStatements: 20
}

const failures: string[] = []
const { db } = openDatabase({ connection: { connectionString: url }, poolSize: 6, onError: () => undefined })
const app = await buildApp({
  context: {
    db,
    config: { ...readConfig({}), ...limits },
    now: () => new Date(),
    makeId: randomUUID,
    program: '0.0.0',
    wakeWorker: () => undefined,
    workerCounts: () => ({ batches: 0, rows: 0, errors: 0 }),
    poolCounts: () => ({ total: 0, idle: 0, waiting: 0 })
  },
  logger: pino({ level: 'error' }, { write: line => failures.push(line) }),
  version: '0.0.0'
})
await app.listen({ host: '127.0.0.1', port: 0 })
const address = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`

async function makeCaller(name: string, scopes: readonly string[]) {
  const { id: tenantId } = await ensureTenant(db, name, 'Europe/Berlin')
  const key = randomUUID()
  await createCredential(db, { tenantId, name, key, secret: 'the secret of the fuzz', scopes, personId: null })
  return { tenantId, authorization: basic(key, 'the secret of the fuzz') }
}

/** Whose record is compared, who may erase, who may little, and whose requests break off. */
const callers = {
  recorder: await makeCaller('recorder', operatorScopes),
  eraser: await makeCaller('eraser', [...operatorScopes, 'statements/delete']),
  reader: await makeCaller('recorder', ['statements/read/mine', 'line/read', 'self/read']),
  cutter: await makeCaller('cutter', operatorScopes)
}

/** What was found, each kind once with the request that showed it. */
const findings = new Map<string, string>()

function find(what: string, shownBy: string): void {
  if (findings.has(what)) return
  findings.set(what, `${shownBy}\n${failures.splice(0).join('\n')}`)
}

const random = randomFrom('fuzz', seed)
const acknowledged = new Set<string>()
const batches: (readonly string[])[] = []
// Whoever breaks off doesn't wait: what was sent may be stored while the next request is looked at.
const fingerprint = await fingerprinter(db, callers.cutter.tenantId)
const slowest = { ms: 0, request: '' }
const statuses = new Map<number, number>()

function drawCaller({ url: path }: FuzzRequest) {
  const choice = random()
  if (path.includes('/erasures') || choice < 0.05) return callers.eraser
  if (choice < 0.07) return callers.reader
  return callers.recorder
}

async function send(request: FuzzRequest): Promise<LightMyRequestResponse | null> {
  const { tenantId, authorization } = drawCaller(request)
  const { method, body } = request
  const headers = { authorization, ...request.headers }
  const began = performance.now()
  const response = await app
    .inject({ method: method as 'GET', url: request.url, headers, ...(body === null ? {} : { payload: body }) })
    .catch(error => {
      // An address that the one who sends takes for none.
      if (error instanceof TypeError || /Invalid URL/.test(String(error))) return null
      throw error
    })
  if (response === null) return null
  const ms = performance.now() - began
  if (ms > slowest.ms) Object.assign(slowest, { ms, request: tell(request) })
  statuses.set(response.statusCode, (statuses.get(response.statusCode) ?? 0) + 1)
  try {
    judge(request, response)
  } catch (error) {
    const { path = request.url.replace(/\?.*/, '') } = request.operation ?? {}
    const said = `was answered ${response.statusCode} ${response.payload.slice(0, 500)}`
    find(`${error instanceof Error ? error.message : error} (${request.method} ${path})`, `${tell(request)}\n${said}`)
  }
  if (tenantId === callers.recorder.tenantId) {
    for (const id of acknowledgedBy(request, response)) acknowledged.add(id)
  }
  return response
}

function tell({ method, url: path, headers, body }: FuzzRequest): string {
  return `${method} ${path.slice(0, 500)} ${JSON.stringify(headers).slice(0, 500)} ${body?.toString().slice(0, 3000) ?? ''}`
}

/** A request by itself: when it is refused, nothing in the database is another than before. */
async function sendAlone(request: FuzzRequest): Promise<void> {
  const before = await fingerprint()
  const response = await send(request)
  if (response === null || response.statusCode < 400) return
  const after = await fingerprint()
  if (after !== before) {
    const place = `${request.method} ${request.url.replace(/\?.*/, '')}`
    find(`refused, and yet something was written (${place})`, `${tell(request)}\n${before}\n${after}`)
  }
}

async function sendCut(): Promise<void> {
  const bytes = makeBytes(random, callers.cutter.authorization)
  const answered = await sendBytes(address, bytes, random)
  ok(
    answered.every(status => status < 500),
    `FUZZ_SEED=${seed}: ${answered} to ${bytes.content.toString('latin1')}`
  )
  batches.push(bytes.batch)
}

async function look(): Promise<void> {
  await checkStatements(db, callers.recorder.tenantId, acknowledged)
  await checkBatches(db, callers.cutter.tenantId, batches.splice(0))
  await checkDerived(db)
}

setFlagsFromString('--expose-gc')
const collect = runInNewContext('gc') as () => void

/** What is held after a collection, in MB. */
function heldMb(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return (heapUsed + external) / 2 ** 20
}

const operations = readOperations()
const held: number[] = []
for (let done = 0, deal = 0; done < runs; deal++) {
  const source: Source = { random, operations, dealt: dealValues(seed + deal) }
  const end = Math.min(runs, done + dealt)
  while (done < end) {
    const choice = random()
    if (choice < 0.05) {
      await sendCut()
      done += 1
    } else if (choice < 0.09) {
      await sendAlone(makeRequest(source))
      done += 1
    } else {
      const requests = Array.from({ length: Math.min(together, end - done) }, () => makeRequest(source))
      await Promise.all(requests.map(send))
      done += requests.length
    }
  }
  await look()
  held.push(heldMb())
}
// Caches fill in the first half.
const grown = (held.at(-1) ?? 0) - (held[Math.floor(held.length / 2)] ?? 0)
ok(grown < 40, `FUZZ_SEED=${seed}: memory grows: ${held.map(Math.round)} MB`)
if (process.env.FUZZ_TELLS !== undefined) {
  const counts = [...statuses].sort(([a], [b]) => a - b).map(([status, count]) => `${status}: ${count}`)
  process.stderr.write(
    `${counts.join(', ')}\n${held.map(Math.round)} MB\nslowest ${slowest.ms.toFixed(0)} ms ${slowest.request.slice(0, 300)}\n`
  )
}
const told = [...findings].map(([what, shownBy]) => `### ${what}\n${shownBy.slice(0, 3000)}`)
if (told.length > 0) throw new Error(`FUZZ_SEED=${seed}\n${told.join('\n\n')}`)
await app.close()
await db.destroy()
