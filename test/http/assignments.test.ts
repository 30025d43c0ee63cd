import t from 'tap'
import { testApp } from '../support/app.js'

const app = await testApp(t, { config: { maxPeople: 4, maxBodyBytes: 20_000, maxPeopleBytes: 30_000 } })
const { call, putPeople } = app

const json = 'application/json'
const lines = 'application/x-ndjson'
const csv = 'text/csv'
const url = '/api/v1/assignments'

await putPeople(['1', '2'].map(personId => ({ personId, agents: [{ mbox: `mailto:${personId}@example.org` }] })))

const put = (type: string, payload: string, query = '') =>
  call({ method: 'PUT', url: `${url}${query}`, headers: { 'content-type': type }, payload })
const list = async (query = '') => (await call({ url: `${url}${query}` })).json()
const clear = () => app.db.deleteFrom('assignment').execute()

const course = {
  assignmentId: 'e/1',
  personId: '1',
  kind: 'activity',
  activity: 'https://lms.example/courses/1?a=b,c',
  assignedOn: '2026-03-01',
  dueOn: '2026-03-31',
  withdrawnOn: null
}
const check = {
  assignmentId: 'check',
  personId: '2',
  kind: 'manager-check',
  activity: null,
  assignedOn: '2026-03-01',
  dueOn: '2026-03-09',
  withdrawnOn: '2026-03-05'
}
const { kind: _kind, withdrawnOn: _withdrawnOn, ...bare } = course
const { activity: _activity, ...bareCheck } = check

const header = 'personId,assignmentId,activity,kind,assignedOn,dueOn,withdrawnOn'
const rows = [
  '2,check,,manager-check,2026-03-01,2026-03-09,2026-03-05',
  '1,e/1,"https://lms.example/courses/1?a=b,c",,2026-03-01,2026-03-31,'
]

const sent: Readonly<Record<string, readonly [string, string]>> = {
  'a JSON array': [json, JSON.stringify([course, check])],
  'JSON without what is null or by default': [json, JSON.stringify([bare, bareCheck])],
  NDJSON: [lines, `${JSON.stringify(course)}\n\n${JSON.stringify(check)}`],
  CSV: [csv, [header, ...rows].join('\r\n')]
}

t.test('assignments in every format are the same assignments', async t => {
  for (const [name, [type, body]] of Object.entries(sent)) {
    await clear()
    const counts = { received: 2, created: 2, updated: 0, unchanged: 0 }
    t.match((await put(type, body, '?dryRun=true')).json(), { ...counts, changes: { length: 2 } }, name)
    t.same(await list(), { assignments: [], nextCursor: null })
    t.same((await put(type, body)).json(), counts, name)
    t.same(await list(), { assignments: [check, course], nextCursor: null }, name)
    t.same((await put(type, body)).json(), { ...counts, created: 0, unchanged: 2 }, `${name}, again`)
  }
})

t.test('assignments are filtered by person, activity, kind and deadline, page by page', async t => {
  await clear()
  await put(json, JSON.stringify([course, check]))
  const named = async (query: string) =>
    (await list(`?${query}`)).assignments.map(({ assignmentId }: { assignmentId: string }) => assignmentId)
  t.same(await named('personId=1'), ['e/1'])
  t.same(await named(`activity=${encodeURIComponent(course.activity)}`), ['e/1'])
  t.same(await named('activity=https://lms.example/none'), [])
  t.same(await named('kind=manager-check'), ['check'])
  t.same(await named('dueFrom=2026-03-09&dueBefore=2026-03-31'), ['check'])
  t.same(await named('dueFrom=2026-03-10&dueBefore=2026-04-01'), ['e/1'])
  const { assignments, nextCursor } = await list('?limit=1')
  t.match(assignments, [check])
  t.match(await list(`?limit=1&cursor=${nextCursor}`), { assignments: [course], nextCursor: null })
  for (const query of ['cursor=%', 'cursor=x', 'kind=course', 'dueFrom=2026-02-30', 'limit=0', 'person=1']) {
    t.equal((await call({ url: `${url}?${query}` })).statusCode, 400, query)
  }
})

t.test('an assignment is deleted by its name, once', async t => {
  await clear()
  await put(json, JSON.stringify([course, check]))
  const remove = () => call({ method: 'DELETE', url: `${url}/e%2F1` })
  t.equal((await remove()).statusCode, 204)
  t.match((await remove()).json(), { status: 404, code: 'not-found', detail: 'There is no assignment "e/1"' })
  t.same((await list()).assignments, [check])
})

const fault = (members: object) => JSON.stringify({ ...course, ...members })

const faults: readonly (readonly [string, string, object])[] = [
  [json, '{}', { code: 'invalid-body', pointer: '', detail: 'The body must be an array of assignments' }],
  [json, `[${fault({})},${fault({ assignmentId: 'f', activity: null })}]`, { index: 1, pointer: '/activity' }],
  [json, `[${fault({ activity: 'course 1' })}]`, { detail: /^Assignment 0, \/activity: must be an IRI/ }],
  [json, `[${fault({ kind: 'course' })}]`, { index: 0, pointer: '/kind' }],
  [json, `[${fault({ kind: 'manager-check' })}]`, { index: 0, pointer: '/activity', detail: /must not be there/ }],
  [
    json,
    `[${fault({ kind: 'manager-check', activity: null, dueOn: null })}]`,
    { pointer: '/dueOn', detail: /never due/ }
  ],
  [json, `[${fault({ assignedOn: null })}]`, { pointer: '/assignedOn' }],
  [json, `[${fault({ dueOn: '2026-02-30' })}]`, { pointer: '/dueOn' }],
  [json, `[${fault({ dueOn: '0000-01-01' })}]`, { pointer: '/dueOn' }],
  [json, `[${fault({ score: 1 })}]`, { pointer: '/score', detail: /there is no such field/ }],
  [json, `[${fault({})},${fault({})}]`, { index: 1, pointer: '/assignmentId', detail: /given twice/ }],
  [
    lines,
    `\n${fault({})}\n${fault({ assignmentId: 'f', personId: 'x' })}`,
    { code: 'unknown-person', index: 1, line: 3 }
  ],
  [lines, `${fault({})}\n{`, { code: 'invalid-json', line: 2 }],
  [csv, `${header}\n${rows[0]}\n9,f,https://a.example,,2026-03-01,,\n`, { line: 3, column: 'personId', index: 1 }],
  [csv, `${header}\n1,f,https://a.example,,1.3.2026,,\n`, { line: 2, column: 'assignedOn', pointer: '/assignedOn' }],
  [csv, `${header}\n1,f,,,2026-03-01,,\n`, { line: 2, column: 'activity', detail: /^Line 2, column activity: / }],
  [csv, `${header}\n,f,https://a.example,,2026-03-01,,\n`, { line: 2, pointer: '' }],
  [csv, `${header}\n${rows[0]}\n${rows[0]}\n`, { line: 3, column: 'assignmentId', detail: /given twice/ }],
  [csv, 'assignmentId,course\n', { line: 1, column: 'course' }],
  [csv, 'personId\n', { line: 1, column: 'assignmentId' }]
]

t.test('a fault refuses all of them, with record, line and JSON pointer or column', async t => {
  await clear()
  for (const [type, body, expected] of faults) {
    const response = await put(type, body)
    const name = `${type} ${body.slice(0, 120)}`
    t.ok([400, 409].includes(response.statusCode), name)
    t.match(response.json(), { code: /^(invalid-body|invalid-json|unknown-person)$/, ...expected }, name)
    t.match((await put(type, body, '?dryRun=true')).json(), expected, `${name}, as a dry run`)
  }
  t.same((await list()).assignments, [])
})

t.test('more than the limits are 413, and another type 415', async t => {
  const five = Array.from({ length: 5 }, (_, at) => fault({ assignmentId: `l${at}` }))
  const tooMany = { code: 'body-too-large', detail: '5 assignments are more than the 4 of MAX_PEOPLE' }
  t.match((await put(json, `[${five}]`)).json(), tooMany)
  t.match((await put(lines, five.join('\n'))).json(), tooMany)
  t.equal((await put(json, `[${' '.repeat(20_001)}]`)).statusCode, 413)
  t.equal((await put('text/plain', '[]')).statusCode, 415)
})

t.test('the assignments of another tenant are neither found, replaced nor deleted', async t => {
  await clear()
  await put(json, JSON.stringify([course]))
  const south = await app.addCaller('south')
  t.same((await south.call({ url })).json(), { assignments: [], nextCursor: null })
  t.equal((await south.call({ method: 'DELETE', url: `${url}/e%2F1` })).statusCode, 404)
  const taken = await south.call({
    method: 'PUT',
    url,
    headers: { 'content-type': json },
    payload: JSON.stringify([course])
  })
  t.match(taken.json(), { code: 'unknown-person' }, 'nor does a personId lead there')
  t.same((await list()).assignments, [course])
})
