// Three ways take turns on the same data: without policies; with policies and a tenant set once for the connection,
// which is what the policies alone cost; and with the tenant set before each piece of work, which is what connections
// that many tenants share would need.
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbeddedServer } from '../src/database/embedded-server.js'
import { migrate } from '../src/database/migrate.js'
import { type DatabaseConnection, migrationsFolder, openDatabase } from '../src/database/open.js'
import type { Measurement } from './ingest.js'

const rounds = 30
const seeded = 100_000
const batch = 100
const batchesARound = 8
const pagesARound = 100
const ways = ['plain', 'policy', 'policy, tenant set each time']
const tenants = [1, 2]

const insert = `
  insert into statement (tenant_id, id, stored, "timestamp", verb_id, authority_id, text)
  select $1, gen_random_uuid(), clock_timestamp(), now(), 1 + n % 7, 1 + n % 500, $2
  from generate_series(1, $3::integer) as n on conflict do nothing`
// A scalar subquery, because `not exists` under `or` may be planned as a scan of the whole table.
const page = `
  select stored, seq, text from statement where tenant_id = $1 and (voids is not null or (
    select true from statement as voiding where voiding.tenant_id = statement.tenant_id and voiding.voids = statement.id
    limit 1) is null)
  order by stored desc, seq desc limit 101`
const pageOfAuthority = page.replace('$1 and', '$1 and authority_id = $2 and')
const one = 'select text from statement where tenant_id = $1 and id = $2'
const text = JSON.stringify({ of: 'about 830 bytes', filler: 'x'.repeat(790) })

type Measured = Map<string, Map<string, number[]>>

/** Measures what row-level security would cost: policies alone, and with the tenant set before each piece of work. */
export async function benchRowLevelSecurity(): Promise<readonly Measurement[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'momentum-rls-'))
  await chmod(dataDir, 0o755)
  const server = await startEmbeddedServer({ dataDir, sharedFolder: join(dataDir, 'shared'), log: () => undefined })
  try {
    return summary(await compare(server.connection))
  } finally {
    await server.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
}

async function compare(connection: DatabaseConnection): Promise<Measured> {
  const { db } = openDatabase({ connection, poolSize: 1, onError: () => undefined })
  await migrate(db, migrationsFolder)
  await db.destroy()
  const client = new pg.Client(connection)
  await client.connect()
  for (const tenant of tenants) {
    await client.query(`insert into tenant (name, time_zone) values ($1, 'UTC')`, [`tenant ${tenant}`])
    await client.query(insert, [tenant, text, seeded / tenants.length])
  }
  await client.query('analyze statement')
  const { rows } = await client.query<{ id: string }>(
    'select id from statement where tenant_id = 1 order by seq limit 200'
  )
  const measured: Measured = new Map()
  for (let round = 0; round <= rounds; round++) {
    // The first round warms up, and each begins with another way.
    for (const turn of ways.keys()) {
      const way = ways[(round + turn) % ways.length] ?? ''
      const times = await measure(client, way, rows)
      for (const [work, ms] of round === 0 ? [] : Object.entries(times)) {
        const byWay = measured.get(work) ?? new Map<string, number[]>()
        measured.set(work, byWay.set(way, [...(byWay.get(way) ?? []), ms]))
      }
    }
  }
  await client.end()
  return measured
}

function summary(measured: Measured): readonly Measurement[] {
  return [...measured].flatMap(([work, byWay]) => {
    // The least of many rounds is what the work costs while nothing else runs on the machine.
    const plain = byWay.get('plain') ?? []
    const base = Math.min(...plain)
    return [...byWay].map(([way, all]) => {
      const paired = median(all.map((ms, round) => ms / (plain[round] ?? Number.NaN)))
      const ratio = `${(Math.min(...all) / base).toFixed(3)} (pairs ${paired.toFixed(3)})`
      return { what: `${work}, ${way}`, value: `${Math.min(...all).toFixed(3)} ms`, ratio }
    })
  })
}

async function measure(client: pg.Client, way: string, known: readonly { readonly id: string }[]) {
  await client.query('drop policy if exists tenant_wall on statement')
  const verb = way === 'plain' ? 'disable' : 'enable'
  await client.query(
    `alter table statement ${verb} row level security, ${way === 'plain' ? 'no ' : ''}force row level security`
  )
  // The service owns the tables, so without `force` the policy would not hold for it.
  const wall = `tenant_id = current_setting('momentum.tenant')::integer`
  if (way !== 'plain') await client.query(`create policy tenant_wall on statement using (${wall}) with check (${wall})`)
  await client.query(`select set_config('momentum.tenant', '1', false)`)
  const enter = async () => {
    if (way === 'policy, tenant set each time')
      await client.query(`select set_config('momentum.tenant', $1, false)`, ['1'])
  }
  const read = (name: string, query: string, values: (at: number) => readonly unknown[]) => async (at: number) => {
    await enter()
    await client.query({ name: `${name} ${way}`, text: query, values: [...values(at)] })
  }
  const store = async () => {
    await client.query('begin')
    await enter()
    await client.query({ name: `insert ${way}`, text: insert, values: [1, text, batch] })
    await client.query('commit')
  }
  return {
    [`batch of ${batch}`]: await time(batchesARound, store),
    'first page': await time(
      pagesARound,
      read('page', page, () => [1])
    ),
    'first page of an authority': await time(
      pagesARound,
      read('authority', pageOfAuthority, at => [1, 1 + (at % 500)])
    ),
    'one by its id': await time(
      pagesARound,
      read('one', one, at => [1, known[at % known.length]?.id])
    )
  }
}

async function time(times: number, work: (at: number) => Promise<void>): Promise<number> {
  const begun = performance.now()
  for (let at = 0; at < times; at++) await work(at)
  return (performance.now() - begun) / times
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN
}
