import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import fastify, { type FastifyBaseLogger, type FastifyInstance, LogController } from 'fastify'
import { assignmentRoutes } from './http/api/assignments.js'
import { cardRoutes } from './http/api/card.js'
import { cohortRoutes } from './http/api/cohorts.js'
import { credentialRoutes } from './http/api/credentials.js'
import { erasureRoutes } from './http/api/erasures.js'
import { eventMappingRoutes } from './http/api/event-mapping.js'
import { journeyRoutes } from './http/api/journeys.js'
import { leaderboardRoutes } from './http/api/leaderboards.js'
import { learnerRoutes } from './http/api/learners.js'
import { metricRoutes } from './http/api/metrics.js'
import { peopleRoutes } from './http/api/people.js'
import { personChangeRoutes } from './http/api/person-changes.js'
import { pilotRoutes } from './http/api/pilots.js'
import { queryRoutes } from './http/api/query.js'
import { scoreDefinitionRoutes } from './http/api/score-definitions.js'
import { scoreRoutes } from './http/api/scores.js'
import { tenantRoutes } from './http/api/tenants.js'
import { type Authorize, authorizer } from './http/authorize.js'
import { answerClientError } from './http/client-error.js'
import { compressAnswer, decompressRequest } from './http/compression.js'
import type { HttpContext, Principal } from './http/context.js'
import { holdToTime } from './http/deadline.js'
import { answerProblem, answerUnrouted, answerXapiFailure, refuseUnknownPath } from './http/failure.js'
import { healthRoutes } from './http/health.js'
import { type Measures, makeMeasures } from './http/measures.js'
import { openapi } from './http/openapi.js'
import { profileRoutes } from './http/profile.js'
import { findPathPrefix, prefixRemover, trustOf } from './http/proxy.js'
import { allowOrigins, answerHeaders, requestId } from './http/response-headers.js'
import { serviceMetricRoutes } from './http/service-metrics.js'
import type { Tracing } from './http/tracing.js'
import { aboutRoutes } from './http/xapi/about.js'
import { activityRoutes } from './http/xapi/activities.js'
import { agentRoutes } from './http/xapi/agents.js'
import { alternateSyntax } from './http/xapi/alternate-syntax.js'
import { answerConsistency, followRecord } from './http/xapi/consistency.js'
import { documentRoutes } from './http/xapi/documents.js'
import { refuseMalformedQuery } from './http/xapi/parameters.js'
import { statementReadRoutes } from './http/xapi/read-statements.js'
import { answerVersion, requireVersion } from './http/xapi/version.js'
import { statementWriteRoutes } from './http/xapi/write-statements.js'

/** What the app is built from. */
export interface AppOptions {
  readonly context: HttpContext
  readonly logger: FastifyBaseLogger
  /** The program's version, for the OpenAPI document. */
  readonly version: string
  /** Absent where nobody collects traces. */
  readonly tracing?: Pick<Tracing, 'attach'> | undefined
}

/**
 * Builds the HTTP service: `/xapi` with the standard's resources, `/api/v1` with ours, the xAPI Profile, health and the
 * reference page.
 *
 * It reads no environment and does not listen.
 */
export async function buildApp({ context, logger, version, tracing }: AppOptions): Promise<FastifyInstance> {
  const app = makeServer(context, logger)
  app.decorateRequest('principal', undefined as unknown as Principal)
  app.decorateRequest('xapiVersion', '1.0.3')
  app.decorateRequest('pathPrefix', '')
  app.setErrorHandler(answerProblem)
  app.setNotFoundHandler(refuseUnknownPath)
  tracing?.attach(app)
  const measures = makeMeasures(context)
  app.addHook('onRequest', holdToTime(context.config.requestTimeoutMs))
  // Hooks that wait for nothing call back: a promise for each would cost every request a turn of the loop's microtasks.
  app.addHook('onResponse', (request, reply, done) => {
    measures.noteAnswer(request, reply)
    const { method, routeOptions } = request
    request.log.debug({ method, route: routeOptions.url, status: reply.statusCode, ms: reply.elapsedTime }, 'answered')
    done()
  })
  app.addHook('onRequest', answerHeaders)
  app.addHook('onRequest', findPathPrefix(context.config, trustOf(context.config)))
  await allowOrigins(app, context.config)
  app.addHook('preParsing', decompressRequest)
  app.addHook('onSend', compressAnswer)
  const authorize = await authorizer(app, context)
  await openapi(app, version)
  await app.register(healthRoutes(context))
  await app.register(serviceMetricRoutes(context, measures))
  profileRoutes(app)
  await app.register(scope => xapiScope(scope, { context, authorize, measures }), { prefix: '/xapi' })
  await app.register(scope => apiScope(scope, context, authorize), { prefix: '/api/v1' })
  return app
}

function makeServer({ config, makeId }: HttpContext, logger: FastifyBaseLogger): FastifyInstance {
  const rewriteUrl = prefixRemover(config)
  return fastify({
    loggerInstance: logger,
    logController: new LogController({ disableRequestLogging: true }),
    bodyLimit: config.maxBodyBytes,
    requestTimeout: config.requestTimeoutMs,
    // The idle connections of clients that keep them open must not hold up a stop.
    forceCloseConnections: 'idle',
    genReqId: ({ headers }) => requestId(headers['x-request-id'], makeId),
    trustProxy: trustOf(config),
    ...(rewriteUrl === undefined ? {} : { rewriteUrl }),
    frameworkErrors: answerUnrouted,
    clientErrorHandler: answerClientError,
    // A personId of 500 characters, of which each may be percent-encoded as four bytes.
    routerOptions: { maxParamLength: 6000 }
  })
}

interface XapiParts {
  readonly context: HttpContext
  readonly authorize: Authorize
  readonly measures: Measures
}

async function xapiScope(app: FastifyInstance, { context, authorize, measures }: XapiParts): Promise<void> {
  app.setErrorHandler(answerXapiFailure)
  app.setNotFoundHandler(refuseUnknownPath)
  // Fastify's own validation would repair invalid statements in silence, and its serialiser drop what it doesn't know.
  app.setValidatorCompiler(() => () => true)
  app.setSerializerCompiler(() => data => JSON.stringify(data))
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  app.addHook('onRequest', answerVersion(context.config.defaultXapiVersion))
  app.addHook('onRequest', alternateSyntax(app, context))
  app.addHook('preValidation', refuseMalformedQuery)
  app.addHook('onSend', answerConsistency(context))
  aboutRoutes(app)
  await app.register(async guarded => {
    guarded.addHook('onRequest', authorize)
    guarded.addHook('onRequest', requireVersion)
    guarded.addHook('onRequest', followRecord(context))
    documentRoutes(guarded, context)
    activityRoutes(guarded, context)
    agentRoutes(guarded, context)
  })
  await app.register(async statements => {
    statements.addHook('onRequest', authorize)
    statements.addHook('onRequest', requireVersion)
    statements.addHook('onRequest', followRecord(context))
    statementReadRoutes(statements, context)
    statementWriteRoutes(statements, context, measures)
  })
}

async function apiScope(app: FastifyInstance, context: HttpContext, authorize: Authorize): Promise<void> {
  app.setNotFoundHandler(refuseUnknownPath)
  app.addHook('onRequest', authorize)
  app.setValidatorCompiler(TypeBoxValidatorCompiler)
  await app.register(peopleRoutes(context))
  await app.register(personChangeRoutes(context))
  await app.register(assignmentRoutes(context))
  await app.register(cohortRoutes(context))
  await app.register(eventMappingRoutes(context))
  await app.register(metricRoutes(context))
  await app.register(learnerRoutes(context))
  await app.register(queryRoutes(context))
  await app.register(leaderboardRoutes(context))
  await app.register(scoreRoutes(context))
  await app.register(scoreDefinitionRoutes(context))
  await app.register(pilotRoutes(context))
  await app.register(cardRoutes(context))
  await app.register(journeyRoutes(context))
  await app.register(erasureRoutes(context))
  await app.register(credentialRoutes(context))
  await app.register(tenantRoutes(context))
}
