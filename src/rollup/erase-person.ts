import type { Kysely, Transaction } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { eraseEvents } from '../events/erase-events.js'
import { erasePersons, findProvisionalPersons, findWholePerson } from '../people/erase-persons.js'
import { raiseRosterVersion } from '../store/data-version.js'
import { findNumbers, internWords } from '../store/dictionary.js'
import { eraseAgents, findAuthorityPairs, lockAgents } from '../store/erase-agents.js'
import { eraseAttachments } from '../store/erase-attachments.js'
import { type DoomedStatement, eraseStatements } from '../store/erase-statements.js'
import { holdOffDerivation, rememberErasures } from '../store/erasure-fence.js'
import { type ErasureCounts, logErasure, nothingErased } from '../store/erasure-log.js'
import { withHashedMailboxes } from '../store/hashed-mailboxes.js'
import { replaceAuthority, replaceReferredAuthority } from '../store/replace-authority.js'
import { enterGate } from '../store/statement-references.js'
import { rehearse, transact } from '../store/transact.js'
import { erasedAgent, isOwnIdentifier } from '../xapi/erase.js'
import { authorityKey } from '../xapi/mentions.js'
import { dequeueErased } from './enqueue.js'
import { enqueueTouched } from './enqueue-touched.js'
import { findDoomed } from './find-doomed.js'

/** Whom to erase. */
export type ErasedPerson =
  /** Identifiers in the form of `ifiOf`. */
  | { readonly agents: readonly string[] }
  /** The roster's own name for the person. */
  | { readonly personId: string }

/** How a person is erased. */
export interface Erasing {
  readonly tenantId: number
  /** Who is told to have asked for it. */
  readonly requestedBy: string
  /** Whether it is only tried. */
  readonly isDryRun: boolean
  /** Statements that one transaction erases at most. */
  readonly passSize: number
}

/** What was erased; the id is null for a dry run. */
export interface Erased extends ErasureCounts {
  readonly id: number | null
}

/** What goes to the database and back at once. */
const chunkSize = 500

/**
 * Erases a person: every statement that names one of their agents anywhere, and all that was made from it.
 *
 * A transaction erases at most `passSize` statements, while the tenant's writers wait. A person with fewer is erased
 * wholly or not at all; otherwise each pass leaves a record that is right in itself, and to ask again goes on from
 * there. Statements that are stored after it are new facts about a new agent.
 *
 * @throws {LrsError} `not-found` when the roster does not have the person.
 */
export async function erasePerson(db: Kysely<Database>, whom: ErasedPerson, erasing: Erasing): Promise<Erased> {
  const { tenantId, isDryRun } = erasing
  const key = authorityKey(erasedAgent)
  // Interned for a dry run as well: it names nobody.
  const toId = (await internWords(db, { tenantId, dictionary: 'agent' }, [key])).get(key) ?? 0
  const run = isDryRun ? rehearse : transact
  let erased: Erased = { ...nothingErased, id: null }
  for (;;) {
    const pass = await run(db, trx => erasePass(trx, whom, { ...erasing, toId }, erased))
    if (!isDryRun) rememberErasures(db, tenantId, pass.erasures)
    if (pass.isLast) return isDryRun ? { ...pass.erased, id: null } : pass.erased
    erased = pass.erased
  }
}

interface Pass {
  readonly erased: Erased
  readonly isLast: boolean
  readonly erasures: number
}

interface Whom {
  readonly agentIds: readonly number[]
  /** The agents, and the pairs of OAuth that they belong to. */
  readonly authorityIds: readonly number[]
  readonly personIds: readonly number[]
}

async function erasePass(
  trx: Transaction<Database>,
  whom: ErasedPerson,
  erasing: Erasing & { readonly toId: number },
  before: Erased
): Promise<Pass> {
  const { tenantId, requestedBy, isDryRun, toId } = erasing
  // A dry run commits nothing, so nobody has to wait for it, and it does not end half-way.
  const limit = isDryRun ? Number.MAX_SAFE_INTEGER : erasing.passSize
  if (!isDryRun) {
    await holdOffDerivation(trx)
    await enterGate(trx, tenantId, true)
  }
  const { agentIds, authorityIds, personIds } = await resolve(trx, tenantId, whom)
  const doomed = await findDoomed(trx, tenantId, agentIds, limit)
  const record = await eraseRecord(trx, tenantId, doomed)
  const authorities = await replaceAuthorities(trx, tenantId, authorityIds, { toId, limit: limit - doomed.length })
  const isLast = doomed.length + authorities < limit
  const rest = isLast ? await eraseIdentity(trx, tenantId, { agentIds, authorityIds, personIds }, toId) : nothingErased
  const { id: loggedId, ...countsBefore } = before
  const counts = [record, { ...nothingErased, authorities }, rest].reduce(add, countsBefore)
  const id = await logErasure(trx, { tenantId, requestedBy, id: loggedId, isFinished: isLast }, counts)
  const { erasures } = await trx
    .selectFrom('tenant')
    .select('erasures')
    .where('id', '=', tenantId)
    .executeTakeFirstOrThrow()
  const isChanged = Object.values(rest).some(count => count > 0) || doomed.length + authorities > 0
  if (isChanged && !isDryRun) await raiseRosterVersion(trx, tenantId)
  return { erased: { ...counts, id }, isLast, erasures }
}

async function resolve(trx: Transaction<Database>, tenantId: number, whom: ErasedPerson): Promise<Whom> {
  const person = 'personId' in whom ? await findWholePerson(trx, tenantId, whom.personId) : null
  if ('personId' in whom && person === null) {
    throw new LrsError('not-found', `The roster has no person "${whom.personId}"`)
  }
  const given = 'agents' in whom ? whom.agents : (person?.agents ?? [])
  const identifiers = withHashedMailboxes(given).filter(identifier => !isOwnIdentifier(identifier))
  const agentIds = [...(await findNumbers(trx, { tenantId, dictionary: 'agent' }, identifiers)).values()]
  const authorityIds = [...agentIds, ...(await findAuthorityPairs(trx, tenantId, identifiers))]
  return { agentIds, authorityIds, personIds: person?.personIds ?? [] }
}

async function eraseRecord(
  trx: Transaction<Database>,
  tenantId: number,
  doomed: readonly DoomedStatement[]
): Promise<ErasureCounts> {
  let counts = nothingErased
  for (let at = 0; at < doomed.length; at += chunkSize) {
    const chunk = doomed.slice(at, at + chunkSize)
    const seqs = chunk.map(({ seq }) => seq)
    const voids = chunk.filter(({ keepsVoid }) => keepsVoid).length
    const attachments = await eraseAttachments(trx, tenantId, seqs)
    const { learningEvents, touched } = await eraseEvents(trx, tenantId, seqs)
    await enqueueTouched(trx, tenantId, touched)
    await eraseStatements(trx, tenantId, chunk)
    counts = add(counts, { ...nothingErased, ...attachments, learningEvents, voids, statements: chunk.length - voids })
  }
  return counts
}

async function replaceAuthorities(
  trx: Transaction<Database>,
  tenantId: number,
  fromIds: readonly number[],
  { toId, limit }: { readonly toId: number; readonly limit: number }
): Promise<number> {
  for (let replaced = 0; ; ) {
    const size = Math.min(chunkSize, limit - replaced)
    if (size === 0) return replaced
    const found = await replaceAuthority(trx, tenantId, fromIds, { toId, limit: size })
    replaced += found
    if (found < size) return replaced
  }
}

/** Erases what is left once no statement names the person: the agents, what is kept by them, and the persons. */
async function eraseIdentity(
  trx: Transaction<Database>,
  tenantId: number,
  { agentIds, authorityIds, personIds }: Whom,
  toId: number
): Promise<ErasureCounts> {
  await lockAgents(trx, tenantId, authorityIds)
  await replaceReferredAuthority(trx, tenantId, authorityIds, toId)
  const provisional = await findProvisionalPersons(trx, tenantId, agentIds)
  const persons = [...new Set([...personIds, ...provisional])]
  await dequeueErased(trx, tenantId, persons, agentIds)
  await erasePersons(trx, tenantId, persons, agentIds)
  return { ...nothingErased, ...(await eraseAgents(trx, tenantId, authorityIds)), persons: persons.length }
}

function add(counts: ErasureCounts, more: ErasureCounts): ErasureCounts {
  const keys = Object.keys(nothingErased) as (keyof ErasureCounts)[]
  return { ...counts, ...Object.fromEntries(keys.map(key => [key, counts[key] + more[key]])) }
}
