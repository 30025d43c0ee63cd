import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'

/** What a command answers: for people, and for programs that asked with `--json`. */
export interface Answer {
  readonly text: string
  readonly json: unknown
}

/** A command's arguments, after they were parsed. */
export interface Given {
  /** What stands without a dash. */
  readonly words: readonly string[]
  readonly name: string | undefined
  readonly tenant: string
  readonly scopes: readonly string[]
  readonly mayAssertAuthority: boolean
  readonly timeZone: string
}

/** Does what a command says. */
export type Command = (db: Kysely<Database>, given: Given) => Promise<Answer>

/** What was typed does not make sense; the message says why, and the usage helps on. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
}

/** The one word that a command takes. */
export function oneWord({ words }: Given, what: string): string {
  const [word, ...more] = words
  if (word !== undefined && more.length === 0) return word
  throw new UsageError(`Give ${what}${more.length > 0 ? `, and nothing after it ("${more.join(' ')}")` : ''}`)
}

/** The two words that a command takes. */
export function twoWords({ words }: Given, what: string): readonly [string, string] {
  const [first, second, ...more] = words
  if (first !== undefined && second !== undefined && more.length === 0) return [first, second]
  throw new UsageError(`Give ${what}${more.length > 0 ? `, and nothing after it ("${more.join(' ')}")` : ''}`)
}

/** Refuses words where a command takes none. */
export function noWords({ words }: Given): void {
  if (words.length > 0) throw new UsageError(`"${words.join(' ')}" is one word too many`)
}
