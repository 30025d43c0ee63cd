import { pipeline } from 'node:stream/promises'
import { type CsvError, parse } from 'csv-parse'
import { LrsError } from '../../errors.js'
import { attributeNames, attributes } from '../../people/attributes.js'
import type { PersonRecord } from '../../people/person-record.js'
import { parseJson } from '../../xapi/parse.js'
import { faultOf, type RecordPlace, readRecord } from './people-record.js'

/** What is written in a cell to clear what was known; an empty cell says nothing. */
const clearing = '\\N'

/** A person's row: the record, and where it stands. */
export interface CsvRecord {
  readonly record: PersonRecord
  readonly place: RecordPlace
}

/** How much one row may have, and how deep the JSON in it may be nested. */
export interface CsvLimits {
  readonly maxRecordLength: number
  readonly maxJsonDepth: number
}

/**
 * Reads people from CSV, a row at a time. The header row names the columns. Several rows of one person stand for
 * several records here.
 *
 * @throws {LrsError} `invalid-body` with the line, and where one is at fault the column.
 * @see RFC 4180
 */
export async function* readCsv(texts: AsyncIterable<string>, limits: CsvLimits): AsyncGenerator<CsvRecord> {
  const parser = parse({
    info: true,
    delimiter: ',',
    record_delimiter: '\n',
    skip_empty_lines: true,
    max_record_size: limits.maxRecordLength
  })
  const fed = pipeline(withUnixLines(texts), parser)
  // Its failure is the parser's as well, and is thrown below.
  fed.catch(() => undefined)
  let header: readonly string[] | null = null
  let index = 0
  try {
    for await (const { record: cells, info } of parser as AsyncIterable<Row>) {
      if (header === null) header = readHeader(cells)
      else yield readRow(header, cells, { index: index++, line: lineOf(cells, info.lines), limits })
    }
  } catch (error) {
    throw isCsvError(error) ? asFault(error) : error
  }
  if (header === null) throw new LrsError('invalid-body', 'The CSV has no header row', { line: 1 })
}

interface Row {
  readonly record: readonly string[]
  /** `lines` counts up to the row's last line. */
  readonly info: { readonly lines: number }
}

/** The parser counts CRLF within quotes as two lines; no attribute may have either. */
async function* withUnixLines(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let held = ''
  for await (const text of texts) {
    const whole = held + text
    held = whole.endsWith('\r') ? '\r' : ''
    yield whole.slice(0, whole.length - held.length).replaceAll('\r\n', '\n')
  }
  yield held
}

/** The line on which a row begins. */
function lineOf(cells: readonly string[], lastLine: number): number {
  return lastLine - cells.reduce((count, cell) => count + cell.split('\n').length - 1, 0)
}

function isCsvError(error: unknown): error is CsvError {
  return typeof (error as CsvError).code === 'string' && typeof (error as CsvError).lines === 'number'
}

function asFault(error: CsvError): LrsError {
  const message = `Line ${error.lines}: this is not CSV: ${error.message}`
  return new LrsError('invalid-body', message, { line: Number(error.lines) }, { cause: error })
}

const plainColumns = new Set<string>([
  'personId',
  'name',
  'validFrom',
  ...attributeNames.filter(name => ['text', 'day'].includes(attributes[name].type)),
  'cohorts'
])

const agentColumns = new Set(['mbox', 'email', 'mbox_sha1sum', 'openid', 'account.homePage', 'account.name', 'agents'])

const group = /^demographics\.(.+)$/

function readHeader(cells: readonly string[]): readonly string[] {
  const header = cells.map(cell => cell.trim())
  for (const [position, column] of header.entries()) {
    const isKnown = plainColumns.has(column) || agentColumns.has(column) || group.test(column)
    if (!isKnown) throw columnFault(column, `There is no column "${column}" (number ${position + 1})`)
    if (header.indexOf(column) !== position) throw columnFault(column, `The column "${column}" is there twice`)
  }
  if (!header.includes('personId')) throw columnFault('personId', 'The header row has no column "personId"')
  return header
}

function columnFault(column: string, message: string): LrsError {
  return new LrsError('invalid-body', message, { line: 1, column })
}

interface RowPlace {
  readonly index: number
  readonly line: number
  readonly limits: CsvLimits
}

function readRow(header: readonly string[], cells: readonly string[], { index, line, limits }: RowPlace): CsvRecord {
  // The parser sees to it that a row has as many cells as the header.
  const filled = new Map(header.map((column, position) => [column, String(cells[position])]))
  for (const [column, cell] of filled) if (cell === '') filled.delete(column)
  const sources: string[] = []
  const place: RecordPlace = { index, line, columnOf: pointer => columnOf(pointer, sources) }
  const agents = agentsOf(filled, limits, place)
  sources.push(...agents.map(agent => agent.column))
  const record = readRecord({ ...attributesOf(filled), agents: agents.map(agent => agent.value) }, place)
  return { record, place }
}

/** The column that gave the value at a pointer. */
function columnOf(pointer: string, agentSources: readonly string[]): string | undefined {
  const [, field = '', key] = pointer.split('/').map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (field === 'agents') return agentSources[Number(key)]
  if (field === 'demographics') return `demographics.${key}`
  return field === '' ? undefined : field
}

function attributesOf(filled: ReadonlyMap<string, string>): object {
  const values: [string, unknown][] = []
  const groups: [string, unknown][] = []
  for (const [column, cell] of filled) {
    const [, key] = group.exec(column) ?? []
    const value = cell === clearing ? null : cell
    if (key !== undefined) groups.push([key, value])
    else if (column === 'cohorts') values.push([column, value === null ? null : namesOf(value)])
    else if (plainColumns.has(column)) values.push([column, value])
  }
  if (groups.length > 0) values.push(['demographics', Object.fromEntries(groups)])
  return Object.fromEntries(values)
}

function namesOf(cell: string): readonly string[] {
  return cell
    .split(';')
    .map(name => name.trim())
    .filter(name => name !== '')
}

interface SourcedAgent {
  readonly value: unknown
  readonly column: string
}

/** The Agents that a row gives, each with its column. */
function agentsOf(filled: ReadonlyMap<string, string>, limits: CsvLimits, place: RecordPlace): readonly SourcedAgent[] {
  const agents: SourcedAgent[] = []
  const add = (column: string, agentOf: (cell: string) => unknown) => {
    const cell = filled.get(column)
    if (cell !== undefined) agents.push({ value: agentOf(cell), column })
  }
  add('mbox', mbox => ({ mbox }))
  add('email', email => ({ mbox: `mailto:${email}` }))
  add('mbox_sha1sum', sum => ({ mbox_sha1sum: sum }))
  add('openid', openid => ({ openid }))
  // Without the one or the other the agent's own rules refuse it.
  const account = { homePage: filled.get('account.homePage'), name: filled.get('account.name') }
  add(account.name === undefined ? 'account.homePage' : 'account.name', () => ({ account: withoutGaps(account) }))
  for (const value of listedAgents(filled.get('agents'), limits, place)) agents.push({ value, column: 'agents' })
  return agents
}

function withoutGaps(account: object): object {
  return Object.fromEntries(Object.entries(account).filter(([, value]) => value !== undefined))
}

function listedAgents(cell: string | undefined, { maxJsonDepth }: CsvLimits, place: RecordPlace): readonly unknown[] {
  if (cell === undefined) return []
  const named = { ...place, columnOf: () => 'agents' }
  try {
    const value = parseJson(cell, maxJsonDepth)
    if (Array.isArray(value)) return value
  } catch (error) {
    throw faultOf(named, '/agents', (error as LrsError).message)
  }
  throw faultOf(named, '/agents', 'must be a JSON array of xAPI Agents')
}
