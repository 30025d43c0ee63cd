import { createHash, randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import t from 'tap'
import type { Database } from '../../src/database/schema.js'
import { testApp } from '../support/app.js'
import { attachment, dataPart, jsonPart, multipart, multipartType } from '../support/multipart.js'
import { opened } from '../support/statements.js'

const json = { 'content-type': 'application/json' }
const scopes = ['all', 'people/write', 'metrics/read', 'statements/delete']
const ada = { mbox: 'mailto:ada@example.org' }
const account = { account: { homePage: 'https://lms.example', name: 'ada.lovelace' } }
const ben = { mbox: 'mailto:ben@example.org' }
const url = '/api/v1/erasures'

async function start(t: Parameters<typeof testApp>[0]) {
  const app = await testApp(t)
  const caller = await app.addCaller('first', scopes)
  const erase = (payload: unknown, by = caller) =>
    by.call({ method: 'POST', url, headers: json, payload: JSON.stringify(payload) })
  return { ...app, ...caller, erase }
}

/** Every value of every table in one text, octets in hexadecimal. */
async function dump(db: Kysely<Database>, left: readonly string[] = []): Promise<string> {
  const { rows: tables } = await sql<{ name: string }>`
    select relname as name from pg_class
    where relnamespace = 'public'::regnamespace and relkind = 'r' order by relname`.execute(db)
  const texts = []
  for (const { name } of tables.filter(({ name }) => !left.includes(name))) {
    const { rows } = await sql<{ row: string }>`
      select to_jsonb(entry)::text as row from ${sql.table(name)} as entry order by 1`.execute(db)
    texts.push(`${name}\n${rows.map(({ row }) => row).join('\n')}`)
  }
  return texts.join('\n')
}

/** The ways in which a word may stand in a dump. */
const formsOf = (word: string) => [word, Buffer.from(word).toString('hex')]
const digestOf = (word: string) => createHash('sha256').update(word).digest('hex')

const group = (...member: unknown[]) => ({ objectType: 'Group', member })
const sub = (changes: object) => ({ ...opened, actor: ben, objectType: 'SubStatement', ...changes })
const roles: Readonly<Record<string, (who: object) => object>> = {
  actor: who => ({ actor: who }),
  'member of the actor': who => ({ actor: group(ben, who) }),
  'identified group': who => ({ actor: { objectType: 'Group', ...who } }),
  object: who => ({ object: { objectType: 'Agent', ...who } }),
  'member of the object': who => ({ object: group(who) }),
  instructor: who => ({ context: { instructor: who } }),
  'member of the team': who => ({ context: { team: group(who) } }),
  'actor of a SubStatement': who => ({ object: sub({ actor: who }) }),
  'object of a SubStatement': who => ({ object: sub({ object: { objectType: 'Agent', ...who } }) }),
  'instructor of a SubStatement': who => ({ object: sub({ context: { instructor: who } }) }),
  subject: who => ({ context: { extensions: { 'https://w3id.org/momentum-lrs/extensions/subject': who } } })
}
const newRoles: typeof roles = {
  contextAgents: who => ({ context: { contextAgents: [{ objectType: 'contextAgent', agent: who }] } }),
  contextGroups: who => ({ context: { contextGroups: [{ objectType: 'contextGroup', group: group(who) }] } })
}

t.test('59: a person is erased from every role in a statement, of both versions', async t => {
  const { call, erase, db } = await start(t)
  const send = async (statement: unknown, version: string) => {
    const headers = { ...json, 'x-experience-api-version': version }
    const response = await call({
      method: 'POST',
      url: '/xapi/statements',
      headers,
      payload: JSON.stringify(statement)
    })
    t.equal(response.statusCode, 200, response.body)
  }
  const table = [
    ...Object.entries(roles).flatMap(([role, place]) => ['1.0.3', '2.0.0'].map(version => ({ role, place, version }))),
    ...Object.entries(newRoles).map(([role, place]) => ({ role, place, version: '2.0.0' }))
  ]
  for (const who of [ada, account]) {
    for (const { role, place, version } of table) {
      await send({ ...opened, actor: ben, ...place({ ...who, name: 'Ada L.' }) }, version)
      t.match((await erase({ agents: [who] })).json(), { statements: 1, agents: 1 }, `${role} ${version}`)
      t.equal((await db.selectFrom('statement').select('id').execute()).length, 0, role)
      t.equal((await db.selectFrom('learning_event').select('kind').execute()).length, 0, role)
    }
  }
})

t.test('59: nothing in the database tells of a person who was erased, and others keep theirs', async t => {
  const { call, post, putPeople, erase, db, drain } = await start(t)
  await db.updateTable('credential').set({ may_assert_authority: true }).execute()
  await putPeople([
    { personId: 'staff-4711', name: 'Ada Lovelace', agents: [ada, account], cohorts: ['pilot'], role: 'analyst' },
    { personId: 'staff-4712', name: 'Ben', agents: [ben], managerId: 'staff-4711' }
  ])
  await putPeople([
    {
      personId: 'staff-4711',
      agents: [ada],
      role: 'countess',
      demographics: { rank: 'noble' },
      validFrom: '2026-02-01'
    },
    { personId: 'staff-4712', agents: [ben], team: 'north', validFrom: '2026-02-01' }
  ])
  const enrolled = { activity: opened.object.id, assignedOn: '2026-02-01' }
  const assignments = [
    { ...enrolled, assignmentId: 'lovelace/1', personId: 'staff-4711' },
    { ...enrolled, assignmentId: 'babbage/1', personId: 'staff-4712' }
  ]
  const assigned = await call({
    method: 'PUT',
    url: '/api/v1/assignments',
    headers: json,
    payload: JSON.stringify(assignments)
  })
  t.match(assigned.json(), { created: 2 })
  const named = { ...ada, name: 'Ada Lovelace' }
  const feedback = { ...opened, verb: { id: 'https://w3id.org/momentum-lrs/verbs/peer-feedback' } }
  const oauth = group({ account: { homePage: 'https://lms.example', name: 'lms' } }, ada)
  const [own, , , vouched, paired] = (
    await post([
      { ...opened, actor: named },
      { ...feedback, actor: named, object: { objectType: 'Agent', ...ben } },
      { ...opened, actor: account },
      { ...opened, actor: ben, authority: { objectType: 'Agent', ...ada } },
      { ...opened, actor: ben, authority: oauth }
    ])
  ).json()
  const [referrer] = (await post({ ...opened, actor: ben, object: { objectType: 'StatementRef', id: vouched } })).json()
  const [dangling] = (await post({ ...opened, actor: ben, object: { objectType: 'StatementRef', id: own } })).json()
  const agent = encodeURIComponent(JSON.stringify(ada))
  for (const path of ['activities/state?activityId=https%3A%2F%2Fe.x%2Fa&stateId=s&', 'agents/profile?profileId=p&']) {
    const headers = { ...json, 'if-none-match': '*' }
    const request = {
      method: 'PUT',
      url: `/xapi/${path}agent=${agent}`,
      headers,
      payload: '{"of":"ada@example.org"}'
    } as const
    t.equal((await call(request)).statusCode, 204)
  }
  await post({ ...opened, actor: { mbox_sha1sum: createHash('sha1').update(ada.mbox).digest('hex') } })
  await drain()
  const days = () =>
    db
      .selectFrom('learner_day')
      .innerJoin('person', join => join.onRef('person.id', '=', 'person_id'))
      .select(['external_id', 'opened', 'peer_feedback_received'])
      .execute()
  t.match(
    (await days()).find(({ external_id }) => external_id === 'staff-4712'),
    { peer_feedback_received: 1 }
  )
  const everything = await dump(db, ['rollup_queue'])
  const dry = await erase({ personId: 'staff-4711', dryRun: true })
  t.equal(dry.statusCode, 200)
  const withoutErased = (text: string) =>
    text
      .split('\n')
      .filter(row => !row.includes('momentum-lrs/erased'))
      .join('\n')
  t.equal(withoutErased(await dump(db, ['rollup_queue'])), everything, 'a dry run changes nothing')
  const erased = await erase({ personId: 'staff-4711' })
  t.equal(erased.statusCode, 201)
  t.same({ ...erased.json(), id: null }, dry.json())
  t.match(erased.json(), {
    statements: 4,
    authorities: 2,
    documents: 2,
    names: 1,
    learningEvents: 4,
    agents: 4,
    persons: 2
  })
  await drain()
  t.match(await days(), [{ external_id: 'staff-4712', opened: 4, peer_feedback_received: 0 }])
  const after = await dump(db)
  const words = [
    'ada@example.org',
    'ada.lovelace',
    'Ada Lovelace',
    'staff-4711',
    'lovelace/1',
    'mailto:ada',
    'analyst',
    'countess',
    'noble'
  ]
  t.ok(after.includes('babbage/1'))
  for (const word of words) for (const form of formsOf(word)) t.notOk(after.includes(form), word)
  const { homePage, name } = account.account
  for (const key of [
    ['mbox', ada.mbox],
    ['account', homePage, name]
  ]) {
    t.notOk(after.includes(digestOf(JSON.stringify(key))))
  }
  for (const id of [vouched, paired]) {
    const { authority } = (await call({ url: `/xapi/statements?statementId=${id}` })).json()
    t.match(authority, { account: { homePage: 'https://w3id.org/momentum-lrs/erased', name: 'erased' } })
  }
  const ids = (await call({ url: '/xapi/statements?ascending=true' }))
    .json()
    .statements.map(({ id }: { id: string }) => id)
  t.same(ids, [vouched, paired, referrer, dangling], 'what refers to something erased stays')
  t.equal((await erase({ personId: 'staff-4711' })).statusCode, 404)
})

t.test('59: attachments that nobody else has go, shared ones stay', async t => {
  const { call, get, erase, db } = await start(t)
  const send = async (actor: object, content: string) => {
    const statement = { ...opened, actor, id: randomUUID(), attachments: [attachment(content)] }
    const payload = multipart([jsonPart(statement), dataPart(content)])
    const headers = { 'content-type': multipartType }
    t.equal((await call({ method: 'POST', url: '/xapi/statements', headers, payload })).statusCode, 200)
    return statement.id
  }
  await send(ada, 'alone')
  await send(ada, 'shared')
  const kept = await send(ben, 'shared')
  t.match((await erase({ agents: [ada] })).json(), { statements: 2, attachments: 1, attachmentBytes: 5 })
  t.match((await get({ statementId: kept, attachments: 'true' })).body, /shared/)
  t.equal((await db.selectFrom('attachment_chunk').select('position').execute()).length, 1)
})

t.test('59: pages go on over what was erased', async t => {
  const { post, get, call, erase } = await start(t)
  const actors = [ben, ada, ben, ada, ben, ben]
  const ids = (await post(actors.map(actor => ({ ...opened, actor })))).json()
  const { more } = (await get({ limit: '2', ascending: 'true' })).json()
  await erase({ agents: [ada] })
  const { statements } = (await call({ url: more })).json()
  t.same(
    statements.map(({ id }: { id: string }) => id),
    [ids[2], ids[4]]
  )
})

t.test('an erasure is of the own tenant alone, and so is the list, which tells nobody’s name', async t => {
  const { post, get, key, call, erase, addCaller } = await start(t)
  const south = await addCaller('south', scopes)
  await post([opened, opened])
  await south.post(opened)
  t.match((await erase({ agents: [ada] }, south)).json(), { statements: 1 })
  t.equal((await get({})).json().statements.length, 2)
  t.match((await erase({ agents: [ada] })).json(), { statements: 2 })
  t.match((await erase({ agents: [{ mbox: 'mailto:nobody@example.org' }] })).json(), { statements: 0, agents: 0 })
  const { erasures } = (await call({ url })).json()
  t.match(erasures, [
    { requestedBy: key, statements: 0, finishedAt: /Z$/ },
    { requestedBy: key, statements: 2, startedAt: /Z$/ }
  ])
  t.equal(erasures.length, 2)
  const older = (await call({ url: `${url}?limit=1&before=${erasures[0].id}` })).json().erasures
  t.same(older, [erasures[1]])
  t.equal((await south.call({ url })).json().erasures.length, 1)
})

t.test('an erasure by agents leaves a person of the roster, whose days are counted anew', async t => {
  const { post, putPeople, erase, db, drain } = await start(t)
  await putPeople([{ personId: '1', agents: [ada, account] }])
  await post([opened, { ...opened, actor: account }])
  await drain()
  await erase({ agents: [ada] })
  await drain()
  t.same(await db.selectFrom('learner_day').select('opened').execute(), [{ opened: 1 }])
  t.equal((await db.selectFrom('person').select('id').execute()).length, 1)
  t.equal((await db.selectFrom('person_agent').select('agent_id').execute()).length, 1)
})

t.test('an erasure of a person reaches everyone who was merged with them', async t => {
  const { post, putPeople, erase, db } = await start(t)
  await putPeople([
    { personId: 'old', agents: [account] },
    { personId: 'new', agents: [ada] }
  ])
  const persons = await db.selectFrom('person').select(['id', 'external_id']).orderBy('id').execute()
  const [from, to] = ['old', 'new'].map(name => persons.find(({ external_id }) => external_id === name)?.id ?? 0)
  await db
    .updateTable('person_agent')
    .set({ person_id: to ?? 0 })
    .execute()
  await db
    .updateTable('person')
    .set({ merged_into: to ?? 0 })
    .where('id', '=', from ?? 0)
    .execute()
  await post([opened, { ...opened, actor: account }])
  t.match((await erase({ personId: 'old' })).json(), { statements: 2, persons: 2, agents: 2 })
  t.same(await db.selectFrom('person').selectAll().execute(), [])
})

t.test('what does not say whom to erase is 400 with its place', async t => {
  const { erase, call } = await start(t)
  const credential = { account: { homePage: 'https://w3id.org/momentum-lrs/credential', name: 'k' } }
  for (const [body, pointer] of [
    [{}, ''],
    [{ agents: [ada], personId: '1' }, ''],
    [{ agents: [] }, '/agents'],
    [{ agents: [ada, {}] }, '/agents/1'],
    [{ agents: [{ mbox: 'ada' }] }, '/agents/0/mbox'],
    [{ agents: [group(ada)] }, '/agents/0'],
    [{ agents: [credential] }, '/agents/0']
  ] as const) {
    const response = await erase(body)
    t.equal(response.statusCode, 400, response.body)
    t.match(response.json(), { code: 'invalid-body', pointer }, JSON.stringify(body))
  }
  t.match((await erase({ personId: 'unknown' })).json(), { status: 404, code: 'not-found' })
  t.equal((await call({ url: `${url}?limit=0` })).statusCode, 400)
})
