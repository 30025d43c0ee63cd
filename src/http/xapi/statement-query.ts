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
export type StatementQuery = (
  | { readonly by: 'id'; readonly id: string; readonly voided: boolean }
  | { readonly by: 'filter'; readonly filter: StatementFilter; readonly page: PageRequest }
) & {
  readonly format: StatementFormat
  /** Whether the data that came with the statements is wanted too. */
  readonly attachments: boolean
}

/** How much of agents, activities and verbs a statement is returned with. */
export type StatementFormat = 'exact' | 'ids' | 'canonical'

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
  const shape = {
    format: readParameter(given, 'format', readFormat) ?? 'exact',
    attachments: readParameter(given, 'attachments', readBoolean) ?? false
  }
  const id = readParameter(given, 'statementId', readUuid)
  const voidedId = readParameter(given, 'voidedStatementId', readUuid)
  if (id !== undefined && voidedId !== undefined)
    refuseParameter('voidedStatementId', 'cannot be combined with statementId')
  const target = id ?? voidedId
  if (target === undefined) {
    return { by: 'filter', filter: parseFilter(given, version), page: parsePage(given, maxPage), ...shape }
  }
  for (const name of Object.keys(given)) {
    if (!besideId.has(name)) refuseParameter(name, 'cannot be combined with statementId or voidedStatementId')
  }
  return { by: 'id', id: target, voided: id === undefined, ...shape }
}

/** Writes a cursor as a parameter's value. */
export function formatCursor({ stored, seq }: Cursor): string {
  return `${stored}_${seq}`
}

function parseFilter(given: Parameters, version: XapiVersion): StatementFilter {
  const filter = {
    verb: readParameter(given, 'verb', readIri),
    agent: readParameter(given, 'agent', readIdentified(version)),
    relatedAgents: readParameter(given, 'related_agents', readBoolean),
    relatedActivities: readParameter(given, 'related_activities', readBoolean),
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

const readFormat: ReadParameter<StatementFormat> = (text, name) =>
  text === 'exact' || text === 'ids' || text === 'canonical'
    ? text
    : refuseParameter(name, `"${text}" is none of ids, exact and canonical`)

const readCursor: ReadParameter<Cursor> = (text, name) => {
  const [, stored, seq] = /^(\d{4}-\d{2}-\d{2}T[\d:]{8}\.\d{6}Z)_(\d{1,15})$/.exec(text) ?? []
  return stored === undefined || timestampFault(stored, true) !== null
    ? refuseParameter(name, 'is not one that a "more" link held')
    : { stored, seq: Number(seq) }
}

function readIdentified(version: XapiVersion): ReadParameter<string> {
  return (text, name) => identifierOf(readActor(version)(text, name), name)
}
