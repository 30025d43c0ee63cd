import { TypeBoxValidatorCompiler } from '@fastify/type-provider-typebox'
import Fastify from 'fastify'
import t from 'tap'
import { deedKinds } from '../../src/events/deed-kinds.js'
import { metricRoutes } from '../../src/http/api/metrics.js'
import type { HttpContext, Principal } from '../../src/http/context.js'
import { answerProblem } from '../../src/http/failure.js'
import { catalogue } from '../../src/metrics/catalogue.js'
import { dimensionNames } from '../../src/metrics/dimension.js'
import { seedWorld } from '../metrics/world.js'
import { testDatabase } from '../support/database.js'

const { db } = await testDatabase(t)

const pilot = Array.from({ length: 12 }, (_, at) => ({
  known: true,
  roster: [{ from: null, to: null, cohorts: ['pilot north'] }],
  days: at < 6 ? [{ day: at, counts: { opened: 1 } }] : []
}))
const tenantId = await seedWorld(db, { people: pilot }, 'Europe/Berlin')
const app = await serve(tenantId)
t.teardown(() => app.close())

/** Only the routes under test, with the validation that the program's own scope has. */
async function serve(tenantId: number) {
  const app = Fastify()
  app.setValidatorCompiler(TypeBoxValidatorCompiler)
  const principal: Principal = {
    key: 'test',
    tenantId,
    timeZone: 'Europe/Berlin',
    scopes: ['metrics/read'],
    authority: '{}',
    mayAssertAuthority: false,
    personId: null,
    readsMineOnly: true,
    mayDefine: false
  }
  app.decorateRequest('principal', null, [])
  app.addHook('onRequest', async request => {
    request.principal = principal
  })
  app.setErrorHandler(answerProblem)
  const context = { db, config: { minGroupSize: 10 }, now: () => new Date('2026-03-20T10:00:00Z') }
  await app.register(metricRoutes(context as unknown as HttpContext), { prefix: '/api/v1' })
  return app
}

const get = async (path: string) => {
  const response = await app.inject({ method: 'GET', url: `/api/v1/metrics${path}` })
  return { status: response.statusCode, body: response.json() }
}

t.test('GET /metrics lists every metric with its definition and options', async t => {
  const { status, body } = await get('')
  t.equal(status, 200)
  t.same(
    body.metrics.map(({ id }: { id: string }) => id),
    catalogue.map(({ id }) => id)
  )
  t.same(body.metrics[1], {
    id: 'repeat-rate',
    name: 'Repeat rate',
    question: 'Do the people who start come back?',
    definition: catalogue[1]?.definition,
    unit: 'proportion',
    calculation: 'proportion',
    indicator: 'leading',
    thresholds: { minimum: 0.2, success: 0.45, perDays: 7 },
    dimensions: [...dimensionNames],
    evidence: [...deedKinds],
    definitionVersion: 1,
    options: [
      {
        name: 'windowDays',
        description: 'How many days after the first active day another one counts as a return.',
        values: [7, 14, 30],
        default: 7
      },
      {
        name: 'denominator',
        description: '`active`: learners active in the period whose bracket has closed. `population`: everyone in P.',
        values: ['active', 'population'],
        default: 'active'
      }
    ]
  })
})

t.test('GET /metrics/active-users answers with every field of cell and meta', async t => {
  const { status, body } = await get('/active-users?from=2026-03-02&to=2026-03-09&cohort=pilot%20north')
  t.equal(status, 200)
  t.match(body.results[0].ci, { method: 'wilson' })
  delete body.results[0].ci
  t.same(body, {
    metric: 'active-users',
    results: [
      {
        period: { from: '2026-03-02', to: '2026-03-09' },
        dimensions: {},
        value: 0.5,
        numerator: 6,
        denominator: 12,
        n: 12,
        previous: null,
        change: null,
        partial: false,
        suppressed: false,
        nullReason: null,
        details: null
      }
    ],
    meta: {
      query: {
        metric: 'active-users',
        fromDate: '2026-03-02',
        toDate: '2026-03-09',
        from: '2026-03-02T00:00:00+01:00',
        to: '2026-03-09T00:00:00+01:00',
        timeZone: 'Europe/Berlin',
        interval: null,
        cohort: 'pilot north',
        filters: {},
        module: null,
        membership: 'at_window_start',
        breakdown: [],
        options: { basis: 'opened' },
        compare: null,
        minGroupSize: 10,
        consistency: 'eventual'
      },
      definitionVersion: 1,
      asOf: '2026-03-20T10:00:00.000Z',
      consistentThrough: '2026-03-20T10:00:00.000Z',
      warnings: [],
      excluded: { voided: 0, unresolvedActor: 0, future: 0 },
      nextCursor: null
    }
  })
})

t.test('GET /metrics/repeat-rate takes numbers and words from the query string', async t => {
  const { status, body } = await get(
    '/repeat-rate?from=2026-03-02&to=2026-03-09&windowDays=14&denominator=population&interval=week&minGroupSize=13&compare=previous&consistency=strong'
  )
  t.equal(status, 200)
  t.match(body, {
    results: [{ value: null, suppressed: true, nullReason: 'small_group', ci: null }],
    meta: {
      query: {
        options: { windowDays: 14, denominator: 'population' },
        interval: 'week',
        minGroupSize: 13,
        compare: 'previous',
        consistency: 'strong'
      }
    }
  })
})

t.test('wrong, unknown and repeated parameters are 400 with the code invalid-parameter', async t => {
  const table = [
    ['/active-users?form=2026-03-02', /additional properties/],
    ['/active-users?windowDays=7', /additional properties/],
    ['/active-users?from=2026-02-30', /from/],
    ['/active-users?from=2026-03-09&to=2026-03-02', /from \(2026-03-09\) must be before/],
    ['/active-users?tz=Mars/Olympus', /tz/],
    ['/active-users?interval=year', /interval/],
    ['/active-users?basis=liked', /basis/],
    ['/active-users?cohort=', /cohort/],
    ['/active-users?cohort=%00', /cohort/],
    ['/active-users?cohort=a&cohort=b', /cohort/],
    ['/active-users?minGroupSize=9', /minGroupSize \(9\)/],
    ['/active-users?minGroupSize=4', /minGroupSize/],
    ['/repeat-rate?windowDays=8', /windowDays/],
    ['/repeat-rate?windowDays=soon', /windowDays/]
  ] as const
  for (const [path, detail] of table) {
    t.match(await get(path), { status: 400, body: { code: 'invalid-parameter', detail } }, path)
  }
})

t.test('participation alone is broken down by module and type of content, and the catalogue says so', async t => {
  const { body } = await get('')
  const dimensionsOf = (id: string) => body.metrics.find((metric: { id: string }) => metric.id === id).dimensions
  t.same(dimensionsOf('participation'), [...dimensionNames, 'module', 'contentType'])
  t.same(dimensionsOf('dau'), [...dimensionNames])
  const { status, body: answer } = await get('/participation?breakdown=team,contentType')
  t.equal(status, 200)
  t.same(answer.meta.query.breakdown, ['team', 'contentType'])
  const refused = await get('/dau?breakdown=module')
  t.equal(refused.status, 400)
  t.match(refused.body, { code: 'invalid-parameter', detail: /participation can be broken down by it/ })
  t.equal((await get('/participation?breakdown=team,module,contentType')).status, 400)
})
