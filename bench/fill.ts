import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import { recordStatements } from '../src/rollup/record-statements.js'
import { parseStatements } from '../src/xapi/parse.js'
import { prepareStatement } from '../src/xapi/prepare.js'
import { authority, type BenchService } from './service.js'
import { makeStatement } from './statements.js'

const batchSize = 100
const writers = 4

/**
 * Records statements of a seed as the service does, in batches of 100, four at a time, until the table has so many; those
 * that a kept database has already are not made again.
 */
export async function fill(service: BenchService, seed: number, count: number): Promise<void> {
  const { db, tenantId } = service
  const context = { makeId: randomUUID, authority, version: '1.0.3' as const }
  let next = await countOf(service)
  const write = async () => {
    while (next < count) {
      const first = next
      next += batchSize
      const body = JSON.stringify(Array.from({ length: batchSize }, (_, n) => makeStatement(seed, first + n)))
      const statements = parseStatements(body, { maxStatements: batchSize, maxDepth: 100 })
      const prepared = statements.map(received => prepareStatement(received, context))
      await recordStatements(db, tenantId, prepared, { mayDefine: true })
    }
  }
  await Promise.all(Array.from({ length: writers }, write))
}

/** Statements in the table. */
export async function countOf({ db, tenantId }: BenchService): Promise<number> {
  const { rows } = await sql<{ n: number }>`
    select count(*)::integer as n from statement where tenant_id = ${tenantId}`.execute(db)
  return rows[0]?.n ?? 0
}
