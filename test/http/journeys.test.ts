import { parse } from 'csv-parse/sync'
import t from 'tap'
import { instant, seedDeeds } from '../metrics/journeys/events.js'
import { testApp } from '../support/app.js'

const { call, db, app, addCaller, ...lrs } = await testApp(t, { now: () => new Date('2026-04-20T10:00:00Z') })

const learner = { known: true, roster: [{ from: null, to: null, cohorts: [] }], days: [] }
const below = (manager: string) => ({ ...learner, roster: [{ from: null, to: null, cohorts: [], manager }] })

/** The name of a tenant, and callers in it. */
async function callersIn(tenantId: number) {
  const tenant = db.selectFrom('tenant').select('name').where('id', '=', tenantId)
  const { name } = await tenant.executeTakeFirstOrThrow()
  return async (personId: string | null, ...scopes: readonly string[]) => {
    const caller = await addCaller(name, scopes, personId)
    return (path: string, headers: Record<string, string> = {}) =>
      caller.call({ method: 'GET', url: `/api/v1/${path}`, headers })
  }
}
const tenantId = await seedDeeds(
  db,
  { people: Array.from({ length: 12 }, () => learner) },
  Array.from({ length: 12 }, (_, by) => [
    { kind: 'delivered' as const, at: instant(0, 8), by },
    { kind: 'opened' as const, at: instant(1, 8), by }
  ]).flat(),
  'UTC'
)
const get = await (await callersIn(tenantId))(null, 'metrics/read')

const window = 'from=2026-03-02&to=2026-03-09'

t.test('each journey answers as JSON with what it is about', async t => {
  for (const [path, word] of [
    [`funnels?${window}&steps=delivered,opened&mode=strict&windowDays=7`, 'funnel'],
    [`sequences?${window}`, 'sequence'],
    [`retention?${window}&type=rolling&unit=week&periods=3`, 'retention'],
    [`lifecycle?${window}&interval=week`, 'lifecycle']
  ] as const) {
    const { statusCode, headers, body } = await get(path)
    t.equal(statusCode, 200, path)
    t.match(headers['content-type'], 'application/json')
    t.match(headers.vary, 'Accept')
    const answer = JSON.parse(body)
    t.equal(answer[word], word)
    t.ok(answer.results.length > 0)
    t.match(answer.meta, {
      query: { fromDate: '2026-03-02', toDate: '2026-03-09', membership: 'at_window_start', minGroupSize: 10 },
      definitionVersion: 1,
      asOf: '2026-04-20T10:00:00.000Z',
      consistentThrough: String,
      excluded: { voided: 0 }
    })
  }
  t.match((await get(`funnels?${window}&steps=delivered,opened`)).json(), {
    eligible: 12,
    results: [{ n: 12 }, { n: 12, timeFromFirst: { medianSeconds: 86_400, p90Seconds: 86_400 } }]
  })
})

/** The cells of a table as text, by the names of its columns. */
const table = (text: string): Record<string, string>[] => parse(text, { columns: true })

t.test('CSV has the same numbers, asked for by Accept or by format', async t => {
  const path = `funnels?${window}&steps=delivered,opened`
  const { results } = (await get(path)).json()
  for (const response of [await get(path, { accept: 'text/csv' }), await get(`${path}&format=csv`)]) {
    t.match(response.headers['content-type'], 'text/csv')
    const rows = table(response.body)
    t.same(
      rows.map(({ step, n, step_value, step_ci_low, step_ci_method, median_seconds_from_first }) => [
        step,
        n,
        step_value,
        step_ci_low,
        step_ci_method,
        median_seconds_from_first
      ]),
      results.map((result: (typeof results)[number]) => [
        result.step,
        String(result.n),
        String(result.stepConversion.value),
        String(result.stepConversion.ci.low),
        'wilson',
        result.timeFromFirst.medianSeconds === null ? '' : String(result.timeFromFirst.medianSeconds)
      ])
    )
  }
  const retention = table((await get(`retention?${window}&periods=2&format=csv`)).body)
  t.match(retention, [
    { cohort_from: '2026-03-02', size: '12', period: '0', eligible: '12', value: '1', loss: '' },
    { cohort_from: '2026-03-02', period: '1', numerator: '0', suppressed: 'false' },
    { cohort_from: '', period: '0', value: '1', loss: '' },
    { cohort_from: '', period: '1', value: '0', loss: '1' }
  ])
  const lifecycle = table((await get(`lifecycle?${window}&format=csv&minGroupSize=13`)).body)
  t.same(
    lifecycle.map(({ state }) => state),
    ['active', 'new', 'returning', 'resurrecting', 'dormant']
  )
  t.match(lifecycle[0], {
    from: '2026-03-02',
    population: '',
    value: '',
    suppressed: 'true',
    null_reason: 'small_group'
  })
  t.equal(table((await get(`sequences?${window}&format=csv`)).body).length, 5)
})

t.test('wrong and unknown parameters are 400 with the code invalid-parameter', async t => {
  for (const path of [
    'funnels?steps=opened',
    'funnels?windowDays=91',
    'funnels?mode=backwards',
    'funnels?interval=week',
    'funnels?module=%00',
    'sequences?windowDays=0',
    'retention?periods=25',
    'retention?type=sticky',
    'retention?unit=year',
    'lifecycle?interval=year',
    'lifecycle?from=2026-03-09&to=2026-03-02',
    'lifecycle?minGroupSize=9',
    'lifecycle?format=xml'
  ]) {
    const response = await get(path)
    t.match([response.statusCode, response.json().code], [400, 'invalid-parameter'], path)
  }
})

t.test('Vary keeps what others have put there', async t => {
  const { headers } = await call({ url: `/api/v1/funnels?${window}`, headers: { 'accept-encoding': 'gzip' } })
  t.match(String(headers.vary), /Accept, Accept-Encoding/)
  t.ok(app.hasRoute({ method: 'GET', url: '/api/v1/funnels' }))
})

t.test('a manager’s journeys are those of the own line, whatever is asked for', async t => {
  const people = [
    learner,
    ...Array.from({ length: 10 }, () => below('person-0')),
    below('person-1'),
    ...Array.from({ length: 10 }, () => below('person-99'))
  ]
  const deeds = people.flatMap((_, by) => [
    { kind: 'delivered' as const, at: instant(0, 8), by },
    { kind: 'opened' as const, at: instant(1, 8), by },
    { kind: 'visited' as const, at: instant(2, 8), by, voided: true }
  ])
  const as = await callersIn(await seedDeeds(db, { people }, deeds, 'UTC'))
  const manager = await as('person-0', 'line/read')
  const sizes = async (ask: typeof manager, query: string) => {
    const answers = []
    for (const path of [`funnels?steps=delivered,opened`, 'sequences?', 'retention?periods=1', 'lifecycle?']) {
      answers.push((await ask(`${path}&${window}&${query}`)).json())
    }
    const [funnel, sequence, retention, lifecycle] = answers
    t.same(
      answers.map(({ meta }) => meta.excluded === null),
      answers.map(() => ask === manager),
      'the whole tenant is none of a manager’s'
    )
    return [funnel.eligible, sequence.eligible, retention.results[0].size, lifecycle.results[0].population]
  }
  for (const [query, expected] of [
    ['', 11],
    ['membership=at_event', 11],
    ['membership=current', 11],
    ['consistency=strong', 11],
    ['manager=person-0', 11],
    ['manager=person-99', 0],
    ['manager=person-0,person-99', 11],
    ['manager=person-1', null]
  ] as const) {
    // One who reports to person-1 is too few to be shown.
    t.same(await sizes(manager, query), Array(4).fill(expected), query)
  }
  t.same(await sizes(await as('person-0', 'metrics/read', 'line/read'), ''), Array(4).fill(22), 'the wide scope wins')
  const warningsOf = async (query: string) => (await manager(`lifecycle?${window}&${query}`)).json().meta.warnings
  t.same(await warningsOf('manager=person-99'), await warningsOf('manager=nobody'), 'elsewhere is like nowhere')
  t.match(await warningsOf('manager=nobody'), [{ code: 'empty_population' }])
})

t.test('an answer that has not changed costs a 304, until the data do', async t => {
  const paths = [`funnels?${window}`, `sequences?${window}`, `retention?${window}`, `lifecycle?${window}`]
  const ask = (path: string, headers: Record<string, string> = {}) => call({ url: `/api/v1/${path}`, headers })
  const tags = await Promise.all(paths.map(async path => String((await ask(path)).headers.etag)))
  t.equal(new Set(tags).size, paths.length)
  for (const [at, path] of paths.entries()) {
    const known = { 'if-none-match': String(tags[at]) }
    const again = await ask(path, known)
    t.same([again.statusCode, again.body], [304, ''], path)
    t.equal((await ask(`${path}&role=engineer`, known)).statusCode, 200, 'another question')
    t.equal((await ask(path, { ...known, accept: 'text/csv' })).statusCode, 200, 'another form')
  }
  await lrs.putPeople([{ personId: 'ada', agents: [{ mbox: 'mailto:ada@example.org' }] }])
  for (const [at, path] of paths.entries()) {
    t.equal((await ask(path, { 'if-none-match': String(tags[at]) })).statusCode, 200, path)
  }
})
