import t, { type Test } from 'tap'
import { type Caller, testApp } from '../support/app.js'

const now = new Date('2026-03-10T12:00:00Z')

const engineers = { role: ['engineer'] }
const northern = { and: [engineers, { not: { region: ['south'] } }] }

async function service(t: Test) {
  const app = await testApp(t, { now: () => now, timeZone: 'Europe/Berlin' })
  const reader = await app.addCaller('first', ['metrics/read'])
  // Several values of one attribute at once are for who may see names.
  const namer = await app.addCaller('first', ['metrics/read', 'people/read'])
  return { ...app, reader, namer, south: await app.addCaller('south') }
}

const put = (caller: Caller, id: string, body: unknown) =>
  caller.call({
    method: 'PUT',
    url: `/api/v1/cohorts/${encodeURIComponent(id)}`,
    headers: { 'content-type': 'application/json' },
    payload: JSON.stringify(body)
  })

async function get(caller: Caller, path: string) {
  const response = await caller.call({ url: `/api/v1/cohorts${path}` })
  return { status: response.statusCode, body: response.json() }
}

/** A roster of so many engineers and sellers, p00, p01 …, in named cohorts. */
async function seedRoster({ db, tenantId }: Caller & Pick<Awaited<ReturnType<typeof service>>, 'db'>) {
  const persons = await db
    .insertInto('person')
    .values(
      Array.from({ length: 14 }, (_, at) => ({
        tenant_id: tenantId,
        external_id: `p${String(at).padStart(2, '0')}`,
        first_agent_id: null,
        name: at === 0 ? 'Ada' : null
      }))
    )
    .returning(['id', 'external_id'])
    .execute()
  await db
    .insertInto('roster')
    .values(
      persons.map(({ id, external_id }, at) => ({
        tenant_id: tenantId,
        person_id: id,
        valid: external_id === 'p13' ? '[,2026-03-01)' : '(,)',
        role: at < 5 ? 'engineer' : 'seller',
        cohorts: external_id === 'p13' ? ['over'] : at < 3 ? ['pilot, early', 'all'] : ['all']
      }))
    )
    .execute()
}

t.test('a filter is saved, read, replaced and deleted under its id', async t => {
  const app = await service(t)
  const created = await put(app, 'north.engineers', { name: 'Engineers', filter: northern })
  t.equal(created.statusCode, 201)
  t.match(created.json(), { id: 'north.engineers', name: 'Engineers', filter: northern })
  const { status, body } = await get(app, '/north.engineers')
  t.same([status, body], [200, created.json()], 'also the filter, whole')
  const replaced = await put(app, 'north.engineers', { filter: engineers })
  t.equal(replaced.statusCode, 200)
  t.match(replaced.json(), { name: null, filter: engineers, createdAt: created.json().createdAt })
  t.match(replaced.json(), { createdAt: /^\d{4}-\d\d-\d\dT[\d:.]+Z$/, updatedAt: /Z$/ })
  const remove = () => app.call({ method: 'DELETE', url: '/api/v1/cohorts/north.engineers' })
  t.equal((await remove()).statusCode, 204)
  t.match(await get(app, '/north.engineers'), { status: 404, body: { code: 'not-found' } })
  t.equal((await remove()).statusCode, 404)
})

t.test('what is no filter is refused with the place of the fault', async t => {
  const app = await service(t)
  const table = [
    [{ filter: { and: [engineers, { rule: ['a'] }] } }, '/filter/and/1/rule'],
    [{ filter: { role: 'engineer' } }, '/filter/role'],
    [{}, ''],
    [{ name: '', filter: engineers }, '/name'],
    [{ filter: engineers, size: 3 }, '/size']
  ] as const
  for (const [body, pointer] of table) {
    const response = await put(app, 'x', body)
    t.match([response.statusCode, response.json()], [400, { code: 'invalid-body', pointer }], JSON.stringify(body))
  }
  for (const id of ['a,b', '-a', 'ä', 'a b', 'x'.repeat(101)]) {
    t.match((await put(app, id, { filter: engineers })).json(), { status: 400, code: 'invalid-parameter' }, id)
  }
})

t.test('a new filter may not take the name of a cohort of the roster', async t => {
  const app = await service(t)
  t.equal((await put(app, 'over', { filter: engineers })).statusCode, 201)
  await seedRoster(app)
  t.match((await put(app, 'all', { filter: engineers })).json(), { status: 409, code: 'cohort-conflict' })
  t.equal((await put(app, 'over', { filter: northern })).statusCode, 200, 'one that was there first can be replaced')
  t.equal((await get(app, '/over/members')).body.members.length, 5, 'and goes before the roster’s')
})

t.test(
  'the list has saved filters and named cohorts, page by page; small sizes are for readers of the roster',
  async t => {
    const app = await service(t)
    await put(app, 'engineers', { name: 'All engineers', filter: northern })
    await seedRoster(app)
    const saved = { id: 'engineers', kind: 'saved', name: 'All engineers', size: null, suppressed: false }
    const all = { id: 'all', kind: 'roster', name: null, size: 13, suppressed: false }
    const over = { id: 'over', kind: 'roster', name: null, size: 0, suppressed: false }
    const pilot = { id: 'pilot, early', kind: 'roster', name: null, size: 3, suppressed: false }
    t.same((await get(app, '')).body, {
      asOf: '2026-03-10',
      cohorts: [all, { ...saved, filter: northern }, over, pilot],
      next: null
    })
    const hidden = [all, saved, over, { ...pilot, size: null, suppressed: true }]
    t.same((await get(app.reader, '')).body.cohorts, hidden)
    const first = (await get(app.reader, '?limit=2')).body
    t.same(first.cohorts, hidden.slice(0, 2))
    const second = (await get(app.reader, `?limit=2&cursor=${first.next}`)).body
    t.same([second.cohorts, second.next], [hidden.slice(2), null])
  }
)

t.test('the members of a cohort on a day, page by page, for readers of the roster alone', async t => {
  const app = await service(t)
  await put(app, 'engineers', { filter: engineers })
  await seedRoster(app)
  const first = (await get(app, '/engineers/members?limit=3')).body
  t.match(first, {
    at: '2026-03-10',
    members: [{ personId: 'p00', name: 'Ada' }, { personId: 'p01', name: null }, { personId: 'p02' }]
  })
  const second = (await get(app, `/engineers/members?limit=3&cursor=${first.next}`)).body
  t.same([second.members.map((member: { personId: string }) => member.personId), second.next], [['p03', 'p04'], null])
  t.match((await get(app, '/over/members?at=2026-02-28')).body, { at: '2026-02-28', members: [{ personId: 'p13' }] })
  t.same((await get(app, '/over/members')).body.members, [])
  t.equal((await get(app, '/pilot%2C%20early/members')).body.members.length, 3)
  t.match(await get(app, '/none/members'), { status: 404, body: { code: 'not-found' } })
  for (const path of ['/engineers', '/engineers/members']) t.equal((await get(app.reader, path)).status, 403)
  t.equal((await put(app.reader, 'x', { filter: engineers })).statusCode, 403)
})

t.test('a wrong cursor, day or limit is refused', async t => {
  const app = await service(t)
  const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  await put(app, 'engineers', { filter: engineers })
  const table = [
    '?cursor=nonsense',
    `?cursor=${encoded(['a', 'b'])}`,
    `?cursor=${encoded(['a'])}`,
    `?cursor=${encoded(['a\0', 'saved'])}`,
    '?limit=0',
    '?limit=1001',
    '/engineers/members?cursor=nonsense',
    `/engineers/members?cursor=${encoded([1])}`,
    '/engineers/members?at=yesterday',
    '/engineers/members?at=2026-02-30',
    '/engineers/members?on=2026-02-28'
  ]
  for (const path of table) {
    t.match(await get(app, path), { status: 400, body: { code: 'invalid-parameter' } }, path)
  }
})

t.test('a metric takes saved filters and attributes, and echoes them', async t => {
  const app = await service(t)
  await put(app, 'engineers', { filter: engineers })
  await seedRoster(app)
  const ask = async (query: string) => {
    const response = await app.namer.call({ url: `/api/v1/metrics/active-users?minGroupSize=10&${query}` })
    return { status: response.statusCode, body: response.json() }
  }
  t.match(await ask('cohort=all&role=seller,engineer&membership=current'), {
    body: {
      results: [{ denominator: 13 }],
      meta: { query: { cohort: 'all', filters: { role: ['seller', 'engineer'] }, membership: 'current' }, warnings: [] }
    }
  })
  t.match((await ask('cohort=engineers')).body.results, [{ suppressed: true, denominator: null }])
  t.match(await ask('tenureBand=36+&jobFamily=tech&assignmentType=lead&region=north&team=red&manager=p00'), {
    body: {
      meta: {
        query: {
          filters: {
            tenureBand: ['36+'],
            jobFamily: ['tech'],
            assignmentType: ['lead'],
            region: ['north'],
            team: ['red'],
            manager: ['p00']
          }
        },
        warnings: [
          { code: 'unknown_value' },
          { code: 'unknown_value' },
          { code: 'unknown_value' },
          { code: 'unknown_value' }
        ]
      }
    }
  })
  for (const query of ['role=', 'role=%00', 'tenureBand=1-2', 'membership=always', 'role=a&role=b', 'region=a,']) {
    t.match(await ask(query), { status: 400, body: { code: 'invalid-parameter' } }, query)
  }
})

t.test('nothing of a tenant’s cohorts reaches another tenant', async t => {
  const app = await service(t)
  await put(app, 'engineers', { filter: engineers })
  await seedRoster(app)
  t.same((await get(app.south, '')).body.cohorts, [])
  for (const path of ['/engineers', '/engineers/members', '/all/members']) {
    t.equal((await get(app.south, path)).status, 404, path)
  }
  t.equal((await app.south.call({ method: 'DELETE', url: '/api/v1/cohorts/engineers' })).statusCode, 404)
  t.equal(
    (await put(app.south, 'all', { filter: { line: ['p00'] } })).statusCode,
    201,
    'no conflict tells of the other'
  )
  t.same((await get(app.south, '/all/members')).body.members, [])
  t.equal((await get(app, '/all/members')).body.members.length, 13)
  const url = '/api/v1/metrics/active-users?cohort=engineers&role=engineer&manager=p00'
  t.match((await app.south.call({ url })).json(), {
    results: [{ denominator: 0 }],
    meta: { warnings: [{ code: 'unknown_cohort' }, { code: 'unknown_value' }, { code: 'unknown_value' }] }
  })
})

t.test('the OpenAPI document has the filter once, referring to itself', async t => {
  const app = await service(t)
  const document = (await app.call({ url: '/openapi.json' })).json()
  const reference = { $ref: '#/components/schemas/CohortFilter' }
  const filter = document.components.schemas.CohortFilter
  t.same(filter.anyOf[0].properties.and.items, reference)
  t.same(filter.anyOf[2].properties.not, reference)
  const { requestBody } = document.paths['/api/v1/cohorts/{cohortId}'].put
  t.same(requestBody.content['application/json'].schema.properties.filter, reference)
})
