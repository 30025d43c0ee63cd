import type { FastifyRequest } from 'fastify'
import { LrsError } from '../../errors.js'
import type { NewDocument } from '../../store/put-document.js'
import { isMediaType } from '../../xapi/formats.js'
import { mergeObjects } from '../../xapi/merge.js'
import { isJson } from './body.js'

/**
 * The document that a request sends, byte by byte as it came; an empty body is an empty document.
 *
 * @throws {LrsError} `invalid-header` when the Content-Type is no media type; one that is absent is
 * `application/octet-stream` (RFC 9110 section 8.3).
 */
export function readDocument(request: FastifyRequest): NewDocument {
  const contentType = request.headers['content-type'] ?? 'application/octet-stream'
  if (!isMediaType(contentType)) {
    throw new LrsError('invalid-header', `The Content-Type "${contentType}" is not a media type`)
  }
  return { contentType, content: (request.body as Buffer | undefined) ?? Buffer.alloc(0) }
}

/**
 * Merges a posted JSON object into the stored one: its properties replace theirs, at the top level only.
 *
 * Values keep their text, numbers each digit. Of a key that an object has twice the last value counts.
 *
 * @throws {LrsError} `invalid-body` when one of the two is not declared as JSON in UTF-8 or is no object,
 * `invalid-json` when one of them can't be parsed.
 * @see xAPI 1.0.3 Communication 2.2, JSON Procedure
 */
export function mergeDocuments(existing: NewDocument, posted: NewDocument): NewDocument {
  const text = [existing, posted].every(({ contentType }) => isJson(contentType))
    ? mergeObjects(decodeJson(existing, 'stored'), decodeJson(posted, 'posted'))
    : null
  if (text === null) {
    throw new LrsError(
      'invalid-body',
      'POST merges JSON objects: the stored document, the posted one and both content types must be such'
    )
  }
  return { contentType: posted.contentType, content: Buffer.from(text) }
}

/** Passes a document on, unless it is declared as JSON and is not. */
export function refuseBrokenJson(document: NewDocument): NewDocument {
  if (isJson(document.contentType)) decodeJson(document, 'posted')
  return document
}

function decodeJson({ content }: NewDocument, which: 'stored' | 'posted'): string {
  try {
    const text = new TextDecoder('utf-8', { fatal: true }).decode(content)
    JSON.parse(text)
    return text
  } catch (cause) {
    throw new LrsError(
      'invalid-json',
      `The ${which} document is declared as JSON but is not: ${String(cause)}`,
      {},
      { cause }
    )
  }
}
