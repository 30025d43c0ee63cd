import { randomUUID } from 'node:crypto'
import t from 'tap'
import { testApp } from '../support/app.js'
import { opened, voiding } from '../support/statements.js'

// What docs/reference/xapi-checklist.md asks for and no other test shows; the numbers are those of its table.

const app = await testApp(t, { poolSize: 8 })
const { get, post, put, call, addCaller } = app

const version = 'x-experience-api-version'
const through = 'x-experience-api-consistent-through'
const json = { 'content-type': 'application/json' }
const iri = (name: string) => `https://example.org/${name}/${randomUUID()}`
const agentNamed = () => ({ mbox: `mailto:${randomUUID()}@example.org` })
const reference = (id: string) => ({ ...opened, object: { objectType: 'StatementRef', id } })

interface Result {
  readonly statements: readonly { readonly id: string; readonly stored: string }[]
  readonly more: string
}

const idsIn = ({ statements }: Result) => statements.map(({ id }) => id)
const found = async (query: Record<string, string>) => idsIn((await get({ ascending: 'true', ...query })).json())

t.test('12: a batch that is refused voids nothing and refers to nothing', async t => {
  const verb = { id: iri('verbs') }
  const [target, taken] = [randomUUID(), randomUUID()]
  await post([
    { ...opened, id: target, verb },
    { ...opened, id: taken }
  ])
  const refused = await post([voiding(target), reference(target), { ...opened, id: taken, verb }])
  t.equal(refused.statusCode, 409)
  t.equal((await get({ statementId: target })).statusCode, 200)
  t.same(await found({ verb: verb.id }), [target])
})

t.test('15: references resolve over any number of steps, in any order of arrival and in circles', async t => {
  const orders = [
    [0, 1, 2, 3],
    [3, 2, 1, 0],
    [2, 0, 3, 1]
  ]
  for (const isOneBatch of [true, false]) {
    for (const order of orders) {
      const verb = { id: iri('verbs') }
      const [target = '', first = '', second = '', third = ''] = Array.from({ length: 4 }, () => randomUUID())
      const chain = [
        { ...opened, id: target, verb },
        { ...reference(target), id: first },
        { ...reference(first), id: second },
        { ...reference(second), id: third }
      ]
      const sent = order.map(at => chain[at])
      for (const body of isOneBatch ? [sent] : sent) t.equal((await post(body)).statusCode, 200)
      t.same((await found({ verb: verb.id })).sort(), chain.map(({ id }) => id).sort(), order.join())
    }
  }
  const verb = { id: iri('verbs') }
  const [one, two, self] = [randomUUID(), randomUUID(), randomUUID()]
  await post({ ...reference(two), id: one, verb })
  await post([
    { ...reference(one), id: two },
    { ...reference(self), id: self, verb }
  ])
  t.same((await found({ verb: verb.id })).sort(), [one, two, self].sort(), 'each once')
})

t.test('15: context.statement is not a reference in that sense', async t => {
  const verb = { id: iri('verbs') }
  const [target] = (await post({ ...opened, verb })).json()
  await post({ ...opened, context: { statement: { objectType: 'StatementRef', id: target } } })
  t.same(await found({ verb: verb.id }), [target])
})

t.test('16: since, until and limit are of the statement that refers, other filters of its target', async t => {
  const verb = { id: iri('verbs') }
  const actor = agentNamed()
  const registration = randomUUID()
  const [target] = (await post({ ...opened, actor, verb, context: { registration } })).json()
  const [referrer] = (await post(reference(target))).json()
  const { stored } = (await get({ statementId: target })).json()
  const filters = [{ verb: verb.id }, { agent: JSON.stringify(actor) }, { registration }]
  for (const filter of filters) {
    t.same(await found(filter), [target, referrer])
    t.same(await found({ ...filter, since: stored }), [referrer])
    t.same(await found({ ...filter, until: stored }), [target])
    t.same(await found({ ...filter, limit: '1' }), [target])
    t.same(await found({ ...filter, limit: '1', ascending: 'false' }), [referrer])
  }
})

t.test('19: a page goes on where it ended, though its last statement is voided and others come', async t => {
  for (const [ascending, rest] of [
    ['true', [2, 4, 5]],
    ['false', [3, 1, 0]]
  ] as const) {
    const verb = { id: iri('verbs') }
    const ids: string[] = (await post(Array.from({ length: 6 }, () => ({ ...opened, verb })))).json()
    const query = { verb: verb.id, ascending, limit: '2', since: '2020-01-01T00:00:00Z' }
    const first = (await get(query)).json<Result>()
    const [, last = ''] = idsIn(first)
    const gone = ids[ascending === 'true' ? 3 : 2] ?? ''
    const voiders: string[] = (await post([voiding(last), voiding(gone)])).json()
    const after: string[] = []
    for (let url = first.more; url !== ''; ) {
      const page = (await call({ url })).json<Result>()
      after.push(...idsIn(page))
      url = page.more
    }
    const expected = rest.map(at => ids[at] ?? '')
    t.same(after, ascending === 'true' ? [...expected, ...voiders] : expected)
  }
})

t.test('21: more keeps every parameter behind a path prefix, and asks for the right to read again', async t => {
  const prefixed = await testApp(t, { config: { pathPrefix: '/lrs' } })
  const actor = agentNamed()
  const registration = randomUUID()
  await prefixed.post(Array.from({ length: 3 }, () => ({ ...opened, actor, context: { registration } })))
  const query = {
    agent: JSON.stringify(actor),
    verb: opened.verb.id,
    activity: opened.object.id,
    registration,
    related_activities: 'true',
    related_agents: 'true',
    since: '2020-01-01T00:00:00.123456Z',
    until: '2999-01-01T00:00:00+01:00',
    limit: '2',
    format: 'ids',
    attachments: 'false',
    ascending: 'true'
  }
  const first = (await prefixed.call({ url: `/lrs/xapi/statements?${new URLSearchParams(query)}` })).json<Result>()
  const url = new URL(first.more, 'https://example.org')
  t.equal(url.pathname, '/lrs/xapi/statements')
  const { cursor, ...kept } = Object.fromEntries(url.searchParams)
  t.same(kept, query)
  t.match(cursor, /./)
  t.equal((await prefixed.call({ url: first.more })).json<Result>().statements.length, 1)
  t.equal((await prefixed.app.inject({ url: first.more, headers: { [version]: '1.0.3' } })).statusCode, 401)
  const writer = await prefixed.addCaller('first', ['statements/write'])
  t.equal((await writer.call({ url: first.more })).statusCode, 403)
})

t.test('23 and 57: failures of every kind have the version, those of statements Consistent-Through too', async t => {
  const [statementId] = (await post(opened)).json()
  const agent = JSON.stringify(agentNamed())
  const state = `/xapi/activities/state?${new URLSearchParams({ activityId: iri('a'), agent, stateId: 's' })}`
  const profile = `/xapi/agents/profile?${new URLSearchParams({ agent, profileId: 'p' })}`
  const writer = await addCaller('first', ['statements/write'])
  const different = JSON.stringify({ ...opened, id: statementId, verb: { id: iri('verbs') } })
  const table = [
    [app, { url: '/xapi/statements?limit=x' }, 400],
    [app, { url: `/xapi/statements?statementId=${randomUUID()}` }, 404],
    [app, { method: 'POST', url: '/xapi/statements', headers: json, payload: '{' }, 400],
    [app, { method: 'POST', url: '/xapi/statements', headers: json, payload: different }, 409],
    [writer, { url: '/xapi/statements' }, 403],
    [app, { url: state }, 404],
    [app, { url: '/xapi/activities' }, 400],
    [app, { url: '/xapi/agents?agent={}' }, 400],
    [app, { method: 'PUT', url: state, headers: { ...json, 'if-match': '*' }, payload: '{}' }, 412],
    [app, { method: 'PUT', url: profile, headers: json, payload: '{}' }, 400],
    [app, { method: 'PUT', url: '/xapi/about' }, 405],
    [app, { method: 'DELETE', url: '/xapi/statements' }, 405],
    [app, { url: '/xapi/statements', headers: { authorization: 'Basic eDp5' } }, 401]
  ] as const
  for (const [caller, request, status] of table) {
    const response = await caller.call(request)
    t.equal(response.statusCode, status, request.url)
    t.equal(response.headers[version], '1.0.3')
    t.match(response.json(), { code: /./, message: /./ })
    if (request.url.startsWith('/xapi/statements')) t.match(response.headers[through], /Z$/, `${request.url} ${status}`)
  }
})

t.test('25: related_agents and related_activities reach into the context and SubStatements, in 2.0 too', async t => {
  const [member, instructor, inTeam, inner, contextAgent, inContextGroup, actor] = Array.from({ length: 7 }, agentNamed)
  const [parent, grouping, category, other, innermost] = Array.from({ length: 5 }, () => ({ id: iri('activities') }))
  const group = (...members: unknown[]) => ({ objectType: 'Group', member: members })
  const outer = {
    ...opened,
    actor: { ...group(member), ...agentNamed() },
    context: {
      instructor,
      team: group(inTeam),
      contextActivities: { parent, grouping: [grouping], category: [category], other: [other] },
      contextAgents: [{ objectType: 'contextAgent', agent: contextAgent }],
      contextGroups: [{ objectType: 'contextGroup', group: group(inContextGroup) }]
    }
  }
  const sub = { ...opened, actor, object: { ...opened, objectType: 'SubStatement', actor: inner, object: innermost } }
  const headers = { ...json, [version]: '2.0.0' }
  const send = async (statement: unknown): Promise<string> => {
    const response = await call({
      method: 'POST',
      url: '/xapi/statements',
      headers,
      payload: JSON.stringify(statement)
    })
    t.equal(response.statusCode, 200, response.body)
    return response.json()[0]
  }
  const [one, two] = [await send(outer), await send(sub)]
  for (const [agent, id] of [
    [instructor, one],
    [inTeam, one],
    [contextAgent, one],
    [inContextGroup, one],
    [inner, two]
  ]) {
    const query = { agent: JSON.stringify(agent) }
    t.same(await found(query), [], query.agent)
    t.same(await found({ ...query, related_agents: 'true' }), [id])
  }
  for (const [agent, id] of [
    [member, one],
    [actor, two]
  ]) {
    t.same(await found({ agent: JSON.stringify(agent) }), [id])
  }
  for (const [activity, id] of [
    [parent, one],
    [grouping, one],
    [category, one],
    [other, one],
    [innermost, two]
  ] as const) {
    const query = { activity: activity?.id ?? '' }
    t.same(await found(query), [], query.activity)
    t.same(await found({ ...query, related_activities: 'true' }), [id])
  }
  const { authority } = (await get({ statementId: one })).json()
  const byAuthority = { agent: JSON.stringify(authority), since: '2020-01-01T00:00:00Z' }
  t.same(await found(byAuthority), [])
  t.ok((await found({ ...byAuthority, related_agents: 'true' })).includes(one))
})

t.test('28 and 29: canonical has what statements defined over time, one language for each map', async t => {
  const id = iri('activities')
  const verbId = iri('verbs')
  const send = (display: object, definition: object) =>
    post({ ...opened, verb: { id: verbId, display }, object: { id, definition } })
  const choices = (description: object) => ({ interactionType: 'choice', choices: [{ id: 'a', description }] })
  await send({ en: 'chose' }, { name: { en: 'Colour', fr: 'Couleur' }, ...choices({ en: 'red', de: 'rot' }) })
  await send(
    { de: 'wählte' },
    { name: { de: 'Farbe' }, description: { fr: 'une couleur' }, ...choices({ fr: 'rouge' }) }
  )
  for (const [accept, display, name, choice] of [
    ['de, en;q=0.5', { de: 'wählte' }, { de: 'Farbe' }, { de: 'rot' }],
    ['de;q=0.1, fr;q=0.9, en;q=0.5', { en: 'chose' }, { fr: 'Couleur' }, { fr: 'rouge' }],
    ['en-GB', { en: 'chose' }, { en: 'Colour' }, { en: 'red' }]
  ] as const) {
    const url = `/xapi/statements?${new URLSearchParams({ activity: id, format: 'canonical' })}`
    const { statements } = (await call({ url, headers: { 'accept-language': accept } })).json()
    t.equal(statements.length, 2)
    for (const { verb, object } of statements) {
      t.same(verb.display, display, accept)
      t.same(object.definition.name, name)
      t.same(object.definition.description, { fr: 'une couleur' })
      t.same(object.definition.choices, [{ id: 'a', description: choice }])
    }
  }
})

t.test('32: a leap second is 400 wherever a timestamp may stand', async t => {
  const timestamp = '2016-12-31T23:59:60Z'
  const sub = { ...opened, objectType: 'SubStatement', timestamp }
  for (const statement of [
    { ...opened, timestamp },
    { ...opened, object: sub }
  ]) {
    t.match((await post(statement)).json(), { code: 'invalid-statement', pointer: /\/timestamp$/ })
  }
  for (const name of ['since', 'until']) {
    t.match((await get({ [name]: timestamp })).json(), { code: 'invalid-parameter', pointer: `/${name}` })
  }
})

t.test('34, 40, 41 and 42: durations, null, empty maps and single context activities', async t => {
  const activity = { id: iri('activities') }
  const kept = [
    { ...opened, result: { duration: 'P1DT12H36M0.12567S' } },
    { ...opened, context: { contextActivities: {} } },
    { ...opened, verb: { ...opened.verb, display: {} }, object: { ...activity, definition: { name: {} } } },
    { ...opened, context: { extensions: { 'https://example.org/e': null } } }
  ]
  for (const statement of kept) {
    const [statementId] = (await post(statement)).json()
    const returned = (await get({ statementId })).json()
    t.strictSame({ ...returned, ...statement }, returned)
  }
  for (const [statement, pointer] of [
    [{ ...opened, result: null }, '/result'],
    [{ ...opened, context: { contextActivities: null } }, '/context/contextActivities'],
    [{ ...opened, context: { platform: null } }, '/context/platform'],
    [{ ...opened, verb: { ...opened.verb, display: { en: null } } }, '/verb/display/en'],
    [{ ...opened, actor: { ...opened.actor, name: null } }, '/actor/name'],
    [{ ...opened, id: null }, '/id'],
    [{ ...opened, context: { extensions: null } }, '/context/extensions']
  ] as const) {
    t.match((await post(statement)).json(), { code: 'invalid-statement', index: 0, pointer }, pointer)
  }
  const inner = { parent: activity, other: [activity] }
  const sub = { ...opened, objectType: 'SubStatement', context: { contextActivities: inner } }
  const [statementId] = (await post({ ...opened, object: sub, context: { contextActivities: inner } })).json()
  const { context, object } = (await get({ statementId })).json()
  const lists = { parent: [activity], other: [activity] }
  t.same([context.contextActivities, object.context.contextActivities], [lists, lists])
})

t.test('60: a message says of which type the value is', async t => {
  for (const [result, type] of [
    [7, 'a number'],
    [[], 'an array'],
    [null, 'null'],
    [{ extensions: [] }, 'an array'],
    [{ score: { raw: {} } }, 'an object']
  ] as const) {
    t.match((await post({ ...opened, result })).json().message, new RegExp(type), type)
  }
})

t.test('62: an id in upper case is the same id, in every place', async t => {
  const id = randomUUID()
  t.equal((await post({ ...opened, id: id.toUpperCase() })).statusCode, 200)
  t.equal((await put(id, opened)).statusCode, 204)
  t.equal((await post({ ...opened, id, verb: { id: iri('verbs') } })).statusCode, 409)
  t.equal((await get({ statementId: id.toUpperCase() })).json().id, id)
  const verb = { id: iri('verbs') }
  const [target] = (await post({ ...opened, verb })).json()
  const [referrer] = (await post(reference(target.toUpperCase()))).json()
  t.same(await found({ verb: verb.id }), [target, referrer])
  const [voider] = (await post(voiding(target.toUpperCase()))).json()
  t.same(await found({ verb: verb.id }), [referrer, voider])
  t.equal((await get({ voidedStatementId: target.toUpperCase() })).statusCode, 200)
})
