import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify'
import { isConnectionLost, isPoolExhausted } from '../database/connection-loss.js'
import { type ErrorCode, errorCodes, LrsError } from '../errors.js'

/** Fastify's own failures by their codes, as ours. */
const fastifyCodes: Readonly<Record<string, ErrorCode>> = {
  FST_ERR_VALIDATION: 'invalid-parameter',
  FST_ERR_CTP_BODY_TOO_LARGE: 'body-too-large',
  FST_ERR_CTP_INVALID_MEDIA_TYPE: 'unsupported-media-type',
  FST_ERR_CTP_EMPTY_JSON_BODY: 'invalid-json',
  FST_ERR_CTP_INVALID_JSON_BODY: 'invalid-json',
  FST_ERR_CTP_INVALID_CONTENT_LENGTH: 'invalid-header',
  FST_ERR_CTP_EMPTY_TYPE: 'unsupported-media-type',
  FST_ERR_BAD_URL: 'invalid-parameter',
  FST_ERR_MAX_PARAM_LENGTH: 'not-found'
}

/** PostgreSQL's and the system's codes for what may be over in a moment, besides a connection that was lost. */
const passingCodes: Readonly<Record<string, ErrorCode>> = {
  57014: 'timed-out',
  '57P03': 'not-ready',
  53100: 'not-ready',
  53200: 'not-ready',
  53300: 'not-ready',
  ECONNREFUSED: 'not-ready',
  ETIMEDOUT: 'not-ready',
  EHOSTUNREACH: 'not-ready',
  ENOTFOUND: 'not-ready',
  EAI_AGAIN: 'not-ready'
}

/** PostgreSQL's code for a text with U+0000, the one character that it refuses and JavaScript has. */
const unstorableText: string = '22021'

const passingMessages: Readonly<Partial<Record<ErrorCode, string>>> = {
  'timed-out': 'A query took longer than a minute',
  'not-ready': 'The database does not answer'
}

/**
 * Answers a failure under `/xapi`: JSON with code and message, and for statements index, pointer and rule.
 *
 * @see xAPI 1.0.3 Communication 3.2
 */
export function answerXapiFailure(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = toFailure(error, request)
  return sayWhenAgain(reply, failure)
    .code(failure.status)
    .type('application/json; charset=utf-8')
    .send(JSON.stringify({ code: failure.code, message: failure.message, ...failure.place, requestId: request.id }))
}

/** Answers a failure anywhere else as problem details. @see RFC 9457 */
export function answerProblem(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const failure = toFailure(error, request)
  return sayWhenAgain(reply, failure)
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

/** Says after how many seconds what is over soon may be tried again. @see RFC 9110 section 10.2.3 */
function sayWhenAgain(reply: FastifyReply, { code }: LrsError): FastifyReply {
  return code === 'overloaded' || code === 'not-ready' ? reply.header('Retry-After', 1) : reply
}

/** Refuses a path that leads nowhere, or a method that the resource there does not know. @see RFC 9110 section 15.5.6 */
export function refuseUnknownPath({ server, method, url }: FastifyRequest, reply: FastifyReply): never {
  const path = url.replace(/\?.*/, '')
  const known = methods.filter(method => server.hasRoute({ method, url: path }))
  if (known.length === 0) throw new LrsError('not-found', `There is no ${path}`)
  reply.header('Allow', known.join(', '))
  throw new LrsError('method-not-allowed', `${path} knows ${known.join(', ')} and not ${method}`)
}

/** Answers what fails before a route is found: an address with a broken percent-escape, or far too long a part. */
export function answerUnrouted(error: FastifyError, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  reply.header('X-Request-Id', request.id)
  if (!/^\/xapi(\/|\?|$)/.test(request.url)) return answerProblem(error, request, reply)
  return answerXapiFailure(error, request, reply.header('X-Experience-API-Version', '2.0.0'))
}

const methods = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'] as const

function toFailure(error: FastifyError, request: FastifyRequest): LrsError {
  if (error instanceof LrsError) return error
  // The client went away amid its body: nobody hears the answer, and nothing of ours has failed.
  if (request.raw.destroyed && !request.raw.complete) return new LrsError('invalid-body', 'The request broke off')
  if (error.code === unstorableText) {
    return new LrsError('invalid-parameter', 'A value has the character U+0000, which no text here can hold')
  }
  const passing = isConnectionLost(error) || isPoolExhausted(error) ? 'not-ready' : passingCodes[error.code]
  if (passing !== undefined) {
    request.log.warn({ err: error }, 'request failed for now')
    return new LrsError(passing, passingMessages[passing] ?? error.message, {}, { cause: error })
  }
  const known = fastifyCodes[error.code]
  if (known === undefined) {
    request.log.error({ err: error }, 'request failed')
    return new LrsError('internal-error', 'The service failed; its log has the details under this request id')
  }
  const inBody = known === 'invalid-parameter' && error.validationContext === 'body'
  const [first] = error.validation ?? []
  const place = first === undefined ? {} : placeOf(first.instancePath)
  return new LrsError(inBody ? 'invalid-body' : known, error.message, place)
}

/** Parts a pointer into a list of records into the record's index and the pointer within it. */
function placeOf(pointer: string) {
  const index = /^\/\d+/.exec(pointer)
  if (index === null) return { pointer }
  return { index: Number(index[0].slice(1)), pointer: pointer.slice(index[0].length) }
}
