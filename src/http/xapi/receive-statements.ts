import { createHash } from 'node:crypto'
import { Readable } from 'node:stream'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Config } from '../../config.js'
import { LrsError } from '../../errors.js'
import type { AttachmentPart } from '../../xapi/attachments.js'
import { isMediaType } from '../../xapi/formats.js'
import { decodeJsonBody, decodeUtf8, isJson } from './body.js'
import { type PartHeaders, readBoundary, readParts, refuseMultipart } from './multipart.js'
import { makeSpool, type Spool } from './spool.js'

/** An attachment's data as they came with a request; they can be read until the request is done. */
export interface ReceivedAttachment extends AttachmentPart {
  /** Octets. */
  readonly length: number
  /** Reads the data, as often as it is called, in pieces of this many bytes. */
  readonly read: (pieceBytes: number) => AsyncGenerator<Buffer>
}

/** A request's statements, as its first or only part is read, and the attachments that came with them. */
export interface Received<Statements> {
  readonly statements: Statements
  readonly attachments: readonly ReceivedAttachment[]
}

type Limits = Pick<Config, 'maxBodyBytes' | 'maxMultipartBytes' | 'maxAttachmentBytes' | 'maxAttachments'>

/** Hands multipart bodies on as streams, in this scope. */
export function acceptMultipart(app: FastifyInstance): void {
  app.addContentTypeParser('multipart/mixed', (_request, payload, done) => done(null, payload))
}

/**
 * Receives statements, sent as JSON alone or together with attachments, and works on them.
 *
 * Attachments go to a temporary file as they come, and are hashed on the way; it is gone when the work is done or has
 * failed. `read` gets the statements before the attachments have been received, so that a fault in them is told early.
 *
 * @throws {LrsError} `invalid-multipart`, `body-too-large`, and what `read` and `work` throw.
 * @see xAPI 1.0.3 Communication 1.5.1 and 1.5.2
 */
export async function receiveStatements<Statements, Result>(
  request: FastifyRequest,
  limits: Limits,
  read: (text: string) => Statements,
  work: (received: Received<Statements>) => Promise<Result>
): Promise<Result> {
  const { body, headers } = request
  if (!(body instanceof Readable)) return work({ statements: read(decodeJsonBody(request)), attachments: [] })
  const boundary = readBoundary(String(headers['content-type']))
  const spool = makeSpool()
  try {
    return await work(await receiveParts(body, { limits, boundary, spool }, read))
  } finally {
    await spool.close()
  }
}

async function receiveParts<Statements>(
  body: Readable,
  { limits, boundary, spool }: { readonly limits: Limits; readonly boundary: string; readonly spool: Spool },
  read: (text: string) => Statements
): Promise<Received<Statements>> {
  const attachments: ReceivedAttachment[] = []
  const statements: Statements[] = []
  await readParts(body, { boundary, maxBytes: limits.maxMultipartBytes }, async (part, content, index) => {
    if (index === 0) {
      statements.push(read(await receiveJson(part, content, limits.maxBodyBytes)))
    } else if (index > limits.maxAttachments) {
      throw tooLarge('The request has more attachments than', limits.maxAttachments, 'MAX_ATTACHMENTS')
    } else {
      attachments.push(await receiveAttachment(part, content, limits.maxAttachmentBytes, spool))
    }
  })
  const [first] = statements
  return first === undefined
    ? refuseMultipart('first-part', 'The body has no part with the statements')
    : { statements: first, attachments }
}

async function receiveJson(headers: PartHeaders, content: AsyncIterable<Buffer>, maxBytes: number): Promise<string> {
  const contentType = oneOf(headers, 'content-type') ?? ''
  if (!isJson(contentType)) {
    refuseMultipart('first-part', `The first part must have the statements as application/json, not "${contentType}"`)
  }
  const encoding = oneOf(headers, 'content-transfer-encoding') ?? 'binary'
  if (!/^(binary|8bit|7bit)$/i.test(encoding)) {
    refuseMultipart('transfer-encoding', `The first part can't be read in the Content-Transfer-Encoding "${encoding}"`)
  }
  const pieces: Buffer[] = []
  let length = 0
  for await (const piece of content) {
    length += piece.length
    if (length > maxBytes) throw tooLarge('The statements are larger in bytes than', maxBytes, 'MAX_BODY_BYTES')
    pieces.push(piece)
  }
  return decodeUtf8(Buffer.concat(pieces))
}

async function receiveAttachment(
  headers: PartHeaders,
  content: AsyncIterable<Buffer>,
  maxBytes: number,
  spool: Spool
): Promise<ReceivedAttachment> {
  const part = readHeaders(headers)
  const hash = createHash(`sha${part.sha2.length * 4}`)
  const start = spool.size()
  let length = 0
  for await (const piece of content) {
    length += piece.length
    if (length > maxBytes) throw tooLarge('An attachment is larger in bytes than', maxBytes, 'MAX_ATTACHMENT_BYTES')
    hash.update(piece)
    await spool.append(piece)
  }
  const found = hash.digest('hex')
  if (found !== part.sha2) {
    refuseMultipart('hash', `A part has the X-Experience-API-Hash ${part.sha2}, but its data have ${found}`)
  }
  if (part.contentLength !== null && part.contentLength !== length) {
    refuseMultipart('length', `A part has the Content-Length ${part.contentLength}, but ${length} bytes of data`)
  }
  return { ...part, length, read: pieceBytes => spool.read({ start, length }, pieceBytes) }
}

function readHeaders(headers: PartHeaders): AttachmentPart {
  const sha2 = oneOf(headers, 'x-experience-api-hash')?.toLowerCase() ?? ''
  if (!/^[0-9a-f]+$/.test(sha2) || ![56, 64, 96, 128].includes(sha2.length)) {
    refuseMultipart('hash', 'Each part after the first needs an X-Experience-API-Hash: SHA-2, in hexadecimal digits')
  }
  const encoding = oneOf(headers, 'content-transfer-encoding') ?? ''
  if (encoding.toLowerCase() !== 'binary') {
    refuseMultipart('transfer-encoding', 'Each part after the first needs the Content-Transfer-Encoding "binary"')
  }
  const contentType = oneOf(headers, 'content-type')
  if (contentType !== null && !isMediaType(contentType)) {
    refuseMultipart('content-type', `The Content-Type "${contentType}" of a part is not a media type`)
  }
  const length = oneOf(headers, 'content-length')
  if (length !== null && !/^\d{1,15}$/.test(length)) {
    refuseMultipart('length', `The Content-Length "${length}" of a part is not a number of octets`)
  }
  return { sha2, contentType, contentLength: length === null ? null : Number(length) }
}

/** A header that may be there once; null when it is not. */
function oneOf(headers: PartHeaders, name: string): string | null {
  const values = Object.hasOwn(headers, name) ? headers[name] : undefined
  if (values !== undefined && values.length > 1) refuseMultipart('headers', `A part has the header ${name} twice`)
  return values?.[0]?.trim() ?? null
}

function tooLarge(what: string, limit: number, setting: string): LrsError {
  return new LrsError('body-too-large', `${what} the limit of ${limit} (${setting})`)
}
