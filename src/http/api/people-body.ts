import { Readable } from 'node:stream'
import { TextDecoder } from 'node:util'
import type { FastifyRequest } from 'fastify'
import type { Config } from '../../config.js'
import { LrsError } from '../../errors.js'
import type { PersonRecord } from '../../people/person-record.js'
import { isMediaType } from '../../xapi/formats.js'
import { parseMediaType } from '../../xapi/media-type.js'
import { parseJson } from '../../xapi/parse.js'
import { readCsv } from './people-csv.js'
import { errorPlaceOf, faultOf, type RecordPlace, readRecord } from './people-record.js'

/** Characters of one line of NDJSON or row of CSV at most: many times what a person can have, little for a process. */
const maxRecordLength = 1_048_576

type Limits = Pick<Config, 'maxBodyBytes' | 'maxPeople' | 'maxPeopleBytes' | 'maxJsonDepth'>

/** The people of a request, all of them read and each checked by itself. */
export interface ReceivedPeople {
  readonly records: readonly PersonRecord[]
  /** Where each of them stands in the body. */
  readonly places: readonly RecordPlace[]
}

/** A person with its place. */
interface Placed {
  readonly record: PersonRecord
  readonly place: RecordPlace
}

/** The media types in which people are taken. */
export const peopleTypes = ['application/json', 'application/x-ndjson', 'text/csv'] as const

/**
 * Reads the people of a request to the end, in the format that its Content-Type names. NDJSON and CSV are parsed as
 * they arrive: of the text no more than one record and a few chunks is held.
 *
 * @throws {LrsError} `invalid-body` or `invalid-json` with the place of the fault, `body-too-large`,
 * `unsupported-media-type` for text that is declared as something else than UTF-8.
 */
export async function receivePeople(request: FastifyRequest, limits: Limits): Promise<ReceivedPeople> {
  const source = request.body
  if (!(source instanceof Readable)) {
    throw new LrsError('unsupported-media-type', `There is no body of type ${peopleTypes.join(', ')}`)
  }
  const type = readType(String(request.headers['content-type']))
  try {
    return await collect(readPlaced(source, type, limits), type === 'text/csv', limits)
  } finally {
    // The rest of a refused body goes by unread, so that the connection lives to carry the answer.
    source.resume()
  }
}

/** Tells of a person where it stands in the body, too, when what is stored already speaks against it. */
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

function readPlaced(source: Readable, type: string, limits: Limits): AsyncIterable<Placed> {
  const { maxBodyBytes, maxPeopleBytes, maxJsonDepth } = limits
  if (type === 'text/csv') {
    return readCsv(decode(source, maxPeopleBytes, 'MAX_PEOPLE_BYTES'), { maxRecordLength, maxJsonDepth })
  }
  if (type === 'application/x-ndjson') {
    return readLines(decode(source, maxPeopleBytes, 'MAX_PEOPLE_BYTES'), maxJsonDepth)
  }
  return readArray(decode(source, maxBodyBytes, 'MAX_BODY_BYTES'), limits)
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

async function* readArray(texts: AsyncIterable<string>, limits: Limits): AsyncGenerator<Placed> {
  const parts: string[] = []
  for await (const text of texts) parts.push(text)
  const body = parseJson(parts.join(''), limits.maxJsonDepth)
  if (!Array.isArray(body)) throw new LrsError('invalid-body', 'The body must be an array of people', { pointer: '' })
  if (body.length > limits.maxPeople) throw tooMany(body.length, limits.maxPeople)
  for (const [index, value] of body.entries()) yield { record: readRecord(value, { index }), place: { index } }
}

async function* readLines(texts: AsyncIterable<string>, maxJsonDepth: number): AsyncGenerator<Placed> {
  let line = 0
  let index = 0
  for await (const text of splitLines(texts)) {
    line++
    if (text.trim() === '') continue
    const place = { index: index++, line }
    yield { record: readRecord(parseLine(text, place, maxJsonDepth), place), place }
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

/** Gathers people; rows of CSV with one `personId` are one person. */
async function collect(placed: AsyncIterable<Placed>, isRows: boolean, { maxPeople }: Limits): Promise<ReceivedPeople> {
  const records: PersonRecord[] = []
  const places: RecordPlace[] = []
  const indexOf = new Map<string, number>()
  for await (const { record, place } of placed) {
    const known = isRows ? indexOf.get(record.personId) : undefined
    const first = records[known ?? -1]
    if (known !== undefined && first !== undefined) {
      records[known] = joinRows(first, record, place)
      continue
    }
    if (records.length === maxPeople) throw tooMany(maxPeople + 1, maxPeople)
    if (isRows) indexOf.set(record.personId, records.length)
    records.push(record)
    places.push({ ...place, index: places.length })
  }
  return { records, places }
}

/** Joins another row of a person, which brings more agents: what else it says must be what the first one does. */
function joinRows(first: PersonRecord, row: PersonRecord, place: RecordPlace): PersonRecord {
  const { agents, ...said } = row
  for (const [name, value] of Object.entries(said)) {
    const before = first[name as keyof PersonRecord]
    if (JSON.stringify(before) === JSON.stringify(value)) continue
    throw faultOf(place, `/${name}`, `differs from what an earlier row says of the person "${row.personId}"`)
  }
  const joined = [...new Set([...first.agents, ...agents])]
  if (joined.length > 100) throw faultOf(place, '/agents', `the person "${row.personId}" has more than 100 agents`)
  return { ...first, agents: joined }
}

function tooMany(people: number, maxPeople: number): LrsError {
  return new LrsError('body-too-large', `${people} people are more than the ${maxPeople} of MAX_PEOPLE`)
}
