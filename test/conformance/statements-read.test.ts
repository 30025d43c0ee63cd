import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import t from 'tap'
import { testApp } from '../support/app.js'
import { opened, voiding } from '../support/statements.js'

// What xAPI 1.0.3 says of reading statements. Comm is its part Communication, Data its part Data.

const app = await testApp(t, { config: { maxPageStatements: 20 } })
const { get, post, call, db } = app

interface Result {
  readonly statements: readonly { readonly id: string; readonly stored: string }[]
  readonly more: string
}

/** Follows `more` to the end. */
async function pages(query: Record<string, string>): Promise<string[][]> {
  const found: string[][] = []
  let url = `/xapi/statements?${new URLSearchParams(query)}`
  while (url !== '') {
    const { statements, more } = (await call({ url })).json<Result>()
    found.push(statements.map(({ id }) => id))
    url = more
  }
  return found
}

const idsOf = async (query: Record<string, string>) => (await pages(query)).flat().sort()
const iri = (name: string) => `https://example.org/${name}/${randomUUID()}`

t.test('Comm 2.1.3: statementId gives the statement alone, as JSON', async t => {
  const [statementId] = (await post(opened)).json()
  const response = await get({ statementId: statementId.toUpperCase(), format: 'exact', attachments: 'false' })
  t.equal(response.statusCode, 200)
  t.match(response.headers, { 'content-type': 'application/json; charset=utf-8', 'x-experience-api-version': '1.0.3' })
  t.match(response.json(), { id: statementId, ...opened })
  const unknown = await get({ statementId: randomUUID() })
  t.equal(unknown.statusCode, 404)
  t.match(unknown.json(), { code: 'not-found' })
})

t.test('Comm 2.1.3: filters let through what matches all of them', async t => {
  const verb = { id: iri('verbs') }
  const other = { id: iri('verbs') }
  const object = { id: iri('activities') }
  const registration = randomUUID()
  const ada = { mbox: `mailto:${randomUUID()}@example.org` }
  const ben = { account: { homePage: 'https://lms.example', name: randomUUID() } }
  const team = { objectType: 'Group', openid: iri('team') }
  const anonymous = { objectType: 'Group', member: [ada] }
  const send = async (parts: object): Promise<string> => (await post({ ...opened, verb, ...parts })).json()[0]
  const byAda = await send({ actor: ada, object, context: { registration: registration.toUpperCase() } })
  const aboutAda = await send({ actor: ben, object: { objectType: 'Agent', ...ada } })
  const bySelf = await send({ actor: ada, verb: other, object: { objectType: 'Agent', ...ada } })
  const byTeam = await send({ actor: team, object })
  const aboutTeam = await send({ actor: ben, object: team, verb: other })
  const byMembers = await send({
    actor: anonymous,
    object: { objectType: 'StatementRef', id: randomUUID() },
    verb: { id: iri('verbs') }
  })

  const agent = (actor: object) => ({ agent: JSON.stringify(actor) })
  const table: [string, Record<string, string>, string[]][] = [
    ['a verb', { verb: verb.id }, [byAda, aboutAda, byTeam]],
    ['a verb that nobody used', { verb: iri('verbs') }, []],
    ['a verb in another case, which is another verb', { verb: verb.id.toUpperCase() }, []],
    ['an activity', { activity: object.id }, [byAda, byTeam]],
    ['an activity that nobody used', { activity: iri('activities') }, []],
    ['an agent, actor, object or member, each once', agent(ada), [byAda, aboutAda, bySelf, byMembers]],
    ['an agent by account', agent(ben), [aboutAda, aboutTeam]],
    ['an identified group', agent(team), [byTeam, aboutTeam]],
    ['an agent with the identifier of a group', agent({ openid: team.openid }), [byTeam, aboutTeam]],
    ['an agent that nobody knows', agent({ mbox: 'mailto:nobody@example.org' }), []],
    ['a registration in whatever case', { registration }, [byAda]],
    ['a registration that nobody used', { registration: randomUUID() }, []],
    ['agent and verb', { ...agent(ada), verb: other.id }, [bySelf]],
    ['verb and activity', { verb: verb.id, activity: object.id }, [byAda, byTeam]],
    ['all of them', { ...agent(ada), verb: verb.id, activity: object.id, registration }, [byAda]],
    ['all of them but one', { ...agent(ben), verb: verb.id, activity: object.id, registration }, []]
  ]
  for (const [name, query, expected] of table) {
    t.same(await idsOf(query), [...expected].sort(), name)
    t.same(await idsOf({ ...query, limit: '1', ascending: 'true' }), [...expected].sort(), `${name}, one at a time`)
  }
})

t.test('Comm 2.1.3: nothing found is 200 with an empty list and an empty more', async t => {
  const response = await get({ verb: iri('verbs') })
  t.equal(response.statusCode, 200)
  t.same(response.json(), { statements: [], more: '' })
})

t.test('Comm 2.1.3: newest first, oldest first when ascending; inside a batch the order sent', async t => {
  const verb = { id: iri('verbs') }
  const ids: string[] = (await post(Array.from({ length: 6 }, () => ({ ...opened, verb })))).json()
  ids.push(...(await post({ ...opened, verb })).json())
  t.same((await pages({ verb: verb.id, ascending: 'true' })).flat(), ids)
  t.same((await pages({ verb: verb.id, ascending: 'false' })).flat(), ids.toReversed())
})

t.test('Data 2.5: pages hold every statement once, though stored ties, and no last page is empty', async t => {
  const verb = { id: iri('verbs') }
  const ids: string[] = (await post(Array.from({ length: 12 }, () => ({ ...opened, verb })))).json()
  for (const limit of [1, 4, 5, 6, 11, 12, 13]) {
    for (const ascending of ['true', 'false']) {
      const found = await pages({ verb: verb.id, limit: String(limit), ascending })
      t.same(found.flat(), ascending === 'true' ? ids : ids.toReversed(), `limit ${limit}`)
      t.equal(found.length, Math.ceil(12 / limit))
      t.ok(found.every(page => page.length > 0 && page.length <= limit))
    }
  }
})

t.test(
  'Data 2.5: more keeps every parameter, is relative, and is not disturbed by what is stored meanwhile',
  async t => {
    const verb = { id: `${iri('verbs')}?a=b&c=d%20e+ü` }
    const ids: string[] = (await post(Array.from({ length: 3 }, () => ({ ...opened, verb })))).json()
    const query = { verb: verb.id, agent: JSON.stringify(opened.actor), limit: '2', since: '2020-01-01T00:00:00Z' }
    const first = (await get(query)).json<Result>()
    t.ok(first.more.startsWith('/xapi/statements?'))
    const { cursor, ...kept } = Object.fromEntries(new URLSearchParams(first.more.split('?')[1]))
    t.same(kept, query)
    t.type(cursor, 'string')
    await post([
      { ...opened, verb },
      { ...opened, verb: { id: iri('verbs') } }
    ])
    const second = (await call({ url: first.more })).json<Result>()
    t.same(
      second.statements.map(({ id }) => id),
      [ids[0]]
    )
    t.equal(second.more, '')
  }
)

t.test('limit 0 and none mean what the service gives at most, and more than that is cut', async t => {
  const verb = { id: iri('verbs') }
  await post(Array.from({ length: 21 }, () => ({ ...opened, verb })))
  for (const limit of [{}, { limit: '0' }, { limit: '000' }, { limit: '999999999' }]) {
    const { statements, more } = (await get({ verb: verb.id, ...limit })).json<Result>()
    t.equal(statements.length, 20, JSON.stringify(limit))
    t.not(more, '')
  }
})

t.test('Comm 2.1.3: since is exclusive and until inclusive, to the last digit of stored', async t => {
  const verb = { id: iri('verbs') }
  const ids: string[] = []
  for (let i = 0; i < 3; i++) ids.push(...(await post({ ...opened, verb })).json())
  const { statements } = (await get({ verb: verb.id, ascending: 'true' })).json<Result>()
  const [one = '', two = '', three = ''] = statements.map(({ stored }) => stored)
  t.match(two, /\.\d{6}Z$/)
  const twoElsewhere = `${two.slice(0, -1).replace('T', 'T')}+00:00`
  const finer = `${two.slice(0, -1)}9Z`
  const table: [Record<string, string>, string[]][] = [
    [{ since: one }, ids.slice(1)],
    [{ since: two }, ids.slice(2)],
    [{ since: twoElsewhere }, ids.slice(2)],
    [{ since: finer }, ids.slice(2)],
    [{ until: two }, ids.slice(0, 2)],
    [{ until: finer }, ids.slice(0, 2)],
    [{ since: one, until: two }, ids.slice(1, 2)],
    [{ since: two, until: two }, []],
    [{ since: three }, []],
    [{ since: '0001-01-01T00:00:00Z', until: '9999-12-31T23:59:59.999999999Z' }, ids]
  ]
  for (const [range, expected] of table) {
    const query = { verb: verb.id, ascending: 'true', ...range }
    t.same((await pages(query)).flat(), expected, JSON.stringify(range))
    t.same((await pages({ ...query, limit: '1' })).flat(), expected, 'a page each')
  }
})

t.test('Comm 2.1.3: what is unknown, repeated, malformed or in a forbidden combination is 400', async t => {
  const id = randomUUID()
  const table = [
    ['verbs=https://example.org', 'verbs'],
    ['Verb=https://example.org', 'Verb'],
    [`statementId=${id}&voidedStatementId=${id}`, 'voidedStatementId'],
    [`statementId=${id}&verb=https://example.org`, 'verb'],
    [`statementId=${id}&limit=1`, 'limit'],
    [`voidedStatementId=${id}&agent={}`, 'agent'],
    [`statementId=${id}&ascending=true`, 'ascending'],
    [`statementId=${id}&statementId=${id}`, 'statementId'],
    ['statementId=1', 'statementId'],
    ['statementId=', 'statementId'],
    ['voidedStatementId=x', 'voidedStatementId'],
    ['verb=opened', 'verb'],
    ['verb=https://a.example&verb=https://b.example', 'verb'],
    ['activity=no%20iri', 'activity'],
    ['registration=1', 'registration'],
    ['agent=ada', 'agent'],
    ['agent={}', 'agent'],
    ['agent={"mbox":"ada"}', 'agent'],
    ['agent={"objectType":"Group","member":[]}', 'agent'],
    ['since=yesterday', 'since'],
    ['since=2026-02-30T00:00:00Z', 'since'],
    ['until=0000-01-01T00:00:00Z', 'until'],
    ['limit=-1', 'limit'],
    ['limit=1.5', 'limit'],
    ['limit=9999999999', 'limit'],
    ['ascending=yes', 'ascending'],
    ['ascending=TRUE', 'ascending'],
    ['related_agents=yes', 'related_agents'],
    ['related_activities=1', 'related_activities'],
    ['format=Canonical', 'format'],
    ['format=pretty', 'format'],
    ['attachments=TRUE', 'attachments'],
    ['cursor=1', 'cursor'],
    ['cursor=2026-02-30T00:00:00.000000Z_1', 'cursor'],
    ['cursor=2026-02-28T00:00:00.000000Z_1234567890123456', 'cursor']
  ] as const
  for (const [query, name] of table) {
    const response = await call({ url: `/xapi/statements?${query}` })
    t.equal(response.statusCode, 400, query)
    t.match(response.json(), { code: 'invalid-parameter', pointer: `/${name}` })
    t.ok(response.headers['x-experience-api-consistent-through'], 'says how far it is consistent even so')
  }
  const malformed = await call({ url: '/xapi/statements?verb=%E0%A4%A' })
  t.equal(malformed.statusCode, 400, 'a malformed percent-escape')
})

t.test('Comm 1.1: HEAD answers like GET without the body', async t => {
  const [statementId] = (await post(opened)).json()
  const queries = [{ statementId }, { statementId: randomUUID() }, { limit: '1' }, { limit: 'x' }]
  for (const query of queries) {
    const url = `/xapi/statements?${new URLSearchParams(query)}`
    const [head, full] = [await call({ method: 'HEAD', url }), await call({ url })]
    t.equal(head.statusCode, full.statusCode, url)
    t.equal(head.body, '')
    for (const name of ['content-type', 'x-experience-api-version']) t.equal(head.headers[name], full.headers[name])
    t.ok(head.headers['x-experience-api-consistent-through'])
  }
})

t.test('Data 2.3.2: a voided statement is only had by voidedStatementId', async t => {
  const verb = { id: iri('verbs') }
  const [target, beside] = (
    await post([
      { ...opened, verb },
      { ...opened, verb }
    ])
  ).json()
  t.equal((await get({ voidedStatementId: target })).statusCode, 404, 'not voided yet')
  const [voider] = (await post(voiding(target.toUpperCase()))).json()
  const gone = await get({ statementId: target })
  t.equal(gone.statusCode, 404)
  t.match(gone.json(), { code: 'not-found' })
  t.match((await get({ voidedStatementId: target })).json(), { id: target, verb })
  t.same(await idsOf({ verb: verb.id }), [beside, voider].sort(), 'what refers to a voided statement is not hidden')
  t.match((await get({ statementId: voider })).json(), { object: { id: target.toUpperCase() } }, 'kept as it was sent')
  t.equal((await get({ voidedStatementId: voider })).statusCode, 404)
})

t.test('Data 2.3.2: the void may come before its target, or in the same batch', async t => {
  const [early, together] = [randomUUID(), randomUUID()]
  await post(voiding(early))
  await post({ ...opened, id: early })
  await post([voiding(together), { ...opened, id: together }])
  for (const id of [early, together]) {
    t.equal((await get({ statementId: id })).statusCode, 404)
    t.equal((await get({ voidedStatementId: id })).statusCode, 200)
  }
})

t.test('Data 2.3.2: a voiding statement cannot be voided', async t => {
  const [target] = (await post(opened)).json()
  const [first] = (await post(voiding(target))).json()
  await post(voiding(first))
  t.equal((await get({ statementId: first })).statusCode, 200)
  t.equal((await get({ voidedStatementId: first })).statusCode, 404)
  t.equal((await get({ statementId: target })).statusCode, 404, 'the target stays voided')
  const self = randomUUID()
  t.equal((await post({ ...voiding(self), id: self })).statusCode, 200)
  t.equal((await get({ statementId: self })).statusCode, 200)
})

t.test('pages skip what was voided without gaps', async t => {
  const verb = { id: iri('verbs') }
  const ids: string[] = (await post(Array.from({ length: 9 }, () => ({ ...opened, verb })))).json()
  const voiders: string[] = (await post(ids.filter((_id, at) => at % 2 === 1).map(voiding))).json()
  const left = ids.filter((_id, at) => at % 2 === 0)
  t.same(await pages({ verb: verb.id, limit: '5', ascending: 'true' }), [left, voiders])
})

t.test('tenants never see what is another’s', async t => {
  const other = await app.addCaller('other')
  const id = randomUUID()
  const actor = { mbox: `mailto:${randomUUID()}@example.org` }
  const ours = { ...opened, actor, id }
  const theirs = { ...ours, verb: { id: iri('verbs') }, context: { registration: randomUUID() } }
  t.equal((await post(ours)).statusCode, 200)
  t.equal((await other.post(theirs)).statusCode, 200, 'the same id with other content')
  t.match((await get({ statementId: id })).json(), { verb: ours.verb })
  t.match((await other.get({ statementId: id })).json(), { verb: theirs.verb })
  for (const filter of [{ verb: theirs.verb.id }, { registration: theirs.context.registration }]) {
    t.same(await idsOf(filter), [])
    t.same((await other.get(filter)).json().statements.length, 1)
  }
  t.same((await other.get({ agent: JSON.stringify(actor) })).json().statements.length, 1)
  t.same((await other.get({})).json().statements.length, 1)
  await other.post(voiding(id))
  t.equal((await other.get({ statementId: id })).statusCode, 404)
  t.equal((await get({ statementId: id })).statusCode, 200, 'a void reaches no further than its tenant')
})

t.test('Comm 2.1.3: Consistent-Through is recent, and never passes a transaction that may still commit', async t => {
  const through = async () => String((await get({ limit: '1' })).headers['x-experience-api-consistent-through'])
  const before = new Date(Date.now() - 1).toISOString()
  while ((await through()) <= before);
  await db.transaction().execute(async trx => {
    await sql`select pg_current_xact_id()`.execute(trx)
    const { rows } = await sql<{ begun: string }>`
      select to_char(xact_start at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as begun
      from pg_stat_activity where pid = pg_backend_pid()`.execute(trx)
    const begun = String(rows[0]?.begun)
    // It may be an older one for a moment, but never a newer one, and it comes as far as the transaction.
    for (let at = await through(); at !== begun; at = await through()) if (at > begun) return t.fail(`${at} > ${begun}`)
    const [id] = (await post(opened)).json()
    t.ok((await through()) < (await get({ statementId: id })).json().stored)
  })
  const { stored } = (await get({ limit: '1' })).json<Result>().statements[0] ?? { stored: '' }
  while ((await through()) <= stored);
  t.ok((await through()) > stored)
})
