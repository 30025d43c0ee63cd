import { type ErrorCode, errorCodes } from '../errors.js'
import { asObject, type JsonObject, mapObject } from './openapi-components.js'

/** One of the two forms of a failure: the standard's under `/xapi`, problem details everywhere else. */
interface Face {
  /** What the names of its responses begin with. */
  readonly prefix: string
  readonly mediaType: string
  readonly schema: string
  /** Whether a failure of this code is answered in this form. */
  readonly has: (code: string) => boolean
  /** For a status with several codes, the one that is shown. */
  readonly shown: Readonly<Record<number, Shown>>
  readonly example: (code: ErrorCode, detail: string, place: JsonObject) => JsonObject
}

interface Shown {
  readonly code: ErrorCode
  readonly detail: string
  readonly place?: JsonObject
}

const requestId = '0197f3a2-5b1c-7d4e-9a60-2f8c1e7b3d90'

/** What only `/xapi` answers. */
const ofXapiAlone: ReadonlySet<string> = new Set<ErrorCode>([
  'invalid-multipart',
  'invalid-statement',
  'precondition-required',
  'statement-conflict',
  'document-conflict',
  'overloaded'
])

/** What `/xapi` answers as everything else does. */
const ofXapiToo: ReadonlySet<string> = new Set<ErrorCode>([
  'invalid-json',
  'invalid-parameter',
  'invalid-header',
  'invalid-body',
  'unauthenticated',
  'forbidden',
  'not-found',
  'precondition-failed',
  'request-timeout',
  'body-too-large',
  'unsupported-media-type',
  'rate-limited',
  'internal-error',
  'not-ready',
  'timed-out'
])

/** Codes of the program's start, which no request meets. */
const ofTheStart: ReadonlySet<string> = new Set<ErrorCode>([
  'invalid-configuration',
  'database-unreachable',
  'embedded-server-failed',
  'schema-too-new'
])

const everywhere: Readonly<Record<number, Shown>> = {
  401: { code: 'unauthenticated', detail: 'The key or the secret is not valid' },
  403: { code: 'forbidden', detail: 'The credential "lms-north" lacks the scope metrics/read' },
  404: { code: 'not-found', detail: 'There is no valid credential lms-south' },
  429: { code: 'rate-limited', detail: 'The credential "lms-north" may ask again in 12 s' },
  500: {
    code: 'internal-error',
    detail: 'The service failed; its log has the details under this request id'
  },
  503: { code: 'not-ready', detail: 'The database does not answer' }
}

const xapi: Face = {
  prefix: 'Xapi',
  mediaType: 'application/json',
  schema: 'Failure',
  has: code => ofXapiAlone.has(code) || ofXapiToo.has(code),
  shown: {
    ...everywhere,
    400: {
      code: 'invalid-statement',
      detail: 'Statement 0: Must be an IRI with a scheme and without spaces, not "opened"',
      place: { index: 0, pointer: '/verb/id', rule: 'xAPI 1.0.3 Data 4.3 iri' }
    },
    403: { code: 'forbidden', detail: 'The credential "lms-north" lacks the scope statements/write' },
    404: { code: 'not-found', detail: 'There is no statement 0197f3a2-0000-7000-8000-000000000001' },
    503: { code: 'overloaded', detail: '20000 statements wait to be stored already: try again soon' }
  },
  example: (code, message, place) => ({ code, message, ...place, requestId })
}

const api: Face = {
  prefix: '',
  mediaType: 'application/problem+json',
  schema: 'Problem',
  has: code => !ofXapiAlone.has(code) && !ofTheStart.has(code),
  shown: {
    ...everywhere,
    400: { code: 'invalid-parameter', detail: 'querystring/minGroupSize must be >= 10' },
    409: {
      code: 'people-conflict',
      detail: 'The agent mailto:ada@example.org belongs to the person "4711" already',
      place: { index: 1, pointer: '/agents/0' }
    }
  },
  example: (code, detail, place) => ({
    type: `https://w3id.org/momentum-lrs/errors/${code}`,
    title: errorCodes[code].title,
    status: errorCodes[code].status,
    detail,
    code,
    ...place,
    requestId
  })
}

const names: Readonly<Record<number, string>> = {
  400: 'BadRequest',
  401: 'Unauthenticated',
  403: 'Forbidden',
  404: 'NotFound',
  409: 'Conflict',
  412: 'PreconditionFailed',
  408: 'TooSlow',
  413: 'TooLarge',
  415: 'UnsupportedMediaType',
  429: 'RateLimited',
  500: 'Failed',
  503: 'Unavailable'
}

/** The headers that a failure comes with, beside the request's id. */
const headers: Readonly<Record<number, JsonObject>> = {
  401: { 'WWW-Authenticate': header('The schemes that are taken here', 'Basic realm="Momentum LRS", charset="UTF-8"') },
  429: { 'Retry-After': header('Seconds until the credential may ask again', '12') }
}

function header(description: string, example: string): JsonObject {
  return { description, schema: { type: 'string', examples: [example] } }
}

/**
 * Completes the failures of an OpenAPI document. Those that any operation can meet are added where a route doesn't
 * list them, and each becomes one named response that tells its codes and shows an example.
 */
export function completeFailures(document: JsonObject): JsonObject {
  const responses: Record<string, JsonObject> = {}
  const paths = mapObject(asObject(document.paths), (path, address) => {
    const face = address.startsWith('/xapi/') ? xapi : api
    return mapObject(asObject(path), (operation, method) =>
      completeOperation(asObject(operation), { face, takesBody: method !== 'get' }, responses)
    )
  })
  const sorted = Object.entries(responses).sort(([one], [other]) => (one < other ? -1 : 1))
  return {
    ...document,
    components: { ...asObject(document.components), responses: Object.fromEntries(sorted) },
    paths
  }
}

function completeOperation(
  operation: JsonObject,
  { face, takesBody }: { readonly face: Face; readonly takesBody: boolean },
  named: Record<string, JsonObject>
): JsonObject {
  const isOpen = Array.isArray(operation.security) && operation.security.length === 0
  const listed = asObject(operation.responses)
  const ofBody = takesBody ? [400, 408, 413, 415] : []
  const always = [...(isOpen ? [] : [401, 403, 429]), ...ofBody, 500, 503]
  const added = Object.fromEntries(always.filter(status => !(status in listed)).map(status => [status, null]))
  const responses = mapObject({ ...listed, ...added }, (response, key) => {
    const status = Number(key)
    if (status < 400) return describe(asObject(response), status)
    const name = `${face.prefix}${names[status] ?? `Status${status}`}`
    named[name] = failureResponse(face, status)
    return { $ref: `#/components/responses/${name}` }
  })
  return { ...operation, responses }
}

/** What a route doesn't say about a success. */
function describe(response: JsonObject, status: number): JsonObject {
  if (response.description !== 'Default Response') return response
  return { ...response, description: status === 204 ? 'Done; there is nothing to tell' : 'Done' }
}

function failureResponse(face: Face, status: number): JsonObject {
  const codes = Object.entries(errorCodes).filter(([code, known]) => known.status === status && face.has(code))
  const [first] = codes as readonly (readonly [ErrorCode, { readonly title: string }])[]
  if (first === undefined) throw new Error(`No error code has the status ${status}, which a route lists`)
  const { code, detail, place = {} } = face.shown[status] ?? { code: first[0], detail: first[1].title }
  return {
    description: codes.map(([code, { title }]) => `\`${code}\`: ${title}.`).join(' '),
    headers: { 'X-Request-Id': header('The same as `requestId`', requestId), ...headers[status] },
    content: {
      [face.mediaType]: {
        schema: { $ref: `#/components/schemas/${face.schema}` },
        example: face.example(code, detail, place)
      }
    }
  }
}
