import type { Socket } from 'node:net'
import type { ConnectionError } from 'fastify'
import { type ErrorCode, errorCodes } from '../errors.js'

/** What Node's parser says, as our codes; everything else is a request that can't be read as HTTP. */
const codes: Readonly<Record<string, ErrorCode>> = {
  ERR_HTTP_REQUEST_TIMEOUT: 'request-timeout',
  HPE_HEADER_OVERFLOW: 'headers-too-large'
}

const reasons: Readonly<Partial<Record<ErrorCode, string>>> = {
  'request-timeout': 'Request Timeout',
  'headers-too-large': 'Request Header Fields Too Large'
}

/**
 * Answers what did not become a request: too slow, too large a head, or no HTTP. Its path may not be known, so the body
 * has the members of both forms of failure.
 */
export function answerClientError(error: ConnectionError, socket: Socket): void {
  // A connection that was reset has nobody left to answer.
  if (error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  const code = codes[error.code] ?? 'invalid-header'
  const { status, title } = errorCodes[code]
  const message = code === 'invalid-header' ? `The request is not HTTP: ${error.message}` : title
  const body = JSON.stringify({ code, status, title, message, detail: message })
  socket.end(
    `HTTP/1.1 ${status} ${reasons[code] ?? 'Bad Request'}\r\nContent-Type: application/json; charset=utf-8\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nX-Experience-API-Version: 2.0.0\r\nConnection: close\r\n\r\n${body}`
  )
}
