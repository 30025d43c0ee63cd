import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { type EventOfStatement, insertEvents } from '../events/insert-events.js'
import { learningEventOf } from '../events/learning-event.js'
import { internWords } from '../store/dictionary.js'
import { type InsertedStatement, insertStatements } from '../store/insert-statements.js'
import { transact } from '../store/transact.js'
import type { PreparedStatement } from '../xapi/prepare.js'
import { enqueueStatements } from './enqueue.js'

/**
 * Records a batch in one transaction: the statements, the learning events that they stand for, and the queue rows for
 * the learner-days that they touch. All of it is kept, or nothing.
 *
 * @returns the statements that were new; those stored before, and the same, are left out.
 * @throws {LrsError} `statement-conflict` when a different statement with one of the ids is stored.
 */
export async function recordStatements(
  db: Kysely<Database>,
  tenantId: number,
  statements: readonly PreparedStatement[]
): Promise<readonly InsertedStatement[]> {
  const events = statements.map(learningEventOf)
  const numbers = await internAll(db, tenantId, statements, events)
  return transact(db, async trx => {
    const inserted = await insertStatements(trx, tenantId, statements, numbers)
    const meant = inserted.flatMap((statement): EventOfStatement[] => {
      const event = events[statement.index] ?? null
      return event === null ? [] : [{ statement, event }]
    })
    const voided = inserted.flatMap(({ index }) => statements[index]?.voids ?? [])
    await insertEvents(trx, tenantId, meant, numbers)
    if (meant.length > 0 || voided.length > 0) {
      await enqueueStatements(
        trx,
        tenantId,
        meant.map(({ statement }) => statement.seq),
        voided
      )
    }
    return inserted
  })
}

async function internAll(
  db: Kysely<Database>,
  tenantId: number,
  statements: readonly PreparedStatement[],
  events: readonly ReturnType<typeof learningEventOf>[]
) {
  const present = (words: readonly (string | null | undefined)[]) => words.filter(word => typeof word === 'string')
  const [verb, activity, agent] = await Promise.all([
    internWords(
      db,
      { tenantId, dictionary: 'verb' },
      statements.map(({ verb }) => verb)
    ),
    internWords(
      db,
      { tenantId, dictionary: 'activity' },
      present([...statements.map(({ objectActivity }) => objectActivity), ...events.map(event => event?.module)])
    ),
    internWords(
      db,
      { tenantId, dictionary: 'agent' },
      present([
        ...statements.flatMap(({ actor, objectAgent }) => [actor, objectAgent]),
        ...events.flatMap(event => [event?.agent, event?.subject])
      ])
    )
  ])
  return { verb, activity, agent }
}
