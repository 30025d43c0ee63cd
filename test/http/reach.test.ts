import fc from 'fast-check'
import type { LightMyRequestResponse } from 'fastify'
import t, { type Test } from 'tap'
import { type Reach, reachOf } from '../../src/http/reach.js'
import type { CohortFilter } from '../../src/people/cohort-filter.js'
import { putCohort } from '../../src/people/put-cohort.js'
import { isMember } from '../metrics/naive-members.js'
import { dateOf, type Person, type Stretch, seedWorld, type World, worlds } from '../metrics/world.js'
import { testApp } from '../support/app.js'

const now = new Date('2026-04-20T10:00:00Z')

type Known = Partial<Omit<Stretch, 'from' | 'to'>>

/** Somebody of whom the roster always says the same. */
const always = (known: Known, ...activeDays: readonly number[]): Person =>
  ranges([{ from: null, to: null, cohorts: [], ...known }], ...activeDays)

const ranges = (roster: Person['roster'], ...activeDays: readonly number[]): Person => ({
  known: true,
  roster,
  days: activeDays.map(day => ({ day, counts: { opened: 1 } }))
})

async function service(t: Test, people: readonly Person[]) {
  const app = await testApp(t, { now: () => now, config: { minGroupSize: 5 } })
  const own = await seedWorld(app.db, { people })
  const asIn = async (tenantId: number, personId: string, ...scopes: readonly string[]) => {
    const tenant = app.db.selectFrom('tenant').select('name').where('id', '=', tenantId)
    const { name } = await tenant.executeTakeFirstOrThrow()
    const { call } = await app.addCaller(name, scopes, personId)
    const get = (path: string) => call({ url: `/api/v1${path}` })
    const idsOf = (response: LightMyRequestResponse): readonly number[] =>
      response.json().people.map((found: { personId: string }) => Number(found.personId.replace('person-', '')))
    const people = async (query = '') => [...idsOf(await get(`/people?${query}`))].sort((a, b) => a - b)
    return { get, call, people }
  }
  const as = (personId: string, ...scopes: readonly string[]) => asIn(own, personId, ...scopes)
  return { ...app, tenantId: own, as, asIn }
}

const week = 'from=2026-03-02&to=2026-03-09'

/** 0 leads 1 to 6, and 1 leads 7 to 9; 10 leads 11 to 16. */
const twoLines: readonly Person[] = [
  always({ team: 'board' }, 0),
  ...Array.from({ length: 6 }, () => always({ manager: 'person-0', team: 'red', cohorts: ['pilot'] }, 0)),
  ...Array.from({ length: 3 }, () => always({ manager: 'person-1', team: 'red' }, 1)),
  always({ team: 'board' }, 0),
  ...Array.from({ length: 6 }, () => always({ manager: 'person-10', team: 'blue', cohorts: ['trial'] }, 0))
]

t.test('whom an answer may speak of, by scopes and person', async t => {
  const line = { line: ['ada'] }
  const self = { person: ['ada'] }
  const table: readonly (readonly [
    string,
    string | null,
    CohortFilter | null | RegExp,
    CohortFilter | null | RegExp
  ])[] = [
    ['metrics/read', null, null, /lacks the scope people\/read or line\/read or self\/read$/],
    ['people/read', null, /lacks the scope metrics\/read or line\/read$/, null],
    ['metrics/read people/read line/read self/read', 'ada', null, null],
    ['line/read', 'ada', line, line],
    ['metrics/read line/read', 'ada', null, line],
    ['people/read line/read', 'ada', line, null],
    ['self/read', 'ada', /self\/read shows the own numbers alone, at \/api\/v1\/people\/\{personId\} and what/, self],
    ['line/read self/read', 'ada', line, { or: [line, self] }],
    ['line/read', null, /stands for no person, to whom line\/read would be limited/, /stands for no person/],
    ['line/read self/read', null, /stands for no person/, /to whom line\/read and self\/read would be limited/],
    ['all admin', 'ada', /lacks the scope/, /lacks the scope/]
  ]
  for (const [scopes, personId, aggregates, names] of table) {
    const asker = { key: 'k', scopes: scopes.split(' '), personId }
    for (const [shown, expected] of [['aggregates', aggregates] as const, ['names', names] as const]) {
      const reach = (): Reach => reachOf(asker, shown)
      const what = `${scopes}, ${personId}, ${shown}`
      if (expected instanceof RegExp) t.throws(reach, { code: 'forbidden', message: expected }, what)
      else t.same(reach(), { filter: expected }, what)
    }
  }
})

t.test('no parameter of a metric leads a manager beyond the own line', async t => {
  const { db, tenantId, as } = await service(t, twoLines)
  const saved: Readonly<Record<string, CohortFilter>> = {
    anyone: { not: { role: ['nobody'] } },
    'not-mine': { not: { line: ['person-0'] } },
    theirs: { or: [{ line: ['person-10'] }, { team: ['blue'] }] },
    one: { person: ['person-11', 'person-12'] }
  }
  for (const [id, filter] of Object.entries(saved)) await putCohort(db, tenantId, { id, name: null, filter })
  const manager = await as('person-0', 'line/read')
  const table: readonly (readonly [string, number])[] = [
    ['', 9],
    ['manager=person-0', 9],
    ['manager=person-10', 0],
    ['manager=person-0,person-10', 9],
    ['manager=person-1', 0],
    ['team=blue', 0],
    ['team=red,blue,board', 9],
    ['cohort=trial', 0],
    ['cohort=pilot,trial', 6],
    ['cohort=anyone', 9],
    ['cohort=not-mine', 0],
    ['cohort=theirs', 0],
    ['cohort=one', 0],
    ['cohort=theirs,pilot&manager=person-10,person-0', 6],
    ['membership=at_window_start', 9],
    ['membership=at_event', 9],
    ['membership=current', 9],
    ['membership=at_event&manager=person-10', 0],
    ['membership=current&team=blue', 0],
    ['minGroupSize=5', 9],
    ['tz=Asia%2FTokyo', 9],
    ['tz=Asia%2FTokyo&team=blue', 0],
    ['consistency=strong', 9],
    ['interval=day', 9],
    ['compare=previous', 9]
  ]
  for (const [query, expected] of table) {
    const { results, meta } = (await manager.get(`/metrics/active-users?${week}&${query}`)).json()
    // Three are too few to be shown, who report to person-1.
    if (query === 'manager=person-1') t.match(results, [{ suppressed: true, denominator: null }], query)
    else for (const { denominator } of results) t.equal(denominator, expected, query)
    t.equal(meta.excluded, null, 'the whole tenant is none of theirs')
  }
  t.equal((await manager.get('/metrics/active-users?minGroupSize=1')).statusCode, 400)
  const { meta } = (await manager.get(`/metrics/active-users?${week}`)).json()
  t.match(meta.query, { cohort: null, filters: {} }, 'what limits the caller is not what they asked')
  const wide = (await (await as('person-0', 'metrics/read', 'line/read')).get(`/metrics/active-users?${week}`)).json()
  t.match(wide, { results: [{ denominator: 17 }], meta: { excluded: { voided: 0 } } }, 'the wide scope wins')
})

t.test('a manager can’t tell a value that is only elsewhere from one that is nowhere', async t => {
  const { as } = await service(t, twoLines)
  const manager = await as('person-0', 'line/read')
  for (const [elsewhere, nowhere] of [
    ['manager=person-10', 'manager=person-99'],
    ['team=blue', 'team=green'],
    ['cohort=trial', 'cohort=no-trial']
  ] as const) {
    const ask = async (query: string) => {
      const { results, meta } = (await manager.get(`/metrics/active-users?${week}&${query}`)).json()
      return { results, warnings: meta.warnings }
    }
    t.same(await ask(elsewhere), await ask(nowhere), nowhere)
    t.match((await ask(nowhere)).warnings, [{ code: 'empty_population' }])
  }
  for (const path of ['', '/history']) {
    const ask = async (personId: string) => {
      const response = await manager.get(`/people/${personId}${path}`)
      const { requestId, ...problem } = response.json()
      return [response.statusCode, JSON.stringify(problem).replaceAll(personId, 'X')]
    }
    t.same(await ask('person-11'), await ask('person-99'), path)
    t.same((await ask('person-10'))[0], 404)
    t.same((await ask('person-0'))[0], 404, 'nor is the manager below themself')
    t.same((await ask('person-8'))[0], 200)
  }
})

t.test('a former report counts by the line of the period, and is known for the days in it', async t => {
  const people = [
    always({}),
    ...Array.from({ length: 5 }, () => always({ manager: 'person-0' }, 1)),
    ranges(
      [
        { from: null, to: 3, cohorts: [], manager: 'person-0', role: 'seller' },
        { from: 3, to: null, cohorts: ['secret'], manager: 'person-9', role: 'chief' }
      ],
      5
    )
  ]
  const { as } = await service(t, people)
  const manager = await as('person-0', 'line/read')
  const ask = async (query: string) => {
    const [cell] = (await manager.get(`/metrics/active-users?${query}`)).json().results
    return [cell.numerator, cell.denominator]
  }
  t.same(await ask(week), [6, 6], 'in the line on the first day')
  t.same(await ask(`${week}&membership=at_event`), [5, 6], 'what they did after it is none of the manager’s')
  t.same(await ask(`${week}&membership=current`), [5, 5])
  t.same(await ask('from=2026-03-09&to=2026-03-16'), [0, 5])
  t.same(await manager.people(), [1, 2, 3, 4, 5])
  t.same(await manager.people(`at=${dateOf(2)}`), [1, 2, 3, 4, 5, 6])
  t.equal((await manager.get('/people/person-6')).statusCode, 404)
  t.match((await manager.get(`/people/person-6?at=${dateOf(2)}`)).json(), { role: 'seller', validTo: dateOf(3) })
  t.match((await manager.get('/people/person-6/history')).json().ranges, [
    { role: 'seller', validFrom: null, validTo: dateOf(3) }
  ])
  t.notMatch((await manager.get('/people/person-6/history')).body, /chief|secret/)
})

t.test('a history ends where the line above a person is cut', async t => {
  const people = [
    always({}),
    ranges([
      { from: null, to: 3, cohorts: [], manager: 'person-0' },
      { from: 3, to: null, cohorts: [], manager: 'person-9' }
    ]),
    ranges([
      { from: -4, to: 2, cohorts: [], manager: 'person-1', team: 'red' },
      { from: 2, to: null, cohorts: [], manager: 'person-1', team: 'blue' }
    ])
  ]
  const { as } = await service(t, people)
  const { ranges: found } = (await (await as('person-0', 'line/read')).get('/people/person-2/history')).json()
  t.match(found, [
    { team: 'red', validFrom: dateOf(-4), validTo: dateOf(2) },
    { team: 'blue', validFrom: dateOf(2), validTo: dateOf(3) }
  ])
  t.equal(found.length, 2)
})

t.test('in their own line, in a circle, under an old name or unknown, a manager never sees everybody', async t => {
  const others = Array.from({ length: 3 }, () => always({ manager: 'person-1' }))
  const table: readonly (readonly [string, readonly Person[], string, readonly number[]])[] = [
    ['who is named their own manager', [always({ manager: 'person-0' }), always({}), ...others], 'person-0', []],
    [
      'a circle of two, and one below it',
      [always({ manager: 'person-1' }), always({ manager: 'person-0' }), always({ manager: 'person-1' }), always({})],
      'person-0',
      [0, 1, 2]
    ],
    [
      'a name that was merged into another',
      [always({}), { ...always({}), mergedInto: 0 }, always({ manager: 'person-0' }), always({ manager: 'person-1' })],
      'person-1',
      [2, 3]
    ],
    [
      'a report who was merged into somebody elsewhere',
      [always({}), always({ manager: 'x' }), { ...always({ manager: 'person-0' }), mergedInto: 1 }],
      'person-0',
      []
    ],
    ['a name that the roster does not know', [always({}), always({ manager: 'person-0' }), ...others], 'ghost', []],
    ['a provisional person', [{ ...always({}), known: false }, ...others], 'person-0', []]
  ]
  for (const [what, people, personId, expected] of table) {
    const { as } = await service(t, people)
    const manager = await as(personId, 'line/read')
    t.same(await manager.people(), expected, what)
    const { results } = (await manager.get('/metrics/active-users')).json()
    t.equal(results[0].denominator ?? 'hidden', expected.length === 0 ? 0 : 'hidden', what)
    for (const [at] of people.entries()) {
      const status = (await manager.get(`/people/person-${at}`)).statusCode
      t.equal(status, expected.includes(at) ? 200 : 404, `${what}: person-${at}`)
    }
  }
})

t.test('what finds people finds them in the line alone', async t => {
  const { as } = await service(t, twoLines)
  const manager = await as('person-0', 'line/read')
  const mine = [1, 2, 3, 4, 5, 6, 7, 8, 9]
  for (const [query, expected] of [
    ['', mine],
    ['includeLeft=true', mine],
    ['managerId=person-10', []],
    ['managerId=person-1', [7, 8, 9]],
    ['team=blue', []],
    ['cohort=trial', []],
    ['q=person-1', [1]],
    [`cursor=${Buffer.from('person-5').toString('base64url')}`, [6, 7, 8, 9]],
    [`at=${dateOf(-999)}`, mine]
  ] as const) {
    t.same(await manager.people(query), expected, query)
  }
  const page = (await manager.get('/people?limit=9')).json()
  t.equal(page.nextCursor, null, 'nor does a cursor lead to others')
})

t.test('the list of cohorts has those of the line, and how many of the line are in them', async t => {
  const { db, tenantId, as } = await service(t, [
    ...twoLines,
    ranges([
      { from: null, to: 3, cohorts: ['former'], manager: 'person-0' },
      { from: 3, to: null, cohorts: ['later'], manager: 'person-10' }
    ])
  ])
  await putCohort(db, tenantId, { id: 'saved', name: 'Saved', filter: { person: ['person-11'] } })
  const { cohorts } = (await (await as('person-1', 'line/read')).get('/cohorts')).json()
  t.match(cohorts, [{ id: 'saved', size: null }])
  t.equal(cohorts.length, 1)
  const listed = (await (await as('person-0', 'line/read')).get('/cohorts')).json().cohorts
  t.same(listed, [
    { id: 'former', kind: 'roster', name: null, size: 0, suppressed: false },
    { id: 'pilot', kind: 'roster', name: null, size: 6, suppressed: false },
    { id: 'saved', kind: 'saved', name: 'Saved', size: null, suppressed: false }
  ])
  const ids = async (...scopes: readonly string[]) =>
    (await (await as('person-0', ...scopes)).get('/cohorts'))
      .json()
      .cohorts.map(({ id, size }: { id: string; size: number | null }) => `${id} ${size}`)
  const all = ['former 0', 'later null', 'pilot 6', 'saved null', 'trial 6']
  t.same(await ids('metrics/read', 'line/read'), all, 'aggregates of everyone, small ones hidden')
  t.same(await ids('people/read', 'line/read'), all.with(1, 'later 1'))
})

t.test('a learner sees their own entry and history, under any of their names, and no group', async t => {
  const people = [
    ...twoLines,
    { ...always({ role: 'old' }), mergedInto: 3 },
    ranges([{ from: null, to: 3, cohorts: [] }])
  ]
  const { as } = await service(t, people)
  const learner = await as('person-3', 'self/read')
  t.same(await learner.people(), [3])
  t.match((await learner.get('/people/person-3')).json(), { personId: 'person-3', team: 'red' })
  t.match((await learner.get('/people/person-17')).json(), { mergedInto: 'person-3' })
  t.match((await learner.get('/people/person-3/history')).json().ranges, [{ managerId: 'person-0' }])
  for (const at of [0, 1, 4, 10, 99]) {
    for (const path of ['', '/history']) {
      t.equal((await learner.get(`/people/person-${at}${path}`)).statusCode, 404, `person-${at}${path}`)
    }
  }
  const refused = await learner.get(`/metrics/active-users?${week}`)
  t.match(refused.json(), { status: 403, code: 'forbidden', detail: /self\/read shows the own numbers alone, at/ })
  t.equal((await learner.get('/cohorts')).statusCode, 403)
  t.same(await (await as('person-17', 'self/read')).people(), [3], 'a merged person is the one they became')
  const gone = await as('person-18', 'self/read')
  t.same(await gone.people(), [], 'no longer on the roster')
  t.equal((await gone.get('/people/person-18')).statusCode, 404)
  t.match((await gone.get('/people/person-18/history')).json().ranges, [{ validTo: dateOf(3) }])
  t.same(await (await as('person-1', 'line/read', 'self/read')).people(), [1, 7, 8, 9], 'a manager and learner')
})

t.test('which scope gets what, endpoint by endpoint, and nobody writes', async t => {
  const { as } = await service(t, twoLines)
  const paths = [
    '/metrics',
    '/metrics/active-users',
    '/funnels',
    '/sequences',
    '/retention',
    '/lifecycle',
    '/people',
    '/people/person-1',
    '/people/person-11',
    '/people/person-1/history',
    '/people/person-11/history',
    '/cohorts',
    '/cohorts/pilot/members',
    '/person-changes',
    '/reconciliation',
    '/event-mapping',
    '/credentials'
  ]
  const table: readonly (readonly [string, string, readonly number[]])[] = [
    ['metrics/read', 'person-0', [200, 200, 200, 200, 200, 200, 403, 403, 403, 403, 403, 200, 403, 403, 403, 200, 403]],
    ['people/read', 'person-0', [200, 403, 403, 403, 403, 403, 200, 200, 200, 200, 200, 200, 200, 200, 200, 403, 403]],
    ['line/read', 'person-0', [200, 200, 200, 200, 200, 200, 200, 200, 404, 200, 404, 200, 403, 403, 403, 403, 403]],
    ['self/read', 'person-1', [200, 403, 403, 403, 403, 403, 200, 200, 404, 200, 404, 403, 403, 403, 403, 403, 403]]
  ]
  for (const [scope, personId, expected] of table) {
    const caller = await as(personId, scope)
    const found: number[] = []
    for (const path of paths) found.push((await caller.get(path)).statusCode)
    t.same(found, expected, scope)
    const writes = [
      ['PUT', '/people', []],
      ['PUT', '/people/person-1/history', { ranges: [{}] }],
      ['PUT', '/cohorts/mine', { filter: { role: ['x'] } }]
    ] as const
    for (const [method, path, body] of writes) {
      const headers = { 'content-type': 'application/json' }
      const response = await caller.call({ method, url: `/api/v1${path}`, headers, payload: JSON.stringify(body) })
      t.equal(response.statusCode, 403, `${scope} ${method} ${path}`)
    }
    t.equal((await caller.call({ url: '/xapi/statements' })).statusCode, 403, `${scope} statements`)
  }
})

t.test('who is erased is taken from the credentials that stood for them, which then open nothing', async t => {
  const app = await testApp(t)
  await app.putPeople([
    { personId: 'boss', agents: [{ mbox: 'mailto:boss@example.org' }] },
    { personId: 'ada', managerId: 'boss', agents: [{ mbox: 'mailto:ada@example.org' }] }
  ])
  const boss = await app.addCaller('first', ['line/read'], 'boss')
  const ada = await app.addCaller('first', ['self/read'], 'ada')
  const south = await app.addCaller('south', ['line/read'], 'boss')
  const eraser = await app.addCaller('first', ['statements/delete'])
  const headers = { 'content-type': 'application/json' }
  const payload = JSON.stringify({ personId: 'boss' })
  const erased = await eraser.call({ method: 'POST', url: '/api/v1/erasures', headers, payload })
  t.match(erased.json(), { persons: 1 })
  const rows = await app.db.selectFrom('credential').select(['key', 'person_external_id as personId']).execute()
  const personOf = (key: string) => rows.find(row => row.key === key)?.personId
  t.same([personOf(boss.key), personOf(ada.key), personOf(south.key)], [null, 'ada', 'boss'])
  t.equal((await boss.call({ url: '/api/v1/people' })).statusCode, 403)
})

/** What is done and known of one who is in no line is turned into something else; who manages whom stays. */
function turned({ roster, days, ...person }: Person): Person {
  return {
    ...person,
    roster: roster.map(({ from, to, manager = null }) => ({
      from,
      to,
      manager,
      cohorts: ['south', 'elsewhere'],
      role: 'stranger',
      team: 'blue'
    })),
    days: days.length > 0 ? [] : [{ day: 4, counts: { opened: 2, voided: 3, future: 1 } }]
  }
}

const lastDay = 46

/** Whether somebody, or whom they were merged into, is below the manager on any day, employed or not. */
function isEverBelow({ people }: World, at: number, manager: string): boolean {
  const survivor = people[at]?.mergedInto ?? null
  if (survivor !== null) return isEverBelow({ people }, survivor, manager)
  const alwaysEmployed = people.map(person => ({
    ...person,
    roster: person.roster.map(stretch => ({ ...stretch, hired: null, left: null }))
  }))
  const days = Array.from({ length: lastDay + 7 }, (_, nth) => nth - 6)
  return days.some(day => isMember({ people: alwaysEmployed }, { at, day, tenureAt: day + 1 }, { line: [manager] }))
}

const queries = fc.record({
  membership: fc.constantFrom('at_window_start', 'at_event', 'current'),
  interval: fc.constantFrom('', 'week'),
  filter: fc.constantFrom('', '&team=blue', '&role=lead,stranger', '&cohort=south', '&manager=person-1,person-2'),
  at: fc.integer({ min: -6, max: lastDay })
})

t.test('in any organisation, nothing that changes outside the line changes an answer to its manager', async t => {
  const { db, asIn } = await service(t, [])
  let below = 0
  let outside = 0
  const property = fc.asyncProperty(worlds, fc.nat(11), queries, async (world, position, query) => {
    const manager = `person-${position}`
    // Five more reports, so that numbers of the line are large enough to be shown.
    const team = Array.from({ length: 5 }, (_, nth) => always({ manager, team: 'blue', cohorts: ['south'] }, nth))
    const people = [...world.people, ...team]
    const mine = people.map((_, at) => isEverBelow({ people }, at, manager))
    below += mine.slice(0, -5).filter(Boolean).length
    outside += mine.filter(isMine => !isMine).length
    const strangers = Array.from({ length: 3 }, () => always({ manager: 'elsewhere', team: 'blue', cohorts: ['x'] }, 2))
    const others = people.map((person, at) => (mine[at] ? person : turned(person)))
    const period = `from=${dateOf(0)}&to=${dateOf(14)}&interval=${query.interval}`.replace(/&interval=$/, '')
    const paths = [
      `/metrics/active-users?${period}&membership=${query.membership}${query.filter}`,
      `/metrics/repeat-rate?${period}&membership=${query.membership}`,
      `/funnels?${period.replace(/&interval.*/, '')}&membership=${query.membership}&steps=opened,completed-task`,
      `/lifecycle?${period}&membership=${query.membership}`,
      `/retention?${period.replace('interval', 'unit')}&membership=${query.membership}`,
      `/people?at=${dateOf(query.at)}`,
      '/cohorts',
      ...people.flatMap((_, at) => [`/people/person-${at}?at=${dateOf(query.at)}`, `/people/person-${at}/history`])
    ]
    const answersIn = async (people: readonly Person[]) => {
      const caller = await asIn(await seedWorld(db, { people }), manager, 'line/read')
      const answers = await Promise.all(paths.map(path => caller.get(path)))
      return answers.map(({ body }, at) => [paths[at], body.replace(/"requestId":"[^"]*"/, '')])
    }
    t.strictSame(await answersIn([...others, ...strangers]), await answersIn(people))
  })
  await fc.assert(property, { numRuns: 25 })
  t.ok(below > 10 && outside > 30, `${below} were below their manager, and ${outside} were not`)
})
