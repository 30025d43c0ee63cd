import { pipeline } from 'node:stream/promises'
import { type CsvError, parse } from 'csv-parse'
import { LrsError } from '../../errors.js'
import type { RecordPlace } from './record-place.js'

/** The filled cells of a row, by their columns. */
export type Cells = ReadonlyMap<string, string>

/** A record as a row gives it, in the form that JSON would have, and which column gave the value at a pointer. */
export interface CsvValue {
  readonly value: unknown
  readonly columnOf: (pointer: string) => string | undefined
}

/** The columns of a kind of record, and what a row of them stands for. */
export interface CsvShape {
  /** The column that must be there. */
  readonly key: string
  readonly isColumn: (column: string) => boolean
  /** @throws {LrsError} `invalid-body` for a cell that can't be read. */
  readonly valueOf: (cells: Cells, place: RecordPlace, limits: CsvLimits) => CsvValue
}

/** A row as a value, and where it stands. */
export interface CsvRow {
  readonly value: unknown
  readonly place: RecordPlace
}

/** What records are called, how much one row may have, and how deep the JSON in it may be nested. */
export interface CsvLimits {
  readonly one: string
  readonly maxRecordLength: number
  readonly maxJsonDepth: number
}

/**
 * Reads CSV, a row at a time. The header row names the columns.
 *
 * @throws {LrsError} `invalid-body` with the line, and where one is at fault the column.
 * @see RFC 4180
 */
export async function* readCsv(
  texts: AsyncIterable<string>,
  shape: CsvShape,
  limits: CsvLimits
): AsyncGenerator<CsvRow> {
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
      if (header === null) {
        header = readHeader(cells, shape)
        continue
      }
      const place = { one: limits.one, index: index++, line: lineOf(cells, info.lines) }
      const { value, columnOf } = shape.valueOf(filledOf(header, cells), place, limits)
      yield { value, place: { ...place, columnOf } }
    }
  } catch (error) {
    throw isCsvError(error) ? asFault(error) : error
  }
  if (header === null) throw new LrsError('invalid-body', 'The CSV has no header row', { line: 1 })
}

/** The parser sees to it that a row has as many cells as the header. */
function filledOf(header: readonly string[], cells: readonly string[]): Cells {
  const filled = new Map(header.map((column, position) => [column, String(cells[position])]))
  for (const [column, cell] of filled) if (cell === '') filled.delete(column)
  return filled
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

function readHeader(cells: readonly string[], { key, isColumn }: CsvShape): readonly string[] {
  const header = cells.map(cell => cell.trim())
  for (const [position, column] of header.entries()) {
    if (!isColumn(column)) throw columnFault(column, `There is no column "${column}" (number ${position + 1})`)
    if (header.indexOf(column) !== position) throw columnFault(column, `The column "${column}" is there twice`)
  }
  if (!header.includes(key)) throw columnFault(key, `The header row has no column "${key}"`)
  return header
}

function columnFault(column: string, message: string): LrsError {
  return new LrsError('invalid-body', message, { line: 1, column })
}
