import { randomUUID } from 'node:crypto'
import { sql } from 'kysely'
import t from 'tap'
import { learningEventKinds } from '../../src/events/mapping-rule.js'
import { type Caller, testApp } from '../support/app.js'
import { opened, voiding } from '../support/statements.js'

const app = await testApp(t)
const berlin = await app.addCaller('berlin')
await app.db.updateTable('tenant').set({ time_zone: 'Europe/Berlin' }).where('id', '=', berlin.tenantId).execute()

const n = 'https://w3id.org/momentum-lrs/'
const ada = { mbox: 'mailto:ada@example.org' }
const ben = { account: { homePage: 'https://hr.example', name: 'ben' } }
const platform = { account: { homePage: 'https://platform.example', name: 'bot' } }
const feedback = { id: 'https://example.org/modules/feedback' }
const listening = { id: 'https://example.org/modules/listening' }
const agentObject = (agent: object) => ({ objectType: 'Agent', ...agent })
const about = (agent: unknown) => ({ extensions: { [`${n}extensions/subject`]: agent } })
const within = (...parents: object[]) => ({ contextActivities: { parent: parents } })
const keyOf = {
  ada: '["mbox","mailto:ada@example.org"]',
  ben: '["account","https://hr.example","ben"]',
  platform: '["account","https://platform.example","bot"]'
}

interface Event {
  readonly kind: string
  readonly agent: string
  readonly subject: string | null
  readonly module: string | null
  readonly day: string
  readonly score: string | null
  readonly ms: number | null
  readonly success: boolean | null
  readonly completion: boolean | null
  readonly tags: readonly string[] | null
}

/** Posts a statement and reads the event that was written for it. */
async function eventOf(statement: unknown, caller: Caller = app): Promise<Event | null> {
  const response = await caller.post(statement)
  if (response.statusCode !== 200) throw new Error(response.body)
  const { rows } = await sql<Event>`
    select kind, agent.ifi as agent, subject.ifi as subject, module.iri as module, day, score_scaled as score,
      duration_ms as ms, success, completion, outcome_tags as tags
    from learning_event as event
    join agent on agent.id = event.agent_id
    left join agent as subject on subject.id = event.subject_agent_id
    left join activity as module on module.id = event.module_id
    where statement_id = ${response.json()[0]}::uuid`.execute(app.db)
  return rows[0] ?? null
}

t.test('each kind has its own verb', async t => {
  for (const kind of learningEventKinds) {
    t.match(await eventOf({ ...opened, verb: { id: `${n}verbs/${kind}` } }), { kind, agent: keyOf.ada }, kind)
  }
})

t.test('verbs of ADL, cmi5, acrossX and Activity Streams mean the kind that the taxonomy gives them', async t => {
  const table = {
    'http://adlnet.gov/expapi/verbs/experienced': 'visited',
    'http://adlnet.gov/expapi/verbs/launched': 'opened',
    'https://w3id.org/xapi/adl/verbs/launched': 'opened',
    'http://adlnet.gov/expapi/verbs/initialized': 'started',
    'http://adlnet.gov/expapi/verbs/attempted': 'started',
    'http://adlnet.gov/expapi/verbs/terminated': 'terminated',
    'http://adlnet.gov/expapi/verbs/exited': 'terminated',
    'https://w3id.org/xapi/adl/verbs/abandoned': 'terminated',
    'http://adlnet.gov/expapi/verbs/completed': 'completed',
    'http://adlnet.gov/expapi/verbs/passed': 'assessed',
    'http://adlnet.gov/expapi/verbs/failed': 'assessed',
    'http://adlnet.gov/expapi/verbs/answered': 'assessed',
    'http://adlnet.gov/expapi/verbs/scored': 'assessed',
    'http://adlnet.gov/expapi/verbs/commented': 'replied',
    'https://w3id.org/xapi/acrossx/verbs/posted': 'posted',
    'https://w3id.org/xapi/acrossx/verbs/replied': 'replied',
    'https://w3id.org/xapi/acrossx/verbs/liked': 'endorsed',
    'http://activitystrea.ms/schema/1.0/like': 'endorsed',
    'http://activitystrea.ms/schema/1.0/open': 'opened'
  }
  for (const [id, kind] of Object.entries(table)) t.match(await eventOf({ ...opened, verb: { id } }), { kind }, id)
})

t.test('a statement that tells of no deed of one learner gives no event', async t => {
  const { actor, verb } = opened
  const group = { objectType: 'Group', mbox: 'mailto:team@example.org' }
  const table = {
    'a verb that is not mapped': { ...opened, verb: { id: 'https://example.org/verbs/sneezed' } },
    'a verb in another case': { ...opened, verb: { id: `${n}verbs/Opened` } },
    'an identified group': { ...opened, actor: group },
    'an anonymous group': { ...opened, actor: { objectType: 'Group', member: [ada] } },
    'a SubStatement': { actor, verb, object: { objectType: 'SubStatement', ...opened } },
    'a voiding statement': voiding(randomUUID())
  }
  for (const [name, statement] of Object.entries(table)) t.equal(await eventOf(statement), null, name)
})

t.test('the doer, the subject and the module by the shape of the statement', async t => {
  const check = { id: `${n}verbs/manager-check` }
  const delivered = { id: `${n}verbs/delivered` }
  const reply = { id: `${n}verbs/replied` }
  const ref = { objectType: 'StatementRef', id: randomUUID() }
  const table: [string, object, Partial<Event>][] = [
    ['an Activity', { actor: ada, object: feedback }, { agent: keyOf.ada, subject: null, module: feedback.id }],
    [
      'an Activity with a parent, which is the module',
      { actor: ada, object: feedback, context: within(listening, feedback) },
      { module: listening.id }
    ],
    [
      'a parent sent alone',
      { actor: ada, object: feedback, context: { contextActivities: { parent: listening } } },
      { module: listening.id }
    ],
    ['no parents', { actor: ada, object: feedback, context: within() }, { module: feedback.id }],
    [
      'an Agent as object is the subject',
      { actor: ada, verb: check, object: agentObject(ben), context: within(listening) },
      { kind: 'manager-check', agent: keyOf.ada, subject: keyOf.ben, module: listening.id }
    ],
    ['an Agent as object, no parent', { actor: ada, verb: check, object: agentObject(ben) }, { module: null }],
    [
      'the subject in the extension',
      { actor: ada, verb: check, object: feedback, context: about(ben) },
      { agent: keyOf.ada, subject: keyOf.ben, module: feedback.id }
    ],
    ['oneself', { actor: ada, verb: check, object: agentObject(ada) }, { agent: keyOf.ada, subject: keyOf.ada }],
    [
      'an extension that is no Agent',
      { actor: ada, verb: check, object: feedback, context: about('ben') },
      { subject: null }
    ],
    [
      'an extension with a wrong Agent',
      { actor: ada, verb: check, object: feedback, context: about({}) },
      { subject: null }
    ],
    [
      'a Group as object is no subject',
      { actor: ada, verb: check, object: { objectType: 'Group', ...ben } },
      { subject: null }
    ],
    ['a StatementRef', { actor: ada, verb: reply, object: ref }, { kind: 'replied', subject: null, module: null }],
    [
      'delivered by a platform to a learner, who gets it counted',
      { actor: platform, verb: delivered, object: feedback, context: about(ada) },
      { kind: 'delivered', agent: keyOf.ada, subject: null, module: feedback.id }
    ],
    [
      'delivered with the learner as object',
      { actor: platform, verb: delivered, object: agentObject(ada), context: within(feedback) },
      { agent: keyOf.ada, subject: null, module: feedback.id }
    ],
    [
      'delivered with nobody named',
      { actor: ada, verb: delivered, object: feedback },
      { agent: keyOf.ada, subject: null }
    ],
    [
      'reward-offered by a platform',
      { actor: platform, verb: { id: `${n}verbs/reward-offered` }, object: feedback, context: about(ben) },
      { agent: keyOf.ben, subject: null }
    ]
  ]
  for (const [name, statement, expected] of table) {
    t.match(await eventOf({ verb: opened.verb, ...statement }), expected, name)
  }
})

t.test('the result gives score, duration, success, completion and outcome tags', async t => {
  const tagged = (tags: unknown) => ({ extensions: { [`${n}extensions/outcome-tags`]: tags } })
  const nothing = { score: null, ms: null, success: null, completion: null, tags: null }
  const table: [object | undefined, Partial<Event>][] = [
    [undefined, nothing],
    [{}, nothing],
    [{ score: { raw: 7 } }, nothing],
    [
      { score: { scaled: 0.825 }, success: true, completion: false },
      { score: '0.825', success: true, completion: false }
    ],
    [{ score: { scaled: -1 } }, { score: '-1' }],
    [{ duration: 'PT1H2M3.456S' }, { ms: 3_723_456 }],
    [{ duration: 'P1W' }, { ms: 604_800_000 }],
    [{ duration: 'P1M' }, { ms: null }],
    [tagged(['confident', 'needs-practice']), { tags: ['confident', 'needs-practice'] }],
    [tagged([]), { tags: [] }],
    [tagged(['a"b\\c{d},e', 7, null, 'NULL', '\u0000', '']), { tags: ['a"b\\c{d},e', 'NULL', ''] }],
    [tagged('confident'), { tags: null }]
  ]
  for (const [result, expected] of table) {
    const { score, ms, success, completion, tags } = (await eventOf({ ...opened, ...(result && { result }) })) as Event
    t.same({ score, ms, success, completion, tags }, { ...nothing, ...expected }, JSON.stringify(result))
  }
})

interface Surroundings {
  readonly activity: string | null
  readonly type: string | null
  readonly categories: readonly string[] | null
  readonly registration: string | null
  readonly platform: string | null
  readonly cohort_tag: string | null
  readonly role: string | null
  readonly team: string | null
  readonly manager_id: string | null
  readonly manager: string | null
  readonly score_ratio: string | null
  readonly has_calendar_duration: boolean
}

/** Posts a statement and reads what its event says besides. */
async function surroundingsOf(statement: object): Promise<Surroundings | undefined> {
  const response = await app.post({ ...opened, ...statement })
  if (response.statusCode !== 200) throw new Error(response.body)
  const { rows } = await sql<Surroundings>`
    select activity.iri as activity, type.iri as type,
      (select json_agg(iri order by position) from unnest(category_ids) with ordinality as category(category_id, position)
        join activity on activity.tenant_id = event.tenant_id and activity.id = category_id) as categories,
      registration, platform, cohort_tag, role, team, manager_id, agent.ifi as manager, score_ratio, has_calendar_duration
    from learning_event as event
    left join activity on activity.id = event.activity_id
    left join activity as type on type.id = event.activity_type_id
    left join agent on agent.id = event.manager_agent_id
    where statement_id = ${response.json()[0]}::uuid`.execute(app.db)
  return rows[0]
}

t.test('where and how the deed was done, from the documented places', async t => {
  const registration = randomUUID()
  const typed = (id: string, type: string) => ({ id, definition: { type: `https://types.example/${type}` } })
  const extended = (name: string, value: unknown) => ({
    context: { extensions: { [`${n}extensions/${name}`]: value } }
  })
  const categories = (...ids: string[]) => ({ contextActivities: { category: ids.map(id => ({ id })) } })
  const team = (parts: object) => ({ context: { team: { objectType: 'Group', ...parts } } })
  const scored = (score: object) => ({ result: { score } })
  const member = [ada]
  const table: [string, object, Partial<Surroundings>][] = [
    ['the object is the activity', { context: within(listening) }, { activity: feedback.id }],
    [
      'the module where the object is an Agent',
      { object: agentObject(ben), context: within(listening) },
      { activity: listening.id }
    ],
    ['neither', { object: agentObject(ben) }, { activity: null, type: null }],
    [
      'the type of the object',
      { object: typed(feedback.id, 'video'), context: within(typed(listening.id, 'course')) },
      { type: 'https://types.example/video' }
    ],
    [
      'the type of the module as activity',
      { object: agentObject(ben), context: within(typed(listening.id, 'course')) },
      { type: 'https://types.example/course' }
    ],
    [
      'categories in their order, each once',
      { context: categories('urn:b', 'urn:a', 'urn:b') },
      { categories: ['urn:b', 'urn:a'] }
    ],
    [
      'a category sent alone',
      { context: { contextActivities: { category: { id: 'urn:a' } } } },
      { categories: ['urn:a'] }
    ],
    ['no categories', { context: categories() }, { categories: null }],
    ['the registration', { context: { registration: registration.toUpperCase() } }, { registration }],
    ['the platform', { context: { platform: 'LMS 7' } }, { platform: 'LMS 7' }],
    ['a platform that cannot be stored', { context: { platform: 'LMS\u0000' } }, { platform: null }],
    ['the cohort tag', extended('cohort', 'pilot-north'), { cohort_tag: 'pilot-north' }],
    ['the role', extended('role', 'manager'), { role: 'manager' }],
    ['the manager’s person id', extended('manager', '4711'), { manager_id: '4711', manager: null }],
    ...['', 4711, null, ['a'], { a: 1 }, 'a\u0000'].flatMap((wrong): [string, object, Partial<Surroundings>][] => [
      [`a cohort of ${JSON.stringify(wrong)}`, extended('cohort', wrong), { cohort_tag: null }],
      [`a role of ${JSON.stringify(wrong)}`, extended('role', wrong), { role: null }],
      [`a manager of ${JSON.stringify(wrong)}`, extended('manager', wrong), { manager_id: null }]
    ]),
    ['the instructor', { context: { instructor: ben } }, { manager: keyOf.ben, manager_id: null }],
    ['a group as instructor', { context: { instructor: { objectType: 'Group', ...ben } } }, { manager: null }],
    [
      'a team by its account',
      team({ account: { homePage: 'https://hr.example', name: 'north' }, name: 'North' }),
      { team: 'north' }
    ],
    [
      'a team by its address',
      team({ mbox: 'mailto:north@example.org', name: 'North' }),
      { team: 'mailto:north@example.org' }
    ],
    ['a team by its openid', team({ openid: 'https://id.example/north' }), { team: 'https://id.example/north' }],
    ['a team by the digest of its address', team({ mbox_sha1sum: 'a'.repeat(40) }), { team: 'a'.repeat(40) }],
    ['a team by its name', team({ name: 'North', member }), { team: 'North' }],
    ['a team without a name', team({ member }), { team: null }],
    ['raw, min and max', scored({ raw: 7, min: 1, max: 10 }), { score_ratio: '0.66666666666666666667' }],
    ['scaled alone', scored({ scaled: 0.7 }), { score_ratio: null }],
    ['a duration of months', { result: { duration: 'P1M' } }, { has_calendar_duration: true }],
    ['a duration of no months', { result: { duration: 'P0Y0MT5S' } }, { has_calendar_duration: false }],
    ['a duration of weeks', { result: { duration: 'P4W' } }, { has_calendar_duration: false }]
  ]
  for (const [name, statement, expected] of table) t.match(await surroundingsOf(statement), expected, name)
})

t.test('the day is the tenant’s local day of the timestamp', async t => {
  const table = [
    ['2026-03-28T22:59:59Z', '2026-03-28', '2026-03-28'],
    ['2026-03-28T23:00:00Z', '2026-03-28', '2026-03-29'],
    ['2026-03-29T21:59:59Z', '2026-03-29', '2026-03-29'],
    ['2026-03-29T22:00:00Z', '2026-03-29', '2026-03-30'],
    ['2026-10-25T22:59:59.999Z', '2026-10-25', '2026-10-25'],
    ['2026-10-25T23:00:00Z', '2026-10-25', '2026-10-26'],
    ['2026-10-26T00:30:00+02:00', '2026-10-25', '2026-10-25'],
    ['2026-06-01T23:59:59.9999999Z', '2026-06-01', '2026-06-02'],
    ['2026-06-01T21:59:59.9999999Z', '2026-06-01', '2026-06-01'],
    ['9999-12-31T23:59:59.9999999Z', '9999-12-31', '10000-01-01'],
    ['0001-01-01T00:00:00Z', '0001-01-01', '0001-01-01']
  ] as const
  for (const [timestamp, inUtc, inBerlin] of table) {
    t.equal((await eventOf({ ...opened, timestamp }))?.day, inUtc, timestamp)
    t.equal((await eventOf({ ...opened, timestamp }, berlin))?.day, inBerlin, `${timestamp} in Berlin`)
  }
  t.equal((await eventOf(opened))?.day, new Date().toISOString().slice(0, 10), 'without a timestamp that of stored')
})
