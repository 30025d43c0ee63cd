import { once } from 'node:events'
import { connect } from 'node:net'
import { oneOf, type Random, uuidFrom } from '../../demo/random.js'
import { opened } from '../support/statements.js'
import { hostileTexts, spoilt } from './values.js'

/** Bytes that go over a connection, and the statements in them, when they are whole in themselves. */
export interface Bytes {
  readonly content: Buffer
  /** Ids of a batch that may be stored or not, but as one. */
  readonly batch: readonly string[]
}

/** A request as bytes, with something that is no HTTP, or that breaks off. */
export function makeBytes(random: Random, authorization: string): Bytes {
  const batch = Array.from({ length: 2 + Math.floor(random() * 4) }, () => uuidFrom('wire', random()))
  const body = JSON.stringify(batch.map(id => ({ id, ...opened })))
  const head = [
    'POST /xapi/statements HTTP/1.1',
    'Host: localhost',
    `Authorization: ${authorization}`,
    'X-Experience-API-Version: 1.0.3',
    'Content-Type: application/json'
  ]
  const text = oneOf(random, manners)({ head, body, random })
  return { content: Buffer.from(text, 'latin1'), batch }
}

interface Parts {
  readonly head: readonly string[]
  readonly body: string
  readonly random: Random
}

const lines = (...all: readonly string[]) => `${all.join('\r\n')}\r\n\r\n`

const whole = ({ head, body }: Parts) => `${lines(...head, `Content-Length: ${body.length}`)}${body}`

const chunk = (text: string, size: string) => `${size}\r\n${text}\r\n`

const manners: readonly [(parts: Parts) => string, ...((parts: Parts) => string)[]] = [
  whole,
  parts => whole(parts).slice(0, Math.floor(parts.random() * whole(parts).length)),
  parts => whole(parts).slice(0, Math.floor(parts.random() * whole(parts).length)),
  parts => spoilt(whole(parts).slice(0, 200), parts.random),
  parts => whole(parts) + whole({ ...parts, body: '[]' }),
  parts =>
    `${lines(...parts.head, `Content-Length: ${parts.body.length + 1 + Math.floor(parts.random() * 100)}`)}${parts.body}`,
  parts =>
    `${lines(...parts.head, `Content-Length: ${oneOf(parts.random, ['-1', 'x', '1e3', '0x10', '', '9'.repeat(30)])}`)}${parts.body}`,
  parts => `${lines(...parts.head, 'Content-Length: 5', 'Content-Length: 6')}${parts.body}`,
  parts =>
    `${lines(...parts.head, 'Content-Length: 5', 'Transfer-Encoding: chunked')}${chunk(parts.body, parts.body.length.toString(16))}0\r\n\r\n`,
  parts =>
    `${lines(...parts.head, 'Transfer-Encoding: chunked')}${chunk(parts.body, parts.body.length.toString(16))}0\r\n\r\n`,
  parts => `${lines(...parts.head, 'Transfer-Encoding: chunked')}${chunk(parts.body, parts.body.length.toString(16))}`,
  parts =>
    `${lines(...parts.head, 'Transfer-Encoding: chunked')}${chunk(parts.body, oneOf(parts.random, ['zz', '-1', '', 'ffffffffffffffffff', '5;a=b', '1']))}0\r\n\r\n`,
  parts =>
    `${lines(...parts.head, `Transfer-Encoding: ${oneOf(parts.random, ['gzip', 'identity', 'chunked, chunked', 'x'])}`)}${parts.body}`,
  parts => lines(...parts.head, `X-Long: ${'x'.repeat(20_000)}`),
  parts => lines(...parts.head, ...Array.from({ length: 3000 }, (_, at) => `X-${at}: 1`)),
  parts => lines(...parts.head, `X-Odd: ${oneOf(parts.random, hostileTexts)}`),
  parts => lines(`GET ${oneOf(parts.random, hostileTexts)} HTTP/1.1`, 'Host: x'),
  parts =>
    lines(
      `${oneOf(parts.random, ['GET', 'get', 'BREW', 'CONNECT', 'OPTIONS', ''])} / HTTP/${oneOf(parts.random, ['0.9', '1.0', '1.1', '2.0', '9.9', 'x'])}`
    ),
  parts => `${lines('GET /health/live HTTP/1.1')}${parts.body}`,
  () => 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
  () => '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
  ({ random }) => Array.from({ length: 300 }, () => String.fromCharCode(Math.floor(random() * 256))).join('')
]

/** Sends bytes and says that there are no more; the statuses that come back until the connection has ended. */
export async function sendBytes(url: string, { content }: Bytes, random: Random): Promise<readonly number[]> {
  const { port, hostname } = new URL(url)
  const socket = connect({ port: Number(port), host: hostname, allowHalfOpen: false })
  const closed = once(socket, 'close')
  let answer = ''
  socket.on('data', chunk => {
    answer += chunk.toString('latin1')
  })
  // A connection that is reset is an answer, too.
  socket.on('error', () => undefined)
  const cut = Math.floor(random() * content.length)
  socket.write(content.subarray(0, cut))
  if (random() < 0.2) socket.destroy()
  else socket.end(content.subarray(cut))
  await closed
  return [...answer.matchAll(/^HTTP\/1\.1 (\d{3}) /gm)].map(([, status]) => Number(status))
}
