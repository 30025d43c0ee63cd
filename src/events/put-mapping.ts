import { type Kysely, sql, type Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { raiseDataVersions } from '../store/data-version.js'
import { internWords } from '../store/dictionary.js'
import { transact } from '../store/transact.js'
import { requestDerivation } from './derivations.js'
import { findMapping } from './find-mapping.js'
import { changedVerbs, type EventMapping, makeMapping } from './mapping.js'
import type { MappingRule } from './mapping-rule.js'

/** A mapping that is to be in force. */
export interface NewMapping {
  readonly rules: readonly MappingRule[]
  /** Who writes it: a credential's key. */
  readonly createdBy: string
  /** Says whether it may follow upon the version in force, and throws where it may not. */
  readonly checkCurrent: (version: number) => void
}

/** A mapping in force, and the number of the derivation that brings stored statements to it; null where none needs to. */
export interface PutMapping {
  readonly mapping: EventMapping
  readonly derivationId: number | null
}

/**
 * Puts a tenant's mapping in force as a new version, and asks for a derivation of the statements whose verbs have other
 * rules now, both or neither. The same rules as those in force make no new version.
 *
 * @throws what `checkCurrent` throws.
 */
export async function putMapping(db: Kysely<Database>, tenantId: number, given: NewMapping): Promise<PutMapping> {
  for (;;) {
    const current = await findMapping(db, tenantId)
    given.checkCurrent(current.version)
    if (sameRules(current.tenantRules, given.rules)) return { mapping: current, derivationId: null }
    const mapping = makeMapping(current.version + 1, given.rules)
    // Also verbs that nobody has used get a number: a statement with one may be on its way, by the old mapping.
    const verbs = changedVerbs(current, mapping)
    const numbers = await internWords(db, { tenantId, dictionary: 'verb' }, verbs)
    const step = { tenantId, mapping, verbIds: [...numbers.values()], createdBy: given.createdBy }
    const put = await transact(db, async trx => {
      const inserted = await insertMapping(trx, step)
      if (inserted !== null) await raiseDataVersions(trx, [tenantId])
      return inserted
    })
    // Null: another version came between, and what has changed since is to be found anew.
    if (put !== null) return put
  }
}

interface Step {
  readonly tenantId: number
  readonly mapping: EventMapping
  readonly verbIds: readonly number[]
  readonly createdBy: string
}

async function insertMapping(
  trx: Transaction<Database>,
  { tenantId, mapping, verbIds, createdBy }: Step
): Promise<PutMapping | null> {
  // One after the other, so that derivations are asked for in the order of the versions.
  await trx.selectFrom('tenant').select('id').where('id', '=', tenantId).forNoKeyUpdate().execute()
  const { rows } = await sql<{ version: number }>`
    insert into event_mapping (tenant_id, version, rules, created_by)
    select ${tenantId}, ${mapping.version}, ${JSON.stringify(mapping.tenantRules)}::jsonb, ${createdBy}
    where not exists (select from event_mapping where tenant_id = ${tenantId} and version >= ${mapping.version})
    returning version`.execute(trx)
  if (rows.length === 0) return null
  if (verbIds.length === 0) return { mapping, derivationId: null }
  const request = { tenantId, reason: 'mapping', verbIds, requestedBy: createdBy } as const
  return { mapping, derivationId: await requestDerivation(trx, request) }
}

function sameRules(before: readonly MappingRule[], after: readonly MappingRule[]): boolean {
  const text = (rules: readonly MappingRule[]) =>
    JSON.stringify(rules.map(({ verb, activityType, category, kind }) => [verb, activityType, category, kind]))
  return text(before) === text(after)
}
