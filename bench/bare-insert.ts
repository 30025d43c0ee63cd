import type { BenchService } from './service.js'

/** What a statement is stored in, and the column that its rows are ordered by. */
export const allTables = [
  ['statement', 'seq'],
  ['statement_agent', 'seq'],
  ['statement_activity', 'seq'],
  ['learning_event', 'statement_seq'],
  ['rollup_queue', 'id']
] as const

type Table = (typeof allTables)[number]

/** Statements that are inserted in all. */
const inserted = 20_000

/** Rows of a table in batches, each an array a column. */
interface Copy {
  readonly insert: string
  readonly batches: readonly (readonly unknown[])[]
}

/**
 * How fast PostgreSQL takes rows of statements that the service has stored, into empty tables with the same columns and
 * indexes, from one connection.
 *
 * @param perCommit statements that each transaction inserts.
 * @returns statements a second.
 */
export async function bareInsertRate(
  { pool }: BenchService,
  tables: readonly Table[],
  perCommit: number
): Promise<number> {
  const batches = Math.ceil(inserted / perCommit)
  const copies: Copy[] = []
  for (const table of tables) copies.push(await copyOf(pool, table, batches))
  const client = await pool.connect()
  const began = performance.now()
  for (let number = 0; number < batches; number++) {
    await client.query('begin')
    for (const copy of copies) await client.query(copy.insert, [...(copy.batches[number] ?? [])])
    await client.query('commit')
  }
  const ms = performance.now() - began
  client.release()
  return inserted / (ms / 1000)
}

/** Reads as many rows of a table as that many statements have on average, and makes an empty one like it. */
async function copyOf(pool: BenchService['pool'], [table, key]: Table, batches: number): Promise<Copy> {
  await pool.query(`drop table if exists bare_${table}; create table bare_${table} (like ${table} including all)`)
  const { rows: columns } = await pool.query<{ name: string; type: string }>(
    `select quote_ident(attname) as name, format_type(atttypid, atttypmod) as type from pg_attribute
     where attrelid = $1::regclass and attnum > 0 and not attisdropped order by attnum`,
    [table]
  )
  const names = columns.map(({ name }) => name)
  const { rows } = await pool.query<{ columns: unknown[] }>(
    `with statements as (select count(*) as n from statement),
     part as (
       select *, ntile(${batches}) over (order by ${key}) as batch from (
         select * from ${table} order by ${key}
         limit (select count(*) from ${table}) * ${inserted} / (select n from statements)) as rows)
     select json_build_array(${names.map(name => `json_agg(${name}::text order by ${key})`).join()}) as columns
     from part group by batch`
  )
  // An array in an array would be taken apart by unnest, so it goes as text.
  const given = columns.map(({ type }, at) => `$${at + 1}::${type.endsWith('[]') ? 'text' : type}[]`)
  const cast = columns.map(({ name, type }) => (type.endsWith('[]') ? `${name}::${type}` : name))
  return {
    insert: `insert into bare_${table} (${names}) overriding system value
      select ${cast} from unnest(${given}) as given(${names})`,
    batches: rows.map(row => row.columns)
  }
}
