import type { Kysely } from 'kysely'
import type { Database, LearningEventKind } from '../database/schema.js'
import { findNumbers } from '../store/dictionary.js'
import { type ScanPosition, scanStatements } from '../store/scan-statements.js'
import type { Statement } from '../xapi/statement.js'
import { learningEventOf } from './learning-event.js'
import { changedVerbs, type EventMapping } from './mapping.js'

/** Stored statements of one verb that would have another kind. */
export interface KindChange {
  readonly verb: string
  /** The kind by the mapping in force; null for no learning event. */
  readonly from: LearningEventKind | null
  readonly to: LearningEventKind | null
  readonly statements: number
  /** The ids of the first of them. */
  readonly examples: readonly string[]
}

/** What a mapping would change. */
export interface MappingPreview {
  /** How many statements were read: those of the verbs whose rules would change. */
  readonly statements: number
  /** How many of them would have another kind. */
  readonly changed: number
  /** False when a limit was reached before all were read. */
  readonly isComplete: boolean
  /** By verb, and kind before and after; the most frequent first. */
  readonly changes: readonly KindChange[]
}

/** What a preview compares, and how long it may take. */
export interface PreviewRequest {
  readonly before: EventMapping
  readonly after: EventMapping
  /** Statements at most. */
  readonly maxStatements: number
  /** Says whether time is up. */
  readonly isLate: () => boolean
}

interface Tally {
  readonly counts: Map<string, KindChange>
  statements: number
  changed: number
}

const pageLength = 500
const exampleCount = 5

/**
 * Says which stored statements would change their kind if a mapping took another one's place. Nothing is written, and
 * nothing locked: statements are read page by page, of the verbs whose rules differ alone. Voided ones count too.
 */
export async function previewMapping(
  db: Kysely<Database>,
  tenantId: number,
  request: PreviewRequest
): Promise<MappingPreview> {
  const verbs = changedVerbs(request.before, request.after)
  const numbers = await findNumbers(db, { tenantId, dictionary: 'verb' }, verbs)
  const tally: Tally = { counts: new Map(), statements: 0, changed: 0 }
  let isComplete = true
  // In the order of the rules, so that a preview that reaches a limit is the same every time.
  for (const verb of verbs) {
    const verbId = numbers.get(verb)
    if (verbId !== undefined) isComplete = (await readVerb(db, { tenantId, verbId }, request, tally)) && isComplete
  }
  const changes = [...tally.counts.values()].sort((a, b) => b.statements - a.statements)
  return { statements: tally.statements, changed: tally.changed, isComplete, changes }
}

/** @returns whether all of the verb's statements were read. */
async function readVerb(
  db: Kysely<Database>,
  of: { readonly tenantId: number; readonly verbId: number },
  request: PreviewRequest,
  tally: Tally
): Promise<boolean> {
  let after: ScanPosition = { stored: null, seq: 0 }
  while (!request.isLate()) {
    const limit = Math.min(pageLength, request.maxStatements - tally.statements)
    // One that is read where none is allowed any more tells whether there is more.
    const page = await scanStatements(db, { ...of, after, upTo: null, limit: Math.max(1, limit) })
    const last = page.at(-1)
    if (last === undefined) return true
    if (limit <= 0) return false
    after = last
    tally.statements += page.length
    for (const { id, text } of page) compare({ id, value: JSON.parse(text) as Statement }, request, tally)
  }
  return false
}

function compare(
  statement: { readonly id: string; readonly value: Statement },
  { before, after }: PreviewRequest,
  tally: Tally
): void {
  const from = learningEventOf(statement, before)?.kind ?? null
  const to = learningEventOf(statement, after)?.kind ?? null
  if (from === to) return
  const verb = statement.value.verb.id
  const key = JSON.stringify([verb, from, to])
  const { statements, examples } = tally.counts.get(key) ?? { statements: 0, examples: [] }
  tally.changed++
  tally.counts.set(key, {
    verb,
    from,
    to,
    statements: statements + 1,
    examples: examples.length < exampleCount ? [...examples, statement.id] : examples
  })
}
