import { randomUUID } from 'node:crypto'
import { request as httpRequest } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import t from 'tap'
import { testApp } from '../support/app.js'
import { opened } from '../support/statements.js'

// A statement comes back as it was sent, and nothing that is sent makes the service fail.

const app = await testApp(t, { config: { maxBodyBytes: 100_000 } })
const { get, post, call } = app

const verb = `"verb":${JSON.stringify(opened.verb)}`
const head = `"actor":${JSON.stringify(opened.actor)},${verb}`
const object = `"object":${JSON.stringify(opened.object)}`

/** Sends text and gives back what of it is returned: without what the LRS sets behind it. */
async function thereAndBack(t: Tap, statement: string): Promise<string> {
  const id = randomUUID()
  const response = await post(`{"id":"${id}",${statement}}`)
  t.equal(response.statusCode, 200, response.body)
  const alone = (await get({ statementId: id })).body
  t.ok((await get({ limit: '1' })).body.startsWith(`{"statements":[${alone}],`), 'in a list as alone')
  const [, returned] = /^\{"id":"[^"]+",(.*),"authority":.*\}$/s.exec(alone) ?? []
  return returned ?? alone
}

type Tap = Pick<typeof t, 'equal' | 'ok'>

t.test('Data 2.3: what is not the LRS’s to set comes back letter by letter', async t => {
  const extensions = (json: string) => `${head},${object},"context":{"extensions":${json}}`
  const table = {
    'whole numbers beyond 2^53': extensions('{"https://example.org/n":999999999999999999}'),
    'a fraction of zero': extensions('{"https://example.org/n":[1.0,-0.0,0.10,1E+2]}'),
    'numbers beyond a double': extensions('{"https://example.org/n":[1e400,-1e400,1e-400]}'),
    'a score with every digit': `${head},${object},"result":{"score":{"raw":12.340,"max":1e2,"scaled":0.10}}`,
    'an order of keys that is not the usual one': `${object},"result":{"success":true,"response":""},${head}`,
    'keys like whole numbers, in the order sent': extensions('{"https://example.org/k":{"b":1,"2":2,"10":3,"1":4}}'),
    'the key __proto__': extensions('{"https://example.org/k":{"__proto__":{"a":1},"constructor":2}}'),
    'U+0000 as an escape': extensions('{"https://example.org/s":"a\\u0000b"}'),
    'a lone surrogate as an escape': extensions('{"https://example.org/s":"\\ud800 and \\udfff"}'),
    'escapes that need not be': extensions('{"https://example.org/s":"\\u0041\\/\\t\\"\\\\"}'),
    'letters beyond the basic plane': extensions('{"https://example.org/s":"🦉 日本 é"}'),
    'dots and ampersands in keys': extensions('{"https://example.org/a.b&46;c":{"$set":{"a.b":null}}}'),
    'null and empty things in extensions': extensions('{"https://example.org/e":[null,{},[],""]}'),
    'empty maps': `${head},${object},"context":{"contextActivities":{},"extensions":{}},"result":{}`,
    'white space': `${head} ,\n\t${object} ,"result" : { "success" : true }`,
    'the case of an IRI': `"actor":{"mbox":"mailto:Ada@EXAMPLE.org"},"verb":{"id":"HTTPS://Example.org/V%2f"},${object}`,
    'text in a name': `"actor":{"name":"Ada \\u0000 \\"L\\"","mbox":"mailto:a@example.org"},${verb},${object}`
  }
  for (const [name, statement] of Object.entries(table)) t.equal(await thereAndBack(t, statement), statement, name)
})

t.test('Data 2.4.6.2: a context activity sent alone comes back in a list', async t => {
  const single = `${head},${object},"context":{"contextActivities":{"parent":{"id":"https://example.org/p"}}}`
  const list = single.replace('{"id":"https://example.org/p"}', '[{"id":"https://example.org/p"}]')
  t.equal(await thereAndBack(t, single), list)
})

t.test('Data 2.4.7: timestamps come back as the same instant in UTC, with every digit', async t => {
  const table = [
    ['2026-01-02T03:04:05Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04:05.1Z', '2026-01-02T03:04:05.1Z'],
    ['2026-01-02T03:04:05.123456789012Z', '2026-01-02T03:04:05.123456789012Z'],
    ['2026-01-02T03:04:05.999999999Z', '2026-01-02T03:04:05.999999999Z'],
    ['2026-01-02T00:04:05.120+01:00', '2026-01-01T23:04:05.120Z'],
    ['2026-01-02T03:04:05+00:00', '2026-01-02T03:04:05Z'],
    ['20260102T030405Z', '2026-01-02T03:04:05Z'],
    ['2026-01-02T03:04Z', '2026-01-02T03:04:00Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00Z'],
    ['9999-12-31T23:59:59.999999999Z', '9999-12-31T23:59:59.999999999Z'],
    ['2999-01-01T00:00:00Z', '2999-01-01T00:00:00Z'],
    ['0099-06-01T00:00:00-12:00', '0099-06-01T12:00:00Z']
  ] as const
  for (const [sent, returned] of table) {
    const [statementId] = (await post({ ...opened, timestamp: sent })).json()
    t.equal((await get({ statementId })).json().timestamp, returned, sent)
  }
})

t.test('Data 4.5: what is no timestamp is 400, whatever PostgreSQL would make of it', async t => {
  const table = [
    '0000-01-01T00:00:00Z',
    '0001-01-01T00:00:00+01:00',
    '9999-12-31T23:59:59-01:00',
    '10000-01-01T00:00:00Z',
    '+12026-01-01T00:00:00Z',
    '-0001-01-01T00:00:00Z',
    '2026-02-29T00:00:00Z',
    '2026-13-01T00:00:00Z',
    '2026-01-01T24:00:00Z',
    '2026-01-01T23:59:60Z',
    '2026-01-01T00:00:00-00:00',
    '2026-01-01T00:00:00+24:00',
    '2026-01-01T00:00:00 Europe/Berlin',
    '2026-01-01',
    'infinity',
    'now',
    ''
  ]
  for (const timestamp of table) {
    const response = await post({ ...opened, timestamp })
    t.equal(response.statusCode, 400, timestamp)
    t.match(response.json(), { code: 'invalid-statement', pointer: '/timestamp' })
  }
})

t.test('IRIs and identifiers of any length are stored, told apart and found', async t => {
  const long = `https://example.org/${'x'.repeat(10_000)}`
  const [statementId] = (
    await post([
      { ...opened, verb: { id: `${long}/verb` }, object: { id: `${long}/one` } },
      { ...opened, verb: { id: `${long}/verb` }, object: { id: `${long}/two` } },
      { ...opened, actor: { account: { homePage: long, name: `${long}::` } } },
      { ...opened, actor: { account: { homePage: `${long}::`, name: long } } }
    ])
  ).json()
  t.equal((await get({ statementId })).json().object.id, `${long}/one`)
  t.equal((await get({ verb: `${long}/verb` })).json().statements.length, 2)
  t.equal((await get({ activity: `${long}/one` })).json().statements.length, 1)
  const agent = JSON.stringify({ account: { homePage: long, name: `${long}::` } })
  t.equal((await get({ agent })).json().statements.length, 1, 'home page and name are not run together')
})

t.test('what PostgreSQL’s text cannot hold is refused where it has to be looked up by', async t => {
  const account = (name: string) => ({ ...opened, actor: { account: { homePage: 'https://example.org', name } } })
  for (const name of ['a\u0000b', 'a\ud800b']) {
    t.match((await post(account(name))).json(), { code: 'invalid-statement', pointer: '/actor/account/name' })
    const agent = JSON.stringify(account(name).actor)
    t.equal((await get({ agent })).statusCode, 400)
  }
  t.equal((await get({ agent: '{"mbox":"mailto:a\\u0000@example.org"}' })).statusCode, 400)
  for (const parameter of ['verb', 'activity', 'registration', 'since', 'cursor', 'statementId']) {
    t.equal((await get({ [parameter]: 'https://example.org/\u0000' })).statusCode, 400, parameter)
  }
})

t.test('outcome tags, durations and scores of any kind never fail the statement', async t => {
  const tags = 'https://w3id.org/momentum-lrs/extensions/outcome-tags'
  const results = [
    { extensions: { [tags]: ['confident', 'a\u0000b', '\ud800', 7, null, 'x'.repeat(20_000)] } },
    { extensions: { [tags]: 'confident' } },
    { extensions: { [tags]: { confident: true } } },
    { duration: 'P1Y2M' },
    { duration: `PT${'9'.repeat(400)}S` },
    { duration: 'PT0.0000000001S' },
    { score: { scaled: 1e-300, raw: 5e-324, min: -1e308, max: 1e308 } },
    { score: { scaled: -1 }, success: false, completion: true }
  ]
  for (const result of results) {
    t.equal((await post({ ...opened, result })).statusCode, 200, JSON.stringify(result).slice(0, 100))
  }
  t.equal((await post(`{${head},${object},"result":{"score":{"raw":1e400}}}`)).statusCode < 500, true)
})

t.test('a body over the limit is 413, also when it comes in chunks', async t => {
  const url = new URL('/xapi/statements', await app.listen())
  const headers = {
    authorization: app.authorization,
    'x-experience-api-version': '1.0.3',
    'content-type': 'application/json'
  }
  const send = async (chunks: readonly string[], length?: number) => {
    const own = length === undefined ? { 'transfer-encoding': 'chunked' } : { 'content-length': String(length) }
    const request = httpRequest(url, { method: 'POST', headers: { ...headers, ...own } })
    const answered = new Promise<{ status: number | undefined; body: string }>((resolve, reject) => {
      request.on('response', async response =>
        resolve({ status: response.statusCode, body: await text(response).catch(() => '') })
      )
      request.on('error', reject)
    })
    for (const chunk of chunks) request.write(chunk)
    request.end()
    return answered
  }
  const statement = JSON.stringify(opened)
  t.match(await send([statement.slice(0, 50), statement.slice(50)]), { status: 200 })
  const tooLong = [statement.slice(0, -1), ...Array.from({ length: 11 }, () => ' '.repeat(10_000)), '}']
  t.match(await send(tooLong), { status: 413, body: /body-too-large/ })
  t.match(await send([statement, ' '.repeat(100_000)], statement.length + 100_000), { status: 413 })
  t.match((await post(`${statement}${' '.repeat(100_000)}`)).json(), { code: 'body-too-large' })
})

t.test('what is not HTTP, or breaks off, does no harm', async t => {
  const { hostname, port } = new URL(await app.listen())
  const say = (words: string) =>
    new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), hostname, () => socket.end(words))
      text(socket).then(resolve, reject)
    })
  t.match(await say('HELLO\r\n\r\n'), /^HTTP\/1\.1 400 /)
  const begin = `POST /xapi/statements HTTP/1.1\r\nHost: x\r\nAuthorization: ${app.authorization}\r\n`
  await say(
    `${begin}X-Experience-API-Version: 1.0.3\r\nContent-Type: application/json\r\nContent-Length: 500\r\n\r\n{"ac`
  )
  t.match(await say(`${begin}Content-Length: x\r\n\r\n`), /^HTTP\/1\.1 400 /)
  t.equal((await call({ url: '/health/ready' })).statusCode, 200)
})
