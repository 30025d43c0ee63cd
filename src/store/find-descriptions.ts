import { type Kysely, sql } from 'kysely'
import { toMicroseconds } from '../database/instant-text.js'
import type { Database } from '../database/schema.js'
import { findNumbers } from './dictionary.js'

/** Names of one agent that are answered at most; a sender that puts the time into each name makes many. */
const mostNames = 100

/** An activity's canonical definition. */
export interface KnownDefinition {
  /** JSON text. */
  readonly definition: string
  /** When it was last changed, RFC 3339 in UTC. */
  readonly updated: string
}

/**
 * Finds the canonical definitions of activities, as JSON text by IRI; an activity that no statement has defined is
 * absent.
 */
export async function findDefinitions(
  db: Kysely<Database>,
  tenantId: number,
  iris: Iterable<string>
): Promise<ReadonlyMap<string, string>> {
  const known = await findKnown(db, tenantId, iris)
  return new Map([...known].map(([iri, { definition }]) => [iri, definition]))
}

/** Finds one activity's canonical definition and when it was changed, or null. */
export async function findDefinition(
  db: Kysely<Database>,
  tenantId: number,
  iri: string
): Promise<KnownDefinition | null> {
  return (await findKnown(db, tenantId, [iri])).get(iri) ?? null
}

/** Finds the canonical displays of verbs, language maps as JSON text by IRI; a verb without one is absent. */
export async function findDisplays(
  db: Kysely<Database>,
  tenantId: number,
  iris: Iterable<string>
): Promise<ReadonlyMap<string, string>> {
  const numbers = await findNumbers(db, { tenantId, dictionary: 'verb' }, iris)
  if (numbers.size === 0) return new Map()
  const rows = await db
    .selectFrom('verb_display')
    .select(['verb_id as id', 'display'])
    .where('tenant_id', '=', tenantId)
    .where('verb_id', 'in', [...numbers.values()])
    .execute()
  return byWord(
    numbers,
    rows.map(({ id, display }) => [id, display])
  )
}

/** Finds the names under which statements have shown an agent, as JSON strings, the last that came up first. */
export async function findNames(db: Kysely<Database>, tenantId: number, agent: string): Promise<readonly string[]> {
  const id = (await findNumbers(db, { tenantId, dictionary: 'agent' }, [agent])).get(agent)
  if (id === undefined) return []
  const rows = await db
    .selectFrom('agent_name')
    .select('name')
    .where('tenant_id', '=', tenantId)
    .where('agent_id', '=', id)
    .orderBy('first_seen', 'desc')
    .orderBy('digest')
    .limit(mostNames)
    .execute()
  return rows.map(({ name }) => name)
}

async function findKnown(
  db: Kysely<Database>,
  tenantId: number,
  iris: Iterable<string>
): Promise<ReadonlyMap<string, KnownDefinition>> {
  const numbers = await findNumbers(db, { tenantId, dictionary: 'activity' }, iris)
  if (numbers.size === 0) return new Map()
  const { rows } = await sql<KnownDefinition & { id: number }>`
    select activity_id as id, definition,
      ${toMicroseconds(sql`updated`)} as updated
    from activity_definition
    where tenant_id = ${tenantId} and activity_id = any(${[...numbers.values()]}::integer[])`.execute(db)
  return byWord(
    numbers,
    rows.map(({ id, definition, updated }) => [id, { definition, updated }])
  )
}

function byWord<Value>(
  numbers: ReadonlyMap<string, number>,
  rows: readonly (readonly [number, Value])[]
): ReadonlyMap<string, Value> {
  const byNumber = new Map(rows)
  return new Map(
    [...numbers].flatMap(([word, id]) => {
      const value = byNumber.get(id)
      return value === undefined ? [] : [[word, value] as const]
    })
  )
}
