import t from 'tap'
import { basic, testApp } from '../support/app.js'

t.test('RFC 7617: a header that is not key and secret is 401, never 500', async t => {
  const { app, key, secret } = await testApp(t)
  const base64 = (text: string) => Buffer.from(text).toString('base64')
  for (const authorization of [
    '',
    'Basic',
    'Basic ',
    'Basic ***',
    `Basic ${base64('no colon')}`,
    `Basic ${base64(':no key')}`,
    `Basic ${base64(`${key}\0:${secret}`)}`,
    `Basic ${Buffer.from([0xff, 0x3a, 0xff]).toString('base64')}`,
    `Digest ${base64(`${key}:${secret}`)}`,
    'Bearer',
    basic(key, `${secret}x`),
    basic(`${key}x`, secret),
    basic(key, '')
  ]) {
    const response = await app.inject({ url: '/xapi/statements', headers: { authorization } })
    t.equal(response.statusCode, 401, authorization)
    t.match(response.headers['www-authenticate'], /^Basic realm="Momentum LRS", charset="UTF-8"$/)
    t.match(response.json(), { code: 'unauthenticated' })
  }
  const headers = { authorization: `bAsIc ${base64(`${key}:${secret}`)}`, 'x-experience-api-version': '1.0.3' }
  t.equal((await app.inject({ url: '/xapi/statements', headers })).statusCode, 200, 'the scheme in any case')
})

t.test('a failure of ours says its id and no more', async t => {
  const { call, db } = await testApp(t)
  await db.schema.dropTable('statement').cascade().execute()
  const response = await call({ url: '/xapi/statements' })
  t.equal(response.statusCode, 500)
  t.match(response.json(), { code: 'internal-error', message: /its log has the details/, requestId: /./ })
  t.notMatch(response.body, /relation/)
})
