import fastify from 'fastify'
import t from 'tap'
import { type AnswerBasis, etagOf, hasAnswer } from '../../src/http/etag.js'

const basis: AnswerBasis = {
  tenantId: 1,
  dataVersion: 7,
  program: '1.2.3',
  today: '2026-03-10',
  sees: { minGroupSize: 10 },
  query: {
    path: '/api/v1/metrics/active-users',
    role: ['a', 'b'],
    from: '2026-03-01',
    filter: { and: [{ x: 1, y: 2 }] }
  }
}

const others: Readonly<Record<string, Partial<AnswerBasis>>> = {
  'another tenant': { tenantId: 2 },
  'changed data': { dataVersion: 8 },
  'another program': { program: '1.2.4' },
  'another day': { today: '2026-03-11' },
  'another caller’s rights': { sees: { minGroupSize: 20 } },
  'another query': { query: { ...(basis.query as object), from: '2026-03-02' } },
  'values in another order': { query: { ...(basis.query as object), role: ['b', 'a'] } },
  'a list for an object': {
    query: {
      ...(basis.query as object),
      filter: {
        and: [
          [
            ['x', 1],
            ['y', 2]
          ]
        ]
      }
    }
  }
}

t.test('a tag changes with each thing that the answer follows from, and with nothing else', t => {
  const tag = String(etagOf(basis))
  t.match(tag, /^[\w-]{27}$/)
  for (const [name, changed] of Object.entries(others)) t.not(etagOf({ ...basis, ...changed }), tag, name)
  const same = {
    filter: { and: [{ y: 2, x: 1 }] },
    cohort: undefined,
    from: '2026-03-01',
    role: ['a', 'b'],
    path: '/api/v1/metrics/active-users'
  }
  t.equal(etagOf({ ...basis, query: same }), tag, 'the order of parameters, and those that were not given, are nothing')
  t.equal(etagOf({ ...basis, dataVersion: null }), null, 'what cannot be told has none')
  t.end()
})

const answered = async (etag: string | null, ifNoneMatch?: string) => {
  const app = fastify()
  app.addHook('onRequest', async (_request, reply) => {
    reply.header('Vary', 'Origin')
  })
  app.get('/', (request, reply) => (hasAnswer(request, reply, etag) ? reply.send() : reply.send({ value: 1 })))
  const headers = ifNoneMatch === undefined ? {} : { 'if-none-match': ifNoneMatch }
  return app.inject({ url: '/', headers })
}

const readers: readonly (readonly [string | undefined, number])[] = [
  [undefined, 200],
  ['W/"abc"', 304],
  ['"abc"', 304],
  ['W/"x", W/"abc"', 304],
  ['*', 304],
  ['W/"abcd"', 200],
  ['W/"ABC"', 200],
  ['', 200]
]

t.test(
  'RFC 9110 13.1.2: a reader who has the answer, by weak comparison, gets 304 without a body, and the tag',
  async t => {
    for (const [header, status] of readers) {
      const response = await answered('abc', header)
      t.equal(response.statusCode, status, String(header))
      t.equal(response.body, status === 304 ? '' : '{"value":1}', String(header))
      t.match(response.headers, {
        etag: 'W/"abc"',
        'cache-control': 'private, no-cache',
        vary: 'Origin, Authorization, Accept'
      })
    }
  }
)

t.test('an answer without a tag is had by nobody and kept by no cache', async t => {
  const response = await answered(null, '*')
  t.equal(response.statusCode, 200)
  t.equal(response.headers.etag, undefined)
  t.equal(response.headers['cache-control'], 'no-store')
})
