import { sameStatement } from './compare.js'
import { parseMediaType } from './media-type.js'
import { parseJson } from './parse.js'
import type { Attachment } from './statement.js'
import { isObject, type JsonObject } from './violation.js'

/** The algorithms that may sign a statement. @see xAPI 1.0.3 Data 2.6 */
export type SignatureAlgorithm = 'RS256' | 'RS384' | 'RS512'

/** A JSON Web Signature taken apart; nothing of it is verified. */
export interface Jws {
  readonly algorithm: SignatureAlgorithm
  /** The certificates in base64 of DER, the signer's own first; null when the header has none. */
  readonly certificates: readonly string[] | null
  /** The statement as it was signed, as JSON text. */
  readonly payload: string
  /** What the signature is made over. */
  readonly signed: string
  readonly signature: Uint8Array
}

/** A broken rule: its short name and what is wrong. */
export interface SignatureFault {
  readonly name: string
  readonly message: string
}

/** Says that a JWS breaks a rule. */
function fault(name: string, message: string): SignatureFault {
  return { name, message }
}

const compact = /^([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)$/

/**
 * Takes a JWS in compact serialisation apart, or says which rule it breaks.
 *
 * @param maxDepth how deep header and payload may be nested.
 * @see xAPI 1.0.3 Data 2.6, RFC 7515 sections 3.1 and 4.1
 */
export function parseJws(text: string, maxDepth: number): Jws | SignatureFault {
  const [, head, body, tail] = compact.exec(text) ?? []
  if (head === undefined || body === undefined || tail === undefined) {
    return fault('compact', 'The signature must be a JWS in compact serialisation: three parts in base64url with dots')
  }
  const header = parseObject(head, maxDepth)
  if (header === null) return fault('header', 'The header of the JWS must be a JSON object')
  const algorithm = algorithms.find(name => name === header.alg)
  if (algorithm === undefined) return fault('algorithm', 'The algorithm of the JWS must be RS256, RS384 or RS512')
  if (Object.hasOwn(header, 'crit')) return fault('critical', 'The JWS asks for extensions ("crit"), and none is known')
  const certificates = certificatesOf(header)
  if (certificates === null) return fault('x5c', 'x5c must be a list of certificates in base64')
  const payload = decode(body)
  if (payload === null || parseObject(body, maxDepth) === null) {
    return fault('payload', 'The payload of the JWS must be the statement as a JSON object')
  }
  const signature = Buffer.from(tail, 'base64url')
  return { algorithm, certificates: certificates ?? null, payload, signed: `${head}.${body}`, signature }
}

const algorithms: readonly SignatureAlgorithm[] = ['RS256', 'RS384', 'RS512']

/** The list of certificates; undefined when there is none, null when it is not what it should be. */
function certificatesOf({ x5c }: JsonObject): readonly string[] | null | undefined {
  if (x5c === undefined) return undefined
  const isList = Array.isArray(x5c) && x5c.length > 0
  return isList && x5c.every(text => typeof text === 'string' && /^[A-Za-z0-9+/]+={0,2}$/.test(text)) ? x5c : null
}

function parseObject(base64url: string, maxDepth: number): JsonObject | null {
  const text = decode(base64url)
  if (text === null) return null
  try {
    const value = parseJson(text, maxDepth)
    return isObject(value) ? value : null
  } catch {
    return null
  }
}

function decode(base64url: string): string | null {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Buffer.from(base64url, 'base64url'))
  } catch {
    return null
  }
}

/**
 * Says which rule an attachment breaks that is to sign its statement, or null where it may be such a one.
 *
 * @see xAPI 1.0.3 Data 2.6
 */
export function checkSignatureType({ contentType }: Attachment): SignatureFault | null {
  return parseMediaType(contentType).type === 'application/octet-stream'
    ? null
    : fault('content-type', 'A signature must have the content type application/octet-stream')
}

/**
 * Checks that what was signed is the statement, apart from what the LRS sets and from signatures; null when it is.
 *
 * @param statement the received statement, as JSON text.
 * @see xAPI 1.0.3 Data 2.6 and 2.3.1
 */
export function checkSigned({ payload }: Jws, statement: string): SignatureFault | null {
  return sameStatement(payload, statement)
    ? null
    : fault('same-statement', 'The statement that was signed is not the one that was sent')
}
