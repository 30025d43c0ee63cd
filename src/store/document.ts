import { createHash } from 'node:crypto'
import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database, DocumentResource } from '../database/schema.js'
import { findNumbers, internWords } from './dictionary.js'

/** Whose documents are meant: the context that the standard gives each resource. */
export interface DocumentContext {
  readonly tenantId: number
  readonly resource: DocumentResource
  /** IRI; null for agent profiles. */
  readonly activity: string | null
  /** Identifier in the form of `ifiOf`; null for activity profiles. */
  readonly agent: string | null
  /** Only for State; null matches documents without one where one document is meant, and all where many are. */
  readonly registration: string | null
}

/** One document's address. */
export interface DocumentAddress extends DocumentContext {
  readonly documentId: string
}

/** A stored document. */
export interface StoredDocument {
  readonly contentType: string
  readonly content: Buffer
  /** Hexadecimal SHA-1 of the content, without quotes. */
  readonly etag: string
  /** RFC 3339 in UTC. */
  readonly updated: string
}

/** The numbers that stand for a context's activity and agent. */
export interface ContextNumbers {
  readonly activityId: number | null
  readonly agentId: number | null
}

/** Finds the numbers of a context, or null where one of its words was never seen: there is no document then. */
export async function findContext(db: Kysely<Database>, context: DocumentContext): Promise<ContextNumbers | null> {
  return numbersOf(db, context, findNumbers)
}

/** Finds the numbers of a context, and makes those that are missing: documents may be about what nobody knows yet. */
export async function internContext(db: Kysely<Database>, context: DocumentContext): Promise<ContextNumbers | null> {
  return numbersOf(db, context, internWords)
}

async function numbersOf(
  db: Kysely<Database>,
  { tenantId, activity, agent }: DocumentContext,
  look: typeof findNumbers
): Promise<ContextNumbers | null> {
  const numberOf = async (dictionary: 'activity' | 'agent', word: string | null) =>
    word === null ? null : (await look(db, { tenantId, dictionary }, [word])).get(word)
  const [activityId, agentId] = await Promise.all([numberOf('activity', activity), numberOf('agent', agent)])
  return activityId === undefined || agentId === undefined ? null : { activityId, agentId }
}

/** The condition for all documents of a context, whatever their registration. */
export function inContext({ tenantId, resource }: DocumentContext, numbers: ContextNumbers): RawBuilder<boolean> {
  return sql<boolean>`tenant_id = ${tenantId} and resource = ${resource}
    and agent_id is not distinct from ${numbers.agentId} and activity_id is not distinct from ${numbers.activityId}`
}

/** The condition for one document. */
export function atAddress(address: DocumentAddress, numbers: ContextNumbers): RawBuilder<boolean> {
  return sql<boolean>`${inContext(address, numbers)}
    and registration is not distinct from ${address.registration}::uuid and digest = ${digestOf(address.documentId)}`
}

/** Ids are text of any length, so the key holds their digest. */
export function digestOf(documentId: string): Buffer {
  return createHash('sha256').update(documentId).digest()
}
