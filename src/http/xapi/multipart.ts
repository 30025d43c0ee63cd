import type { Readable } from 'node:stream'
import { Dicer } from '@fastify/busboy'
import { LrsError } from '../../errors.js'
import { isMediaType } from '../../xapi/formats.js'
import { parseMediaType } from '../../xapi/media-type.js'

/** The headers of one part by their names in lower case, each with its values. */
export type PartHeaders = Readonly<Record<string, readonly string[]>>

/** What is done with a part; it has to read the content to its end. */
export type TakePart = (headers: PartHeaders, content: AsyncIterable<Buffer>, index: number) => Promise<void>

/** What a multipart body is and may be at most. */
export interface MultipartShape {
  readonly boundary: string
  /** Of all of it, with boundaries and headers. */
  readonly maxBytes: number
}

/** Refuses a multipart body; the rules are those of Communication 1.5.2. */
export function refuseMultipart(rule: string, message: string): never {
  throw malformed(rule, message)
}

function malformed(rule: string, message: string): LrsError {
  return new LrsError('invalid-multipart', message, { rule: `xAPI 1.0.3 Communication 1.5.2 ${rule}` })
}

/** The boundary that a Content-Type names. @throws {LrsError} `invalid-multipart` when it names none. */
export function readBoundary(contentType: string): string {
  const boundary = isMediaType(contentType) ? parseMediaType(contentType).parameters.get('boundary') : undefined
  return boundary !== undefined && /^[\w'()+,\-./:=? ]{0,69}[\w'()+,\-./:=?]$/.test(boundary)
    ? boundary
    : refuseMultipart('boundary', `The Content-Type "${contentType}" names no boundary of 1 to 70 characters`)
}

/**
 * Reads a multipart body part by part: the next part is taken when the one before is done, and no more of the body is
 * read ahead than a few chunks.
 *
 * When it fails, whoever took parts has come to an end before this does. The rest of the body, and what stands behind
 * the last boundary, is let go by unread, so that the connection lives to carry the answer.
 *
 * @throws {LrsError} `invalid-multipart` when the body ends before its last boundary, `body-too-large` when it is larger
 * than the limit, and what `take` throws.
 * @see RFC 2046 section 5.1.1
 */
export function readParts(source: Readable, { boundary, maxBytes }: MultipartShape, take: TakePart): Promise<void> {
  const dicer = new Dicer({ boundary })
  let received = 0
  let hasFailed = false
  return new Promise((resolve, reject) => {
    const letGoBy = () => {
      source.unpipe(dicer)
      source.resume()
    }
    const fail = (error: Error) => {
      hasFailed = true
      letGoBy()
      parts.abandon(error).then(() => reject(error))
    }
    const cutOff = () => fail(malformed('last-boundary', `The body ends before its last boundary, --${boundary}--`))
    const parts = takeInTurn(dicer, take, fail)
    dicer.on('error', cutOff)
    dicer.on('finish', () => {
      // The parser says so of a body that was cut off, too.
      if (hasFailed) return
      letGoBy()
      parts.taken().then(resolve, reject)
    })
    source.on('data', (chunk: Buffer) => {
      received += chunk.length
      if (received > maxBytes) fail(tooLarge(maxBytes))
    })
    source.on('error', cutOff)
    source.on('close', () => {
      if (!source.readableEnded) cutOff()
    })
    source.pipe(dicer)
  })
}

/** Takes the parts that the parser finds, each when the one before is done. */
function takeInTurn(dicer: Dicer, take: TakePart, fail: (error: Error) => void) {
  const open = new Set<Readable>()
  let taken = Promise.resolve()
  let count = 0
  let cutHeader = () => {}
  // A part that ends before an empty line has no headers for the parser, which says nothing of it.
  dicer.on('finish', () => cutHeader())
  dicer.on('part', part => {
    cutHeader()
    const index = count++
    open.add(part)
    // It is listened to at once, for it comes before the parts in front of this one are done.
    const header = new Promise<PartHeaders>((resolve, reject) => {
      part.once('header', resolve)
      cutHeader = () => reject(malformed('headers', 'The headers of a part do not end with an empty line'))
    })
    header.catch(() => undefined)
    part.on('error', cutHeader)
    taken = taken.then(async () => {
      await take(await header, part, index)
      open.delete(part)
    })
    taken.catch(fail)
  })
  return {
    taken: () => taken,
    /** Breaks off, and waits until nobody reads a part any more. */
    abandon: async (error: Error) => {
      for (const part of open) part.destroy(error)
      open.clear()
      await taken.catch(() => undefined)
    }
  }
}

function tooLarge(maxBytes: number): LrsError {
  return new LrsError(
    'body-too-large',
    `The request is larger than ${maxBytes} bytes, which is what one with attachments may have (MAX_MULTIPART_BYTES)`
  )
}
