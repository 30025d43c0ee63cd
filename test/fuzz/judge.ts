import { deepStrictEqual, ok } from 'node:assert'
import { gunzipSync } from 'node:zlib'
import type { LightMyRequestResponse } from 'fastify'
import { errorCodes } from '../../src/errors.js'
import type { FuzzRequest } from './requests.js'

/** A longer segment of a path leads to no operation. */
const longestSegment = 6000

/**
 * Judges an answer: it is no failure of the service, it is one that the document tells of, and it is written as
 * failures are.
 *
 * @throws {AssertionError} with what is wrong.
 */
export function judge({ url, method, operation }: FuzzRequest, response: LightMyRequestResponse): void {
  const { statusCode: status, headers } = response
  ok(status < 500, `it was answered ${status}`)
  ok(typeof headers['x-request-id'] === 'string', 'it has no X-Request-Id')
  const isNoAddress = status === 404 && url.split(/[/?]/).some(segment => segment.length > longestSegment)
  if (operation !== null && status !== 405 && !isNoAddress)
    ok(operation.statuses.has(status), `${status} is not in the document`)
  if (method === 'HEAD' || response.rawPayload.length === 0) return
  const body = headers['content-encoding'] === 'gzip' ? gunzipSync(response.rawPayload) : response.rawPayload
  if (status >= 400)
    judgeFailure(
      /^\/xapi(\/|$)/.test(new URL(url, 'http://localhost').pathname),
      headers['content-type'],
      JSON.parse(body.toString()),
      status
    )
  // A document is whatever was put there, under whatever type.
  else if (/json/.test(String(headers['content-type'])) && !/(state|profile)\?/.test(url)) JSON.parse(body.toString())
}

interface Failure {
  readonly code: string
  readonly message?: string
  readonly detail?: string
  readonly status?: number
  readonly requestId: string
}

function judgeFailure(isXapi: boolean, type: unknown, failure: Failure, status: number): void {
  const { code, message, detail, requestId } = failure
  ok(Object.hasOwn(errorCodes, code), `${code} is no code of ours`)
  deepStrictEqual(errorCodes[code as keyof typeof errorCodes].status, status)
  ok(requestId.length > 0)
  if (isXapi) {
    deepStrictEqual(type, 'application/json; charset=utf-8')
    ok(message)
  } else {
    deepStrictEqual(type, 'application/problem+json; charset=utf-8')
    deepStrictEqual(failure.status, status)
    ok(detail)
  }
}

/** The ids of the statements that an answer says are stored. */
export function acknowledgedBy(
  request: FuzzRequest,
  { statusCode, payload }: LightMyRequestResponse
): readonly string[] {
  const { pathname, searchParams } = new URL(request.url, 'http://localhost')
  if (pathname !== '/xapi/statements' || (statusCode !== 200 && statusCode !== 204)) return []
  const meant = searchParams.get('method') ?? request.method
  if (meant === 'POST') return JSON.parse(payload) as string[]
  if (meant !== 'PUT') return []
  const parameters = searchParams.has('method') ? new URLSearchParams(request.body?.toString()) : searchParams
  return [String(parameters.get('statementId')).toLowerCase()]
}
