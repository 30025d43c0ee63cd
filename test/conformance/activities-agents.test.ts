import { createHash, randomUUID } from 'node:crypto'
import pg from 'pg'
import t from 'tap'
import { rememberDescriptions } from '../../src/store/description-cache.js'
import { findDefinitions, findDisplays } from '../../src/store/find-descriptions.js'
import { testApp } from '../support/app.js'
import { opened } from '../support/statements.js'

// The Activities Resource and the Agents Resource: xAPI 1.0.3 Communication 2.4 and 2.5, and their like in 2.0.

const { call, post, put, db, tenantId, addCaller } = await testApp(t, { poolSize: 8 })

const newId = () => `https://example.org/${randomUUID()}`
const newMbox = () => `mailto:${randomUUID()}@example.org`
const urlOf = (activityId: string) => `/xapi/activities?${new URLSearchParams({ activityId })}`
const personUrl = (agent: unknown) => `/xapi/agents?${new URLSearchParams({ agent: JSON.stringify(agent) })}`
const about = (id: string, definition: unknown, more = {}) => ({ ...opened, object: { id, definition }, ...more })
const definitionOf = async (id: string) => (await call({ method: 'GET', url: urlOf(id) })).json().definition
const namesOf = async (mbox: string) => (await call({ method: 'GET', url: personUrl({ mbox }) })).json().name

for (const version of ['1.0.3', '2.0.0']) {
  const headers = { 'x-experience-api-version': version }

  t.test(`${version} Comm 2.5: an activity comes with what statements have defined; HEAD alike`, async t => {
    const id = newId()
    await post(about(id, { name: { en: 'Feedback' }, type: 'https://example.org/type' }))
    const response = await call({ method: 'GET', url: urlOf(id), headers })
    t.equal(response.statusCode, 200)
    t.same(response.json(), {
      objectType: 'Activity',
      id,
      definition: { name: { en: 'Feedback' }, type: 'https://example.org/type' }
    })
    t.match(response.headers, {
      'content-type': 'application/json; charset=utf-8',
      etag: `"${createHash('sha1').update(response.body).digest('hex')}"`,
      'last-modified': /GMT$/,
      'x-experience-api-version': version
    })
    const head = await call({ method: 'HEAD', url: urlOf(id), headers })
    t.equal(head.statusCode, 200)
    t.equal(head.body, '')
    const { date: _, 'x-request-id': _id, ...same } = response.headers
    t.match(head.headers, same)
    const again = { ...headers, 'if-none-match': String(response.headers.etag) }
    t.equal((await call({ method: 'GET', url: urlOf(id), headers: again })).statusCode, 304)
  })

  t.test(`${version} Comm 2.5: an activity that nobody has defined, or named, is returned with its id`, async t => {
    const named = newId()
    await post({ ...opened, object: { id: named } })
    for (const id of [named, newId(), `https://example.org/${'x'.repeat(3000)}`]) {
      const response = await call({ method: 'GET', url: urlOf(id), headers })
      t.equal(response.statusCode, 200)
      t.same(response.json(), { objectType: 'Activity', id })
      t.equal(response.headers['last-modified'], undefined)
    }
  })

  t.test(`${version} Comm 2.4: an agent comes as a Person with arrays; HEAD alike`, async t => {
    const mbox = newMbox()
    const identities = [
      { mbox },
      { mbox_sha1sum: createHash('sha1').update(mbox).digest('hex') },
      { openid: 'https://example.org/ada' },
      { account: { homePage: 'https://lms.example', name: mbox } }
    ]
    for (const identity of identities) {
      const [key = '', value] = Object.entries(identity)[0] ?? []
      const response = await call({ method: 'GET', url: personUrl({ ...identity, name: 'Ada' }), headers })
      t.equal(response.statusCode, 200)
      t.same(response.json(), { objectType: 'Person', name: ['Ada'], [key]: [value] })
      t.match(response.headers, { 'content-type': 'application/json; charset=utf-8', etag: /^"[0-9a-f]{40}"$/ })
      const head = await call({ method: 'HEAD', url: personUrl(identity), headers })
      t.equal(head.statusCode, 200)
      t.equal(head.body, '')
    }
    t.same((await call({ method: 'GET', url: personUrl({ mbox, objectType: 'Agent' }), headers })).json(), {
      objectType: 'Person',
      mbox: [mbox]
    })
  })

  t.test(`${version} Comm 3.2: missing, unknown and malformed parameters are 400`, async t => {
    const agents = ['{', '{}', '"a"', JSON.stringify({ objectType: 'Group', mbox: newMbox() }), '{"name":"Ada"}']
    const urls = [
      '/xapi/activities',
      '/xapi/activities?activityId=nonsense',
      `${urlOf(newId())}&format=exact`,
      `${urlOf(newId())}&activityId=${newId()}`,
      '/xapi/agents',
      `${personUrl({ mbox: newMbox() })}&name=Ada`,
      ...agents.map(agent => `/xapi/agents?${new URLSearchParams({ agent })}`)
    ]
    for (const url of urls) {
      for (const method of ['GET', 'HEAD'] as const) {
        t.equal((await call({ method, url, headers })).statusCode, 400, `${method} ${url}`)
      }
    }
  })
}

t.test('definitions merge over time: languages are kept, other properties take the newest value', async t => {
  const id = newId()
  await post([
    about(id, { name: { en: 'Feedback' }, type: 'https://example.org/one' }),
    about(id, { name: { de: 'Rückmeldung' }, moreInfo: 'https://example.org/more' })
  ])
  await post(about(id, { name: { en: 'Peer feedback' }, type: 'https://example.org/two' }))
  t.same(await definitionOf(id), {
    name: { en: 'Peer feedback', de: 'Rückmeldung' },
    type: 'https://example.org/two',
    moreInfo: 'https://example.org/more'
  })
  await post(about(id, { name: { en: 'Feedback' }, type: 'https://example.org/one' }))
  t.match(
    await definitionOf(id),
    { name: { en: 'Feedback' }, type: 'https://example.org/one' },
    'an old one may return'
  )
})

t.test('of two definitions in one batch the last counts, and the first does when it is sent again', async t => {
  const id = newId()
  const [one, two] = [about(id, { type: 'https://example.org/one' }), about(id, { type: 'https://example.org/two' })]
  await post([one, two])
  t.same(await definitionOf(id), { type: 'https://example.org/two' })
  await post(one)
  t.same(await definitionOf(id), { type: 'https://example.org/one' })
})

t.test('definitions are kept with every digit, escape and key as sent', async t => {
  const id = newId()
  const definition =
    '{"name":{"en":"\\u0000\\ud800"},"extensions":{"https://e.org/x":{"2":1.0,"1":999999999999999999}}}'
  await post(
    `{"actor":{"mbox":"mailto:a@b.org"},"verb":{"id":"https://e.org/v"},"object":{"id":"${id}","definition":${definition}}}`
  )
  const response = await call({ method: 'GET', url: urlOf(id) })
  t.equal(response.body, `{"objectType":"Activity","id":"${id}","definition":${definition}}`)
  t.same([...(await findDefinitions(db, tenantId, [id, newId()]))], [[id, definition]])
  t.same([...(await findDefinitions(db, tenantId, [newId()]))], [])
})

t.test('activities of the context and of a SubStatement are defined too', async t => {
  const [context, inner] = [newId(), newId()]
  await post({
    ...opened,
    object: {
      objectType: 'SubStatement',
      ...opened,
      object: { id: inner, definition: { name: { en: 'inner' } } },
      context: { contextActivities: { grouping: { id: context, definition: { name: { en: 'grouping' } } } } }
    }
  })
  t.same(await definitionOf(inner), { name: { en: 'inner' } })
  t.same(await definitionOf(context), { name: { en: 'grouping' } })
})

t.test('verbs keep a canonical display', async t => {
  const id = newId()
  await post([
    { ...opened, verb: { id, display: { en: 'opened' } } },
    { ...opened, verb: { id, display: { de: 'geöffnet' } } }
  ])
  t.same([...(await findDisplays(db, tenantId, [id, newId()]))], [[id, '{"en":"opened","de":"geöffnet"}']])
  t.same([...(await findDisplays(db, tenantId, [newId()]))], [])
})

t.test(
  'Comm 2.4: a Person has every name under which statements have shown the agent, the last to come up first',
  async t => {
    const mbox = newMbox()
    await post({ ...opened, actor: { mbox, name: 'Ada' } })
    await post({ ...opened, context: { instructor: { mbox, name: 'Ada Lovelace' } } })
    await post({ ...opened, actor: { mbox, name: 'Ada' } })
    await post({ ...opened, actor: { objectType: 'Group', mbox, name: 'A group with the same address' } })
    t.same(await namesOf(mbox), ['Ada Lovelace', 'Ada'])
    const url = personUrl({ mbox, name: 'Countess' })
    t.same((await call({ method: 'GET', url })).json().name, ['Ada Lovelace', 'Ada', 'Countess'])
    await post({ ...opened, actor: { mbox, name: '\u0000' } })
    t.same(await namesOf(mbox), ['\u0000', 'Ada Lovelace', 'Ada'])
  }
)

t.test('Comm 4.2: without the scope `define` statements are stored, but define and name nothing', async t => {
  const writer = await addCaller('first', ['statements/write'])
  const id = newId()
  const mbox = newMbox()
  const definition = { name: { en: 'Feedback' } }
  t.equal((await writer.post(about(id, definition, { actor: { mbox, name: 'Ada' } }))).statusCode, 200)
  t.equal(await definitionOf(id), undefined)
  t.equal(await namesOf(mbox), undefined)
  const definer = await addCaller('first', ['statements/write', 'define'])
  await definer.post(about(id, definition))
  t.same(await definitionOf(id), definition)
})

t.test('what is defined in one tenant is not known in another', async t => {
  const id = newId()
  const mbox = newMbox()
  await post(about(id, { name: { en: 'Secret' } }, { actor: { mbox, name: 'Ada' } }))
  const other = await addCaller('second')
  t.same((await other.call({ method: 'GET', url: urlOf(id) })).json(), { objectType: 'Activity', id })
  t.same((await other.call({ method: 'GET', url: personUrl({ mbox }) })).json(), { objectType: 'Person', mbox: [mbox] })
})

t.test('scopes: who reads statements or profiles may, who only writes may not', async t => {
  const table = [
    [['statements/read'], 200, 200],
    [['profile'], 200, 200],
    [['profile/read'], 200, 200],
    [['all/read'], 200, 200],
    [['define'], 200, 403],
    [['activities_profile'], 200, 403],
    [['agents_profile'], 403, 200],
    [['statements/write', 'state', 'statements/read/mine'], 403, 403]
  ] as const
  for (const [scopes, activities, agents] of table) {
    const caller = await addCaller('first', scopes)
    t.equal((await caller.call({ method: 'GET', url: urlOf(newId()) })).statusCode, activities, scopes.join())
    t.equal((await caller.call({ method: 'GET', url: personUrl({ mbox: newMbox() }) })).statusCode, agents)
  }
})

t.test('Comm 2.1.2: a batch that is refused, and a statement that is stored already, define nothing', async t => {
  const id = randomUUID()
  const activity = newId()
  await post({ ...opened, id })
  const beside = about(activity, { name: { en: 'Feedback' } })
  const different = { ...opened, id, verb: { id: newId() } }
  t.equal((await post([beside, different])).statusCode, 409)
  t.equal(await definitionOf(activity), undefined)
  const stored = randomUUID()
  await put(stored, { ...opened, object: { id: activity } })
  t.equal((await put(stored, beside)).statusCode, 204)
  t.equal(await definitionOf(activity), undefined)
  await post(beside)
  t.same(await definitionOf(activity), { name: { en: 'Feedback' } })
})

t.test('writers that define the same activities at once lose no language and never fail', async t => {
  const ids = Array.from({ length: 6 }, newId)
  const mbox = newMbox()
  const languages = Array.from({ length: 40 }, (_, at) => `x-${at}`)
  const statuses = await Promise.all(
    languages.map(async (language, at) => {
      const order = at % 2 === 0 ? ids : ids.toReversed()
      const actor = { mbox, name: language }
      return (await post(order.map(id => about(id, { name: { [language]: language } }, { actor })))).statusCode
    })
  )
  t.same(
    statuses,
    languages.map(() => 200)
  )
  for (const id of ids) t.same(Object.keys((await definitionOf(id)).name).sort(), languages.toSorted())
  t.same((await namesOf(mbox)).toSorted(), languages.toSorted())
})

t.test('the same definition again costs no round trip', async t => {
  const id = newId()
  const statement = about(id, { name: { en: 'Feedback' } }, { actor: { mbox: newMbox(), name: 'Ada' } })
  const queries = t.capture(pg.Client.prototype, 'query', pg.Client.prototype.query)
  const ofDescriptions = () =>
    queries().filter(({ args }) => /activity_definition|verb_display|agent_name/.test(String(args[0])))
  await post(statement)
  t.equal(ofDescriptions().length, 4, 'look, make, lock, and the name')
  await post(statement)
  t.equal(ofDescriptions().length, 0)
  await post(about(id, { name: { en: 'Feedback' }, type: 'https://example.org/type' }))
  t.equal(ofDescriptions().length, 4, 'look, make, lock and write')
  await post(statement)
  t.equal(ofDescriptions().length, 1, 'it changes nothing, which a look tells')
  await post(statement)
  t.equal(ofDescriptions().length, 0)
})

t.test('what is remembered of one word stays bounded', async t => {
  const word = newId()
  for (let at = 0; at < 40; at++) {
    rememberDescriptions(db, tenantId, { of: 'activity', word, texts: [`{"name":{"en":"${at}"}}`], hasChanged: false })
  }
  await post(about(word, { name: { en: '0' } }))
  t.same(await definitionOf(word), { name: { en: '0' } }, 'the first is forgotten')
})
