/**
 * Every failure that a caller can meet has one stable code. The table gives its HTTP status and what it means;
 * `docs/reference/errors.md` lists the same codes, which a test checks.
 */
export const errorCodes = {
  'invalid-json': { status: 400, title: 'The body is not the JSON that it should be' },
  'invalid-multipart': { status: 400, title: 'The parts of a multipart/mixed body are not what they should be' },
  'invalid-statement': { status: 400, title: "A statement breaks one of the standard's data rules" },
  'invalid-parameter': { status: 400, title: 'A query parameter is wrong, unknown or in a forbidden combination' },
  'invalid-header': { status: 400, title: 'A request header is missing or wrong' },
  'invalid-body': { status: 400, title: 'The body breaks the rules of its schema' },
  unauthenticated: { status: 401, title: 'No credential, or not a valid one' },
  forbidden: { status: 403, title: 'The credential may not do this' },
  'not-found': { status: 404, title: 'There is nothing under this address' },
  'method-not-allowed': { status: 405, title: 'The resource does not know this method' },
  'statement-conflict': { status: 409, title: 'A different statement with this id is already stored' },
  'document-conflict': { status: 409, title: 'The document exists, and the request does not say what to do then' },
  'tenant-conflict': { status: 409, title: 'There is a tenant of this name already' },
  'unknown-person': { status: 409, title: 'The roster does not have a person whom the request names' },
  'people-conflict': { status: 409, title: 'An agent can belong to one person only' },
  'person-change-conflict': { status: 409, title: 'The persons are not as this merge, split or undo needs them' },
  'cohort-conflict': { status: 409, title: 'The roster has a cohort of this name of its own' },
  'precondition-failed': {
    status: 412,
    title: 'The document is not in the state that If-Match or If-None-Match asks for'
  },
  'precondition-required': { status: 400, title: 'A profile may only be written with If-Match or If-None-Match' },
  'request-timeout': { status: 408, title: 'The request did not arrive whole in time' },
  'body-too-large': { status: 413, title: 'The body is larger than the limit' },
  'unsupported-media-type': { status: 415, title: 'The content type is not one that is understood here' },
  'rate-limited': { status: 429, title: 'The credential has made too many requests' },
  'headers-too-large': { status: 431, title: 'The headers are larger than the limit' },
  'internal-error': { status: 500, title: 'The service failed; the log has the details under the request id' },
  overloaded: { status: 503, title: 'More waits to be stored than the service may hold; try again soon' },
  'not-ready': { status: 503, title: 'The service cannot serve just now' },
  'timed-out': { status: 503, title: 'The answer took longer than the limit' },
  'invalid-configuration': { status: 500, title: 'One or more settings are wrong' },
  'database-unreachable': { status: 500, title: 'The PostgreSQL of DATABASE_URL could not be connected to' },
  'embedded-server-failed': { status: 500, title: 'The embedded PostgreSQL could not be started' },
  'schema-too-new': { status: 500, title: 'The database was made by a newer version of the program' }
} as const satisfies Record<string, { readonly status: number; readonly title: string }>

/** The closed union of failure codes. */
export type ErrorCode = keyof typeof errorCodes

/** Where in a request the fault lies. */
export interface ErrorPlace {
  /** The position in the batch, from 0, of the statement or person at fault. */
  readonly index?: number
  /** JSON pointer (RFC 6901) to the value at fault, within the statement or person. */
  readonly pointer?: string
  /** The line of the body, from 1, on which the record at fault begins. */
  readonly line?: number
  /** The column at fault, by its name in the header row. */
  readonly column?: string
  /** The rule that is broken, as the section of the standard and a short name. */
  readonly rule?: string
}

/** A failure with a stable code, a message that says what and why, and, for data, where. */
export class LrsError extends Error {
  override readonly name = 'LrsError'
  readonly code: ErrorCode
  readonly place: ErrorPlace

  constructor(code: ErrorCode, message: string, place: ErrorPlace = {}, options?: ErrorOptions) {
    super(message, options)
    this.code = code
    this.place = place
  }

  /** The HTTP status that goes with the code. */
  get status(): number {
    return errorCodes[this.code].status
  }
}
