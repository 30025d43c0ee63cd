import xapi from '@xapi/xapi'
import type { Service } from './service.js'
import type { DemoStatement } from './statements.js'

const batchSize = 100
const inFlight = 4

/** What a run of sending is told. */
export interface Sending {
  readonly signal: AbortSignal
  /** Called after each batch that the service has acknowledged. */
  readonly onSent: (statements: number) => void
}

/**
 * Sends statements in batches, several at a time, with the `@xapi/xapi` client, and returns once all are acknowledged.
 *
 * @throws {Error} naming the service's answer to the first batch that was refused
 */
export async function send(service: Service, statements: readonly DemoStatement[], sending: Sending): Promise<void> {
  const client = new xapi.default({
    endpoint: `${service.url}/xapi/`,
    auth: xapi.default.toBasicAuth(service.key, service.secret),
    version: '1.0.3',
    adapter: 'fetch'
  })
  const batches = batchesOf(statements)
  const sender = async () => {
    for (const batch of batches) {
      sending.signal.throwIfAborted()
      await client.sendStatements({ statements: batch }).catch(explain)
      sending.onSent(batch.length)
    }
  }
  // A sender that fails ends the loop that all of them draw from; the others finish the batch they have in flight.
  const outcomes = await Promise.allSettled(Array.from({ length: inFlight }, sender))
  const failed = outcomes.find(outcome => outcome.status === 'rejected')
  if (failed !== undefined) throw failed.reason
}

/** The batches one after another; several senders draw from the same generator. */
function* batchesOf(statements: readonly DemoStatement[]): Generator<DemoStatement[]> {
  for (let start = 0; start < statements.length; start += batchSize) {
    yield statements.slice(start, start + batchSize)
  }
}

/** The client's error is the service's answer and nothing else. */
function explain(error: unknown): never {
  throw new Error(`A batch was refused: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
}
