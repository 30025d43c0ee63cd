import cors from '@fastify/cors'
import type { FastifyInstance, FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import type { Config } from '../config.js'

/** What a page may send: the standard's headers, and those of HTTP that it builds on. */
const requestHeaders = [
  'Accept',
  'Accept-Language',
  'Authorization',
  'Content-Encoding',
  'Content-Type',
  'If-Match',
  'If-None-Match',
  'X-Experience-API-Consistent-Through',
  'X-Experience-API-Hash',
  'X-Experience-API-Version',
  'X-Request-Id'
]

/** What a page may read of an answer besides the few that it always may. */
const exposedHeaders = [
  'Content-Disposition',
  'ETag',
  'Last-Modified',
  'Retry-After',
  'WWW-Authenticate',
  'X-Experience-API-Consistent-Through',
  'X-Experience-API-Version',
  'X-Request-Id'
]

// Chromium keeps what a preflight has said for two hours at most.
const preflightSeconds = 7200

/**
 * An answer is data and never a page: nothing that was stored, such as a document that says it is HTML, runs as a
 * script of this origin, is guessed to be another type, or is shown in a frame.
 */
const securityHeaders = {
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'; sandbox",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
  'X-Frame-Options': 'DENY'
}

const yearSeconds = 31_536_000

/** The policy of the reference page, which is of our own scripts and inline styles. */
export const pageSecurityPolicy =
  "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; connect-src 'self'; " +
  "font-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

/** Puts the request's id and the security headers on every answer. @see RFC 6797 section 7.2 */
export function answerHeaders(request: FastifyRequest, reply: FastifyReply, done: HookHandlerDoneFunction): void {
  reply.headers(securityHeaders).header('X-Request-Id', request.id)
  if (request.protocol === 'https') reply.header('Strict-Transport-Security', `max-age=${yearSeconds}`)
  done()
}

/**
 * Lets pages of other origins call: content that speaks xAPI is rarely served by the record store itself. Credentials
 * stand in a header that the page has to know, never in a cookie, so any origin may be let in.
 *
 * @see Fetch standard, CORS protocol
 */
export async function allowOrigins(app: FastifyInstance, { corsOrigins }: Config): Promise<void> {
  if (corsOrigins.length === 0) return
  await app.register(cors, {
    origin: corsOrigins.includes('*') ? '*' : [...corsOrigins],
    methods: ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'],
    allowedHeaders: requestHeaders,
    exposedHeaders,
    maxAge: preflightSeconds,
    strictPreflight: false,
    hideOptionsRoute: true
  })
}

/** The id of a request: the one that its sender gave, if it is fit for a log and a header, or a new one. */
export function requestId(given: string | string[] | undefined, makeId: () => string): string {
  return typeof given === 'string' && /^[\w.:+/=@-]{1,128}$/.test(given) ? given : makeId()
}
