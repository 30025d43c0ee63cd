import { LrsError } from '../../errors.js'
import type { Cursor, PageRequest, StatementFilter } from '../../store/find-statements.js'
import { isIri, isUuid } from '../../xapi/formats.js'
import { ifiOf } from '../../xapi/ifi.js'
import type { Actor } from '../../xapi/statement.js'
import { timestampFault, toUtc } from '../../xapi/timestamp.js'
import { validateAgent } from '../../xapi/validate.js'

/** What a GET of the Statement Resource asks for. */
export type StatementQuery =
  | { readonly by: 'id'; readonly id: string; readonly wanted: 'live' | 'voided' }
  | { readonly by: 'filter'; readonly filter: StatementFilter; readonly page: PageRequest }

type Parameters = Readonly<Record<string, unknown>>

const parameters = [
  'statementId',
  'voidedStatementId',
  'agent',
  'verb',
  'activity',
  'registration',
  'since',
  'until',
  'limit',
  'ascending',
  'related_agents',
  'related_activities',
  'format',
  'attachments',
  'cursor'
]

/** Those that may stand beside `statementId` or `voidedStatementId`. */
const besideId = new Set(['statementId', 'voidedStatementId', 'format', 'attachments'])

/**
 * Reads the parameters of a GET of the Statement Resource.
 *
 * @param maxPage statements on a page at most; also what `limit=0` and no limit give.
 * @throws {LrsError} `invalid-parameter` for one that is unknown, repeated, malformed or in a forbidden combination.
 * @see xAPI 1.0.3 Communication 2.1.3
 */
export function parseStatementQuery(given: Parameters, maxPage: number): StatementQuery {
  for (const name of Object.keys(given)) {
    if (!parameters.includes(name))
      refuse(name, `is not a parameter of this resource; it knows ${parameters.join(', ')}`)
  }
  refuseUnserved(given)
  const id = read(given, 'statementId', parseUuid)
  const voidedId = read(given, 'voidedStatementId', parseUuid)
  if (id === undefined && voidedId === undefined) {
    return { by: 'filter', filter: parseFilter(given), page: parsePage(given, maxPage) }
  }
  if (id !== undefined && voidedId !== undefined) refuse('voidedStatementId', 'cannot be combined with statementId')
  for (const name of Object.keys(given)) {
    if (!besideId.has(name)) refuse(name, 'cannot be combined with statementId or voidedStatementId')
  }
  return { by: 'id', id: id ?? voidedId ?? '', wanted: id === undefined ? 'voided' : 'live' }
}

/** Writes a cursor as a parameter's value. */
export function formatCursor({ stored, seq }: Cursor): string {
  return `${stored}_${seq}`
}

/** What is served so far of parameters with a choice. */
const served: Readonly<Record<string, string>> = {
  related_agents: 'false',
  related_activities: 'false',
  format: 'exact',
  attachments: 'false'
}

function refuseUnserved(given: Parameters): void {
  for (const [name, value] of Object.entries(served)) {
    if (given[name] !== undefined && given[name] !== value) refuse(name, `can only be "${value}" in this version`)
  }
}

function parseFilter(given: Parameters): StatementFilter {
  const filter = {
    verb: read(given, 'verb', parseIri),
    agent: read(given, 'agent', parseAgent),
    activity: read(given, 'activity', parseIri),
    registration: read(given, 'registration', parseUuid),
    since: read(given, 'since', parseInstant),
    until: read(given, 'until', parseInstant)
  }
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))
}

function parsePage(given: Parameters, maxPage: number): PageRequest {
  const limit = read(given, 'limit', parseLimit) ?? 0
  return {
    ascending: read(given, 'ascending', parseBoolean) ?? false,
    limit: limit === 0 ? maxPage : Math.min(limit, maxPage),
    after: read(given, 'cursor', parseCursor) ?? null
  }
}

function read<Value>(given: Parameters, name: string, parse: (text: string, name: string) => Value): Value | undefined {
  const text = given[name]
  if (text === undefined) return undefined
  return typeof text === 'string' ? parse(text, name) : refuse(name, 'is given more than once')
}

function parseUuid(text: string, name: string): string {
  return isUuid(text) ? text.toLowerCase() : refuse(name, `"${text}" is not a UUID`)
}

function parseIri(text: string, name: string): string {
  return isIri(text) ? text : refuse(name, `"${text}" is not an IRI`)
}

function parseInstant(text: string, name: string): string {
  const fault = timestampFault(text, false)
  return fault === null ? toUtc(text) : refuse(name, `"${text}" is not a timestamp: ${fault}`)
}

function parseLimit(text: string, name: string): number {
  return /^\d{1,9}$/.test(text) ? Number(text) : refuse(name, `"${text}" is not a whole number of 0 or more`)
}

function parseBoolean(text: string, name: string): boolean {
  return text === 'true' || text === 'false' ? text === 'true' : refuse(name, `"${text}" is neither true nor false`)
}

function parseCursor(text: string, name: string): Cursor {
  const [, stored, seq] = /^(\d{4}-\d{2}-\d{2}T[\d:]{8}\.\d{6}Z)_(\d{1,15})$/.exec(text) ?? []
  if (stored === undefined || timestampFault(stored, true) !== null)
    return refuse(name, 'is not one that a "more" link held')
  return { stored, seq: Number(seq) }
}

function parseAgent(text: string, name: string): string {
  const agent = parseJson(text, name)
  const violation = validateAgent(agent, '1.0.3')
  if (violation !== null)
    refuse(name, `is not an Agent or identified Group: ${violation.message} (at "${violation.pointer}")`)
  return ifiOf(agent as Actor) ?? refuse(name, 'is an anonymous Group, which nothing identifies')
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return refuse(name, 'is not JSON')
  }
}

function refuse(name: string, why: string): never {
  throw new LrsError('invalid-parameter', `The parameter ${name} ${why}`, { pointer: `/${name}` })
}
