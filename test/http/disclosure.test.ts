import { randomUUID } from 'node:crypto'
import t from 'tap'
import { findRosterVersion } from '../../src/store/data-version.js'
import { type Caller, testApp } from '../support/app.js'

const lrs = await testApp(t, { now: () => new Date('2026-03-30T10:00:00Z'), config: { minGroupSize: 5 } })

/** 15 engineers, of whom 14 are in the red team; 20 sellers of two teams, one of them in both regions. */
const people = Array.from({ length: 35 }, (_, at) => ({
  personId: `p${at}`,
  agents: [{ mbox: `mailto:p${at}@example.org` }],
  role: at < 15 ? 'engineer' : 'seller',
  team: at < 14 ? 'red' : at < 15 ? 'blue' : at < 25 ? 'green' : 'white',
  region: at < 20 ? 'north' : 'south',
  managerId: 'boss',
  cohorts: at % 2 === 0 ? ['even'] : ['odd'],
  validFrom: '2026-01-01'
}))

await lrs.putPeople(people)
await lrs.post(
  [0, 1, 14, 20].map(at => ({
    id: randomUUID(),
    actor: { mbox: `mailto:p${at}@example.org` },
    verb: { id: 'https://w3id.org/momentum-lrs/verbs/opened' },
    object: { id: 'https://example.org/modules/feedback', definition: { type: 'https://example.org/types/video' } },
    timestamp: '2026-03-25T08:00:00Z'
  }))
)
await lrs.drain()

const dashboard = await lrs.addCaller('first', ['metrics/read'])
const analyst = await lrs.addCaller('first', ['metrics/read', 'people/read'])
const boss = await lrs.addCaller('first', ['line/read'], 'boss')

const week = 'from=2026-03-23&to=2026-03-30'

async function ask({ call }: Pick<Caller, 'call'>, path: string) {
  const response = await call({ url: `/api/v1${path}` })
  return { status: response.statusCode, body: response.json() }
}

const sizes = async (caller: Pick<Caller, 'call'>, query: string) => {
  const { body } = await ask(caller, `/metrics/active-users?${week}&${query}`)
  return body.results.map(({ n }: { readonly n: number | null }) => n)
}

const cases: readonly (readonly [
  query: string,
  dashboard: readonly (number | null)[],
  analyst: readonly (number | null)[]
])[] = [
  ['', [35], [35]],
  ['role=engineer', [15], [15]],
  ['region=north', [20], [20]],
  ['role=engineer&team=red', [null], [14]],
  ['team=red', [null], [14]],
  ['team=red&membership=current', [null], [14]],
  ['team=red&membership=at_event', [null], [14]],
  ['team=green', [10], [10]],
  ['manager=boss', [35], [35]],
  ['cohort=even', [18], [18]],
  ['team=nobody', [0], [0]],
  ['breakdown=team', [null, 10, null, 10], [null, null, 14, 10]],
  ['breakdown=role,team', [null, null, 10, 10], [null, 14, null, 10]],
  ['breakdown=cohort', [18, 17], [18, 17]],
  ['breakdown=role&interval=week', [15, 20], [15, 20]]
]

for (const [query, seen, named] of cases) {
  t.test(`${query || 'everyone'}: who may not see names can't subtract one person`, async t => {
    t.strictSame(await sizes(dashboard, query), seen)
    t.strictSame(await sizes(analyst, query), named)
    t.strictSame(await sizes(boss, query), named)
  })
}

t.test('two queries, whichever, give no number of 1 to 4 people', async t => {
  const filters = {
    role: ['engineer', 'seller'],
    team: ['red', 'green', 'white'],
    region: ['north', 'south'],
    cohort: ['even', 'odd']
  }
  const singles = Object.entries(filters).flatMap(([name, values]) => values.map(value => `${name}=${value}`))
  const pairs = singles.flatMap((one, at) => singles.slice(at + 1).map(other => `${one}&${other}`))
  const isPair = (text: string) =>
    text
      .split('&')
      .every((part, at, all) => !all.some((other, nth) => nth !== at && other.split('=')[0] === part.split('=')[0]))
  const asked = ['', ...singles, ...pairs.filter(isPair)].flatMap(filter =>
    ['', 'breakdown=role', 'breakdown=team', 'breakdown=region,role'].map(by => [filter, by].filter(Boolean).join('&'))
  )
  const shown = new Map<string, ReadonlySet<number>>()
  for (const query of asked) {
    const { body } = await ask(dashboard, `/metrics/active-users?${week}&${query}`)
    for (const { n, dimensions } of body.results) {
      const conditions = [...new URLSearchParams(query), ...Object.entries(dimensions)]
      if (n !== null && n > 0)
        shown.set(`${query} ${JSON.stringify(dimensions)}`, membersOf(conditions as [string, string][]))
    }
  }
  t.ok(shown.size > 40)
  for (const [one, large] of shown) {
    for (const [other, small] of shown) {
      const left = large.size - small.size
      if (left > 0 && left < 5 && [...small].every(at => large.has(at))) t.fail(`${one} less ${other}`)
    }
  }
})

/** Who has all of some attributes, by hand. */
function membersOf(conditions: readonly (readonly [string, string])[]): ReadonlySet<number> {
  const has = (person: (typeof people)[number]) =>
    conditions.every(([name, value]) => {
      if (name === 'breakdown') return true
      return name === 'cohort' ? person.cohorts.includes(value) : person[name as 'role'] === value
    })
  return new Set(people.flatMap((person, at) => (has(person) ? [at] : [])))
}

t.test('what is compared with is hidden by the same rule', async t => {
  const { body } = await ask(dashboard, `/metrics/active-users?${week}&breakdown=team&compare=previous`)
  t.match(body.results, [{ previous: null }, { previous: 0 }, { previous: null }, { previous: 0 }])
})

t.test('what learners did something in does not change whose numbers are hidden', async t => {
  const of = async (query: string) => (await ask(dashboard, `/metrics/participation?${week}&${query}`)).body.results
  t.match(await of('breakdown=module&region=north'), [{ n: 20, numerator: 3 }])
  t.match(await of('breakdown=contentType&team=red'), [{ n: null, suppressed: true }])
  t.match(await of('breakdown=module,team'), [{ n: null }, { n: 10 }, { n: null }, { n: 10 }])
})

t.test('a query for several metrics hides the same', async t => {
  const payload = {
    metrics: [{ id: 'active-users' }, { id: 'dau' }],
    from: '2026-03-23',
    to: '2026-03-30',
    team: 'red'
  }
  const response = await dashboard.call({ method: 'POST', url: '/api/v1/query', payload })
  t.match(response.json().answers, [{ results: [{ suppressed: true }] }, { results: [{ suppressed: true }] }])
})

t.test('benchmarks hide the same', async t => {
  const groups = async (caller: Pick<Caller, 'call'>, query: string) => {
    const { body } = await ask(caller, `/benchmarks?metric=practice-tasks&${week}&${query}`)
    return body.benchmarks.map(({ n }: { readonly n: number | null }) => n)
  }
  t.strictSame(await groups(dashboard, 'by=team'), [null, 10, null, 10])
  t.strictSame(await groups(analyst, 'by=team'), [null, null, 14, 10])
  t.strictSame(await groups(dashboard, 'by=none&team=red'), [null])
  t.strictSame(await groups(dashboard, 'by=none&region=north'), [20])
})

t.test('journeys hide the same, as JSON and as CSV', async t => {
  for (const path of ['/funnels', '/sequences']) {
    t.match((await ask(dashboard, `${path}?${week}&windowDays=1&team=red`)).body, { eligible: null }, path)
    t.match((await ask(analyst, `${path}?${week}&windowDays=1&team=red`)).body, { eligible: 14 }, path)
    t.match((await ask(dashboard, `${path}?${week}&windowDays=1&region=north`)).body, { eligible: 20 }, path)
  }
  t.match((await ask(dashboard, `/lifecycle?${week}&team=red`)).body.results, [{ population: null }])
  t.match((await ask(dashboard, `/lifecycle?${week}&region=north`)).body.results, [{ population: 20 }])
  const retention = async (caller: Pick<Caller, 'call'>) =>
    (await ask(caller, `/retention?${week}&periods=1&team=red&minGroupSize=5`)).body.results
  t.match(await retention(dashboard), [{ size: null, cells: [{ suppressed: true }] }])
  const csv = await dashboard.call({ url: `/api/v1/lifecycle?${week}&team=red`, headers: { accept: 'text/csv' } })
  t.notMatch(csv.body, '14')
})

t.test('scores of groups, the heatmap of teams, and pilots hide the same', async t => {
  const coaching = async (caller: Pick<Caller, 'call'>, query: string) =>
    (await ask(caller, `/scores/coaching-index?from=2026-03-02&to=2026-03-30&${query}`)).body.groups
  t.match(await coaching(dashboard, 'team=red'), [{ n: null, suppressed: true, nullReason: 'small_group' }])
  t.match(await coaching(dashboard, 'region=north'), [{ n: 20, suppressed: false }])
  t.match(await coaching(analyst, 'team=red'), [{ n: 14, suppressed: false }])
  const teams = async (caller: Pick<Caller, 'call'>) =>
    (await ask(caller, '/scores/leadership-index/teams')).body.teams.map(({ n }: { readonly n: number | null }) => n)
  t.strictSame(await teams(dashboard), [null, 10, null, 10])
  t.strictSame(await teams(analyst), [null, null, 14, 10])
  await lrs.call({ method: 'PUT', url: '/api/v1/cohorts/reds', payload: { filter: { team: ['red'] } } })
  const pilot = { cohort: 'reds', startsOn: '2026-02-02', lengthWeeks: 8, definition: { minimumLearners: 10 } }
  await lrs.call({ method: 'PUT', url: '/api/v1/pilots/reds', payload: pilot })
  const decision = async (caller: Pick<Caller, 'call'>) => (await ask(caller, '/pilots/reds/decision')).body
  t.match(await decision(dashboard), { n: null, decision: 'insufficient_data', sentence: /the few by whom it differs/ })
  t.match(await decision(analyst), { n: 14, decision: 'iterate' })
})

t.test('several values of one attribute at once want people/read', async t => {
  for (const [path, pointer] of [
    ['/metrics/active-users?cohort=even,odd', '/cohort'],
    ['/metrics/active-users?manager=boss,p1', '/manager'],
    ['/benchmarks?metric=dau&role=engineer,seller', '/role'],
    ['/lifecycle?team=red,blue', '/team'],
    ['/scores/coaching-index?region=north,south', '/region']
  ] as const) {
    const { status, body } = await ask(dashboard, `${path}&${week}`)
    t.match({ status, body }, { status: 403, body: { code: 'forbidden', pointer } })
    t.equal((await ask(analyst, `${path}&${week}`)).status, 200)
    t.equal((await ask(boss, `${path}&${week}`)).status, 200)
  }
  t.equal((await ask(dashboard, '/metrics/active-users?role=engineer,engineer')).status, 200)
})

t.test('who sees names and who does not have different entity tags', async t => {
  const tags = [dashboard, analyst].map(async ({ call }) => {
    const { headers } = await call({ url: `/api/v1/metrics/active-users?${week}` })
    return headers.etag
  })
  const [one, other] = await Promise.all(tags)
  t.not(one, other)
})

t.test('a warning of open brackets gives no number that could be subtracted', async t => {
  const warnings = async (caller: Pick<Caller, 'call'>) =>
    (await ask(caller, `/metrics/repeat-rate?${week}`)).body.meta.warnings
  t.match(await warnings(dashboard), [{ code: 'immature_brackets', message: /^Some active/ }])
  t.match(await warnings(analyst), [{ code: 'immature_brackets', message: /^Fewer than 5/ }])
})

t.test('what has not begun is said to be so, and nothing else', async t => {
  const { body } = await ask(dashboard, '/metrics/active-users?from=2026-04-01&to=2026-04-08&team=red')
  t.match(body.results, [{ nullReason: 'period_not_started', suppressed: false }])
})

t.test('a roster that changes too often within the periods is refused, and longer periods are answered', async t => {
  const joining = Array.from({ length: 410 }, (_, at) => ({
    personId: `later-${at}`,
    agents: [{ mbox: `mailto:later-${at}@example.org` }],
    hiredOn: new Date(Date.UTC(2024, 0, 1 + at)).toISOString().slice(0, 10)
  }))
  t.equal((await lrs.putPeople(joining)).statusCode, 200)
  const years = '/metrics/active-users?from=2024-01-01&to=2025-06-01'
  t.match((await ask(dashboard, `${years}&interval=day`)).body, { code: 'invalid-parameter', pointer: '/interval' })
  t.equal((await ask(analyst, `${years}&interval=day`)).status, 200)
  t.equal((await ask(dashboard, `${years}&interval=week`)).status, 200)
})

t.test(
  'the roster is another version when the roster, the persons or a saved cohort change, and not otherwise',
  async t => {
    const version = () => findRosterVersion(lrs.db, lrs.tenantId)
    const raises = async (what: string, work: () => Promise<{ readonly statusCode: number }>) => {
      const before = await version()
      t.ok((await work()).statusCode < 300, what)
      t.ok((await version()) > before, what)
    }
    const call = (method: 'PUT' | 'POST' | 'DELETE', url: string, payload?: object) =>
      lrs.call({ method, url: `/api/v1${url}`, ...(payload === undefined ? {} : { payload }) })
    await raises('people', () =>
      lrs.putPeople([{ personId: 'p0', agents: [{ mbox: 'mailto:p0@example.org' }], role: 'clerk' }])
    )
    await raises('cohort', () => call('PUT', '/cohorts/greens', { filter: { team: ['green'] } }))
    await raises('cohort gone', () => call('DELETE', '/cohorts/greens'))
    const before = await version()
    await lrs.post({
      id: randomUUID(),
      actor: { mbox: 'mailto:p3@example.org' },
      verb: { id: 'https://w3id.org/momentum-lrs/verbs/opened' },
      object: { id: 'https://example.org/modules/feedback' }
    })
    await lrs.drain()
    t.equal(await version(), before)
  }
)
