import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import fastify, { type FastifyBaseLogger, type FastifyInstance, type FastifyRequest, LogController } from 'fastify'
import { LrsError } from './errors.js'
import { metricRoutes } from './http/api/metrics.js'
import { peopleRoutes } from './http/api/people.js'
import { authenticator } from './http/authenticate.js'
import type { HttpContext, Principal } from './http/context.js'
import { answerProblem, answerXapiFailure, refuseUnknownPath } from './http/failure.js'
import { healthRoutes } from './http/health.js'
import { openapi } from './http/openapi.js'
import { hasScope } from './http/scopes.js'
import { aboutRoutes } from './http/xapi/about.js'
import { documentRoutes } from './http/xapi/documents.js'
import { answerConsistency, statementReadRoutes } from './http/xapi/read-statements.js'
import { answerVersion, requireVersion } from './http/xapi/version.js'
import { statementWriteRoutes } from './http/xapi/write-statements.js'

/** What the app is built from. */
export interface AppOptions {
  readonly context: HttpContext
  readonly logger: FastifyBaseLogger
  /** The program's version, for the OpenAPI document. */
  readonly version: string
}

type Authorize = (request: FastifyRequest) => Promise<void>

/**
 * Builds the HTTP service: `/xapi` with the standard's resources, `/api/v1` with ours, health and the reference page.
 *
 * It reads no environment and does not listen.
 */
export async function buildApp({ context, logger, version }: AppOptions): Promise<FastifyInstance> {
  const { config } = context
  const app = fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: config.maxBodyBytes,
    requestTimeout: config.requestTimeoutMs,
    // The idle connections of clients that keep them open must not hold up a stop.
    forceCloseConnections: 'idle',
    genReqId: context.makeId,
    routerOptions: { maxParamLength: 500 },
    frameworkErrors: answerProblem
  })
  const authenticate = authenticator(context.db, context.now)
  const authorize: Authorize = async request => {
    const { scopes } = request.routeOptions.config
    if (scopes === undefined) return
    request.principal = await authenticate(request.headers.authorization)
    if (hasScope(request.principal.scopes, scopes)) return
    throw new LrsError('forbidden', `The credential "${request.principal.key}" lacks the scope ${scopes.join(' or ')}`)
  }
  app.decorateRequest('principal', undefined as unknown as Principal)
  app.decorateRequest('xapiVersion', '1.0.3')
  app.setErrorHandler(answerProblem)
  app.setNotFoundHandler(refuseUnknownPath)
  app.addHook('onResponse', async (request, reply) => {
    const { method, routeOptions } = request
    request.log.debug({ method, route: routeOptions.url, status: reply.statusCode, ms: reply.elapsedTime }, 'answered')
  })
  await openapi(app, version)
  await app.register(healthRoutes(context))
  await app.register(scope => xapiScope(scope, context, authorize), { prefix: '/xapi' })
  await app.register(scope => apiScope(scope, context, authorize), { prefix: '/api/v1' })
  return app
}

async function xapiScope(app: FastifyInstance, context: HttpContext, authorize: Authorize): Promise<void> {
  app.setErrorHandler(answerXapiFailure)
  app.setNotFoundHandler(refuseUnknownPath)
  // Fastify's own validation would repair invalid statements in silence, and its serialiser drop what it doesn't know.
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => data => JSON.stringify(data))
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.addHook('onRequest', answerVersion)
  aboutRoutes(app)
  await app.register(async guarded => {
    guarded.addHook('onRequest', authorize)
    guarded.addHook('onRequest', requireVersion)
    documentRoutes(guarded, context)
  })
  await app.register(async statements => {
    statements.addHook('onRequest', answerConsistency(context))
    statements.addHook('onRequest', authorize)
    statements.addHook('onRequest', requireVersion)
    statementReadRoutes(statements, context)
    statementWriteRoutes(statements, context)
  })
}

async function apiScope(app: FastifyInstance, context: HttpContext, authorize: Authorize): Promise<void> {
  app.setNotFoundHandler(refuseUnknownPath)
  app.addHook('onRequest', authorize)
  app.setValidatorCompiler(TypeBoxValidatorCompiler)
  await app.register(peopleRoutes(context))
  await app.register(metricRoutes(context))
}
