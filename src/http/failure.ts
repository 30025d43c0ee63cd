import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { type ErrorCode, errorCodes, LrsError } from '../errors.js'

/** Fastify's own failures by their codes, as ours. */
const fastifyCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_VALIDATION: 'invalid-parameter',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid-json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid-json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid-header',
  FST_ERR_BAD_URL: 'invalid-parameter'
}

/**
 * Answers a failure under `/xapi`: JSON with code and message, and for statements index, pointer and rule.
 *
 * @see xAPI 1.0.3 Communication 3.2
 */
export function answerXapiFailure(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = toFailure(error, request)
  return challenge(failure, reply)
    .code(failure.status)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ code: failure.code, message: failure.message, ...failure.place, requestId: request.id }))
}

/** Answers a failure anywhere else as problem details. @see RFC 9457 */
export function answerProblem(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = toFailure(error, request)
  return challenge(failure, reply)
    .code(failure.status)
    .type('application/problem+json; charset=utf-8')
    .serializer(JSON.stringify)
    .send({
      type: `https://w3id.org/momentum-lrs/errors/${failure.code}`,
      title: errorCodes[failure.code].title,
      status: failure.status,
      detail: failure.message,
      code: failure.code,
      ...failure.place,
      requestId: request.id
    })
}

/** Refuses a path that leads nowhere, or a method that the resource there does not know. @see RFC 9110 section 15.5.6 */
export function refuseUnknownPath({ server, method, url }: FastifyRequest, reply: FastifyReply): never {
  const path = url.split('?')[0] ?? ''
  const known = methods.filter(method => server.hasRoute({ method, url: path }))
  if (known.length === 0) throw new LrsError('not-found', `There is no ${path}`)
  reply.header('Allow', known.join(', '))
  throw new LrsError('method-not-allowed', `${path} knows ${known.join(', ')} and not ${method}`)
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE'] as const

function challenge(failure: LrsError, reply: FastifyReply): FastifyReply {
  return failure.code === 'unauthenticated'
    ? reply.header('WWW-Authenticate', 'Basic realm="Momentum LRS", charset="UTF-8"')
    : reply
}

function toFailure(error: FastifyError, request: FastifyRequest): LrsError {
  if (error instanceof LrsError) return error
  const known = fastifyCodes[error.code]
  if (known === undefined) {
    request.log.error({ err: error }, 'request failed')
    return new LrsError('internal-error', 'The service failed; its log has the details under this request id')
  }
  const inBody = known === 'invalid-parameter' && error.validationContext === 'body'
  const [first] = error.validation ?? []
  const place = inBody && first !== undefined ? placeOf(first.instancePath) : {}
  return new LrsError(inBody ? 'invalid-body' : known, error.message, place)
}

/** Parts a pointer into a list of records into the record's index and the pointer within it. */
function placeOf(pointer: string) {
  const [, index, rest] = /^\/(\d+)(.*)$/.exec(pointer) ?? []
  return index === undefined ? { pointer } : { index: Number(index), pointer: rest ?? '' }
}
