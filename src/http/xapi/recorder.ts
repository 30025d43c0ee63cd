import { isConnectionLost } from '../../database/connection-loss.js'
import { recordStatements } from '../../rollup/record-statements.js'
import { groupCommit, type Storable } from '../../store/group-commit.js'
import type { NewAttachment } from '../../store/insert-attachments.js'
import type { PreparedStatement } from '../../xapi/prepare.js'
import type { HttpContext, Principal } from '../context.js'
import type { Measures } from '../measures.js'

/** What a request brought. */
export interface Brought {
  readonly statements: readonly PreparedStatement[]
  readonly attachments: readonly NewAttachment[]
}

interface Batch extends Storable {
  readonly statements: readonly PreparedStatement[]
  readonly principal: Pick<Principal, 'tenantId' | 'mayDefine'>
}

// At the 5,500 statements/s of bench/RESULTS.md a transaction of 1000 takes 0.2 s, which those behind it wait; two, so
// that one can be computed while the other is made durable.
const maxStatements = 1000
const writers = 2

/**
 * Records once more when the connection is lost, such as one of the pool that the server has closed unnoticed. The first
 * try may have been committed all the same; the second finds the same statements then, and leaves them as they are.
 */
async function onceMoreWhenLost(record: () => Promise<unknown>): Promise<void> {
  try {
    await record()
  } catch (error) {
    if (!isConnectionLost(error)) throw error
    await record()
  }
}

/** Makes what records requests: those that come at the same time in one transaction, each with its own outcome. */
export function recorder({ db, config, wakeWorker }: HttpContext, { noteCommit }: Measures) {
  const door = groupCommit<Batch>({
    commit: async batches => {
      for (const { principal } of batches.slice(0, 1)) {
        const statements = batches.flatMap(batch => batch.statements)
        const { tenantId, mayDefine } = principal
        await onceMoreWhenLost(() => recordStatements(db, tenantId, statements, { mayDefine }))
        noteCommit(statements.length, batches.length)
      }
    },
    maxStatements,
    maxWaiting: config.maxWaitingStatements,
    writers
  })
  return async ({ statements, attachments }: Brought, principal: Principal): Promise<void> => {
    if (statements.length === 0) return
    const { tenantId, mayDefine } = principal
    if (attachments.length > 0) {
      await onceMoreWhenLost(() => recordStatements(db, tenantId, statements, { mayDefine, attachments }))
      noteCommit(statements.length, 1)
    } else {
      const ids = statements.map(({ id }) => id)
      await door.submit({ lane: `${tenantId} ${mayDefine}`, ids, statements, principal })
    }
    wakeWorker()
  }
}
