import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { json } from 'node:stream/consumers'
import { sql } from 'kysely'
import { pino } from 'pino'
import t, { type Test } from 'tap'
import { readConfig } from '../../src/config.js'
import { logSerializers } from '../../src/http/log-serializers.js'
import { startService } from '../../src/service.js'
import { basic, testApp } from '../support/app.js'
import { testDatabase } from '../support/database.js'
import { opened } from '../support/statements.js'

const agent = encodeURIComponent(JSON.stringify({ mbox: 'mailto:ada@example.org' }))
const statePath = `/xapi/activities/state?activityId=https://example.org/a&stateId=bookmark&agent=${agent}`

t.test('answers are counted and timed by method, route and class of status', async t => {
  const { app, call, post, get } = await testApp(t)
  await post([opened, opened])
  await post({})
  await get({ limit: '1' })
  await call({ url: statePath })
  await app.inject('/nowhere/ada')
  const { body } = await app.inject('/metrics')
  const counted = (labels: string) => `momentum_http_request_duration_seconds_count{${labels}} 1\n`
  for (const labels of [
    'method="POST",route="/xapi/statements",status="2xx"',
    'method="POST",route="/xapi/statements",status="4xx"',
    'method="GET",route="/xapi/statements",status="2xx"',
    'method="GET",route="/xapi/activities/state",status="4xx"',
    'method="GET",route="none",status="4xx"'
  ]) {
    t.match(body, counted(labels), labels)
  }
  t.match(body, 'momentum_http_request_duration_seconds_bucket{le="+Inf",method="GET",route="none",status="4xx"} 1')
  t.notMatch(body, /ada/, 'no address is in a label')
})

t.test('sizes of transactions, connections, queue and work are measured', async t => {
  const { app, post } = await testApp(t, { workerCounts: () => ({ batches: 3, rows: 20, errors: 1 }) })
  await post([opened, opened, opened])
  const { body } = await app.inject('/metrics')
  for (const line of [
    'momentum_commit_statements_sum 3',
    'momentum_commit_statements_count 1',
    'momentum_commit_requests_sum 1',
    'momentum_pool_connections{state="busy"} 0',
    'momentum_pool_connections{state="waiting"} 0',
    'momentum_rollup_queue_rows 1',
    'momentum_rollup_parked_rows 0',
    'momentum_worker_batches_total 3',
    'momentum_worker_rows_total 20',
    'momentum_worker_errors_total 1'
  ]) {
    t.match(body, `${line}\n`)
  }
  t.match(body, /^momentum_pool_connections\{state="idle"\} [1-9]$/m)
  t.match(body, /^momentum_rollup_lag_seconds \d/m)
})

interface Span {
  readonly traceId: string
  readonly spanId: string
  readonly parentSpanId?: string
  readonly name: string
  readonly attributes: readonly { readonly key: string; readonly value: Record<string, unknown> }[]
}

interface Sent {
  readonly resourceSpans: readonly {
    readonly resource: { readonly attributes: readonly object[] }
    readonly scopeSpans: readonly { readonly spans: readonly Span[] }[]
  }[]
}

/** A collector that keeps what it is sent. */
async function startCollector(t: Test) {
  const sent: Sent[] = []
  const paths = new Set<string | undefined>()
  const server = createServer(async (request, response) => {
    paths.add(request.url)
    sent.push((await json(request)) as Sent)
    response.setHeader('content-type', 'application/json').end('{}')
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return { sent, paths, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` }
}

t.test(
  'with a collector, a request and its queries make a trace that goes on from the caller’s, and slow queries are logged, both without what the queries ask for',
  async t => {
    const { url } = await testDatabase(t)
    const collector = await startCollector(t)
    const lines: string[] = []
    const logger = pino({ level: 'trace', serializers: logSerializers }, { write: line => lines.push(line) })
    const settings = { DATABASE_URL: url, PORT: '0', SLOW_QUERY_MS: '1', OTEL_EXPORTER_OTLP_ENDPOINT: collector.url }
    const service = await startService(readConfig(settings), logger, '1.2.3')
    t.teardown(() => service.stop())
    const traceId = '0af7651916cd43dd8448eb211c80319c'
    const caller = 'b7ad6b7169203331'
    const headers = {
      authorization: basic(service.credential.key, service.credential.secret ?? ''),
      'x-experience-api-version': '1.0.3',
      'content-type': 'application/json',
      traceparent: `00-${traceId}-${caller}-01`
    }
    const posted = { method: 'POST', headers, body: JSON.stringify(opened) }
    t.equal((await fetch(`${service.url}/xapi/statements`, posted)).status, 200)
    t.equal((await fetch(`${service.url}${statePath}`, { headers })).status, 404)
    await service.stop()

    t.same([...collector.paths], ['/v1/traces'])
    const resources = collector.sent.flatMap(({ resourceSpans }) => resourceSpans)
    t.match(resources[0]?.resource.attributes, [
      { key: 'service.name', value: { stringValue: 'momentum-lrs' } },
      { key: 'service.version', value: { stringValue: '1.2.3' } }
    ])
    const spans = resources.flatMap(({ scopeSpans }) => scopeSpans.flatMap(scope => scope.spans))
    t.ok(
      spans.every(span => span.traceId === traceId),
      'what no request asked for, such as the work of the queue, makes no trace'
    )
    const request = spans.find(({ name }) => name === 'POST /xapi/statements')
    t.match(request, { parentSpanId: caller })
    t.match(request?.attributes, [
      { key: 'http.request.method', value: { stringValue: 'POST' } },
      { key: 'http.route', value: { stringValue: '/xapi/statements' } },
      { key: 'momentum.request_id' },
      { key: 'http.response.status_code', value: { intValue: 200 } }
    ])
    const queries = spans.filter(span => span.parentSpanId === request?.spanId)
    const texts = queries.flatMap(({ attributes }) => attributes.filter(({ key }) => key === 'db.query.text'))
    t.ok(
      texts.some(({ value }) => /insert into statement/.test(String(value.stringValue))),
      'the statements are stored in it'
    )
    const slow = lines.map(line => JSON.parse(line)).filter(({ msg }) => msg === 'a slow query')
    t.ok(slow.length > 0)
    t.ok(slow.every(({ sql: text, ms }) => typeof text === 'string' && ms >= 1))
    for (const told of [JSON.stringify(collector.sent), lines.join('')]) t.notMatch(told, /ada@|example\.org|bookmark/)
  }
)

t.test('a failed query is told as one', async t => {
  const { url, db } = await testDatabase(t)
  const collector = await startCollector(t)
  const settings = {
    DATABASE_URL: url,
    PORT: '0',
    SLOW_QUERY_MS: '0',
    OTEL_EXPORTER_OTLP_ENDPOINT: `${collector.url}/`
  }
  const service = await startService(readConfig(settings), pino({ level: 'silent' }), '1.2.3')
  t.teardown(() => service.stop())
  await sql`alter table statement rename to gone`.execute(db)
  const authorization = basic(service.credential.key, service.credential.secret ?? '')
  const headers = { authorization, 'x-experience-api-version': '1.0.3' }
  t.equal((await fetch(`${service.url}/xapi/statements`, { headers })).status, 500)
  await service.stop()
  const failed = JSON.stringify(collector.sent).match(/"status":\{"code":2\}/g)
  t.ok(Number(failed?.length) >= 2, 'the query and its request')
})

t.test('the log has nothing that names a person, whatever fails', async t => {
  const lines: string[] = []
  const { db, call, post } = await testApp(t, { onLog: line => lines.push(line) })
  await post({ ...opened, verb: 'ada@example.org' })
  await call({ url: '/api/v1/people?q=ada@example.org' })
  await sql`alter table document add constraint broken check (document_id <> 'bookmark')`.execute(db)
  const write = { url: statePath, headers: { 'content-type': 'application/json' }, payload: '"ada@example.org"' }
  t.equal((await call({ method: 'PUT', ...write })).statusCode, 500)
  t.match(lines.join(''), /violates check constraint/, 'the fault itself is told')
  t.match(lines.join(''), '"route":"/api/v1/people"')
  t.notMatch(lines.join(''), /ada|Failing row/)
  const told = logSerializers.req({ method: 'GET', routeOptions: { url: '/xapi/agents' } })
  t.same(told, { method: 'GET', route: '/xapi/agents' })
})
