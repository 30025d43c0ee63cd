import { randomBytes, randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { sql } from 'kysely'
import t from 'tap'
import { testApp } from '../support/app.js'
import {
  attachment,
  boundary,
  dataPart,
  jsonPart,
  multipart,
  multipartType,
  type Part,
  partsOf,
  sha2
} from '../support/multipart.js'
import { opened } from '../support/statements.js'

// What xAPI says of attachments. Comm is part Communication of 1.0.3, Data its part Data; 2.0 says the same.

const app = await testApp(t, { config: { maxPageStatements: 3 } })
const { call, post, get } = app

const versions = ['1.0.3', '2.0.0'] as const
const text = 'here is a simple attachment'

interface Sending {
  readonly type?: string
  readonly url?: string
  readonly method?: 'POST' | 'PUT'
  readonly version?: string
}

const send = (
  payload: Buffer | string,
  { type = multipartType, url = '', method = 'POST', version = '1.0.3' }: Sending = {}
) =>
  call({
    method,
    url: `/xapi/statements${url}`,
    headers: { 'content-type': type, 'x-experience-api-version': version },
    payload
  })

const attached = (...attachments: readonly object[]) => ({ ...opened, attachments })
const withData = (content: Buffer | string, changes: object = {}) =>
  multipart([jsonPart(attached(attachment(content, changes))), dataPart(content)])

/** Stores statements with their data and returns their ids. */
async function store(statements: unknown, ...contents: readonly (Buffer | string)[]): Promise<string[]> {
  const response = await send(multipart([jsonPart(statements), ...contents.map(content => dataPart(content))]))
  if (response.statusCode !== 200) throw new Error(response.body)
  return response.json<string[]>()
}

const contentsOf = (parts: readonly Part[]) => parts.slice(1).map(({ content }) => content.toString())

for (const version of versions) {
  t.test(`Comm 1.5.2 in ${version}: POST and PUT take statements with their attachments, which come back`, async t => {
    const content = randomBytes(1000)
    const statement = attached(attachment(content))
    const body = multipart([jsonPart([statement, opened]), dataPart(content)])
    const posted = await send(body, { version })
    t.equal(posted.statusCode, 200, posted.body)
    const [statementId = ''] = posted.json<string[]>()
    const id = randomUUID()
    const put = await send(withData(content), { method: 'PUT', url: `?statementId=${id}`, version })
    t.equal(put.statusCode, 204, put.body)
    for (const wanted of [statementId, id]) {
      const [first, second, ...others] = partsOf(await get({ statementId: wanted, attachments: 'true' }))
      t.match(JSON.parse(String(first?.content)), { id: wanted, ...statement })
      t.match(first?.headers, { 'Content-Type': /^application\/json/ })
      t.strictSame(second, dataPart(content))
      t.same(others, [])
    }
  })

  t.test(`Comm 1.5.1 in ${version}: without multipart, each attachment needs a fileUrl`, async t => {
    const url = { fileUrl: 'https://example.org/file.txt' }
    const type = 'application/json'
    const taken = await send(JSON.stringify(attached(attachment('a', url))), { type, version })
    t.equal(taken.statusCode, 200, taken.body)
    const inner = { ...opened, objectType: 'SubStatement', attachments: [attachment('a')] }
    const table = [
      [[opened, attached(attachment('a', url), attachment('b'))], 1, '/attachments/1'],
      [[{ ...opened, object: inner }], 0, '/object/attachments/0']
    ] as const
    for (const [statements, index, pointer] of table) {
      const refused = await send(JSON.stringify(statements), { type, version })
      t.equal(refused.statusCode, 400)
      const rule = version === '1.0.3' ? 'xAPI 1.0.3 Data 2.4.11 data' : 'xAPI 2.0 4.2.2.6 data'
      t.match(refused.json(), { code: 'invalid-statement', index, pointer, rule })
    }
  })
}

t.test('Comm 1.5.2: multipart without attachments, or only with such as have a fileUrl, is taken', async t => {
  const remote = attachment('elsewhere', { fileUrl: 'https://example.org/file.txt' })
  const bodies = [opened, [], attached(remote), attached(remote, attachment(text))]
  for (const [index, body] of bodies.entries()) {
    const parts = index === 3 ? [jsonPart(body), dataPart(text)] : [jsonPart(body)]
    t.equal((await send(multipart(parts))).statusCode, 200)
  }
})

t.test('Comm 1.5.2: a multipart body that is not put together as it should be is refused with its rule', async t => {
  const named = jsonPart(attached(attachment(text)))
  const good = multipart([named, dataPart(text)])
  const part = (changes: Record<string, string | undefined>) => multipart([named, dataPart(text, changes)])
  const twice = Buffer.from(String(good).replace('X-Exp', `X-Experience-API-Hash: ${sha2(text)}\r\nX-Exp`))
  const table: readonly (readonly [string, Buffer | string, string, string?])[] = [
    ['the hash header is missing', part({ 'X-Experience-API-Hash': undefined }), 'hash'],
    ['the hash is not hexadecimal', part({ 'X-Experience-API-Hash': 'z'.repeat(64) }), 'hash'],
    ['the hash is SHA-1', part({ 'X-Experience-API-Hash': sha2(text, 'sha1') }), 'hash'],
    ['the hash is that of other data', part({ 'X-Experience-API-Hash': sha2('other') }), 'hash'],
    ['the hash is there twice', twice, 'headers'],
    ['the encoding is missing', part({ 'Content-Transfer-Encoding': undefined }), 'transfer-encoding'],
    ['the encoding is base64', part({ 'Content-Transfer-Encoding': 'base64' }), 'transfer-encoding'],
    ['the content type is none', part({ 'Content-Type': 'text' }), 'content-type'],
    ['the length is none', part({ 'Content-Length': 'many' }), 'length'],
    ['the length is not that of the data', part({ 'Content-Length': '28' }), 'length'],
    ['no statement names the part', multipart([jsonPart(opened), dataPart(text)]), 'named-parts'],
    ['statements are in the second part', multipart([named, named, dataPart(text)]), 'hash'],
    ['the first part is not JSON', multipart([{ ...named, headers: { 'Content-Type': 'text/plain' } }]), 'first-part'],
    ['the first part has no type', multipart([{ ...named, headers: {} }]), 'first-part'],
    [
      'the first part is encoded',
      multipart([{ ...named, headers: { ...named.headers, 'Content-Transfer-Encoding': 'base64' } }]),
      'transfer-encoding'
    ],
    ['there is no part', `--${boundary}--\r\n`, 'first-part'],
    ['there is no boundary in the body', JSON.stringify(opened), 'last-boundary'],
    ['the body is empty', '', 'last-boundary'],
    ['the last boundary is missing', good.subarray(0, -boundary.length - 6), 'last-boundary'],
    ['the last boundary is no last one', good.subarray(0, -3), 'last-boundary'],
    ['the attachment is cut off', good.subarray(0, good.indexOf('simple')), 'last-boundary'],
    ["a part's headers are cut off", good.subarray(0, good.indexOf('X-Exp')), 'last-boundary'],
    ['the headers of the first part have no end', String(good).replace('json\r\n\r\n', 'json\r\n'), 'headers'],
    ['the headers of the last part have no end', String(good).replace(/\r\n\r\n(?=here)/, '\r\n'), 'headers'],
    ['lines end in LF alone', String(good).replaceAll('\r\n', '\n'), 'last-boundary'],
    ['the header has no boundary', good, 'boundary', 'multipart/mixed'],
    ['the header has another parameter', good, 'boundary', 'multipart/mixed; border="a"'],
    ['the boundary is too long', good, 'boundary', `multipart/mixed; boundary=${'a'.repeat(71)}`],
    ['the boundary ends in a space', good, 'boundary', 'multipart/mixed; boundary="a "']
  ]
  for (const [name, body, rule, type = multipartType] of table) {
    const response = await send(body, { type })
    t.equal(response.statusCode, 400, name)
    t.match(response.json(), { code: 'invalid-multipart', rule: `xAPI 1.0.3 Communication 1.5.2 ${rule}` }, name)
  }
  for (const type of ['multipart/form-data; boundary=a', 'multipart/mixed;', 'multipart/mixed-replace; boundary=a']) {
    t.equal((await send(good, { type })).statusCode, 400, type)
  }
})

t.test('Comm 1.5.2: faults in the statements are told by place, whatever comes behind them', async t => {
  const table = [
    [[{ ...opened, verb: {} }], { code: 'invalid-statement', index: 0, pointer: '/verb' }],
    ['{"actor":', { code: 'invalid-json' }],
    [attached(attachment(text), attachment('missing')), { code: 'invalid-statement', pointer: '/attachments/1' }],
    [attached(attachment(text, { contentType: 'text/html' })), { pointer: '/attachments/0/contentType' }],
    [
      attached(attachment(text), attachment(text, { contentType: 'text/plain; charset=ascii' })),
      { index: 0, pointer: '/attachments/1/contentType' }
    ]
  ] as const
  for (const [body, problem] of table) {
    const response = await send(multipart([jsonPart(body), dataPart(text)]))
    t.equal(response.statusCode, 400)
    t.match(response.json(), problem)
  }
  const bytes = multipart([{ ...jsonPart(''), content: Buffer.from([0x7b, 0xff, 0x7d]) }])
  t.match((await send(bytes)).json(), { code: 'invalid-json' })
  const withLength = multipart([
    jsonPart(attached(attachment(text, { length: 5 }))),
    dataPart(text, { 'Content-Length': '27' })
  ])
  t.match((await send(withLength)).json(), { pointer: '/attachments/0/length' })
})

t.test('Comm 1.5.2: header and property are compared as media types; either may be left out', async t => {
  const changes = { contentType: 'Text/Plain;charset="UTF-8"; a=b' }
  const named = jsonPart(attached(attachment(text, changes)))
  for (const type of ['text/plain; A=b; charset=utf-8', undefined]) {
    t.equal((await send(multipart([named, dataPart(text, { 'Content-Type': type })]))).statusCode, 200)
  }
  const other = multipart([named, dataPart(text, { 'Content-Type': 'text/plain; a=B; charset=utf-8' })])
  t.equal((await send(other)).statusCode, 400)
})

t.test(
  'Data 2.4.11: a length that the data do not have is let through: the hash says which data are meant',
  async t => {
    t.equal((await send(withData(text, { length: 1 }))).statusCode, 200)
  }
)

t.test('RFC 2046: preamble and epilogue are ignored, names of headers and hashes have no case', async t => {
  const part = {
    headers: { 'content-transfer-ENCODING': 'BINARY', 'x-experience-api-hash': sha2(text).toUpperCase() },
    content: Buffer.from(text)
  }
  const body = multipart([jsonPart(attached(attachment(text))), part])
  const around = Buffer.concat([Buffer.from('a preamble\r\n'), body, Buffer.from(`an epilogue\r\n--${boundary}`)])
  const response = await send(around)
  t.equal(response.statusCode, 200, response.body)
})

t.test('Comm 1.5.2: any of the four hashes of SHA-2 will do', async t => {
  for (const algorithm of ['sha224', 'sha256', 'sha384', 'sha512']) {
    const hash = sha2(text, algorithm)
    const part = dataPart(text, { 'X-Experience-API-Hash': hash })
    const response = await send(multipart([jsonPart(attached(attachment(text, { sha2: hash }))), part]))
    t.equal(response.statusCode, 200, response.body)
    const [, found] = partsOf(await get({ statementId: response.json()[0], attachments: 'true' }))
    t.strictSame(found, part)
  }
  const other = dataPart(text, { 'X-Experience-API-Hash': sha2(text, 'sha512') })
  t.equal((await send(multipart([jsonPart(attached(attachment(text))), other]))).statusCode, 400, 'but it must be one')
})

t.test('an attachment may be empty', async t => {
  const [statementId = ''] = await store(attached(attachment('')), '')
  t.same(contentsOf(partsOf(await get({ statementId, attachments: 'true' }))), [''])
})

t.test('Comm 1.5.2: the same attachment twice in a request is one, and one in the answer', async t => {
  const statements = [attached(attachment(text), attachment(text)), attached(attachment('b'), attachment(text))]
  const ids = await store(statements, text, 'b', text)
  const [first] = partsOf(await get({ attachments: 'true', limit: '2', ascending: 'false' }))
  const page = JSON.parse(String(first?.content))
  t.same(page.statements.map(({ id }: { id: string }) => id).sort(), [...ids].sort())
  t.same(contentsOf(partsOf(await get({ attachments: 'true', limit: '2' }))).sort(), ['b', text])
})

t.test("Comm 2.1.3: statementId gives that statement's attachments only, in their order", async t => {
  const [first = '', second = '', third = ''] = await store(
    [attached(attachment('two'), attachment('one')), attached(attachment('three')), opened],
    'one',
    'two',
    'three'
  )
  const asked = async (statementId: string) => contentsOf(partsOf(await get({ statementId, attachments: 'true' })))
  t.same(await asked(first), ['two', 'one'])
  t.same(await asked(second), ['three'])
  t.same(await asked(third), [])
})

t.test("Data 2.4.11: a SubStatement's attachments are attachments of its statement", async t => {
  const object = { ...opened, objectType: 'SubStatement', attachments: [attachment('inner')] }
  const [statementId = ''] = await store({ ...opened, object }, 'inner')
  t.same(contentsOf(partsOf(await get({ statementId, attachments: 'true' }))), ['inner'])
})

t.test('Comm 2.1.3: attachments=true is always multipart, otherwise the answer is JSON alone', async t => {
  const [statementId = ''] = (await post(opened)).json<string[]>()
  const verb = 'https://example.org/never'
  for (const query of [{ statementId }, { verb }]) {
    t.equal(partsOf(await get({ ...query, attachments: 'true' })).length, 1)
    for (const given of [query, { ...query, attachments: 'false' }]) {
      t.match((await get(given)).headers['content-type'], /^application\/json/)
    }
  }
  const missing = await get({ statementId: randomUUID(), attachments: 'true' })
  t.equal(missing.statusCode, 404)
  t.match(missing.json(), { code: 'not-found' })
  t.match((await get({ attachments: 'yes' })).json(), { code: 'invalid-parameter', pointer: '/attachments' })
})

t.test('Comm 2.1.3: a page that follows brings its attachments too', async t => {
  const verb = { id: `https://example.org/verbs/${randomUUID()}` }
  const names = ['1', '2', '3', '4', '5']
  await store(
    names.map(name => ({ ...attached(attachment(name)), verb })),
    ...names
  )
  const found: string[] = []
  let url = `/xapi/statements?${new URLSearchParams({ verb: verb.id, attachments: 'true', ascending: 'true' })}`
  while (url !== '') {
    const parts = partsOf(await call({ url }))
    found.push(...contentsOf(parts))
    url = JSON.parse(String(parts[0]?.content)).more
  }
  t.same(found, names)
})

t.test('Comm 1.1: HEAD is answered like GET, without a body', async t => {
  const [statementId = ''] = await store(attached(attachment(text)), text)
  const url = `/xapi/statements?statementId=${statementId}&attachments=true`
  const answer = await call({ url })
  const head = await call({ method: 'HEAD', url })
  t.equal(head.statusCode, 200)
  t.equal(head.body, '')
  t.equal(head.headers['content-length'], String(answer.rawPayload.length))
  t.equal(head.headers['content-length'], answer.headers['content-length'])
  t.match(head.headers['content-type'], /^multipart\/mixed; boundary=/)
})

t.test('Comm 2.1.3: voidedStatementId gives the attachments of the voided statement', async t => {
  const [voidedStatementId = ''] = await store(attached(attachment('void me')), 'void me')
  const verb = { id: 'http://adlnet.gov/expapi/verbs/voided' }
  await post({ ...opened, verb, object: { objectType: 'StatementRef', id: voidedStatementId } })
  t.same(contentsOf(partsOf(await get({ voidedStatementId, attachments: 'true' }))), ['void me'])
})

t.test('nobody gets data by naming their hash: they go with the statement that brought them', async t => {
  const secret = randomUUID()
  await store(attached(attachment(secret)), secret)
  const named = attached(attachment(secret, { fileUrl: 'https://example.org/mine' }))
  const [statementId = ''] = (await post(named)).json<string[]>()
  t.equal(partsOf(await get({ statementId, attachments: 'true' })).length, 1)
})

t.test('a content type can add no header to an answer', async t => {
  for (const contentType of ['text/plain\r\nX-Evil: 1', 'text/plain; a="\r\nX-Evil: 1"', 'text/plain; a="\u0000ü"']) {
    const response = await send(withData(text, { contentType }))
    t.equal(response.statusCode, 400)
    t.match(response.json(), { pointer: '/attachments/0/contentType' })
  }
  const quoted = 'text/plain; name="a\\"b; --x"'
  const parts = [
    jsonPart(attached(attachment(text, { contentType: quoted }))),
    dataPart(text, { 'Content-Type': quoted })
  ]
  const [statementId] = (await send(multipart(parts))).json<string[]>()
  const answer = partsOf(await get({ statementId: String(statementId), attachments: 'true' }))
  t.equal(answer[1]?.headers['Content-Type'], quoted)
  const evil = sql`replace(text, 'text/plain;', 'text/plain\\r\\nX-Evil: 1;')`
  await sql`update statement set text = ${evil} where id = ${statementId}`.execute(app.db)
  const [first, second] = partsOf(await get({ statementId: String(statementId), attachments: 'true' }))
  t.match(JSON.parse(String(first?.content)).attachments[0].contentType, /X-Evil/)
  t.equal(second?.headers['Content-Type'], 'application/octet-stream', 'even if one were stored')
})

t.test('Comm 1.5.2: whatever the data are, they come back bit for bit', async t => {
  const lookalike = fc.constantFrom('\r\n--', `\r\n--${boundary.slice(0, -1)}`, '\r\n', '--', '\n', '\0', '\r')
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes)),
    lookalike.map(string => Buffer.from(string))
  )
  // Who writes a body chooses a boundary that its data do not have.
  const content = fc
    .array(piece, { maxLength: 20 })
    .map(pieces => Buffer.concat(pieces))
    .filter(data => !data.includes(`--${boundary}`))
  await fc.assert(
    fc.asyncProperty(
      fc.uniqueArray(content, { maxLength: 4, selector: data => data.toString('hex') }),
      async contents => {
        const [statementId = ''] = await store(attached(...contents.map(data => attachment(data))), ...contents)
        const found = partsOf(await get({ statementId, attachments: 'true' })).slice(1)
        t.ok(found.length === contents.length && found.every((part, at) => contents[at]?.equals(part.content)))
      }
    ),
    { numRuns: 40 }
  )
})
