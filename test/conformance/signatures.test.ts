import { createHmac, randomUUID, sign } from 'node:crypto'
import t from 'tap'
import { testApp } from '../support/app.js'
import { certify } from '../support/certificate.js'
import { attachment, dataPart, jsonPart, multipart, multipartType, partsOf } from '../support/multipart.js'
import { opened } from '../support/statements.js'

// What xAPI says of signed statements: Data 2.6 of 1.0.3, and 2.0 the same.

const app = await testApp(t, { config: { maxJsonDepth: 20, maxBodyBytes: 20_000 } })
const { call, get } = app

const usageType = 'http://adlnet.gov/expapi/attachments/signature'
const contentType = 'application/octet-stream'
const signer = certify('rsa')
const base64 = (certificate: Buffer) => certificate.toString('base64')
const encode = (text: string | Buffer) => Buffer.from(text).toString('base64url')

interface Signing {
  readonly header?: Readonly<Record<string, unknown>> | string
  readonly payload?: unknown
  readonly hash?: string
  readonly by?: typeof signer
}

const asText = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value))

/** A JWS over a payload, by default right in all. */
function jwsOf({ header = { alg: 'RS256' }, payload = opened, hash = 'sha256', by = signer }: Signing): string {
  const signed = `${encode(asText(header))}.${encode(asText(payload))}`
  return `${signed}.${encode(sign(hash, Buffer.from(signed), by.privateKey))}`
}

const withCertificate = (...certificates: readonly Buffer[]) => ({ alg: 'RS256', x5c: certificates.map(base64) })

interface Changes {
  readonly statement?: object
  readonly attachment?: object
  readonly version?: string
}

/** Posts a statement with a signature. */
async function post(jws: string, { statement = opened, attachment: changes = {}, version = '1.0.3' }: Changes = {}) {
  const type = { 'Content-Type': undefined }
  const signature = attachment(jws, { usageType, contentType, ...changes })
  return call({
    method: 'POST',
    url: '/xapi/statements',
    headers: { 'content-type': multipartType, 'x-experience-api-version': version },
    payload: multipart([jsonPart({ ...statement, attachments: [signature] }), dataPart(jws, type)])
  })
}

for (const version of ['1.0.3', '2.0.0']) {
  t.test(`Data 2.6 in ${version}: RS256, RS384 and RS512 sign, with a certificate or without`, async t => {
    for (const bits of [256, 384, 512]) {
      for (const x5c of [undefined, [base64(signer.certificate)]]) {
        const jws = jwsOf({ header: { alg: `RS${bits}`, x5c }, hash: `sha${bits}` })
        const response = await post(jws, { version })
        t.equal(response.statusCode, 200, response.body)
        const [, found] = partsOf(await get({ statementId: response.json()[0], attachments: 'true' }))
        t.equal(String(found?.content), jws)
      }
    }
  })
}

t.test('Data 2.6: what the LRS sets, and how the JSON is written, make no other statement', async t => {
  const id = randomUUID()
  const statement = { ...opened, id, timestamp: '2026-01-02T03:04:05Z', version: '1.0.0' }
  const { actor, ...rest } = statement
  const table: readonly (readonly [string, unknown])[] = [
    ['the same', statement],
    ['white space', JSON.stringify(statement, null, 4).replaceAll('\n', '\r\n')],
    ['another order', { ...rest, actor }],
    ['no id', { ...statement, id: undefined }],
    ['no version', { ...statement, version: undefined }],
    ['an authority', { ...statement, authority: { mbox: 'mailto:signer@example.org' } }],
    ['another offset', { ...statement, timestamp: '2026-01-02T04:04:05+01:00' }],
    ['a stored', { ...statement, stored: '2020-01-01T00:00:00Z' }],
    ['another signature', { ...statement, attachments: [attachment('first', { usageType, contentType })] }]
  ]
  for (const [name, payload] of table) {
    t.equal((await post(jwsOf({ payload }), { statement })).statusCode, 200, name)
  }
})

t.test('Data 2.6: a signature that breaks a rule is refused with 400, the place and the rule', async t => {
  const right = jwsOf({})
  const [head = '', body = '', tail = ''] = right.split('.')
  const hmac = createHmac('sha256', 'key').update(`${head}.${body}`).digest()
  const nested = `${'['.repeat(30)}${']'.repeat(30)}`
  const other = certify('rsa')
  const table: readonly (readonly [string, string, string])[] = [
    ['no JWS', 'signed, Ada', 'compact'],
    ['JSON serialisation', JSON.stringify({ payload: body, signatures: [] }), 'compact'],
    ['a line break at the end', `${right}\n`, 'compact'],
    ['padding', `${head}=.${body}.${tail}`, 'compact'],
    ['no signature', `${head}.${body}.`, 'compact'],
    ['no text', '\u00ff\u00fe', 'compact'],
    ['a header that is no JSON', jwsOf({ header: '{alg:RS256}' }), 'header'],
    ['a header that is no object', jwsOf({ header: '["RS256"]' }), 'header'],
    ['a header that is not UTF-8', `${encode(Buffer.from([0x22, 0xff, 0x22]))}.${body}.${tail}`, 'header'],
    ['a header with a key twice', jwsOf({ header: '{"alg":"RS256","alg":"RS256"}' }), 'header'],
    ['HS256', `${encode('{"alg":"HS256"}')}.${body}.${encode(hmac)}`, 'algorithm'],
    ['no algorithm', jwsOf({ header: {} }), 'algorithm'],
    ['none', jwsOf({ header: { alg: 'none' } }), 'algorithm'],
    ['PS256', jwsOf({ header: { alg: 'PS256' } }), 'algorithm'],
    ['an unencoded payload', jwsOf({ header: { alg: 'RS256', b64: false, crit: ['b64'] } }), 'critical'],
    ['a payload that is no JSON', jwsOf({ payload: JSON.stringify(opened).replace('"', "'") }), 'payload'],
    ['a payload that is no object', jwsOf({ payload: '[]' }), 'payload'],
    ['a payload that nests too deep', jwsOf({ payload: `{"a":${nested}}` }), 'payload'],
    ['another statement', jwsOf({ payload: { ...opened, object: { id: 'https://example.org/x' } } }), 'same-statement'],
    ['a statement with more', jwsOf({ payload: { ...opened, result: { success: true } } }), 'same-statement'],
    ['x5c that is no list', jwsOf({ header: { alg: 'RS256', x5c: base64(signer.certificate) } }), 'x5c'],
    ['x5c with nothing in it', jwsOf({ header: { alg: 'RS256', x5c: [] } }), 'x5c'],
    ['x5c that is no base64', jwsOf({ header: { alg: 'RS256', x5c: ['-----BEGIN'] } }), 'x5c'],
    ['x5c that is no certificate', jwsOf({ header: { alg: 'RS256', x5c: ['AAAA'] } }), 'x5c'],
    ['a second x5c that is none', jwsOf({ header: withCertificate(signer.certificate, Buffer.from('a')) }), 'x5c'],
    ['the certificate of a curve', jwsOf({ header: withCertificate(certify('ec').certificate) }), 'x5c'],
    ["another's certificate", jwsOf({ header: withCertificate(other.certificate, signer.certificate) }), 'verified'],
    ['another hash', jwsOf({ header: withCertificate(signer.certificate), hash: 'sha512' }), 'verified']
  ]
  for (const [name, jws, rule] of table) {
    const response = await post(jws)
    t.equal(response.statusCode, 400, name)
    t.match(
      response.json(),
      { code: 'invalid-statement', index: 0, pointer: '/attachments/0', rule: `xAPI 1.0.3 Data 2.6 ${rule}` },
      name
    )
  }
})

t.test('Data 2.6: a signature has the content type application/octet-stream and comes with the request', async t => {
  const jws = jwsOf({})
  const wrongType = await post(jws, { attachment: { contentType: 'text/plain; charset=ascii' } })
  t.match(wrongType.json(), { code: 'invalid-statement', rule: 'xAPI 1.0.3 Data 2.6 content-type' })
  t.equal((await post(jws, { attachment: { contentType: 'Application/octet-stream; a=b' } })).statusCode, 200)
  const remote = attachment(jws, { usageType, contentType, fileUrl: 'https://example.org/signature' })
  const elsewhere = await app.post([opened, { ...opened, attachments: [remote] }])
  t.equal(elsewhere.statusCode, 400)
  t.match(elsewhere.json(), { index: 1, pointer: '/attachments/0', rule: 'xAPI 1.0.3 Data 2.6 data' })
})

t.test('Data 2.6: only the signer’s certificate counts, and neither its age nor the size of its key', async t => {
  const small = certify('rsa', 1024)
  const header = withCertificate(small.certificate, signer.certificate)
  t.equal((await post(jwsOf({ header, by: small }))).statusCode, 200)
})

t.test('Data 2.6: a statement may be signed beside other attachments, and more than once', async t => {
  const file = attachment('a file')
  const payload = { ...opened, attachments: [file] }
  const signatures = [jwsOf({ payload }), jwsOf({ payload, header: { alg: 'RS384' }, hash: 'sha384' })]
  const signed = signatures.map(jws => attachment(jws, { usageType, contentType }))
  const statement = { ...opened, attachments: [file, ...signed] }
  const parts = signatures.map(jws => dataPart(jws, { 'Content-Type': contentType }))
  const response = await call({
    method: 'POST',
    url: '/xapi/statements',
    headers: { 'content-type': multipartType },
    payload: multipart([jsonPart(statement), dataPart('a file'), ...parts])
  })
  t.equal(response.statusCode, 200, response.body)
  t.equal(partsOf(await get({ statementId: response.json()[0], attachments: 'true' })).length, 4)
})

t.test('Data 2.6: in a SubStatement the usage type of a signature makes an attachment like others', async t => {
  const attachments = [attachment('no JWS', { usageType, contentType: 'text/plain' })]
  const statement = { ...opened, object: { ...opened, objectType: 'SubStatement', attachments } }
  const response = await call({
    method: 'POST',
    url: '/xapi/statements',
    headers: { 'content-type': multipartType },
    payload: multipart([jsonPart(statement), dataPart('no JWS')])
  })
  t.equal(response.statusCode, 200, response.body)
})

t.test('signatures are checked in memory: all of them together may be no larger than a body of JSON', async t => {
  const tooLarge = await post('a'.repeat(20_001))
  t.equal(tooLarge.statusCode, 413)
  t.match(tooLarge.json(), { code: 'body-too-large', message: /MAX_BODY_BYTES/ })
  const jws = jwsOf({ payload: `${JSON.stringify(opened)}${' '.repeat(5000)}` })
  const signed = { ...opened, attachments: [attachment(jws, { usageType, contentType })] }
  for (const [times, status] of [
    [2, 200],
    [3, 413]
  ] as const) {
    const response = await call({
      method: 'POST',
      url: '/xapi/statements',
      headers: { 'content-type': multipartType },
      payload: multipart([jsonPart(Array(times).fill(signed)), dataPart(jws, { 'Content-Type': contentType })])
    })
    t.equal(response.statusCode, status, response.body)
  }
})
