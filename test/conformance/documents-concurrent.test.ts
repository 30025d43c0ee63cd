import { randomUUID } from 'node:crypto'
import t from 'tap'
import { testApp } from '../support/app.js'

// Comm 3.1, Concurrency: many writers of one document, over more connections than one.

const { call } = await testApp(t, { poolSize: 10 })
const writers = Array.from({ length: 200 }, (_, at) => at)
const json = { 'content-type': 'application/json' }

/** A new State document's address. */
function address(): string {
  const agent = JSON.stringify({ mbox: 'mailto:ada@example.org' })
  const activityId = 'https://example.org/modules/feedback'
  return `/xapi/activities/state?${new URLSearchParams({ agent, activityId, stateId: randomUUID() })}`
}

const headersOf = (version: string, more: Record<string, string> = {}) => ({
  ...json,
  'x-experience-api-version': version,
  ...more
})
const count = (statuses: readonly number[], status: number) => statuses.filter(given => given === status).length

for (const version of ['1.0.3', '2.0.0']) {
  t.test(`${version}: of 200 writers with the same If-Match exactly one wins each round`, async t => {
    const url = address()
    await call({ method: 'PUT', url, headers: headersOf(version), payload: '{"round":0}' })
    for (const round of [1, 2, 3]) {
      const etag = String((await call({ method: 'GET', url, headers: headersOf(version) })).headers.etag)
      const statuses = await Promise.all(
        writers.map(async writer => {
          const payload = JSON.stringify({ round, writer })
          const headers = headersOf(version, { 'if-match': etag })
          return (await call({ method: 'PUT', url, headers, payload })).statusCode
        })
      )
      t.equal(count(statuses, 204), 1, `round ${round}: one wins`)
      t.equal(count(statuses, 412), 199, 'and the others learn it')
      const winner = statuses.indexOf(204)
      t.same((await call({ method: 'GET', url, headers: headersOf(version) })).json(), { round, writer: winner })
    }
  })

  t.test(`${version}: writers that read, change and try again lose nothing`, async t => {
    const url = address()
    const headers = headersOf(version)
    await call({ method: 'PUT', url, headers, payload: '[]' })
    await Promise.all(
      writers.slice(0, 25).map(async writer => {
        for (let status = 412; status === 412; ) {
          const read = await call({ method: 'GET', url, headers })
          const payload = JSON.stringify([...read.json(), writer])
          const given = headersOf(version, { 'if-match': String(read.headers.etag) })
          status = (await call({ method: 'PUT', url, headers: given, payload })).statusCode
        }
      })
    )
    const kept: number[] = (await call({ method: 'GET', url, headers })).json()
    t.same(
      kept.toSorted((a, b) => a - b),
      writers.slice(0, 25)
    )
  })

  t.test(`${version}: of 200 writers of a new document with If-None-Match: * exactly one wins`, async t => {
    const url = address()
    const statuses = await Promise.all(
      writers.map(async writer => {
        const headers = headersOf(version, { 'if-none-match': '*' })
        return (await call({ method: 'PUT', url, headers, payload: String(writer) })).statusCode
      })
    )
    t.equal(count(statuses, 204), 1)
    t.equal(count(statuses, 412), 199)
    t.equal((await call({ method: 'GET', url, headers: headersOf(version) })).json(), statuses.indexOf(204))
  })

  t.test(`${version}: 200 merges at once, the first of which make the document, keep every key`, async t => {
    const url = address()
    const statuses = await Promise.all(
      writers.map(async writer => {
        const payload = JSON.stringify({ [`key ${writer}`]: writer })
        return (await call({ method: 'POST', url, headers: headersOf(version), payload })).statusCode
      })
    )
    t.equal(count(statuses, 204), 200)
    const merged = (await call({ method: 'GET', url, headers: headersOf(version) })).json()
    t.equal(Object.keys(merged).length, 200)
  })

  t.test(`${version}: writers and deleters at once meet no failure`, async t => {
    const url = address()
    const methods = ['POST', 'DELETE', 'GET', 'POST'] as const
    const statuses = await Promise.all(
      writers.map(async writer => {
        const method = methods[writer % methods.length] ?? 'GET'
        const body = method === 'POST' ? { payload: '{"a":1}' } : {}
        return (await call({ method, url, headers: headersOf(version), ...body })).statusCode
      })
    )
    t.equal(count(statuses, 204) + count(statuses, 200) + count(statuses, 404), 200)
  })
}
