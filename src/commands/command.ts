import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { LrsError } from '../errors.js'
import { findTenant, listTenants, type Tenant } from '../store/tenant.js'

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
  /** The tenant where one was named, for what else concerns all of them. */
  readonly onlyTenant: string | null
  readonly asJson: boolean
  readonly scopes: readonly string[]
  readonly mayAssertAuthority: boolean
  /** The `personId` of whom a credential stands for; null for nobody. */
  readonly person: string | null
  readonly timeZone: string
}

/** Where a command that takes long, or finds much, tells of it meanwhile. */
export interface Screen {
  /** Writes a line to the standard output at once. */
  readonly print: (line: string) => void
  /** Writes a line that is beside the answer. */
  readonly log: (line: string) => void
  /** A terminal for a progress bar; null where there is none. */
  readonly terminal: NodeJS.WriteStream | null
  /** Says with which code the process is to end, where that is not 0. */
  readonly exitWith: (code: number) => void
}

/** Does what a command says. */
export type Command = (db: Kysely<Database>, given: Given, screen: Screen) => Promise<Answer>

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

/** The tenant that was named, or all of them. */
export async function tenantsOf(db: Kysely<Database>, { onlyTenant }: Given): Promise<readonly Tenant[]> {
  if (onlyTenant === null) return listTenants(db)
  const tenant = await findTenant(db, onlyTenant)
  if (tenant === null) throw new LrsError('not-found', `There is no tenant "${onlyTenant}"`)
  return [tenant]
}
