import type { Span } from '@opentelemetry/api'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { QueryDone } from '../database/query-done.js'

/** Traces of requests and their queries, on their way to a collector. */
export interface Tracing {
  /** Opens a span for each request of an app; before any other hook is added. */
  readonly attach: (app: FastifyInstance) => void
  /** Adds a query to the span of the request that made it; what no request asked for is left out. */
  readonly noteQuery: (query: QueryDone) => void
  /** Sends what is left. */
  readonly stop: () => Promise<void>
}

/**
 * Starts to trace. The packages of OpenTelemetry are loaded here and nowhere else, so that a service without a collector
 * has nothing of them. They read the other variables of the standard by themselves: `OTEL_SERVICE_NAME`,
 * `OTEL_RESOURCE_ATTRIBUTES`, `OTEL_EXPORTER_OTLP_HEADERS`, `OTEL_TRACES_SAMPLER` and those of the batches.
 *
 * A span has the route's template, never the address, and a query's text, never its parameters: both would name people.
 *
 * @param endpoint of the collector, to which `/v1/traces` is added; OTLP over HTTP as JSON.
 * @see https://opentelemetry.io/docs/specs/semconv/http/http-spans/
 */
export async function startTracing(endpoint: string, version: string): Promise<Tracing> {
  const [api, sdk, { OTLPTraceExporter }, resources] = await Promise.all([
    import('@opentelemetry/api'),
    import('@opentelemetry/sdk-trace-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/resources')
  ])
  const own = resources.resourceFromAttributes({ 'service.name': 'momentum-lrs', 'service.version': version })
  const told = resources.detectResources({ detectors: [resources.envDetector] })
  const exporter = new OTLPTraceExporter({ url: `${endpoint.replace(/\/$/, '')}/v1/traces` })
  const provider = new sdk.NodeTracerProvider({
    resource: own.merge(told),
    spanProcessors: [new sdk.BatchSpanProcessor(exporter)]
  })
  provider.register()
  const tracer = provider.getTracer('momentum-lrs', version)
  return {
    attach: app => traceRequests(app, api, tracer),
    noteQuery: query => {
      if (api.trace.getActiveSpan() !== undefined) traceQuery(tracer, api, query)
    },
    stop: async () => {
      await provider.shutdown()
      for (const part of [api.trace, api.context, api.propagation]) part.disable()
    }
  }
}

type Api = typeof import('@opentelemetry/api')
type Tracer = import('@opentelemetry/api').Tracer

function traceRequests(
  app: FastifyInstance,
  { context, propagation, trace, SpanKind, SpanStatusCode }: Api,
  tracer: Tracer
) {
  const spans = new WeakMap<FastifyRequest, Span>()
  app.addHook('onRequest', (request, _reply, done) => {
    const { method, headers, routeOptions, id } = request
    const route = routeOptions.url ?? 'none'
    const attributes = { 'http.request.method': method, 'http.route': route, 'momentum.request_id': id }
    const parent = propagation.extract(context.active(), headers)
    const span = tracer.startSpan(`${method} ${route}`, { kind: SpanKind.SERVER, attributes }, parent)
    spans.set(request, span)
    context.with(trace.setSpan(parent, span), done)
  })
  // What follows upon a body runs in the context of the connection, not of the hook above.
  app.addHook('preValidation', (request, _reply, done) => {
    const span = spans.get(request)
    if (span === undefined) done()
    else context.with(trace.setSpan(context.active(), span), done)
  })
  app.addHook('onResponse', async (request, { statusCode }) => {
    const span = spans.get(request)
    span?.setAttribute('http.response.status_code', statusCode)
    if (statusCode >= 500) span?.setStatus({ code: SpanStatusCode.ERROR })
    span?.end()
  })
}

function traceQuery(
  tracer: Tracer,
  { SpanKind, SpanStatusCode }: Api,
  { sql, durationMs, hasFailed }: QueryDone
): void {
  const end = Date.now()
  const span = tracer.startSpan(/^\s*(\w+)/.exec(sql)?.[1] ?? 'query', {
    kind: SpanKind.CLIENT,
    startTime: end - durationMs,
    attributes: { 'db.system.name': 'postgresql', 'db.query.text': sql }
  })
  if (hasFailed) span.setStatus({ code: SpanStatusCode.ERROR })
  span.end(end)
}
