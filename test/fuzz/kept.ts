import { deepStrictEqual } from 'node:assert'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../../src/database/schema.js'
import { derive } from '../../src/rollup/derive.js'
import { rebuildPersons } from '../../src/rollup/rebuild-rollups.js'
import { verifyTenant } from '../../src/rollup/verify.js'
import { drain } from '../support/app.js'

/** Names are interned ahead of the transaction that needs them, and stay when it fails: they say nothing of anyone. */
const interned = ['agent', 'activity', 'verb']

/**
 * Makes what says which rows there are, and which of them were written last: two that are the same have nothing
 * written between them.
 *
 * @param exceptTenant whose rows are left out, because requests of theirs may still be under way.
 */
export async function fingerprinter(db: Kysely<Database>, exceptTenant: number): Promise<() => Promise<string>> {
  const { rows: tables } = await sql<{ name: string; isOfTenants: boolean }>`
    select relname as name, exists (
      select from pg_attribute where attrelid = pg_class.oid and attname = 'tenant_id') as "isOfTenants"
    from pg_class
    where relkind = 'r' and relnamespace = 'public'::regnamespace and relname <> all(${interned}) order by relname`.execute(
    db
  )
  const counts = tables.map(
    ({ name, isOfTenants }) =>
      sql`select ${name} as name, count(*) as count, max(xmin::text::bigint) as writer from ${sql.table(name)}
        where ${isOfTenants ? sql`tenant_id <> ${exceptTenant}` : sql`true`}`
  )
  const query = sql<{ print: string }>`
    select string_agg(concat_ws(' ', name, count, writer), '; ' order by name) as print
    from (${sql.join(counts, sql` union all `)}) as counted`
  return async () => (await query.execute(db)).rows[0]?.print ?? ''
}

/** Finds the statements of a tenant to be the ones that were acknowledged, no fewer and no more. */
export async function checkStatements(
  db: Kysely<Database>,
  tenantId: number,
  acknowledged: ReadonlySet<string>
): Promise<void> {
  const rows = await db.selectFrom('statement').select('id').where('tenant_id', '=', tenantId).execute()
  const stored = new Set(rows.map(({ id }) => id))
  const lost = [...acknowledged].filter(id => !stored.has(id))
  const unsaid = [...stored].filter(id => !acknowledged.has(id))
  deepStrictEqual({ lost, unsaid }, { lost: [], unsaid: [] }, 'what is stored is what was acknowledged')
}

/** Finds of each batch whose answer nobody heard all statements or none. */
export async function checkBatches(
  db: Kysely<Database>,
  tenantId: number,
  batches: readonly (readonly string[])[]
): Promise<void> {
  const rows = await db.selectFrom('statement').select('id').where('tenant_id', '=', tenantId).execute()
  const stored = new Set(rows.map(({ id }) => id))
  const halves = batches.filter(ids => ids.some(id => stored.has(id)) && !ids.every(id => stored.has(id)))
  deepStrictEqual(halves, [], 'no batch is stored in part')
}

/** Works off all that waits, and finds the derived tables to be what the record says. */
export async function checkDerived(db: Kysely<Database>): Promise<void> {
  while ((await derive(db, { chunkSize: 1000, rebuildPersons })) > 0);
  await drain(db)
  const parked = await sql`select * from rollup_queue where attempts > 0`.execute(db)
  deepStrictEqual(parked.rows, [], 'no row of the queue fails')
  const tenants = await db.selectFrom('tenant').select('id').execute()
  for (const { id } of tenants) {
    const differences: unknown[] = []
    await verifyTenant(db, id, difference => differences.push(difference))
    deepStrictEqual(differences, [], `the verification of tenant ${id}`)
  }
}
