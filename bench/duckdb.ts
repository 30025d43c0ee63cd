import { createWriteStream } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { cpus, tmpdir } from 'node:os'
import { join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import type pg from 'pg'
import { to as copyTo } from 'pg-copy-streams'
import { learningEventKinds } from '../src/events/mapping-rule.js'

/** A DuckDB in this process that holds the raw tables in memory, in its own columns. */
export interface DuckDB {
  readonly threads: number
  readonly connections: readonly DuckDBConnection[]
  readonly stop: () => void
}

const kinds = learningEventKinds.map(kind => `'${kind}'`).join(', ')

/** What is copied: the rows that metrics are defined over, none of what is derived from them. */
const tables = [
  {
    columns: `person_id integer, agent_id integer`,
    name: 'person_agent',
    rows: 'select person_id, agent_id from person_agent where tenant_id = $tenant order by agent_id'
  },
  {
    columns: 'id integer, is_learner boolean',
    name: 'person',
    rows: `select id, external_id is not null and merged_into is null from person where tenant_id = $tenant order by id`
  },
  {
    columns: 'person_id integer, valid_from date, valid_to date, hired_on date, left_on date, cohorts varchar',
    name: 'roster',
    rows: `select person_id, lower(valid), upper(valid), hired_on, left_on, array_to_string(cohorts, '|')
      from roster where tenant_id = $tenant`
  },
  {
    columns: `statement_seq bigint, kind enum (${kinds}), agent_id integer, activity_id integer, "timestamp" timestamp,
      day date, score_scaled double`,
    name: 'learning_event',
    rows: `select statement_seq, kind, agent_id, activity_id, "timestamp" at time zone 'UTC', day, score_scaled
      from learning_event where tenant_id = $tenant`
  }
] as const

/**
 * Copies a tenant's events, people and roster into DuckDB, with as many threads as the machine has.
 *
 * @param connections how many connections to open to it.
 */
export async function startDuckDB(pool: pg.Pool, tenantId: number, connections: number): Promise<DuckDB> {
  const threads = cpus().length
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) })
  const opened = await Promise.all(Array.from({ length: connections }, () => instance.connect()))
  const folder = await mkdtemp(join(tmpdir(), 'momentum-bench-csv-'))
  try {
    for (const { name, columns, rows } of tables) {
      const file = join(folder, `${name}.csv`)
      await exportRows(pool, rows.replace('$tenant', String(tenantId)), file)
      await opened[0]?.run(`create table ${name} (${columns})`)
      await opened[0]?.run(`copy ${name} from '${file}' (format csv, header false)`)
      await rm(file)
    }
    await opened[0]?.run(`alter table roster alter cohorts type varchar[] using string_split(cohorts, '|')`)
  } finally {
    await rm(folder, { recursive: true, force: true })
  }
  return { threads, connections: opened, stop: () => instance.closeSync() }
}

async function exportRows(pool: pg.Pool, query: string, file: string): Promise<void> {
  const client = await pool.connect()
  try {
    await client.query('set statement_timeout = 0')
    await pipeline(client.query(copyTo(`copy (${query}) to stdout (format csv)`)), createWriteStream(file))
  } finally {
    // A connection whose settings were changed serves nobody else.
    client.release(true)
  }
}
