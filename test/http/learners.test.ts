import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import t from 'tap'
import { rankLearners } from '../../src/scores/rank-learners.js'
import { testApp } from '../support/app.js'
import { voiding } from '../support/statements.js'

const n = 'https://w3id.org/momentum-lrs/'
const feedback = 'https://example.org/modules/feedback'
const listening = 'https://example.org/modules/listening'
const week = 'from=2026-03-02&to=2026-03-16'

const lrs = await testApp(t, { now: () => new Date('2026-03-30T10:00:00Z'), config: { minGroupSize: 5 } })

const people = ['ada', 'bea', 'cem', 'dan', 'eve', 'fay', 'gus']
const mailOf = (person: string) => `mailto:${person}@example.org`

/** Tasks per person in the two weeks: 4, 4, 2, 1, 0 engineers, and of two clerks 6 and 0. */
const tasks: Readonly<Record<string, number>> = { ada: 4, bea: 4, cem: 2, dan: 1, eve: 0, fay: 6, gus: 0 }

const statement = (person: string, verb: string, minute: number, module = feedback) => ({
  id: randomUUID(),
  actor: { mbox: mailOf(person) },
  verb: { id: `${n}verbs/${verb}` },
  object: { id: module },
  timestamp: new Date(Date.parse('2026-03-03T08:00:00Z') + minute * 60_000).toISOString()
})

const done = people.flatMap(person =>
  Array.from({ length: tasks[person] ?? 0 }, (_, nth) =>
    statement(person, 'completed-task', nth * 10, nth === 0 ? listening : feedback)
  )
)
const voided = statement('ada', 'completed-task', 1000)
const late = statement('gus', 'completed-task', 60 * 24 * 20)

await lrs.putPeople(
  people.map(personId => ({
    personId,
    name: personId.toUpperCase(),
    agents: [{ mbox: mailOf(personId) }],
    role: personId < 'f' ? 'engineer' : 'clerk',
    team: personId < 'd' ? 'red' : 'blue',
    validFrom: '2026-01-01'
  }))
)
await lrs.post([...done, voided, late, statement('stranger', 'completed-task', 5)])
await lrs.post(voiding(voided.id))
await lrs.drain()

const get = async (path: string) => {
  const response = await lrs.call({ url: `/api/v1${path}` })
  return { status: response.statusCode, body: response.json() }
}

t.test('every learner has a value, and a place among those of the same role', async t => {
  const { status, body } = await get(`/metrics/practice-tasks/learners?${week}`)
  t.equal(status, 200)
  t.match(body, { metric: 'practice-tasks', period: { from: '2026-03-02', to: '2026-03-16' }, by: 'role' })
  const rows = body.learners.map((row: Record<string, unknown>) => [
    ...[row.personId, row.group, row.value, row.rank, row.isTied, row.percentileRank, row.n]
  ])
  t.same(rows, [
    ['fay', 'clerk', 3, 1, false, 75, 2],
    ['gus', 'clerk', 0, 2, false, 25, 2],
    ['ada', 'engineer', 2, 1, true, 80, 5],
    ['bea', 'engineer', 2, 1, true, 80, 5],
    ['cem', 'engineer', 1, 3, false, 50, 5],
    ['dan', 'engineer', 0.5, 4, false, 30, 5],
    ['eve', 'engineer', 0, 5, false, 10, 5]
  ])
  // Mean 1.1, sample standard deviation √(3.2 ÷ 4).
  t.equal(body.learners[2].z.toFixed(3), '1.006')
  t.match(body.learners[0], { z: null, nullReason: 'cohort_too_small', name: 'FAY', x: 6, y: 2 })
  t.equal(body.meta.query.breakdown[0], 'role')
})

t.test('learners are compared with all, or with those of another kind, as is asked', async t => {
  const { body } = await get(`/metrics/practice-tasks/learners?${week}&by=none&role=engineer,clerk`)
  t.same(
    body.learners.map(({ personId, rank, group }: Record<string, unknown>) => [personId, rank, group]),
    [
      ['fay', 1, null],
      ['ada', 2, null],
      ['bea', 2, null],
      ['cem', 4, null],
      ['dan', 5, null],
      ['eve', 6, null],
      ['gus', 6, null]
    ]
  )
})

t.test('pages of learners follow each other, and a cursor serves its own query alone', async t => {
  const path = `/metrics/practice-tasks/learners?${week}&limit=3`
  const first = await get(path)
  const second = await get(`${path}&cursor=${first.body.meta.nextCursor}`)
  const third = await get(`${path}&cursor=${second.body.meta.nextCursor}`)
  const all = [first, second, third].flatMap(({ body }) => body.learners)
  t.same(
    all.map(({ personId }) => personId),
    ['fay', 'gus', 'ada', 'bea', 'cem', 'dan', 'eve']
  )
  t.equal(third.body.meta.nextCursor, null)
  const wrong = await get(`/metrics/practice-tasks/learners?${week}&by=team&cursor=${first.body.meta.nextCursor}`)
  t.match(wrong, { status: 400, body: { code: 'invalid-parameter', pointer: '/cursor' } })
  t.match(await get(`${path}&cursor=nonsense`), { status: 400 })
})

t.test('the options of a metric are parameters here as well', async t => {
  const { body } = await get(`/metrics/repeat-rate/learners?${week}&windowDays=14&denominator=population`)
  t.same(body.meta.query.options, { windowDays: 14, denominator: 'population' })
  t.match(await get(`/metrics/repeat-rate/learners?${week}&windowDays=8`), { status: 400 })
  t.match(await get(`/metrics/repeat-rate/learners?${week}&colour=red`), { status: 400 })
  t.match(await get('/metrics/happiness/learners'), { status: 404, body: { code: 'not-found' } })
})

t.test('evidence is the statements behind the numerator: no voided, late or unknown ones', async t => {
  const first = await get(`/metrics/practice-tasks/evidence?${week}&limit=10`)
  t.equal(first.status, 200)
  const second = await get(`/metrics/practice-tasks/evidence?${week}&limit=10&cursor=${first.body.nextCursor}`)
  const events = [...first.body.events, ...second.body.events]
  t.equal(second.body.nextCursor, null)
  t.same(events.map(({ statementId }) => statementId).sort(), done.map(({ id }) => id).sort())
  t.same(
    events.map(({ timestamp }) => timestamp),
    events.map(({ timestamp }) => timestamp).sort()
  )
  t.match(events[0], { kind: 'completed-task', day: '2026-03-03', module: listening })
  const answer = await get(`/metrics/practice-tasks?${week}`)
  t.equal(answer.body.results[0].numerator, events.length, 'as many as the numerator')
})

t.test('evidence follows the choice of learners and of a module', async t => {
  const idsOf = async (query: string) => {
    const { body } = await get(`/metrics/practice-tasks/evidence?${week}&${query}`)
    return body.events.map(({ personId }: { personId: string }) => personId)
  }
  t.same([...new Set(await idsOf('team=red'))], ['ada', 'bea', 'cem'])
  t.same((await idsOf(`module=${encodeURIComponent(listening)}`)).sort(), ['ada', 'bea', 'cem', 'dan', 'fay'])
  t.same(await idsOf('membership=at_event&role=clerk'), ['fay', 'fay', 'fay', 'fay', 'fay', 'fay'])
  t.match(await get(`/metrics/practice-tasks/evidence?${week}&cursor=x`), { status: 400 })
})

t.test('benchmarks tell how values are spread, and hide small groups', async t => {
  const { status, body } = await get(`/benchmarks?metric=practice-tasks&${week}&percentiles=10,50,97.5`)
  t.equal(status, 200)
  t.same(body.benchmarks, [
    { group: 'clerk', n: null, missing: null, mean: null, sd: null, median: null, percentiles: {}, suppressed: true },
    // The two clerks could be had by taking the engineers from all.
    { group: 'engineer', n: null, missing: null, mean: null, sd: null, median: null, percentiles: {}, suppressed: true }
  ])
  const all = await get(`/benchmarks?metric=practice-tasks&${week}&by=none&percentiles=50,100`)
  t.match(all.body.benchmarks, [{ n: 7, median: 1, percentiles: { p50: 1, p100: 3 }, suppressed: false }])
  const overlapping = await get(`/benchmarks?metric=practice-tasks&${week}&by=cohort`)
  t.match(overlapping.body.benchmarks, [{ group: null, n: 7 }])
  t.match(await get(`/benchmarks?metric=practice-tasks&${week}&percentiles=101`), { status: 400 })
})

t.test('several metrics are asked at once, with a filter and two breakdowns', async t => {
  const ask = async (body: object, caller = lrs.call) => {
    const response = await caller({ method: 'POST', url: '/api/v1/query', payload: body })
    return { status: response.statusCode, body: response.json() }
  }
  const window = { from: '2026-03-02', to: '2026-03-16' }
  const metrics = [{ id: 'practice-tasks' }, { id: 'active-users', options: { basis: 'received' } }]
  const { status, body } = await ask({ metrics, ...window, filter: { not: { role: ['clerk'] } } })
  t.equal(status, 200)
  t.match(body.answers, [
    { metric: 'practice-tasks', results: [{ numerator: 11, denominator: 10, n: 5 }] },
    {
      metric: 'active-users',
      results: [{ numerator: 0, denominator: 5 }],
      meta: { query: { options: { basis: 'received' } } }
    }
  ])
  const broken = await ask({ metrics: [{ id: 'dau' }], ...window, breakdown: ['role', 'team'] })
  t.same(
    broken.body.answers[0].results.map(({ dimensions, suppressed }: Record<string, unknown>) => [
      dimensions,
      suppressed
    ]),
    [
      [{ role: 'clerk', team: 'blue' }, true],
      [{ role: 'engineer', team: 'blue' }, true],
      [{ role: 'engineer', team: 'red' }, true]
    ]
  )
  t.match(await ask({ metrics: [] }), { status: 400 })
  t.match(await ask({ metrics: [{ id: 'happiness' }] }), { status: 404 })
  t.match(await ask({ metrics, filter: { colour: ['red'] } }), { status: 400, body: { pointer: '/filter/colour' } })
  const { call } = await lrs.addCaller('first', ['metrics/read'])
  t.match(await ask({ metrics, ...window }, call), { status: 200 })
  t.match(await ask({ metrics, ...window, filter: { role: ['clerk'] } }, call), {
    status: 403,
    body: { detail: /lacks the scope people\/read/ }
  })
})

t.test('a metric is broken down, cell by cell, and pages of cells follow each other', async t => {
  const { body } = await get(`/metrics/practice-tasks?${week}&interval=week&breakdown=team&limit=2`)
  t.equal(body.results.length, 2)
  const next = await get(
    `/metrics/practice-tasks?${week}&interval=week&breakdown=team&limit=2&cursor=${body.meta.nextCursor}`
  )
  t.equal(next.body.results.length, 2)
  t.equal(next.body.meta.nextCursor, null)
  t.match(await get(`/metrics/practice-tasks?${week}&breakdown=shoe`), { status: 400, body: { pointer: '/breakdown' } })
  t.match(await get(`/metrics/practice-tasks?${week}&breakdown=team,role,region`), { status: 400 })
})

t.test('ranks go from 1 without a gap but for ties, whatever the values', async () => {
  const value = fc.option(fc.integer({ min: 0, max: 4 }))
  fc.assert(
    fc.property(fc.array(value, { maxLength: 12 }), values => {
      const learners = values.map((value, at) => ({
        person: at,
        personId: `p${at}`,
        name: null,
        period: 0,
        dimensions: [],
        x: value ?? 0,
        y: value === null ? 0 : 1,
        value
      }))
      return rankLearners(learners).every(({ rank, value }) => {
        const higher = values.filter(other => other !== null && value !== null && other > value).length
        return value === null ? rank === null : rank === higher + 1
      })
    })
  )
})

t.test('an answer that has not changed costs a 304, until the data do', async t => {
  const paths = [
    `/metrics/practice-tasks?${week}`,
    `/metrics/practice-tasks/learners?${week}`,
    `/benchmarks?metric=practice-tasks&${week}`
  ]
  const ask = (path: string, tag?: string) =>
    lrs.call({ url: `/api/v1${path}`, headers: tag === undefined ? {} : { 'if-none-match': tag } })
  const tags = await Promise.all(paths.map(async path => String((await ask(path)).headers.etag)))
  t.equal(new Set(tags).size, paths.length)
  for (const [at, path] of paths.entries()) {
    const again = await ask(path, tags[at])
    t.equal(again.statusCode, 304, path)
    t.equal(again.body, '')
    t.equal((await ask(`${path}&role=engineer`, tags[at])).statusCode, 200, 'another question')
    const { call } = await lrs.addCaller('first', ['metrics/read', 'people/read'])
    const raised = await call({ url: `/api/v1${path}&minGroupSize=7`, headers: { 'if-none-match': tags[at] } })
    t.equal(raised.statusCode, 200, 'more is hidden')
  }
  await lrs.post([statement('eve', 'completed-task', 30)])
  await lrs.drain()
  for (const [at, path] of paths.entries()) t.equal((await ask(path, tags[at])).statusCode, 200, path)
})

t.test('CSV has the same numbers as JSON, by the parameter and by Accept', async t => {
  const path = `/api/v1/metrics/practice-tasks?${week}&breakdown=role&minGroupSize=5`
  const { results } = (await lrs.call({ url: path })).json()
  const byAccept = await lrs.call({ url: path, headers: { accept: 'text/csv' } })
  t.match(byAccept.headers['content-type'], /^text\/csv/)
  t.equal((await lrs.call({ url: `${path}&format=csv` })).body, byAccept.body)
  const [names = '', ...rows] = byAccept.body.trim().split('\r\n')
  t.equal(
    names,
    'metric,from,to,role,value,numerator,denominator,n,ci_low,ci_high,ci_method,previous,change,partial,suppressed,nullReason'
  )
  t.equal(rows.length, results.length)
  const whole = await lrs.call({ url: `/api/v1/metrics/practice-tasks?${week}&format=csv` })
  t.match(whole.body, /^practice-tasks,2026-03-02,2026-03-16,[\d.]+,18,14,7,/m)
  t.match(whole.body, /details_median/)
})

async function pagesOf(path: string, limit: number) {
  const pages: unknown[][] = []
  for (let cursor = ''; ; ) {
    const { body } = await get(`${path}&limit=${limit}${cursor}`)
    pages.push(body.events)
    if (body.nextCursor === null) return pages
    cursor = `&cursor=${body.nextCursor}`
  }
}

t.test(
  'pages of evidence are the whole of it in order, however far apart it happened and however long a page is',
  async t => {
    await lrs.putPeople([
      { personId: 'hal', name: 'HAL', agents: [{ mbox: mailOf('hal') }], role: 'pilot', validFrom: '2025-01-01' }
    ])
    const day = 60 * 24
    // Two in a moment, some by the hour, then after days, weeks and a quarter; the first and the last lie on the edges.
    const minutes = [0, 1, 1, 50, 110, 170, day, 3 * day, 4 * day, 20 * day, 21 * day, 111 * day, 125 * day - 1]
    const origin = (Date.parse('2025-09-01T00:00:00Z') - Date.parse('2026-03-03T08:00:00Z')) / 60_000
    await lrs.post(minutes.map(minute => statement('hal', 'completed-task', origin + minute)))
    await lrs.drain()
    const window = 'from=2025-09-01&to=2026-01-04&role=pilot'
    for (const tz of ['UTC', 'Pacific/Kiritimati', 'Pacific/Pago_Pago']) {
      const path = `/metrics/practice-tasks/evidence?${window}&tz=${tz}`
      const { body: whole } = await get(`${path}&limit=100`)
      const days = whole.events.map((event: { day: string }) => event.day)
      t.same(days, [...days].sort())
      t.equal(days.length, tz === 'UTC' ? minutes.length : minutes.length - (tz === 'Pacific/Pago_Pago' ? 6 : 1), tz)
      for (const limit of [1, 2, 5, 12, 13]) {
        const found = await pagesOf(path, limit)
        t.ok(found.slice(0, -1).every(events => events.length === limit))
        t.same(found.flat(), whole.events, `${tz}, ${limit} a page`)
      }
    }
    const { body } = await get(`/metrics/practice-tasks/evidence?${window}&limit=1`)
    for (const timestamp of ['Jan 1, 2026', '2025-02-31 00:00:00+00', 'nonsense']) {
      const [asOf, digest, place] = JSON.parse(Buffer.from(body.nextCursor, 'base64url').toString())
      const cursor = Buffer.from(JSON.stringify([asOf, digest, { ...place, timestamp }])).toString('base64url')
      t.match(
        await get(`/metrics/practice-tasks/evidence?${window}&limit=1&cursor=${cursor}`),
        { status: 400 },
        timestamp
      )
    }
  }
)
