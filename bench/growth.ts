import { sql } from 'kysely'
import { cpuMeter } from './cpu-meter.js'
import { countOf, fill } from './fill.js'
import type { Measurement } from './ingest.js'
import { measureQueries, querySeed } from './queries.js'
import { type BenchService, startBenchService, vacuum } from './service.js'

const sizes = [100_000, 1_000_000, 5_000_000, 10_000_000] as const
/** The last of each size are those whose cost is measured. */
const measured = 50_000
/** At this size every kind of query is asked. */
const askedAt = 5_000_000

/**
 * Measures what a statement costs while the table grows: rate, CPU and bytes at four sizes, and at 5 million the
 * queries.
 *
 * @param count statements at the end; sizes beyond are left out, and those that a kept database has grown out of.
 */
export async function benchGrowth(count: number): Promise<readonly Measurement[]> {
  const service = await startBenchService()
  try {
    const grown: Size[] = []
    const asked: Measurement[] = []
    const begun = await countOf(service)
    for (const size of sizes.filter(each => each <= count && each - measured >= begun)) {
      await fill(service, querySeed, size - measured)
      grown.push(await measureSize(service, size))
      if (size !== askedAt) continue
      await vacuum(service.pool)
      asked.push(...(await measureQueries(service, size)))
    }
    const [first] = grown
    return [...grown.map(size => lineOf(size, first ?? size)), ...asked]
  } finally {
    await service.stop()
  }
}

interface Size {
  readonly statements: number
  readonly perSecond: number
  readonly cpu: string
  /** On disk, with all indexes, of the record and of everything. */
  readonly bytes: { readonly record: number; readonly all: number }
}

async function measureSize(service: BenchService, statements: number): Promise<Size> {
  const cpu = await cpuMeter(service)
  const began = performance.now()
  await fill(service, querySeed, statements)
  const perSecond = measured / ((performance.now() - began) / 1000)
  const size = { statements, perSecond, cpu: await cpu(measured), bytes: await bytesOf(service, statements) }
  process.stderr.write(`${JSON.stringify(size)}\n`)
  return size
}

async function bytesOf({ db }: BenchService, statements: number): Promise<Size['bytes']> {
  const { rows } = await sql<{ record: number; all: number }>`
    select coalesce(sum(pg_total_relation_size(oid)), 0)::bigint as "all",
      coalesce(sum(pg_total_relation_size(oid)) filter (where relname like 'statement%'), 0)::bigint as record
    from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace`.execute(db)
  const [row = { record: 0, all: 0 }] = rows
  return { record: row.record / statements, all: row.all / statements }
}

function lineOf({ statements, perSecond, cpu, bytes }: Size, first: Size): Measurement {
  const rate = `${Math.round(perSecond).toLocaleString('en')} statements/s`
  const disk = `${bytes.record.toFixed(0)} bytes a statement in the record, ${bytes.all.toFixed(0)} in all`
  return {
    what: `recording the last ${measured.toLocaleString('en')} of ${statements.toLocaleString('en')}`,
    value: `${rate}; ${cpu}; ${disk}`,
    ratio: `${(first.perSecond / perSecond).toFixed(2)} times the first`
  }
}
