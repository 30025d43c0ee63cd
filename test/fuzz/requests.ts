import { gzipSync } from 'node:zlib'
import { oneOf, type Random, uuidFrom } from '../../demo/random.js'
import { boundary, dataPart, jsonPart, multipart, multipartType } from '../support/multipart.js'
import type { Operation, Parameter } from './operations.js'
import { attached, bodySeeds, statementSeeds } from './seeds.js'
import { hostileTexts, hostileValue, mutate, spoilt, writeJson } from './values.js'

/** A request as it is sent. */
export interface FuzzRequest {
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Buffer | null
  /** What it was made from; null where method or path are not of any operation. */
  readonly operation: Operation | null
}

/** What requests are made from. */
export interface Source {
  readonly random: Random
  readonly dealt: readonly [unknown, ...unknown[]]
  readonly operations: readonly Operation[]
}

const versions = ['1.0.3', '2.0.0', '1.0.3', '2.0.0', '1.0.0', '1.0', '1.0.2'] as const

/** The next request: a valid one, or one with something wrong in path, parameters, headers or body. */
export function makeRequest(source: Source): FuzzRequest {
  const { random } = source
  const operation = drawOperation(source)
  const body = makeBody(source, operation)
  const headers = makeHeaders(source, operation, body?.type ?? null)
  const request = {
    method: operation.method,
    url: makeUrl(source, operation),
    headers,
    body: body?.content ?? null,
    operation
  }
  const choice = random()
  if (choice < 0.03) return { ...request, ...misled(source, request) }
  if (choice < 0.06 && operation.path.startsWith('/xapi/')) return inForm(source, request)
  if (choice < 0.08 && request.body !== null) return compressed(source, request)
  return request
}

function drawOperation({ random, operations }: Source): Operation {
  const total = operations.reduce((sum, { weight }) => sum + weight, 0)
  let at = random() * total
  for (const operation of operations) {
    at -= operation.weight
    if (at < 0) return operation
  }
  return oneOf(random, operations as [Operation, ...Operation[]])
}

/** Percent-encodes any text, halves of pairs too. */
function percent(text: string): string {
  return encodeURIComponent(text.toWellFormed()).replaceAll("'", '%27')
}

function drawValue({ random, dealt }: Source, { name, values }: Parameter): string {
  const choice = random()
  const valid = oneOf(random, values)
  if (choice < 0.82) {
    return name === 'statementId' || name === 'registration'
      ? oneOf(random, [valid, uuidFrom('fuzz', random())])
      : valid
  }
  if (choice < 0.92) return oneOf(random, hostileTexts)
  if (choice < 0.96) return spoilt(valid, random)
  const value = hostileValue(random, dealt)
  return typeof value === 'string' ? value : writeJson(value)
}

function makeUrl(source: Source, { path, parameters }: Operation): string {
  const { random } = source
  const place = path.replace(/\{(\w+)\}/g, (_whole, name) => {
    const parameter = parameters.find(one => one.name === name)
    const value = parameter === undefined ? 'x' : drawValue(source, parameter)
    return percent(value === '' ? 'x' : value)
  })
  const given = parameters
    .filter(({ in: where, required }) => where === 'query' && random() < (required ? 0.97 : 0.15))
    .flatMap(parameter => (random() < 0.03 ? [parameter, parameter] : [parameter]))
    .map(parameter => `${parameter.name}=${percent(drawValue(source, parameter))}`)
  if (random() < 0.04) given.push(`${percent(oneOf(random, hostileTexts))}=${percent(oneOf(random, hostileTexts))}`)
  if (random() < 0.02)
    given.push(oneOf(random, ['%', '%zz=1', 'a=%ff', '&&', '=', 'limit[]=1', '__proto__[x]=1', 'a=b=c']))
  return given.length === 0 ? place : `${place}?${given.join('&')}`
}

function makeHeaders({ random }: Source, { path, parameters }: Operation, type: string | null): Record<string, string> {
  const headers: Record<string, string> = {}
  if (type !== null) headers['content-type'] = type
  if (path.startsWith('/xapi/')) headers['x-experience-api-version'] = oneOf(random, versions)
  for (const { name, in: where, values } of parameters) {
    if (where === 'header' && name.startsWith('if-') && random() < 0.3) headers[name] = oneOf(random, values)
  }
  if (random() < 0.08) {
    const name = oneOf(random, hostileHeaders)
    headers[name] = headerText(random() < 0.5 ? spoilt(headers[name] ?? '', random) : oneOf(random, hostileTexts))
  }
  return headers
}

const hostileHeaders: readonly [string, ...string[]] = [
  'content-type',
  'x-experience-api-version',
  'authorization',
  'if-match',
  'if-none-match',
  'if-modified-since',
  'accept',
  'accept-encoding',
  'accept-language',
  'content-encoding',
  'x-request-id',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-proto',
  'x-forwarded-prefix',
  'origin',
  'range',
  'expect',
  'cookie',
  'content-language'
]

/** What may stand in a header at all; the others go over the wire byte by byte elsewhere. */
function headerText(text: string): string {
  return text.replace(/[^\t\x20-\x7e\x80-\xff]/g, '')
}

interface Body {
  readonly type: string
  readonly content: Buffer
}

function makeBody(source: Source, operation: Operation): Body | null {
  const { random } = source
  const types = Object.keys(operation.bodies)
  const [first] = types
  if (first === undefined) return random() < 0.03 ? { type: 'application/json', content: Buffer.from('{}') } : null
  if (operation.path === '/xapi/statements') return makeStatements(source, operation)
  const type = oneOf(random, types as [string, ...string[]])
  const example = operation.bodies[type]
  const seeds = type === 'application/json' ? (bodySeeds[`${operation.method} ${operation.path}`] ?? []) : []
  const valid = oneOf(random, [example, ...seeds] as [unknown, ...unknown[]])
  const text = typeof valid === 'string' ? valid : writeJson(changed(source, valid))
  return { type, content: damaged(source, text, typeof valid === 'string' ? 0.6 : 0.06) }
}

function changed({ random, dealt }: Source, valid: unknown): unknown {
  const choice = random()
  if (choice < 0.25) return valid
  return choice < 0.92 ? mutate(valid, random, dealt) : hostileValue(random, dealt)
}

/** Bytes of a text, of which some are others, missing, or no UTF-8. */
function damaged({ random }: Source, text: string, chance: number): Buffer {
  if (random() >= chance) return Buffer.from(text)
  const choice = random()
  if (choice < 0.5) return Buffer.from(spoilt(text, random))
  const bytes = Buffer.from(text)
  if (choice < 0.6) return Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), bytes])
  if (choice < 0.7) return Buffer.from(text, 'utf16le')
  for (let left = 1 + Math.floor(random() * 4); left > 0 && bytes.length > 0; left--) {
    bytes[Math.floor(random() * bytes.length)] = Math.floor(random() * 256)
  }
  return bytes
}

function makeStatements(source: Source, { method }: Operation): Body {
  const { random } = source
  const one = () => {
    const seed = oneOf(random, statementSeeds)
    return random() < 0.7 ? { id: uuidFrom('fuzz', random()), ...seed } : seed
  }
  const isList = method === 'POST' ? random() < 0.6 : random() < 0.02
  const count = random() < 0.03 ? 60 : 1 + Math.floor(random() * 4)
  const valid = isList ? Array.from({ length: count }, one) : one()
  const text = writeJson(changed(source, valid))
  const isParted = random() < 0.2 || (text.includes('"attachments"') && random() < 0.7)
  if (!isParted) return { type: 'application/json', content: damaged(source, text, 0.06) }
  return makeParts(source, text)
}

function makeParts(source: Source, text: string): Body {
  const { random } = source
  const data = () =>
    random() < 0.8
      ? dataPart(attached)
      : dataPart(oneOf(random, hostileTexts), {
          [oneOf(random, ['Content-Type', 'Content-Transfer-Encoding', 'X-Experience-API-Hash', 'Content-Length'])]:
            headerText(oneOf(random, hostileTexts))
        })
  const parts = [jsonPart(text), ...Array.from({ length: Math.floor(random() * 3) }, data)]
  if (random() < 0.05) parts.reverse()
  const content = damaged(source, multipart(parts).toString('latin1'), 0.15)
  const type =
    random() < 0.93 ? multipartType : oneOf(random, ['multipart/mixed', 'multipart/mixed; boundary=', boundary])
  return { type, content }
}

/** The same to another place: another method, a path that is spoilt, a credential that is none. */
function misled({ random, operations }: Source, { url, method }: FuzzRequest): Partial<FuzzRequest> {
  const choice = random()
  const other = oneOf(random, ['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS', 'TRACE', 'PROPFIND'])
  if (choice < 0.4) return { method: other, operation: null }
  if (choice < 0.6) return { url: drawOperation({ random, operations, dealt: [null] }).path, operation: null }
  const [path = '', query = ''] = url.split('?')
  const at = 1 + Math.floor(random() * path.length)
  const wedge = oneOf(random, [
    '%',
    '%00',
    '%2e%2e/',
    '//',
    '/../',
    ';a=b',
    '%ff',
    '%c3%28',
    '/',
    'é',
    ' ',
    'x'.repeat(7000)
  ])
  return { method, url: `${path.slice(0, at)}${wedge}${path.slice(at)}?${query}`, operation: null }
}

/** As the alternate request syntax of 1.0.3 has it. */
function inForm({ random }: Source, { method, url, headers, body }: FuzzRequest): FuzzRequest {
  const [path = '', query = ''] = url.split('?')
  const fields = Object.entries(headers).map(([name, value]) => `${percent(name)}=${percent(value)}`)
  if (query !== '') fields.push(query)
  if (body !== null) fields.push(`content=${percent(body.toString())}`)
  const text = fields.join('&')
  return {
    method: 'POST',
    url: `${path}?method=${random() < 0.95 ? method : percent(oneOf(random, hostileTexts))}`,
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    body: Buffer.from(random() < 0.8 ? text : spoilt(text, random)),
    operation: null
  }
}

function compressed({ random }: Source, request: FuzzRequest): FuzzRequest {
  const zipped = gzipSync(request.body ?? '')
  const content = random() < 0.5 ? zipped : zipped.subarray(0, Math.floor(random() * zipped.length))
  const encoding = oneOf(random, ['gzip', 'gzip', 'deflate', 'br', 'gzip, gzip'])
  return { ...request, headers: { ...request.headers, 'content-encoding': encoding }, body: content }
}
