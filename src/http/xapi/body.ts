import type { FastifyRequest } from 'fastify'
import { LrsError } from '../../errors.js'

/**
 * The text of a JSON body, which the scope hands over as it came.
 *
 * @throws {LrsError} `invalid-header` when it is not declared as JSON in UTF-8, `invalid-json` when it is not UTF-8.
 * @see xAPI 1.0.3 Communication 1.4 and 1.5.1
 */
export function decodeJsonBody(request: FastifyRequest): string {
  const type = request.headers['content-type'] ?? ''
  if (!isJson(type)) {
    throw new LrsError('invalid-header', `The Content-Type "${type}" is not application/json in UTF-8`)
  }
  return decodeUtf8(request.body as Buffer)
}

/** Whether a Content-Type is that of JSON in UTF-8. */
export function isJson(contentType: string): boolean {
  return /^application\/json[ \t]*(;[ \t]*(charset[ \t]*=[ \t]*"?utf-8"?[ \t]*(;[ \t]*)?)?)?$/i.test(contentType)
}

/** @throws {LrsError} `invalid-json` when the bytes are not UTF-8. */
export function decodeUtf8(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch {
    throw new LrsError('invalid-json', 'The body is not valid UTF-8')
  }
}
