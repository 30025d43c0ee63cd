import { createHash } from 'node:crypto'
import type { LightMyRequestResponse } from 'fastify'

/** One part of a multipart body. */
export interface Part {
  readonly headers: Readonly<Record<string, string>>
  readonly content: Buffer
}

/** A boundary with every class of characters that RFC 2046 allows. */
export const boundary = "abcABC0123'()+_,-./:=?"

/** The Content-Type that goes with `multipart`. */
export const multipartType = `multipart/mixed; boundary="${boundary}"`

/** SHA-2 in hexadecimal digits. */
export function sha2(content: Buffer | string, algorithm = 'sha256'): string {
  return createHash(algorithm).update(content).digest('hex')
}

/** A statement's attachment object for some data. */
export function attachment(content: Buffer | string, changes: object = {}) {
  return {
    usageType: 'https://example.org/usage',
    display: { en: 'A file' },
    contentType: 'text/plain',
    length: Buffer.byteLength(content),
    sha2: sha2(content),
    ...changes
  }
}

/** The part with the statements. */
export function jsonPart(body: unknown): Part {
  return {
    headers: { 'Content-Type': 'application/json' },
    content: Buffer.from(typeof body === 'string' ? body : JSON.stringify(body))
  }
}

/** The part with an attachment's data; a header that is undefined is left out. */
export function dataPart(content: Buffer | string, changes: Record<string, string | undefined> = {}): Part {
  const headers = {
    'Content-Type': 'text/plain',
    'Content-Transfer-Encoding': 'binary',
    'X-Experience-API-Hash': sha2(content),
    ...changes
  }
  const given = Object.entries(headers).filter((header): header is [string, string] => header[1] !== undefined)
  return { headers: Object.fromEntries(given), content: Buffer.from(content) }
}

/** Writes parts as a body. */
export function multipart(parts: readonly Part[], between = boundary): Buffer {
  const written = parts.flatMap(({ headers, content }) => [
    Buffer.from(`--${between}\r\n${headerLines(headers)}\r\n`),
    content,
    Buffer.from('\r\n')
  ])
  return Buffer.concat([...written, Buffer.from(`--${between}--\r\n`)])
}

function headerLines(headers: Readonly<Record<string, string>>): string {
  return Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')
}

/** Takes an answer apart, byte by byte as RFC 2046 has it: nothing before, between or behind the parts. */
export function partsOf({ headers, rawPayload }: LightMyRequestResponse): readonly Part[] {
  const [, between] = /^multipart\/mixed; boundary=([\w-]+)$/.exec(String(headers['content-type'])) ?? []
  const text = rawPayload.toString('latin1')
  const first = `--${between}\r\n`
  const last = `\r\n--${between}--\r\n`
  if (between === undefined || !text.startsWith(first) || !text.endsWith(last)) {
    throw new Error(`not a multipart answer: ${headers['content-type']} ${text.slice(0, 200)}`)
  }
  return text
    .slice(first.length, -last.length)
    .split(`\r\n--${between}\r\n`)
    .map(part => {
      const end = part.indexOf('\r\n\r\n')
      const lines = part.slice(0, end).split('\r\n')
      return {
        headers: Object.fromEntries(lines.map(line => line.split(': '))) as Record<string, string>,
        content: Buffer.from(part.slice(end + 4), 'latin1')
      }
    })
}
