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
  if (!/^application\/json *(; *charset *= *"?utf-8"? *)?;? *$/i.test(type)) {
    throw new LrsError('invalid-header', `The Content-Type "${type}" is not application/json in UTF-8`)
  }
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(request.body as Buffer)
  } catch {
    throw new LrsError('invalid-json', 'The body is not valid UTF-8')
  }
}
