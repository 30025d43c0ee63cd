import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { type EventOfStatement, wordsOfEvents } from '../events/event-rows.js'
import { rememberedMapping } from '../events/find-mapping.js'
import { insertEvents, StaleMapping } from '../events/insert-events.js'
import { type LearningEvent, learningEventOf } from '../events/learning-event.js'
import type { EventMapping } from '../events/mapping.js'
import { internTogether } from '../store/dictionary.js'
import { withLiveNumbers } from '../store/erasure-fence.js'
import { insertAttachments, type NewAttachment } from '../store/insert-attachments.js'
import { type InsertedStatement, insertStatements } from '../store/insert-statements.js'
import { findNewDescriptions, putDescriptions, rememberKept } from '../store/put-descriptions.js'
import type { StatementNumbers } from '../store/statement-links.js'
import { transact } from '../store/transact.js'
import { attachmentsOf } from '../xapi/attachments.js'
import { descriptionsOf } from '../xapi/descriptions.js'
import type { Mentions } from '../xapi/mentions.js'
import type { PreparedStatement } from '../xapi/prepare.js'
import { enqueueStatements } from './enqueue.js'
import { recordAtOnce } from './record-at-once.js'

/** How a batch is recorded. */
export interface Recording {
  /** Whether the statements may change how activities are defined, verbs displayed and agents named. */
  readonly mayDefine: boolean
  /** The data that came with the statements. */
  readonly attachments?: readonly NewAttachment[]
}

/**
 * Records a batch in one transaction: the statements, the attachments that came with them, the learning events that
 * they stand for by the mapping in force, the queue rows for the learner-days that they touch, and what new ones say
 * of activities, verbs and agents. All of it is kept, or nothing.
 *
 * @returns the statements that were new; those stored before, and the same, are left out.
 * @throws {LrsError} `statement-conflict` when a different statement with one of the ids is stored.
 */
export async function recordStatements(
  db: Kysely<Database>,
  tenantId: number,
  statements: readonly PreparedStatement[],
  recording: Recording
): Promise<readonly InsertedStatement[]> {
  let mapping = await rememberedMapping(db, tenantId)
  for (;;) {
    try {
      return await recordMapped(db, { tenantId, mapping }, statements, recording)
    } catch (error) {
      // Nothing was kept. Each turn means that a version was put in force meanwhile, so there are few.
      if (!(error instanceof StaleMapping)) throw error
      mapping = await rememberedMapping(db, tenantId, true)
    }
  }
}

interface Mapped {
  readonly tenantId: number
  readonly mapping: EventMapping
}

/** @throws {StaleMapping} when the mapping is not the newest any more. */
async function recordMapped(
  db: Kysely<Database>,
  mapped: Mapped,
  statements: readonly PreparedStatement[],
  recording: Recording
): Promise<readonly InsertedStatement[]> {
  const { tenantId, mapping } = mapped
  const events = statements.map(statement => learningEventOf(statement, mapping))
  return withLiveNumbers(db, tenantId, async erasures => {
    const numbers = { ...(await internAll(db, tenantId, statements, events)), erasures }
    return record(db, mapped, { statements, events, numbers }, recording)
  })
}

interface Batch {
  readonly statements: readonly PreparedStatement[]
  readonly events: readonly (LearningEvent | null)[]
  readonly numbers: StatementNumbers
}

async function record(
  db: Kysely<Database>,
  { tenantId, mapping }: Mapped,
  { statements, events, numbers }: Batch,
  { mayDefine, attachments = [] }: Recording
): Promise<readonly InsertedStatement[]> {
  const said = mayDefine ? statements.map(({ text, value }) => descriptionsOf(text, value)) : []
  const descriptions = await findNewDescriptions(db, tenantId, said)
  if (attachments.length === 0 && descriptions.every(news => news.length === 0)) {
    const inserted = await recordAtOnce(db, { tenantId, version: mapping.version, statements, events, numbers })
    if (inserted !== null) return inserted
  }
  const { inserted, kept } = await transact(db, async trx => {
    const inserted = await insertStatements(trx, tenantId, statements, numbers)
    const meant = inserted.flatMap((statement): EventOfStatement[] => {
      const event = events[statement.index] ?? null
      return event === null ? [] : [{ statement, event }]
    })
    const voided = inserted.flatMap(({ index }) => statements[index]?.voids ?? [])
    if (attachments.length > 0) {
      await insertAttachments(trx, tenantId, ownersOf(statements, inserted), attachments)
    }
    if (inserted.length > 0) await insertEvents(trx, tenantId, { version: mapping.version, events: meant }, numbers)
    if (meant.length > 0 || voided.length > 0) {
      const seqs = meant.map(({ statement }) => statement.seq)
      await enqueueStatements(trx, tenantId, seqs, voided)
    }
    // A statement that is stored already changes nothing (Communication 2.1.2), so only what new ones say counts.
    const news = inserted.flatMap(({ index }) => descriptions[index] ?? [])
    return { inserted, kept: await putDescriptions(trx, tenantId, news) }
  })
  rememberKept(db, tenantId, kept)
  return inserted
}

function ownersOf(statements: readonly PreparedStatement[], inserted: readonly InsertedStatement[]) {
  return inserted.flatMap(({ index, seq }) => {
    const statement = statements[index]
    return statement === undefined ? [] : [{ seq, sha2: attachmentsOf(statement.value).map(({ sha2 }) => sha2) }]
  })
}

function internAll(
  db: Kysely<Database>,
  tenantId: number,
  statements: readonly PreparedStatement[],
  events: readonly (LearningEvent | null)[]
) {
  const words = (mentions: readonly Mentions[]) => mentions.flatMap(({ direct, related }) => [...direct, ...related])
  const ofEvents = wordsOfEvents(events)
  return internTogether(db, tenantId, {
    verb: statements.map(({ verb }) => verb),
    activity: [...words(statements.map(({ activities }) => activities)), ...ofEvents.activities],
    agent: [
      ...words(statements.map(({ agents }) => agents)),
      ...statements.map(({ authority }) => authority),
      ...ofEvents.agents
    ]
  })
}
