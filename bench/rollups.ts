import { randomUUID } from 'node:crypto'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { sql } from 'kysely'
import { from as copyFrom } from 'pg-copy-streams'
import { derive } from '../src/rollup/derive.js'
import { processQueue } from '../src/rollup/process-queue.js'
import { openRebuild, rebuildPersons } from '../src/rollup/rebuild-rollups.js'
import { recordStatements } from '../src/rollup/record-statements.js'
import { startWorker } from '../src/rollup/worker.js'
import { type PreparedStatement, prepareStatement } from '../src/xapi/prepare.js'
import type { Measurement } from './ingest.js'
import { authority, type BenchService, startBenchService } from './service.js'
import { type Law, makeStatement } from './statements.js'

const seed = 6
const chunkSize = 20_000
const batchSize = 500
const writers = 4
const steadyPerSecond = 500
const steadySeconds = 60

/**
 * What the derived tables cost: in time, against a bare COPY of the same statements' rows, and in bytes.
 *
 * @param law how the statements fall on 20,000 learners. `mild` is like people: the busiest of them has 28 times the
 * mean, the least busy two thirds of it. With `zipf` one learner has a fourteenth of all, like an account that many use.
 */
export async function benchRollups(count: number, law: Law): Promise<readonly Measurement[]> {
  const service = await startBenchService()
  const prepare = (n: number) => prepared(n, law)
  try {
    const bare = await measureStoring(service, count, prepare)
    // What is for the future stays.
    let queued = 0
    const drain = await timed(async () => {
      for (let rows = 1; rows > 0; queued += rows) rows = await processQueue(service.db, batchSize)
    })
    const days = await countOf(service, sql`select count(*) from learner_day`)
    const rebuild = await timed(() => rebuildAll(service))
    const perSecond = (amount: number, seconds: number) => Math.round(amount / seconds).toLocaleString('en')
    const line = (what: string, seconds: number, value: string): Measurement => ({
      what,
      value: `${seconds.toFixed(1)} s, ${value}`,
      ratio: `${(seconds / bare.copySeconds).toFixed(2)} times`
    })
    return [
      {
        ...line(
          `bare COPY of ${count.toLocaleString('en')} statement rows`,
          bare.copySeconds,
          `${perSecond(count, bare.copySeconds)} statements/s`
        ),
        ratio: '1'
      },
      line(
        `recording them, ${writers} at a time in batches of ${batchSize}, no worker`,
        bare.recordSeconds,
        `${perSecond(count, bare.recordSeconds)} statements/s`
      ),
      line(
        `draining the queue, one worker`,
        drain,
        `${perSecond(queued, drain)} queue rows/s, ${perSecond(days, drain)} learner-days/s`
      ),
      line('rebuilding events and rollups', rebuild, `${perSecond(count, rebuild)} statements/s`),
      ...(await measureBytes(service, count)),
      ...(await measureLag(service, n => prepare(count + n)))
    ]
  } finally {
    await service.stop()
  }
}

/** Stores the same statements twice, chunk by chunk: by a bare COPY into a table like `statement`, and as the service does. */
async function measureStoring(service: BenchService, count: number, prepare: (n: number) => PreparedStatement) {
  await sql`create table bare (like statement including all)`.execute(service.db)
  const spent = { copySeconds: 0, recordSeconds: 0 }
  for (let first = 0; first < count; first += chunkSize) {
    const statements = Array.from({ length: Math.min(chunkSize, count - first) }, (_, at) => prepare(first + at))
    spent.copySeconds += await timed(() => copyRows(service, statements))
    spent.recordSeconds += await timed(() => recordAll(service, statements))
  }
  return spent
}

function prepared(n: number, law: Law): PreparedStatement {
  const value = makeStatement(seed, n, law)
  const text = JSON.stringify(value)
  return prepareStatement({ text, value }, { makeId: randomUUID, authority, version: '1.0.3' })
}

async function copyRows({ pool, tenantId }: BenchService, statements: readonly PreparedStatement[]): Promise<void> {
  const client = await pool.connect()
  try {
    const lines = statements.map(({ id, timestamp, text }, at) =>
      [tenantId, id, timestamp, timestamp, at % 7, 1, escaped(text)].join('\t')
    )
    const into = client.query(
      copyFrom('copy bare (tenant_id, id, stored, "timestamp", verb_id, authority_id, text) from stdin')
    )
    await pipeline(Readable.from([`${lines.join('\n')}\n`]), into)
  } finally {
    client.release()
  }
}

/** As COPY's text format wants it. */
function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('\t', '\\t').replaceAll('\n', '\\n')
}

async function recordAll({ db, tenantId }: BenchService, statements: readonly PreparedStatement[]): Promise<void> {
  let next = 0
  const writer = async () => {
    while (next < statements.length) {
      const batch = statements.slice(next, next + batchSize)
      next += batchSize
      await recordStatements(db, tenantId, batch, { mayDefine: true })
    }
  }
  await Promise.all(Array.from({ length: writers }, writer))
}

async function measureBytes(service: BenchService, count: number): Promise<readonly Measurement[]> {
  const events = await countOf(service, sql`select count(*) from learning_event`)
  const { rows } = await sql<{ name: string; bytes: number }>`
    select relname as name, pg_total_relation_size(oid) as bytes from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace`.execute(service.db)
  const bytesOf = (...names: readonly string[]) =>
    rows.filter(({ name }) => names.includes(name)).reduce((sum, { bytes }) => sum + bytes, 0)
  const bare = bytesOf('bare')
  const line = (what: string, bytes: number, per: number): Measurement => ({
    what,
    value: `${Math.round(bytes / per)} bytes`,
    ratio: `${(bytes / bare).toFixed(2)} times all of it`
  })
  return [
    { ...line('disk a statement, the bare table with its indexes', bare, count), ratio: '1' },
    line(
      'disk a statement: text, links, references',
      bytesOf('statement', 'statement_agent', 'statement_activity', 'statement_reference'),
      count
    ),
    line(`disk an event (${events.toLocaleString('en')} events)`, bytesOf('learning_event'), events),
    line('disk an event, learner_day', bytesOf('learner_day'), events),
    line('disk an event, learner_activity', bytesOf('learner_activity'), events)
  ]
}

/** Derives every event and recomputes every derived row, with nothing else going on. */
async function rebuildAll({ db, tenantId }: BenchService): Promise<void> {
  await openRebuild(db, tenantId, 'bench')
  while ((await derive(db, { chunkSize: 1000, rebuildPersons })) > 0);
}

/** How far the rollups are behind while statements come in steadily, and nothing is left from before. */
async function measureLag(
  service: BenchService,
  prepare: (n: number) => PreparedStatement
): Promise<readonly Measurement[]> {
  // While the tables were rebuilt nobody worked on the queue, and the time of some events came.
  while ((await processQueue(service.db, batchSize)) > 0);
  const worker = startWorker(service.db, {
    batchSize,
    idleMs: 250,
    onError: error => process.stderr.write(`${error}\n`),
    onFailedRow: ({ error }) => process.stderr.write(`${error}\n`)
  })
  const lags: number[] = []
  const perTick = steadyPerSecond / 20
  const end = performance.now() + steadySeconds * 1000
  for (let tick = 0; performance.now() < end; tick++) {
    const due = end - steadySeconds * 1000 + tick * 50
    await sleep(Math.max(0, due - performance.now()))
    const batch = Array.from({ length: perTick }, (_, at) => prepare(tick * perTick + at))
    await recordStatements(service.db, service.tenantId, batch, { mayDefine: true })
    worker.wake()
    lags.push(await lagMs(service))
  }
  await worker.stop()
  lags.sort((a, b) => a - b)
  const at = (share: number) => `${Math.round(lags[Math.floor(share * (lags.length - 1))] ?? 0)} ms`
  return [
    {
      what: `lag of the rollups at ${steadyPerSecond} statements/s for ${steadySeconds} s`,
      value: `p50 ${at(0.5)}, p95 ${at(0.95)}, most ${at(1)}`,
      ratio: '–'
    }
  ]
}

/** For how long the oldest row of the queue has been due. An event of the future is due when its time comes. */
async function lagMs(service: BenchService): Promise<number> {
  return countOf(
    service,
    sql`select coalesce(extract(epoch from clock_timestamp() - min(greatest(enqueued_at, due_at))) * 1000, 0)::bigint as count
      from rollup_queue where due_at <= clock_timestamp()`
  )
}

async function countOf({ db }: BenchService, query: ReturnType<typeof sql>): Promise<number> {
  const { rows } = await sql<{ count: number }>`${query}`.execute(db)
  return rows[0]?.count ?? 0
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const began = performance.now()
  await work()
  return (performance.now() - began) / 1000
}
