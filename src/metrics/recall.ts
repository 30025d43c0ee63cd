import { hash } from 'node:crypto'
import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import type { AnswerMemory, Counted } from './answer-memory.js'
import type { MeasureRequest, MetricOptions } from './metric.js'
import type { SharesRequest } from './shares.js'
import { findMoment } from './snapshot.js'

/** What is asked: of whom and when by the request, and by `what` which numbers, such as a metric's. */
export interface Recalled {
  readonly request: SharesRequest & { readonly options?: MetricOptions }
  readonly what: string
}

/**
 * Gives what was counted before, if the data are still of the same version, or counts it. What is true of the moment
 * (what the rollups wait for) is read anew in any case. Several who ask for the same at once have it counted once: the
 * others wait, and look again whether the version is theirs.
 *
 * @see docs/decisions/0034-answers-are-remembered-by-data-version.md
 */
export async function recall<Item>(
  db: Kysely<Database>,
  { request, what }: Recalled,
  count: () => Promise<Counted<readonly Item[]>>
): Promise<Counted<readonly Item[]>> {
  const { memory } = request
  if (memory === undefined) return count()
  const key = keyOf(request, what)
  const known = await lookUp<Item>(db, memory, { key, request })
  if (known !== null) return known
  // Who has a transaction open waits for nobody, since those who count may need its connection.
  const other = db.isTransaction ? undefined : memory.underWay.get(key)
  if (other !== undefined) {
    await other.catch(() => undefined)
    const found = await lookUp<Item>(db, memory, { key, request })
    if (found !== null) return found
  }
  const counting = count()
  memory.underWay.set(key, counting)
  try {
    const counted = await counting
    memory.counts.counted += 1
    if (counted.snapshot.version !== null) memory.kept.set(key, counted, { size: Math.max(1, counted.value.length) })
    return counted
  } finally {
    if (memory.underWay.get(key) === counting) memory.underWay.delete(key)
  }
}

async function lookUp<Item>(
  db: Kysely<Database>,
  memory: AnswerMemory,
  { key, request }: { readonly key: string; readonly request: SharesRequest }
): Promise<Counted<readonly Item[]> | null> {
  const known = memory.kept.get(key) as Counted<readonly Item[]> | undefined
  if (known === undefined) return null
  const moment = await findMoment(db, request)
  if (moment.version !== known.snapshot.version) return null
  memory.counts.remembered += 1
  return { value: known.value, snapshot: { ...known.snapshot, ...moment } }
}

/** Everything that numbers follow from besides the data, but `asOf`: of that, the version and the local day tell. */
function keyOf({ options = {}, ...request }: Recalled['request'], what: string): string {
  const { tenantId, timeZone, source, filter, membership, breakdown, module, today } = request
  const span = ({ from, to }: { readonly from: string; readonly to: string }) => ({ from, to })
  const asked: Readonly<Record<Exclude<keyof MeasureRequest, 'asOf' | 'memory'>, unknown>> = {
    ...{ tenantId, timeZone, source, filter, membership, breakdown, module, today, options },
    periods: request.periods.map(span),
    window: span(request.window)
  }
  return hash('sha256', JSON.stringify([what, asked]), 'base64')
}
