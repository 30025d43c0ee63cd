import { Readable } from 'node:stream'
import { TextDecoder } from 'node:util'
import type { FastifyRequest } from 'fastify'
import type { Config } from '../../config.js'
import { LrsError } from '../../errors.js'
import { isMediaType } from '../../xapi/formats.js'
import { parseMediaType } from '../../xapi/media-type.js'
import { parseJson } from '../../xapi/parse.js'
import { type CsvShape, readCsv } from './csv-rows.js'
import { errorPlaceOf, type RecordPlace } from './record-place.js'

/** Characters of one line of NDJSON or row of CSV at most: many times what a record can have, little for a process. */
const maxRecordLength = 1_048_576

type Limits = Pick<Config, 'maxBodyBytes' | 'maxPeople' | 'maxPeopleBytes' | 'maxJsonDepth'>

/** What the records of a route are, and how each of them is read. */
export interface RecordKind<Value> {
  /** What one is called in a message, such as `Person`. */
  readonly one: string
  /** What several are called, such as `people`. */
  readonly many: string
  /** Checks a record as sent; throws `invalid-body` with its place. */
  readonly read: (value: unknown, place: RecordPlace) => Value
  readonly csv: CsvShape
  /** For CSV whose rows with one key are one record; null where each row is a record. */
  readonly rows: RowJoiner<Value> | null
}

/** How further rows of CSV are joined to the first one of their key. */
export interface RowJoiner<Value> {
  readonly keyOf: (record: Value) => string
  readonly join: (first: Value, row: Value, place: RecordPlace) => Value
}

/** The records of a request, all of them read and each checked by itself. */
export interface ReceivedRecords<Value> {
  readonly records: readonly Value[]
  /** Where each of them stands in the body. */
  readonly places: readonly RecordPlace[]
}

/** The media types in which records are taken. */
export const recordTypes = ['application/json', 'application/x-ndjson', 'text/csv'] as const

/**
 * Reads the records of a request to the end, in the format that its Content-Type names. NDJSON and CSV are parsed as
 * they arrive: of the text no more than one record and a few chunks is held.
 *
 * @throws {LrsError} `invalid-body` or `invalid-json` with the place of the fault, `body-too-large`,
 * `unsupported-media-type` for text that is declared as something else than UTF-8.
 */
export async function receiveRecords<Value>(
  request: FastifyRequest,
  kind: RecordKind<Value>,
  limits: Limits
): Promise<ReceivedRecords<Value>> {
  const source = request.body
  if (!(source instanceof Readable)) {
    throw new LrsError('unsupported-media-type', `There is no body of type ${recordTypes.join(', ')}`)
  }
  const type = readType(String(request.headers['content-type']))
  try {
    return await collect(readPlaced(source, type, { kind, limits }), kind, type === 'text/csv', limits.maxPeople)
  } finally {
    // The rest of a refused body goes by unread, so that the connection lives to carry the answer.
    source.resume()
  }
}

/** Tells of a record where it stands in the body, too, when what is stored already speaks against it. */
export function withPlace(error: unknown, places: readonly RecordPlace[]): unknown {
  if (!(error instanceof LrsError) || error.place.index === undefined) return error
  const place = places[error.place.index]
  if (place?.line === undefined) return error
  const { pointer = '' } = error.place
  const message = `Line ${place.line}: ${error.message}`
  return new LrsError(error.code, message, { ...error.place, ...errorPlaceOf(place, pointer) }, { cause: error })
}

function readType(header: string): string {
  const { type, parameters } = isMediaType(header) ? parseMediaType(header) : { type: header, parameters: new Map() }
  const charset = parameters.get('charset')?.toLowerCase() ?? 'utf-8'
  if (charset === 'utf-8' || charset === 'utf8') return type
  throw new LrsError('unsupported-media-type', `The charset "${charset}" is not UTF-8`)
}

/** A record with its place. */
interface Placed<Value> {
  readonly record: Value
  readonly place: RecordPlace
}

interface Reading<Value> {
  readonly kind: RecordKind<Value>
  readonly limits: Limits
}

function readPlaced<Value>(source: Readable, type: string, reading: Reading<Value>): AsyncIterable<Placed<Value>> {
  const { maxBodyBytes, maxPeopleBytes } = reading.limits
  if (type === 'text/csv') return readRows(decode(source, maxPeopleBytes, 'MAX_PEOPLE_BYTES'), reading)
  if (type === 'application/x-ndjson') return readLines(decode(source, maxPeopleBytes, 'MAX_PEOPLE_BYTES'), reading)
  return readArray(decode(source, maxBodyBytes, 'MAX_BODY_BYTES'), reading)
}

/** The body's text as it arrives, without a byte order mark. */
async function* decode(source: Readable, maxBytes: number, setting: string): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let received = 0
  for await (const chunk of chunksOf(source)) {
    received += chunk.length
    if (received > maxBytes) {
      throw new LrsError('body-too-large', `The body is larger than the ${maxBytes} bytes of ${setting}`)
    }
    yield decodeWith(decoder, chunk)
  }
  yield decodeWith(decoder)
}

async function* chunksOf(source: Readable): AsyncGenerator<Buffer> {
  try {
    yield* source.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
  } catch (cause) {
    if (cause instanceof LrsError) throw cause
    throw new LrsError('invalid-body', 'The body breaks off before its end', {}, { cause })
  }
}

function decodeWith(decoder: TextDecoder, chunk?: Buffer): string {
  try {
    return decoder.decode(chunk, { stream: chunk !== undefined })
  } catch {
    throw new LrsError('invalid-body', 'The body is not valid UTF-8')
  }
}

async function* readArray<Value>(
  texts: AsyncIterable<string>,
  { kind, limits }: Reading<Value>
): AsyncGenerator<Placed<Value>> {
  const parts: string[] = []
  for await (const text of texts) parts.push(text)
  const body = parseJson(parts.join(''), limits.maxJsonDepth)
  if (!Array.isArray(body)) {
    throw new LrsError('invalid-body', `The body must be an array of ${kind.many}`, { pointer: '' })
  }
  if (body.length > limits.maxPeople) throw tooMany(body.length, kind.many, limits.maxPeople)
  for (const [index, value] of body.entries()) {
    const place = { one: kind.one, index }
    yield { record: kind.read(value, place), place }
  }
}

async function* readLines<Value>(
  texts: AsyncIterable<string>,
  { kind, limits }: Reading<Value>
): AsyncGenerator<Placed<Value>> {
  let line = 0
  let index = 0
  for await (const text of splitLines(texts)) {
    line++
    if (text.trim() === '') continue
    const place = { one: kind.one, index: index++, line }
    yield { record: kind.read(parseLine(text, place, limits.maxJsonDepth), place), place }
  }
}

async function* readRows<Value>(
  texts: AsyncIterable<string>,
  { kind, limits }: Reading<Value>
): AsyncGenerator<Placed<Value>> {
  const { one, csv, read } = kind
  for await (const { value, place } of readCsv(texts, csv, {
    one,
    maxRecordLength,
    maxJsonDepth: limits.maxJsonDepth
  })) {
    yield { record: read(value, place), place }
  }
}

function parseLine(text: string, place: RecordPlace, maxJsonDepth: number): unknown {
  try {
    return parseJson(text, maxJsonDepth)
  } catch (error) {
    const { message, place: within } = error as LrsError
    throw new LrsError(
      'invalid-json',
      `Line ${place.line}: ${message}`,
      { ...within, ...errorPlaceOf(place, within.pointer ?? '') },
      { cause: error }
    )
  }
}

async function* splitLines(texts: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = ''
  let line = 1
  for await (const text of texts) {
    const lines = `${rest}${text}`.split('\n')
    rest = lines.pop() ?? ''
    for (const whole of lines) {
      refuseLong(whole, line++)
      yield whole
    }
    refuseLong(rest, line)
  }
  yield rest
}

function refuseLong(text: string, line: number): void {
  if (text.length <= maxRecordLength) return
  throw new LrsError('invalid-body', `Line ${line} has more than ${maxRecordLength} characters`, { line })
}

/** Gathers records; rows of CSV that have a key in common are one record. */
async function collect<Value>(
  placed: AsyncIterable<Placed<Value>>,
  { many, rows }: RecordKind<Value>,
  isCsv: boolean,
  maxRecords: number
): Promise<ReceivedRecords<Value>> {
  const joiner = isCsv ? rows : null
  const records: Value[] = []
  const places: RecordPlace[] = []
  const indexOf = new Map<string, number>()
  for await (const { record, place } of placed) {
    const key = joiner?.keyOf(record) ?? ''
    const known = indexOf.get(key)
    const first = records[known ?? -1]
    if (joiner !== null && known !== undefined && first !== undefined) {
      records[known] = joiner.join(first, record, place)
      continue
    }
    if (records.length === maxRecords) throw tooMany(maxRecords + 1, many, maxRecords)
    if (joiner !== null) indexOf.set(key, records.length)
    records.push(record)
    places.push({ ...place, index: places.length })
  }
  return { records, places }
}

function tooMany(count: number, many: string, maxRecords: number): LrsError {
  return new LrsError('body-too-large', `${count} ${many} are more than the ${maxRecords} of MAX_PEOPLE`)
}
