import { once } from 'node:events'
import { request as httpRequest } from 'node:http'
import { PassThrough, Readable } from 'node:stream'
import { gzipSync } from 'node:zlib'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { peopleKind } from '../../src/http/api/people-record.js'
import { receiveRecords } from '../../src/http/api/record-body.js'
import { testApp } from '../support/app.js'

const app = await testApp(t, {
  timeZone: 'Europe/Berlin',
  now: () => new Date('2026-03-10T23:30:00Z'),
  config: { maxPeople: 4, maxBodyBytes: 20_000, maxPeopleBytes: 3_000_000 }
})
const { call, db, putPeople } = app

const json = 'application/json'
const lines = 'application/x-ndjson'
const csv = 'text/csv'

const put = (type: string, payload: string | Buffer, headers: object = {}) =>
  call({ method: 'PUT', url: '/api/v1/people', headers: { 'content-type': type, ...headers }, payload })

const personOf = async (personId: string) =>
  (await call({ url: `/api/v1/people/${encodeURIComponent(personId)}` })).json()

const full = {
  personId: '4711',
  name: 'Ada Lovelace',
  agents: [{ mbox: 'mailto:ada@example.org' }],
  role: 'team-lead',
  team: 'north, 1',
  managerId: '4700',
  region: 'EMEA',
  jobFamily: 'sales',
  assignmentType: 'mandatory',
  hiredOn: '2024-02-01',
  leftOn: '2027-01-31',
  cohorts: ['north', 'pilot'],
  demographics: { ageBand: '30-39', 'time zone': 'CET' }
}

const fullHeader =
  'personId,name,email,role,team,managerId,region,jobFamily,assignmentType,hiredOn,leftOn,cohorts,demographics.ageBand,demographics.time zone'
const fullRow =
  '4711,Ada Lovelace,ada@example.org,team-lead,"north, 1",4700,EMEA,sales,mandatory,2024-02-01,2027-01-31,pilot;north; pilot,30-39,CET'

const known = { ...full, validFrom: null, validTo: null, known: true, mergedInto: null }

const sent: Readonly<Record<string, readonly [string, string | Buffer]>> = {
  'a JSON array': [json, JSON.stringify([full])],
  'JSON with a byte order mark': [`${json}; charset=utf-8`, `\ufeff${JSON.stringify([full])}`],
  NDJSON: [lines, `${JSON.stringify(full)}\n`],
  'NDJSON with CRLF, empty lines, a byte order mark and no end': [
    lines,
    `\ufeff\r\n\n${JSON.stringify(full)}\r\n\r\n `
  ],
  CSV: [csv, `${fullHeader}\n${fullRow}\n`],
  'CSV with a byte order mark, CRLF, empty lines and no end': [
    `${csv}; charset="UTF-8"; header=present`,
    `\ufeff${fullHeader}\r\n\r\n${fullRow}`
  ],
  'CSV with spaces and quotes in the header row': [csv, `"${fullHeader.replaceAll(',', '","')} "\n${fullRow}\n`]
}

t.test('one person in every format is the same person', async t => {
  for (const [name, [type, body]] of Object.entries(sent)) {
    await db.deleteFrom('roster').execute()
    await db.deleteFrom('person_agent').execute()
    await db.deleteFrom('person').execute()
    const response = await put(type, body)
    t.same(response.json(), { received: 1, created: 1, updated: 0, unchanged: 0 }, name)
    t.same(await personOf('4711'), known, name)
    t.same((await putPeople([full])).json(), { received: 1, created: 0, updated: 0, unchanged: 1 }, `${name}, again`)
  }
})

t.test(
  'CSV: an agent has a column for each kind, or stands as JSON in agents, over several lines if need be',
  async t => {
    const sum = 'ebd31e95054c018b10727ccffd2ef2ec3a016ee9'
    const header = 'personId,mbox,email,mbox_sha1sum,openid,account.homePage,account.name,agents'
    const row = `1,mailto:a@b.org,c@d.org,${sum},https://id.org/1,https://lms.org,"x ""y""","[\r\n{""mbox"": ""mailto:e@f.org""},\n{""mbox"": ""mailto:g@h.org""}]"`
    t.equal((await put(csv, `${header}\r\n${row}\r\n`)).statusCode, 200)
    t.same((await personOf('1')).agents.map((agent: object) => JSON.stringify(agent)).toSorted(), [
      '{"account":{"homePage":"https://lms.org","name":"x \\"y\\""}}',
      '{"mbox":"mailto:a@b.org"}',
      '{"mbox":"mailto:c@d.org"}',
      '{"mbox":"mailto:e@f.org"}',
      '{"mbox":"mailto:g@h.org"}',
      `{"mbox_sha1sum":"${sum}"}`,
      '{"openid":"https://id.org/1"}'
    ])
  }
)

t.test('CSV: rows with one personId are one person, whose agents are those of all rows', async t => {
  const body = 'personId,email,team\nrows,r1@x.org,north\nother,o@x.org,\nrows,r2@x.org,north\nrows,r1@x.org,\n'
  const differs = await put(csv, body.replace('r2@x.org,north', 'r2@x.org,south'))
  t.match(differs.json(), {
    code: 'invalid-body',
    index: 2,
    line: 4,
    column: 'team',
    detail: 'Line 4, column team: differs from what an earlier row says of the person "rows"'
  })
  t.same((await put(csv, body)).json(), { received: 2, created: 2, updated: 0, unchanged: 0 })
  t.match(await personOf('rows'), { team: 'north', agents: { length: 2 } })
  const many = Array.from({ length: 101 }, (_, at) => `many,many${at}@x.org`)
  t.match((await put(csv, ['personId,email', ...many].join('\n'))).json(), { line: 102, pointer: '/agents' })
})

t.test('an empty cell says nothing, and \\N clears', async t => {
  await put(
    csv,
    'personId,email,name,team,leftOn,cohorts,demographics.a,demographics.b\nc,c@x.org,C,t,2027-01-01,k,1,2'
  )
  await put(csv, 'personId,email,name,team,leftOn,cohorts,demographics.a,demographics.b\nc,c@x.org,,,,,,')
  const before = { name: 'C', team: 't', leftOn: '2027-01-01', cohorts: ['k'], demographics: { a: '1', b: '2' } }
  t.match(await personOf('c'), before)
  await put(csv, 'personId,email,name,team,leftOn,cohorts,demographics.a\nc,c@x.org,\\N,\\N,\\N,\\N,\\N')
  t.match(await personOf('c'), { name: null, team: null, leftOn: null, cohorts: [], demographics: { b: '2' } })
  await put(lines, '{"personId":"c","agents":[{"mbox":"mailto:c@x.org"}],"demographics":null}')
  t.same((await personOf('c')).demographics, {})
})

const agents = '"agents":[{"mbox":"mailto:f@x.org"}]'
const fine = `{"personId":"f",${agents}}`

const faults: readonly (readonly [string, string | Buffer, object])[] = [
  [
    lines,
    `${fine}\n\n{"personId":"g",${agents},"team":7}`,
    { index: 1, line: 3, pointer: '/team', code: 'invalid-body' }
  ],
  [lines, `${fine}\n{"personId":"g","agents":[{"mbox":"g"}]}`, { index: 1, line: 2, pointer: '/agents/0/mbox' }],
  [lines, `${fine}\n{"personId":"g"`, { code: 'invalid-json', index: 1, line: 2 }],
  [lines, `{"personId":"g",${agents},"team":"a","team":"b"}`, { code: 'invalid-json', line: 1, pointer: '/team' }],
  [lines, `[${fine}]`, { code: 'invalid-body', line: 1, pointer: '' }],
  [lines, `${fine}\n${fine}`, { code: 'invalid-body', index: 1, line: 2, pointer: '/personId' }],
  [
    lines,
    `\n${fine}\n{"personId":"g",${agents}}`,
    { code: 'people-conflict', line: 3, pointer: '/agents/0', detail: /^Line 3: / }
  ],
  [lines, `{"personId":"g",${agents},"hiredOn":"2026-02-30"}`, { line: 1, pointer: '/hiredOn' }],
  [lines, `{"personId":"g",${agents},"demographics":{"a":{}}}`, { line: 1, pointer: '/demographics/a' }],
  [lines, `{"personId":"g",${agents},"demographics":{"":"a"}}`, { line: 1, pointer: '/demographics/' }],
  [lines, `{"personId":"g",${agents},"hiredOn":"2026-02-02","leftOn":"2026-02-01"}`, { line: 1, pointer: '/leftOn' }],
  [lines, `${fine}\n${' '.repeat(1_048_577)}`, { code: 'invalid-body', line: 2, detail: /1048576 characters/ }],
  [lines, Buffer.from('{"personId":"\xff"}', 'latin1'), { code: 'invalid-body', detail: /UTF-8/ }],
  [lines, Buffer.from('{"personId":"\xc3', 'latin1'), { code: 'invalid-body', detail: /UTF-8/ }],
  [json, `[${fine},{"personId":"g",${agents},"managerId":""}]`, { index: 1, pointer: '/managerId' }],
  [json, `[{"personId":"g","personId":"h",${agents}}]`, { code: 'invalid-json', pointer: '/0/personId' }],
  [csv, '', { code: 'invalid-body', line: 1, detail: /no header row/ }],
  [csv, 'personId,salary\n', { line: 1, column: 'salary', detail: 'There is no column "salary" (number 2)' }],
  [csv, 'personId,\n', { line: 1, column: '' }],
  [csv, 'personId,demographics.\n', { line: 1, column: 'demographics.' }],
  [csv, 'personId,demographics\n', { line: 1, column: 'demographics' }],
  [csv, 'personId;email\n', { line: 1, column: 'personId;email' }],
  [csv, 'email,team,email\n', { line: 1, column: 'email', detail: /twice/ }],
  [csv, 'email,team\n', { line: 1, column: 'personId' }],
  [csv, 'personId,email\na,a@x.org\nb\n', { line: 3, detail: /not CSV/ }],
  [csv, 'personId,email\na,"a@x.org', { detail: /not CSV/ }],
  [csv, 'personId,email\na,a"b\n', { line: 2, detail: /not CSV/ }],
  [csv, `personId,email\na,${'a'.repeat(1_048_577)}\n`, { line: 2, detail: /not CSV/ }],
  [csv, 'personId,email,team\na,a@x.org,"x\ny"\n', { index: 0, line: 2, column: 'team', pointer: '/team' }],
  [
    csv,
    'personId,email,agents\r\na,a@x.org,"[\r\n]"\r\n\r\nb,nobody,\r\n',
    { index: 1, line: 5, column: 'email', pointer: '/agents/0/mbox', detail: /^Line 5, column email: / }
  ],
  [csv, 'personId,mbox,openid\na,mailto:a@x.org,no iri\n', { line: 2, column: 'openid' }],
  [csv, 'personId,account.homePage,account.name\na,,7\n', { line: 2, column: 'account.name' }],
  [csv, 'personId,account.homePage,account.name\na,https://x.org,\n', { line: 2, column: 'account.homePage' }],
  [csv, 'personId,email\na,\n', { line: 2, pointer: '/agents' }],
  [csv, 'personId,email\n,a@x.org\n', { line: 2, pointer: '' }],
  [csv, 'personId,email,hiredOn\na,a@x.org,01.02.2026\n', { line: 2, column: 'hiredOn', pointer: '/hiredOn' }],
  [csv, 'personId,email,demographics.a/b\na,a@x.org,"x\ny"\n', { line: 2, column: 'demographics.a/b' }],
  [csv, 'personId,agents\na,{}\n', { line: 2, column: 'agents', pointer: '/agents' }],
  [csv, 'personId,agents\na,"[{""mbox"": 7}"\n', { line: 2, column: 'agents', pointer: '/agents' }],
  [csv, 'personId,agents\na,"[{""mbox"": 7}]"\n', { line: 2, column: 'agents', pointer: '/agents/0/mbox' }]
]

t.test(
  'a fault in a body is 400 or 409, with record, line and JSON pointer or column, and nothing is stored',
  async t => {
    const before = await db.selectFrom('person').selectAll().orderBy('id').execute()
    for (const [type, body, expected] of faults) {
      const response = await put(type, body)
      const name = `${type} ${String(body).slice(0, 80)}`
      t.ok([400, 409].includes(response.statusCode), name)
      t.match(response.headers['content-type'], /^application\/problem\+json/)
      t.match(response.json(), { code: /^(invalid-body|invalid-json|people-conflict)$/, ...expected }, name)
    }
    t.same(await db.selectFrom('person').selectAll().orderBy('id').execute(), before)
  }
)

t.test('a type, charset or encoding that is not taken is 415', async t => {
  for (const type of [
    'text/plain',
    'application/xml',
    'text/csv; charset=windows-1252',
    'application/json; charset=latin1'
  ]) {
    const response = await put(type, '[]')
    t.equal(response.statusCode, 415, type)
    t.match(response.json(), { code: 'unsupported-media-type' })
  }
  const response = await call({ method: 'PUT', url: '/api/v1/people' })
  t.equal(response.statusCode, 415, 'no body')
})

t.test('more people or more bytes than the limits are 413, compressed or not', async t => {
  const person = (at: number) => JSON.stringify({ personId: `l${at}`, agents: [{ mbox: `mailto:l${at}@x.org` }] })
  const five = [0, 1, 2, 3, 4].map(person)
  const rows = ['personId,email', ...[0, 1, 2, 3, 4].map(at => `l${at},l${at}@x.org`)]
  const blanks = `${' '.repeat(1000)}\n`.repeat(3001)
  const table: readonly (readonly [string, string | Buffer, RegExp, object?])[] = [
    [json, `[${five.join(',')}]`, /5 people are more than the 4 of MAX_PEOPLE/],
    [lines, five.join('\n'), /5 people are more than the 4 of MAX_PEOPLE/],
    [csv, rows.join('\n'), /5 people are more than the 4 of MAX_PEOPLE/],
    [json, `[${' '.repeat(20_000)}]`, /20000 bytes of MAX_BODY_BYTES/],
    [lines, blanks, /3000000 bytes of MAX_PEOPLE_BYTES/],
    [csv, `personId\n${'\n'.repeat(3_000_000)}`, /3000000 bytes of MAX_PEOPLE_BYTES/],
    [lines, gzipSync(blanks), /3000000 bytes/, { 'content-encoding': 'gzip' }]
  ]
  for (const [type, body, detail, headers] of table) {
    const response = await put(type, body, headers)
    t.equal(response.statusCode, 413, `${type} ${detail}`)
    t.match(response.json(), { code: 'body-too-large', detail })
  }
  const compressed = await put(csv, gzipSync('personId,email\nz,z@x.org\n'), { 'content-encoding': 'gzip' })
  t.match(compressed.json(), { created: 1 })
})

t.test('a slow client holds nothing: the transaction begins when the whole body has been read', async t => {
  const slow = httpRequest(`${await app.listen()}/api/v1/people`, {
    method: 'PUT',
    headers: { authorization: app.authorization, 'content-type': lines }
  })
  const answered = once(slow, 'response')
  slow.write(`{"personId":"slow","agents":[{"mbox":"mailto:slow@x.org"}]}\n{"pers`)
  const quick = await put(lines, '{"personId":"slow","agents":[{"mbox":"mailto:slow@x.org"}],"team":"quick"}')
  t.match(quick.json(), { created: 1 }, 'the same person is not locked')
  slow.end(`onId":"ü","agents":[{"mbox":"mailto:u@x.org"}]}`)
  const [response] = await answered
  t.equal(response.statusCode, 200)
  t.match(JSON.parse(Buffer.concat(await response.toArray()).toString()), { created: 1, unchanged: 1 })
})

t.test('a refused body goes by unread, and the connection lives to carry the answer', async t => {
  const url = await app.listen()
  const headers = { authorization: app.authorization, 'content-type': lines }
  for (let round = 0; round < 3; round++) {
    const response = await fetch(`${url}/api/v1/people`, {
      method: 'PUT',
      headers,
      body: `{}\n${' \n'.repeat(1_000_000)}`
    })
    t.equal(response.status, 400)
    t.match(await response.json(), { line: 1 })
  }
})

t.test('a body that breaks off is refused whole', async t => {
  const body = Readable.from([Buffer.from('{"personId":"a","agents":[{"mbox":"mailto:a@x.org"}]}\n')])
  const broken = body.pipe(new PassThrough())
  broken.once('data', () => broken.destroy(new Error('aborted')))
  const request = { body: broken, headers: { 'content-type': lines } } as unknown as FastifyRequest
  const limits = { maxBodyBytes: 1000, maxPeopleBytes: 1000, maxPeople: 10, maxJsonDepth: 10 }
  await t.rejects(receiveRecords(request, peopleKind, limits), {
    code: 'invalid-body',
    message: 'The body breaks off before its end'
  })
})
