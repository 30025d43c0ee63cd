import { sql } from 'kysely'
import t from 'tap'
import { type Caller, testApp } from '../support/app.js'
import { opened } from '../support/statements.js'

let now = new Date('2026-03-10T23:30:00Z')
const today = '2026-03-11'
const app = await testApp(t, { timeZone: 'Europe/Berlin', now: () => now })
const { db } = app

const people = '/api/v1/people'
const pathOf = (personId: string) => `${people}/${encodeURIComponent(personId)}`
const historyOf = (personId: string) => `${pathOf(personId)}/history`
const agentOf = (name: string) => ({ mbox: `mailto:${encodeURIComponent(name)}@example.org` })
const somebody = (personId: string, parts: object = {}) => ({ personId, agents: [agentOf(personId)], ...parts })

const put = (caller: Caller, url: string, body: unknown) =>
  caller.call({ method: 'PUT', url, headers: { 'content-type': 'application/json' }, payload: JSON.stringify(body) })

async function idsOf(caller: Caller, query: Readonly<Record<string, string>>): Promise<readonly string[]> {
  const response = await caller.call({ url: `${people}?${new URLSearchParams(query)}` })
  if (response.statusCode !== 200) throw new Error(response.body)
  return response.json().people.map(({ personId }: { personId: string }) => personId)
}

/** What a dry run must not change: every row of these tables. */
async function everything() {
  const tables = ['person', 'person_agent', 'roster', 'agent', 'rollup_queue'] as const
  const rows = tables.map(table => sql`select * from ${sql.table(table)} order by 1, 2, 3`.execute(db))
  return (await Promise.all(rows)).map(result => result.rows)
}

const nothing = {
  role: null,
  team: null,
  managerId: null,
  region: null,
  jobFamily: null,
  assignmentType: null,
  hiredOn: null,
  leftOn: null,
  cohorts: [],
  demographics: {}
}

t.test('people are found by how they begin and by each attribute, on a day', async t => {
  const caller = await app.addCaller('filters')
  await caller.putPeople([
    somebody('p1', { name: 'Ada Lovelace', role: 'lead', team: 'north', managerId: 'm', cohorts: ['pilot', 'x'] }),
    somebody('p2', { name: 'adam', role: 'clerk', region: 'EMEA', jobFamily: 'sales', assignmentType: 'mandatory' }),
    somebody('P3', { name: '100%', team: 'north', validFrom: '2026-03-01' }),
    somebody('q4', { hiredOn: '2026-03-12', team: 'north' }),
    somebody('q5', { hiredOn: today, leftOn: today, team: 'south' }),
    somebody('q6', { leftOn: '2026-03-10', team: 'south' }),
    somebody('q7', { validFrom: '2026-03-12' })
  ])
  await caller.putPeople([somebody('p1', { team: 'south', validFrom: '2026-03-11' })])
  const table: readonly (readonly [Readonly<Record<string, string>>, readonly string[]])[] = [
    [{}, ['P3', 'p1', 'p2', 'q5']],
    [{ at: '2026-02-28' }, ['p1', 'p2', 'q6']],
    [{ at: '2026-03-12' }, ['P3', 'p1', 'p2', 'q4', 'q7']],
    [{ includeLeft: 'true' }, ['P3', 'p1', 'p2', 'q5', 'q6']],
    [{ includeLeft: 'false', team: 'south' }, ['p1', 'q5']],
    [{ q: 'ADA' }, ['p1', 'p2']],
    [{ q: 'p' }, ['P3', 'p1', 'p2']],
    [{ q: '100%' }, ['P3']],
    [{ q: '%' }, []],
    [{ q: 'lovelace' }, []],
    [{ role: 'lead' }, ['p1']],
    [{ role: 'LEAD' }, []],
    [{ team: 'north' }, ['P3']],
    [{ team: 'north', at: '2026-03-10' }, ['P3', 'p1']],
    [{ managerId: 'm' }, ['p1']],
    [{ region: 'EMEA', jobFamily: 'sales', assignmentType: 'mandatory' }, ['p2']],
    [{ region: 'EMEA', role: 'lead' }, []],
    [{ cohort: 'pilot' }, ['p1']],
    [{ cohort: 'pil' }, []]
  ]
  for (const [query, expected] of table) {
    t.same((await idsOf(caller, query)).toSorted(), expected, JSON.stringify(query))
  }
  const { people: found } = (await caller.call({ url: `${people}?role=lead` })).json()
  t.same(found, [
    {
      personId: 'p1',
      name: 'Ada Lovelace',
      agents: [agentOf('p1')],
      validFrom: '2026-03-11',
      validTo: null,
      ...nothing,
      role: 'lead',
      team: 'south',
      managerId: 'm',
      cohorts: ['pilot', 'x']
    }
  ])
})

t.test('pages hold each person once, whoever comes or goes meanwhile', async t => {
  const caller = await app.addCaller('pages')
  const ids = Array.from({ length: 25 }, (_, at) => `id ${at}/${'ä😀'.repeat(at)}`)
  await caller.putPeople(ids.map(personId => somebody(personId, { team: 't' })))
  const seen: string[] = []
  let cursor: string | null = ''
  while (cursor !== null) {
    const query = new URLSearchParams({ team: 't', limit: '7', ...(cursor === '' ? {} : { cursor }) })
    const page: { people: { personId: string }[]; nextCursor: string | null } = (
      await caller.call({ url: `${people}?${query}` })
    ).json()
    seen.push(...page.people.map(person => person.personId))
    cursor = page.nextCursor
    await caller.putPeople([somebody(seen.at(-1) ?? '', { leftOn: '2026-01-01' })])
  }
  t.same(seen.toSorted(), ids.toSorted())
  t.same(
    await idsOf(caller, { limit: '1000' }),
    seen.filter((_, at) => ![6, 13, 20, 24].includes(at))
  )
})

t.test('a wrong parameter is 400 with its name', async t => {
  const table: readonly (readonly [string, string])[] = [
    ['limit=0', '/limit'],
    ['limit=1001', '/limit'],
    ['limit=x', '/limit'],
    ['at=2026-02-30', '/at'],
    ['at=0000-01-01', '/at'],
    ['includeLeft=maybe', '/includeLeft'],
    ['team=', '/team'],
    ['q=a%00', '/q'],
    ['cursor=%2B', '/cursor'],
    ['cursor=AA', '/cursor'],
    ['cursor=YQ==', '/cursor'],
    ['salary=7', '/salary']
  ]
  for (const [query, pointer] of table) {
    const response = await app.call({ url: `${people}?${query}` })
    t.equal(response.statusCode, 400, query)
    t.match(response.json(), { code: 'invalid-parameter', pointer }, query)
  }
  for (const url of [`${pathOf('a')}?at=x`, `${pathOf('a')}?limit=1`])
    t.equal((await app.call({ url })).statusCode, 400)
})

t.test('a personId may have any character: it is percent-encoded in the address', async t => {
  const ids = ['a/b', '../x', 'a b', 'a%2Fb', '%', '?x=1#y', 'history', 'a/history', "'; drop", 'ü', '😀'.repeat(500)]
  t.equal((await app.putPeople(ids.map(id => somebody(id.slice(0, 20), { personId: id })))).statusCode, 200)
  for (const personId of ids) {
    t.match((await app.call({ url: pathOf(personId) })).json(), { personId, known: true }, personId)
    const ranges = [{ team: 'history' }]
    t.match((await put(app, historyOf(personId), { ranges })).json(), { personId, changed: true })
    t.match((await app.call({ url: historyOf(personId) })).json(), { personId, ranges })
  }
})

t.test('a person is found on any day, and what the roster does not name is 404', async t => {
  await app.putPeople([somebody('day', { name: 'D', team: 'a', validFrom: '2026-01-01', leftOn: '2026-02-01' })])
  const none = { personId: 'day', name: 'D', agents: [agentOf('day')], validFrom: null, validTo: null, ...nothing }
  t.same((await app.call({ url: `${pathOf('day')}?at=2025-12-31` })).json(), {
    ...none,
    known: false,
    mergedInto: null
  })
  t.match((await app.call({ url: pathOf('day') })).json(), { known: true, team: 'a', validFrom: '2026-01-01' }, 'left')
  const body = { ranges: [{}] }
  for (const answer of [
    await app.call({ url: pathOf('nobody') }),
    await app.call({ url: historyOf('nobody') }),
    await put(app, historyOf('nobody'), body),
    await put(app, `${historyOf('nobody')}?dryRun=true`, body)
  ]) {
    t.equal(answer.statusCode, 404)
    t.match(answer.json(), { code: 'not-found', detail: 'There is no person "nobody"' })
  }
})

t.test('history is shown in ranges, and corrected whole', async t => {
  const ada = somebody('h', { team: 'a', cohorts: ['x'], demographics: { g: '1' }, hiredOn: '2020-01-01' })
  await app.putPeople([ada])
  await app.putPeople([{ ...ada, team: 'b', validFrom: '2026-02-01' }])
  const shown = (await app.call({ url: historyOf('h') })).json()
  const known = { ...nothing, cohorts: ['x'], demographics: { g: '1' }, hiredOn: '2020-01-01' }
  t.same(shown, {
    personId: 'h',
    ranges: [
      { validFrom: null, validTo: '2026-02-01', ...known, team: 'a' },
      { validFrom: '2026-02-01', validTo: null, ...known, team: 'b' }
    ]
  })
  t.match((await put(app, historyOf('h'), { ranges: shown.ranges })).json(), { changed: false })
  const ranges = [
    {
      validFrom: '2025-01-01',
      validTo: '2025-02-01',
      team: 'c',
      cohorts: ['z', 'y', 'z'],
      demographics: { b: '1', aa: '2', c: null }
    },
    { validFrom: '2025-03-01', validTo: null, role: 'r' }
  ]
  const to = [
    { ...nothing, ...ranges[0], cohorts: ['y', 'z'], demographics: { b: '1', aa: '2' } },
    { ...nothing, ...ranges[1] }
  ]
  const before = await everything()
  const rehearsed = (await put(app, `${historyOf('h')}?dryRun=true`, { ranges })).json()
  t.same(rehearsed, { personId: 'h', changed: true, from: shown.ranges, to })
  t.same(await everything(), before, 'a dry run changes nothing')
  t.same((await put(app, historyOf('h'), { ranges })).json(), rehearsed)
  t.same((await app.call({ url: historyOf('h') })).json().ranges, to)
  t.match((await app.call({ url: `${pathOf('h')}?at=2025-02-15` })).json(), { known: false, team: null }, 'a gap')
  t.match((await put(app, historyOf('h'), { ranges })).json(), { changed: false, from: to, to })
  await db.deleteFrom('roster').execute()
  t.same((await app.call({ url: historyOf('h') })).json().ranges, [])
})

t.test('a history that overlaps, is out of order or is no history is 400 with the range and the day', async t => {
  await app.putPeople([somebody('tangled')])
  const [a, b, c] = ['2026-01-01', '2026-02-01', '2026-03-01']
  const table: readonly (readonly [unknown, string])[] = [
    [[], '/ranges'],
    [[{ validFrom: b, validTo: a }], '/ranges/0/validTo'],
    [[{ validFrom: a, validTo: a }], '/ranges/0/validTo'],
    [[{ validFrom: a }, { validFrom: b }], '/ranges/0/validTo'],
    [[{ validTo: b }, { validFrom: a }], '/ranges/1/validFrom'],
    [[{ validTo: b }, { validTo: c }], '/ranges/1/validFrom'],
    [[{ validTo: b }, { validFrom: b, validTo: c }, { validFrom: a }], '/ranges/2/validFrom'],
    [
      [
        { validFrom: b, validTo: c },
        { validFrom: a, validTo: b }
      ],
      '/ranges/1/validFrom'
    ],
    [[{ validFrom: '2026-02-30' }], '/ranges/0/validFrom'],
    [[{ validTo: b }, { validFrom: b, hiredOn: b, leftOn: a }], '/ranges/1/leftOn'],
    [[{ team: '' }], '/ranges/0/team'],
    [[{ salary: 1 }], '/ranges/0/salary'],
    [{}, '/ranges']
  ]
  for (const [ranges, pointer] of table) {
    for (const url of [historyOf('tangled'), `${historyOf('tangled')}?dryRun=true`]) {
      const response = await put(app, url, { ranges })
      t.equal(response.statusCode, 400, JSON.stringify(ranges))
      t.match(response.json(), { code: 'invalid-body', pointer }, JSON.stringify(ranges))
    }
  }
})

t.test('a dry run tells what would change, changes nothing, and is then what happens', async t => {
  const caller = await app.addCaller('dry')
  const provisional = agentOf('provisional')
  await caller.post({ ...opened, actor: provisional })
  await app.drain()
  await caller.putPeople([
    somebody('same', { team: 'a' }),
    somebody('moves', { name: 'M', team: 'a', demographics: { x: '1' } }),
    somebody('later', { team: 'a', validFrom: '2026-01-01' }),
    somebody('named', { name: 'Old' }),
    somebody('gains')
  ])
  await caller.putPeople([somebody('later', { team: 'b', validFrom: '2026-05-01' })])
  const records = [
    somebody('same', { team: 'a' }),
    somebody('moves', {
      name: 'M',
      team: null,
      cohorts: ['k'],
      demographics: { y: '2', x: null },
      validFrom: '2026-04-01'
    }),
    somebody('later', { team: 'c' }),
    somebody('named', { name: null }),
    { personId: 'gains', agents: [agentOf('gains'), provisional, agentOf('unheard'), agentOf('unheard')] },
    somebody('new', { name: 'N', role: 'r', validFrom: '2026-01-01' })
  ]
  const before = await everything()
  const rehearsed = (await put(caller, `${people}?dryRun=true`, records)).json()
  const change = { validFrom: null, attributes: {}, replacedRanges: 0, agentsAdded: [], agentsMoved: [] }
  t.same(rehearsed, {
    received: 6,
    created: 1,
    updated: 4,
    unchanged: 1,
    changes: [
      {
        ...change,
        personId: 'moves',
        change: 'updated',
        validFrom: '2026-04-01',
        attributes: {
          team: { from: 'a', to: null },
          cohorts: { from: [], to: ['k'] },
          demographics: { from: { x: '1' }, to: { y: '2' } }
        }
      },
      {
        ...change,
        personId: 'later',
        change: 'updated',
        validFrom: today,
        attributes: { team: { from: 'a', to: 'c' } },
        replacedRanges: 1
      },
      { ...change, personId: 'named', change: 'updated', attributes: { name: { from: 'Old', to: null } } },
      {
        ...change,
        personId: 'gains',
        change: 'updated',
        agentsAdded: [agentOf('unheard')],
        agentsMoved: [provisional]
      },
      {
        ...change,
        personId: 'new',
        change: 'created',
        validFrom: '2026-01-01',
        attributes: { name: { from: null, to: 'N' }, role: { from: null, to: 'r' } },
        agentsAdded: [agentOf('new')]
      }
    ]
  })
  t.same(await everything(), before)
  const { changes, ...counts } = rehearsed
  t.same((await caller.putPeople(records)).json(), counts)
  t.same((await put(caller, `${people}?dryRun=true`, records)).json(), {
    received: 6,
    created: 0,
    updated: 0,
    unchanged: 6,
    changes: []
  })
  t.same((await put(caller, `${people}?dryRun=true`, [])).json().changes, [])
})

t.test('a dry run shows a thousand changes and counts them all, and fails as the real one does', async t => {
  const caller = await app.addCaller('many')
  const many = Array.from({ length: 1200 }, (_, at) => somebody(`n${at}`))
  const { changes, ...counts } = (await put(caller, `${people}?dryRun=true`, many)).json()
  t.equal(changes.length, 1000)
  t.same(counts, { received: 1200, created: 1200, updated: 0, unchanged: 0 })
  await caller.putPeople(many)
  for (const query of ['', '?dryRun=true']) {
    const conflict = await put(caller, people + query, [somebody('z'), somebody('n1', { personId: 'other' })])
    t.match(conflict.json(), { code: 'people-conflict', index: 1, pointer: '/agents/0' }, query)
    const impossible = await put(caller, people + query, [
      somebody('n1', { hiredOn: '2026-02-01', leftOn: '2026-01-01' })
    ])
    t.match(impossible.json(), { code: 'invalid-body', index: 0, pointer: '/leftOn' })
  }
})

t.test('whoever left can be hired again only when the day of leaving is cleared or moved', async t => {
  await app.putPeople([somebody('again', { hiredOn: '2020-01-01', leftOn: '2024-12-31' })])
  const refused = await app.putPeople([somebody('again', { hiredOn: '2026-01-01' })])
  t.match(refused.json(), { code: 'invalid-body', index: 0, pointer: '/leftOn', detail: /2024-12-31.*2026-01-01/ })
  const taken = await app.putPeople([somebody('again', { hiredOn: '2026-01-01', leftOn: null })])
  t.match(taken.json(), { updated: 1 })
})

t.test('a merged person is on no list and shown with its target, and an import keeps its history', async t => {
  const caller = await app.addCaller('merged')
  await caller.putPeople([somebody('from'), somebody('into')])
  t.equal((await put(caller, historyOf('from'), { ranges: [{ team: 'a' }] })).statusCode, 200)
  const merge = { method: 'POST', url: `${pathOf('into')}/merge`, payload: { from: { personId: 'from' } } } as const
  t.equal((await caller.call(merge)).statusCode, 200)
  for (const query of [{}, { includeLeft: 'true' }]) t.same(await idsOf(caller, query), ['into'])
  t.match((await caller.call({ url: pathOf('from') })).json(), { mergedInto: 'into', agents: [], team: 'a' })
  const addressesOf = async (personId: string) => {
    const { agents } = (await caller.call({ url: pathOf(personId) })).json()
    return agents.map(({ mbox }: { mbox: string }) => mbox).sort()
  }
  t.same(await addressesOf('into'), ['mailto:from@example.org', 'mailto:into@example.org'])

  const nightly = [somebody('into'), { ...somebody('from', { team: 'b' }), agents: [agentOf('from'), agentOf('more')] }]
  const counts = { received: 2, created: 0, updated: 1, unchanged: 1 }
  const change = { personId: 'from', validFrom: today, attributes: { team: { from: 'a', to: 'b' } } }
  const rehearsed = (await put(caller, `${people}?dryRun=true`, nightly)).json()
  t.match(rehearsed, { ...counts, changes: [{ ...change, agentsAdded: [agentOf('more')], agentsMoved: [] }] })
  t.same((await caller.putPeople(nightly)).json(), counts)
  t.same((await caller.putPeople(nightly)).json(), { ...counts, updated: 0, unchanged: 2 })
  t.match((await caller.call({ url: pathOf('from') })).json(), { mergedInto: 'into', agents: [], team: 'b' })
  t.same(
    await addressesOf('into'),
    ['from', 'into', 'more'].map(name => agentOf(name).mbox)
  )

  t.equal((await put(caller, historyOf('from'), { ranges: [{ team: 'c' }] })).statusCode, 200)
  t.match((await caller.call({ url: historyOf('from') })).json(), { ranges: [{ team: 'c' }] })
})

t.test('nobody sees or changes the people of another tenant', async t => {
  const north = await app.addCaller('isolated north')
  const south = await app.addCaller('isolated south')
  await north.putPeople([somebody('shared', { name: 'N', team: 'n' }), somebody('northern', { team: 'n' })])
  await south.putPeople([somebody('shared', { name: 'S', team: 's' })])
  t.same(await idsOf(south, {}), ['shared'])
  t.same(await idsOf(south, { team: 'n' }), [])
  t.match((await south.call({ url: pathOf('shared') })).json(), { name: 'S', team: 's', agents: { length: 1 } })
  for (const url of [pathOf('northern'), historyOf('northern')]) t.equal((await south.call({ url })).statusCode, 404)
  t.equal((await put(south, historyOf('northern'), { ranges: [{}] })).statusCode, 404)
  await put(south, historyOf('shared'), { ranges: [{ team: 'changed' }] })
  t.match((await north.call({ url: historyOf('shared') })).json().ranges, [{ team: 'n' }])
  const { changes } = (await put(south, `${people}?dryRun=true`, [somebody('northern')])).json()
  t.match(changes, [{ change: 'created', agentsAdded: { length: 1 }, agentsMoved: [] }])
})

t.test('today is the tenant’s, also just after its midnight', async t => {
  const caller = await app.addCaller('midnight')
  await caller.putPeople([somebody('m', { leftOn: '2026-03-10' })])
  t.same(await idsOf(caller, {}), [])
  now = new Date('2026-03-10T22:59:59Z')
  t.same(await idsOf(caller, {}), ['m'])
})
