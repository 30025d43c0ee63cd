import type { Cursor, PageRequest, StatementFilter } from '../../store/find-statements.js'
import { timestampFault } from '../../xapi/timestamp.js'
import type { XapiVersion } from '../../xapi/version.js'
import {
  identifierOf,
  type Parameters,
  type ReadParameter,
  readActor,
  readBoolean,
  readCount,
  readInstant,
  readIri,
  readParameter,
  readUuid,
  refuseParameter,
  refuseUnknown
} from './parameters.js'

/** What a GET of the Statement Resource asks for. */
export type StatementQuery =
  | { readonly by: 'id'; readonly id: string; readonly wanted: 'live' | 'voided' }
  | { readonly by: 'filter'; readonly filter: StatementFilter; readonly page: PageRequest }

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
export function parseStatementQuery(
  given: Parameters,
  { version, maxPage }: { readonly version: XapiVersion; readonly maxPage: number }
): StatementQuery {
  refuseUnknown(given, parameters)
  refuseUnserved(given)
  const id = readParameter(given, 'statementId', readUuid)
  const voidedId = readParameter(given, 'voidedStatementId', readUuid)
  if (id === undefined && voidedId === undefined) {
    return { by: 'filter', filter: parseFilter(given, version), page: parsePage(given, maxPage) }
  }
  if (id !== undefined && voidedId !== undefined)
    refuseParameter('voidedStatementId', 'cannot be combined with statementId')
  for (const name of Object.keys(given)) {
    if (!besideId.has(name)) refuseParameter(name, 'cannot be combined with statementId or voidedStatementId')
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
    if (given[name] !== undefined && given[name] !== value)
      refuseParameter(name, `can only be "${value}" in this version`)
  }
}

function parseFilter(given: Parameters, version: XapiVersion): StatementFilter {
  const filter = {
    verb: readParameter(given, 'verb', readIri),
    agent: readParameter(given, 'agent', readIdentified(version)),
    activity: readParameter(given, 'activity', readIri),
    registration: readParameter(given, 'registration', readUuid),
    since: readParameter(given, 'since', readInstant),
    until: readParameter(given, 'until', readInstant)
  }
  return Object.fromEntries(Object.entries(filter).filter(([, value]) => value !== undefined))
}

function parsePage(given: Parameters, maxPage: number): PageRequest {
  const limit = readParameter(given, 'limit', readCount) ?? 0
  return {
    ascending: readParameter(given, 'ascending', readBoolean) ?? false,
    limit: limit === 0 ? maxPage : Math.min(limit, maxPage),
    after: readParameter(given, 'cursor', readCursor) ?? null
  }
}

const readCursor: ReadParameter<Cursor> = (text, name) => {
  const [, stored, seq] = /^(\d{4}-\d{2}-\d{2}T[\d:]{8}\.\d{6}Z)_(\d{1,15})$/.exec(text) ?? []
  return stored === undefined || timestampFault(stored, true) !== null
    ? refuseParameter(name, 'is not one that a "more" link held')
    : { stored, seq: Number(seq) }
}

function readIdentified(version: XapiVersion): ReadParameter<string> {
  return (text, name) => identifierOf(readActor(version)(text, name), name)
}
