import type { IncomingMessage } from 'node:http'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LrsError } from '../../errors.js'
import { refuseParameter } from './parameters.js'

/** A form of the alternate request syntax, sorted into what its fields stand for. */
export interface Form {
  /** By their names in lower case. */
  readonly headers: IncomingMessage['headers']
  readonly parameters: URLSearchParams
  readonly content: string | null
}

/** The fields that stand for headers. @see xAPI 1.0.3 Communication 1.3 */
const headerFields = [
  'authorization',
  'x-experience-api-version',
  'content-type',
  'content-length',
  'if-match',
  'if-none-match'
]

/** What HTTP lets a header's value be made of: no line ends, and nothing beyond one byte. @see RFC 9110 section 5.5 */
const headerValue = /^[\t -~\x80-\xff]*$/

/**
 * Reads a request's form as text.
 *
 * Browsers of the time could set no Content-Type, so one that is absent or `text/plain` is taken too.
 *
 * @throws {LrsError} `invalid-header` for another type, `unsupported-media-type` for a compressed form,
 * `body-too-large` beyond the limit, `invalid-body` when it breaks off.
 */
export async function readForm(request: FastifyRequest, reply: FastifyReply, maxBytes: number): Promise<string> {
  const { 'content-type': type = '', 'content-encoding': encoding = 'identity' } = request.headers
  if (!/^(application\/x-www-form-urlencoded|text\/plain)?\s*(;|$)/i.test(type)) {
    throw new LrsError('invalid-header', `A form must be sent as application/x-www-form-urlencoded, not as "${type}"`)
  }
  if (encoding !== 'identity') {
    throw new LrsError('unsupported-media-type', `A form must be sent as it is, not with Content-Encoding ${encoding}`)
  }
  const body = await readBody(request.raw, maxBytes)
  if (body !== null) return body.toString()
  // The rest of the body is not waited for.
  reply.header('Connection', 'close')
  throw new LrsError('body-too-large', `The form has more than ${maxBytes} bytes`)
}

/** Resolves to null when there is more than the limit. */
function readBody(stream: IncomingMessage, maxBytes: number): Promise<Buffer | null> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0
    stream.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > maxBytes) resolve(null)
      else chunks.push(chunk)
    })
    stream.on('end', () => resolve(Buffer.concat(chunks)))
    stream.on('error', cause => reject(new LrsError('invalid-body', 'The form broke off', {}, { cause })))
  })
}

/**
 * Sorts the fields of a form.
 *
 * @throws {LrsError} `invalid-body` for what is not UTF-8 in percent-encoding or a field that occurs twice,
 * `invalid-header` for a value that no header can have.
 */
export function parseForm(text: string): Form {
  const headers: IncomingMessage['headers'] = {}
  const parameters = new URLSearchParams()
  let content: string | null = null
  for (const [name, value] of fieldsOf(text)) {
    const header = name.toLowerCase()
    if (name === 'content') content = value
    else if (headerFields.includes(header)) headers[header] = readHeader(name, value)
    else if (name === 'method') refuseParameter(name, 'belongs into the URL, not into the form')
    else parameters.append(name, value)
  }
  return { headers, parameters, content }
}

function fieldsOf(text: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>()
  const seen = new Set<string>()
  for (const pair of text.split('&')) {
    if (pair === '') continue
    const equals = pair.indexOf('=')
    const name = decode(equals < 0 ? pair : pair.slice(0, equals))
    const key = headerFields.includes(name.toLowerCase()) ? name.toLowerCase() : name
    if (seen.has(key)) throw new LrsError('invalid-body', `The field ${name} occurs twice in the form`)
    seen.add(key)
    fields.set(name, equals < 0 ? '' : decode(pair.slice(equals + 1)))
  }
  return fields
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch (cause) {
    throw new LrsError('invalid-body', 'The form is not UTF-8 in percent-encoding', {}, { cause })
  }
}

function readHeader(name: string, value: string): string {
  if (headerValue.test(value)) return value
  throw new LrsError('invalid-header', `The field ${name} holds what no header can`)
}
