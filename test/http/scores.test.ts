import t from 'tap'
import { type EnergizeCounts, energizeScores } from '../../src/scores/energize-score.js'
import { leadershipFlags } from '../../src/scores/leadership-flag.js'
import { leadershipIndexes } from '../../src/scores/leadership-index.js'
import { type LmsMetric, lmsMetrics } from '../../src/scores/lms-metrics.js'
import { type MetricCourse, momentumOf } from '../../src/scores/momentum.js'
import { dateOf, type Person, seedWorld } from '../metrics/world.js'
import { standIn } from '../scores/stand-ins.js'
import { naiveValue, people, today } from '../scores/team-world.js'
import { type Caller, testApp } from '../support/app.js'

standIn()
const { db, addCaller } = await testApp(t, { now: () => new Date(`${dateOf(today)}T10:00:00Z`) })
const tenantId = await seedWorld(db, { people })
const caller = await callerOf(tenantId)

/** Somebody of the tenant of a world. */
async function callerOf(tenantId: number, scopes?: readonly string[]): Promise<Caller> {
  const { name } = await db.selectFrom('tenant').select('name').where('id', '=', tenantId).executeTakeFirstOrThrow()
  return addCaller(name, scopes)
}

const get = async (path: string, { call }: Pick<Caller, 'call'> = caller) => {
  const response = await call({ url: `/api/v1${path}` })
  return { status: response.statusCode, body: response.json() }
}
const put = async (path: string, body: unknown, { call }: Pick<Caller, 'call'> = caller) => {
  const headers = { 'content-type': 'application/json' }
  const response = await call({ method: 'PUT', url: `/api/v1${path}`, headers, payload: JSON.stringify(body) })
  return { status: response.statusCode, body: response.json() }
}

interface Scored {
  readonly personId: string
  readonly value: number | boolean | null
}

const keyed = people.map((person, at) => ({ key: `person-${at}`, person }))
type Keyed = (typeof keyed)[number]
const engineers = keyed.slice(0, 12)
const roles = [engineers, keyed.slice(12, 16), keyed.slice(16)]

const valuesOf = ({ person }: Keyed, from: number, to: number) =>
  Object.fromEntries(lmsMetrics.map(id => [id, naiveValue(person, id, from, to)])) as Record<LmsMetric, number | null>

/** The order of every list: the highest first, without a value last, then by personId. */
function inOrder<One extends { readonly key: string }>(
  scores: readonly One[],
  numberOf: (score: One) => number | boolean | null
) {
  const orderOf = (score: One) => Number(numberOf(score) ?? Number.NEGATIVE_INFINITY)
  return [...scores].sort((a, b) =>
    orderOf(a) === orderOf(b) ? (a.key < b.key ? -1 : 1) : orderOf(b) > orderOf(a) ? 1 : -1
  )
}

const leadership = (to = today) =>
  inOrder(
    roles.flatMap(group => leadershipIndexes(group.map(one => ({ key: one.key, values: valuesOf(one, to - 28, to) })))),
    ({ value }) => value
  )

t.test('GET /scores lists every score with its definition in force', async t => {
  const { status, body } = await get('/scores')
  t.equal(status, 200)
  t.same(
    body.scores.map(({ id, of, version }: { id: string; of: string; version: number }) => [id, of, version]),
    [
      ['coaching-index', 'group', 1],
      ['leadership-index', 'learner', 1],
      ['leadership-flag', 'learner', 1],
      ['momentum', 'learner', 1],
      ['energize-score', 'learner', 1]
    ]
  )
  t.match(body.scores[4], { components: ['retention', 'trend', 'incentive', 'community'], createdBy: null })
})

t.test('the leadership index of every learner is what the formula makes of their own values, by role', async t => {
  const { status, body } = await get('/scores/leadership-index')
  t.equal(status, 200)
  const expected = leadership()
  t.same(
    body.learners.map(({ personId, value, nullReason, components, coverage }: Scored & Record<string, unknown>) => ({
      ...{ key: personId, value, nullReason, components, coverage, definitionVersion: 1 }
    })),
    expected
  )
  t.match(body, { score: 'leadership-index', period: { from: dateOf(today - 28), to: dateOf(today) }, by: 'role' })
  t.match(body.meta, { definitionVersion: 1, query: { metric: 'leadership-index', breakdown: ['role'] } })
  const found = new Map<string, { value: number | null; group: string | null; components: readonly object[] }>(
    body.learners.map((learner: { personId: string }) => [learner.personId, learner])
  )
  t.equal(found.get('person-4')?.value, found.get('person-5')?.value, 'who are alike have the same')
  t.match(found.get('person-3'), { value: null, nullReason: 'low_coverage' }, 'two metrics of six are too few')
  t.match(found.get('person-12')?.components[0], { normalised: null, nullReason: 'cohort_too_small' })
  t.match(found.get('person-16'), { value: null, group: null }, 'one alone')
  t.ok((found.get('person-0')?.value ?? null) !== null)
})

t.test('pages follow each other, with the definition and the moment of the first', async t => {
  const whole = (await get('/scores/leadership-index')).body.learners
  const learners: unknown[] = []
  let { body } = await get('/scores/leadership-index?limit=7')
  learners.push(...body.learners)
  const { body: changed } = await put('/scores/leadership-index/definition', { needs: 6 })
  t.equal(changed.version, 2)
  while (body.meta.nextCursor !== null) {
    body = (await get(`/scores/leadership-index?limit=7&cursor=${body.meta.nextCursor}`)).body
    learners.push(...body.learners)
    t.equal(body.meta.definitionVersion, 1)
  }
  t.same(learners, whole)
  t.equal((await get('/scores/leadership-index?cursor=nonsense')).status, 400)
})

t.test('an older version of a definition has its answers again', async t => {
  const before = (await get('/scores/leadership-flag')).body
  const put2 = await put('/scores/leadership-flag/definition', { assessmentAbove: -9, forumAbove: -9, version: 77 })
  t.match(put2, { status: 200, body: { score: 'leadership-flag', version: 2, createdBy: caller.key } })
  t.same(put2.body.definition, { version: 2, assessmentAbove: -9, forumAbove: -9 })
  const after = (await get('/scores/leadership-flag')).body
  t.equal(after.meta.definitionVersion, 2)
  t.notSame(after.learners, before.learners)
  const again = (await get('/scores/leadership-flag?definitionVersion=1')).body
  t.same(again.learners, before.learners)
  const same = await put('/scores/leadership-flag/definition', { assessmentAbove: -9, forumAbove: -9 })
  t.equal(same.body.version, 2, 'the same makes no new version')
  t.equal((await put('/scores/leadership-flag/definition', {})).body.version, 3, 'the standard again is a new one')
  t.same((await get('/scores/leadership-flag')).body.learners, before.learners)
  t.match((await get('/scores/leadership-flag/definition?version=2')).body.definition, { assessmentAbove: -9 })
  t.match((await get('/scores/leadership-flag/definition')).body, { version: 3, definition: { assessmentAbove: 1.5 } })
  t.match((await get('/scores/leadership-flag/definition?version=1')).body, { version: 1, createdAt: null })
  t.equal((await get('/scores/leadership-flag/definition?version=4')).status, 404)
  t.equal((await get('/scores/leadership-flag?definitionVersion=4')).status, 404)
  t.equal((await get('/scores/nothing/definition')).status, 404)
  const wrong = await put('/scores/leadership-index/definition', { weights: { 'completion-rate': 1 } })
  t.match(wrong, { status: 400, body: { code: 'invalid-parameter', pointer: '/weights/time-on-task' } })
  const other = await callerOf(await seedWorld(db, { people: [] }))
  t.equal((await get('/scores/leadership-flag/definition', other)).body.version, 1, "another tenant's stays")
})

t.test('the leadership flag of every learner is what the formula makes of their own values, by role', async t => {
  const { body } = await get('/scores/leadership-flag?definitionVersion=1')
  const expected = roles.flatMap(group =>
    leadershipFlags(
      group.map(one => {
        const values = valuesOf(one, today - 28, today)
        const { 'assessment-score': assessmentScore, 'forum-interactions': forumInteractions } = values
        return { key: one.key, assessmentScore, forumInteractions }
      })
    )
  )
  t.same(
    body.learners.map(({ personId, value, nullReason, components }: never) => [
      ...[personId, value, nullReason],
      ...(components as { normalised: number | null }[]).map(({ normalised }) => normalised)
    ]),
    inOrder(expected, ({ isFlagged }) => isFlagged).map(({ key, isFlagged, nullReason, assessmentZ, forumZ }) => [
      ...[key, isFlagged, nullReason, assessmentZ, forumZ]
    ])
  )
  t.match(body.learners[0].components, [{ above: 1.5 }, { above: 1 }])
  t.same(new Set(expected.map(({ isFlagged }) => isFlagged)), new Set([true, false, null]), 'all three occur')
})

t.test('momentum is what the formula makes of the last 28 days, the 28 before and twelve weeks', async t => {
  const { body } = await get('/scores/momentum?limit=1000')
  const course = ({ person }: Keyed, id: LmsMetric): MetricCourse => ({
    current: naiveValue(person, id, today - 28, today),
    previous: naiveValue(person, id, today - 56, today - 28),
    weekly: Array.from({ length: 12 }, (_, week) =>
      naiveValue(person, id, today - 84 + 7 * week, today - 77 + 7 * week)
    )
  })
  const expected = roles.flatMap(group =>
    momentumOf(
      group.map(one => ({
        key: one.key,
        metrics: Object.fromEntries(lmsMetrics.map(id => [id, course(one, id)])) as Record<LmsMetric, MetricCourse>
      }))
    )
  )
  t.same(
    body.learners.map(({ personId, value, nullReason, coverage, details, components }: never) => ({
      ...{ key: personId, value, nullReason, coverage, details },
      changes: (components as { change: number }[]).map(({ change }) => change),
      slopes: (components as { slope: number }[]).map(({ slope }) => slope)
    })),
    inOrder(expected, ({ hasMomentum }) => hasMomentum).map(
      ({ key, hasMomentum, nullReason, coverage, rising, singleSpike, components }) => ({
        ...{ key, value: hasMomentum, nullReason, coverage, details: { rising, singleSpike } },
        changes: components.map(({ change }) => change),
        slopes: components.map(({ slope }) => slope)
      })
    )
  )
  t.same(new Set(expected.map(({ hasMomentum }) => hasMomentum)), new Set([true, false, null]), 'all three occur')
  t.match(await get(`/scores/momentum?from=${dateOf(0)}`), { status: 400, body: { pointer: '/from' } })
})

/** What the energize score counts, once more. */
function naiveCounts({ key, person }: { readonly key: string; readonly person: Person }): EnergizeCounts {
  const community = ['posted', 'replied', 'endorsed', 'peer_feedback'] as const
  const passive: readonly string[] = ['delivered', 'reward_offered', 'manager_check_received', 'peer_feedback_received']
  const from = today - 56
  const active = person.days
    .filter(({ day }) => day >= from && day < today)
    .filter(({ counts }) =>
      Object.keys(counts).some(column => !passive.includes(column) && counts[column as never] > 0)
    )
  const claims = active.filter(({ day, counts }) => day + 7 < today && (counts.reward_claimed ?? 0) > 0)
  const sum = (days: typeof claims) => days.reduce((total, { counts }) => total + (counts.reward_claimed ?? 0), 0)
  return {
    key,
    activeWeeks: new Set(active.map(({ day }) => Math.floor((day - from) / 7))).size,
    recentActivity: active.filter(({ day }) => day >= today - 28).length,
    earlierActivity: active.filter(({ day }) => day < today - 28).length,
    claims: sum(claims),
    claimsReturned: sum(claims.filter(claim => active.some(({ day }) => day > claim.day && day <= claim.day + 7))),
    communityDays: active.filter(({ counts }) => community.some(column => (counts[column] ?? 0) > 0)).length
  }
}

t.test('the energize score is what the formula makes of eight weeks, among all who are asked for', async t => {
  const { body } = await get('/scores/energize-score')
  t.match(body, { by: 'none', period: { from: dateOf(today - 56), to: dateOf(today) } })
  const expected = inOrder(energizeScores(keyed.map(naiveCounts)), ({ value }) => value)
  t.same(
    body.learners.map(({ personId, value, nullReason, components, coverage }: Scored & Record<string, unknown>) => ({
      ...{ key: personId, value, nullReason, components, coverage, definitionVersion: 1 }
    })),
    expected
  )
  t.ok(
    expected.some(({ coverage }) => coverage.present === 3),
    'who never claimed has three'
  )
})

t.test('of a learner hired within the eight weeks, neither weeks nor trend are known', async t => {
  const hired = (day: number): Person => ({
    ...(people[0] as Person),
    roster: [{ from: null, to: null, cohorts: [], hired: day }]
  })
  const tenantId = await seedWorld(db, { people: [...people.slice(0, 6), hired(50), hired(20)] })
  const other = await callerOf(tenantId)
  const { body } = await get('/scores/energize-score?membership=current', other)
  const rawOf = (personId: string) =>
    body.learners
      .find((learner: Scored) => learner.personId === personId)
      .components.map(({ raw }: { raw: number | null }) => raw)
  t.same(rawOf('person-6').slice(0, 2), [null, null])
  t.ok(rawOf('person-7').every((raw: number | null) => raw !== null))
  const atStart = (await get('/scores/energize-score', other)).body.learners
  t.notOk(
    atStart.some(({ personId }: Scored) => personId === 'person-6'),
    'who was not there eight weeks ago is not in P by default'
  )
})

t.test("a learner's history is the score as of each week's end, and its last is the score now", async t => {
  for (const score of ['leadership-index', 'momentum', 'energize-score']) {
    const { status, body } = await get(`/scores/${score}/people/person-2?definitionVersion=1`)
    t.equal(status, 200)
    t.equal(body.history.length, 12)
    for (const week of [0, 5, 11]) {
      const { period, value } = body.history[week]
      t.equal(period.to, dateOf(today - 7 * (11 - week)))
      const list = (await get(`/scores/${score}?to=${period.to}&limit=1000&definitionVersion=1`)).body.learners
      const there = list.find(({ personId }: Scored) => personId === 'person-2')
      t.equal(value, there.value, `${score} as of ${period.to}`)
      if (week === 11) t.same(body.current, there)
    }
  }
  const alone = await get('/scores/leadership-index/people/person-16')
  t.match(alone.body, { current: { value: null, group: null }, history: [{ nullReason: 'low_coverage' }] })
  t.equal((await get('/scores/leadership-index/people/nobody')).status, 404)
  t.equal((await get('/scores/coaching-index/people/person-2')).status, 404, 'a group’s score is nobody’s')
  const outside = await get('/scores/leadership-index/people/person-2?role=seller')
  t.match(outside.body, { current: null, history: [{ value: null, nullReason: 'not_in_population' }] })
  const byManager = await get('/scores/leadership-index/people/person-2?by=manager&definitionVersion=1')
  t.match(byManager.body.current, { group: 'boss' })
})

t.test('the heatmap has the mean of each team, and hides small ones with what would give them away', async t => {
  const { status, body } = await get('/scores/leadership-index/teams?definitionVersion=1')
  t.equal(status, 200)
  const meanOf = (values: readonly (number | null)[]) => {
    const known = values.filter(value => value !== null)
    return known.reduce((sum, value) => sum + value, 0) / known.length
  }
  t.same(
    body.teams.map(({ team, suppressed }: { team: string | null; suppressed: boolean }) => [team, suppressed]),
    [
      [null, true],
      ['blue', true],
      ['green', true],
      ['red', true]
    ],
    'seven small ones don’t make ten together, so that the next is hidden with them'
  )
  const two = people.map((person, at) => {
    const [row] = person.roster
    return { ...person, roster: row === undefined ? [] : [{ ...row, team: at < 10 ? 'red' : null, role: 'engineer' }] }
  })
  const other = await callerOf(await seedWorld(db, { people: [...two, ...two.slice(10)] }))
  const { teams } = (await get('/scores/leadership-index/teams?by=team', other)).body
  t.match(teams, [
    { team: null, n: 14, suppressed: false },
    { team: 'red', n: 10, value: { n: null, mean: null, suppressed: true } }
  ])
  const redAlone = leadershipIndexes(
    keyed.slice(0, 10).map(one => ({ key: one.key, values: valuesOf(one, today - 28, today) }))
  )
  const at = lmsMetrics.indexOf('forum-interactions')
  const forum = redAlone.map(({ components }) => components[at]?.normalised ?? null)
  t.match(teams[1].components[at], { id: 'forum-interactions', n: 10, suppressed: false })
  t.ok(Math.abs(teams[1].components[at].mean - meanOf(forum)) < 1e-12)
  t.match(teams[1].components[0], { n: null, mean: null, suppressed: true }, 'nine of ten have a value')
  const none = await get('/scores/energize-score/teams?by=none&role=nobody')
  t.same(none.body.teams, [])
})

t.test('the card has the own values and trends, beside the quartiles of those of the same role', async t => {
  const { status, body } = await get('/people/person-2/card')
  t.equal(status, 200)
  t.match(body, { personId: 'person-2', by: 'role', group: 'engineer' })
  t.same(
    body.metrics.map(({ id }: { id: string }) => id),
    lmsMetrics
  )
  const forum = body.metrics[lmsMetrics.indexOf('forum-interactions')]
  const value = (one: Keyed | undefined, from: number, to: number) =>
    one === undefined ? null : naiveValue(one.person, 'forum-interactions', from, to)
  t.equal(forum.value, value(keyed[2], today - 28, today))
  const sorted = engineers.map(one => value(one, today - 28, today) ?? 0).sort((a, b) => a - b)
  const quartile = (p: number) => {
    const place = p * 11
    const [below = 0, above = 0] = [sorted[Math.floor(place)], sorted[Math.ceil(place)]]
    return below + (place % 1) * (above - below)
  }
  t.same(forum.band, { p25: quartile(0.25), median: quartile(0.5), p75: quartile(0.75), n: 12, nullReason: null })
  t.same(
    forum.weeks.map(({ value }: { value: number | null }) => value),
    Array.from({ length: 12 }, (_, week) => value(keyed[2], today - 84 + 7 * week, today - 77 + 7 * week))
  )
  t.ok(
    forum.weeks.some(({ band }: { band: { nullReason: string | null } }) => band.nullReason === 'small_group'),
    'fewer than ten said anything in some week'
  )
})

t.test('a band of few learners, of none, or of no group is null with a reason', async t => {
  const bandOf = async (path: string) => (await get(path)).body.metrics[0].band
  const empty = { p25: null, median: null, p75: null }
  t.same(await bandOf('/people/person-12/card'), { ...empty, n: null, nullReason: 'small_group' })
  t.same(await bandOf('/people/person-16/card'), { ...empty, n: null, nullReason: 'no_group' })
  t.match(await bandOf('/people/person-16/card?by=none'), { n: 16, nullReason: null })
  t.same(await bandOf(`/people/person-2/card?to=${dateOf(-100)}`), { ...empty, n: 0, nullReason: 'no_values' })
  t.same(await bandOf('/people/person-2/card?minGroupSize=20'), { ...empty, n: null, nullReason: 'small_group' })
  t.equal((await get('/people/nobody/card')).status, 404)
})

t.test('a manager sees the own line alone, and a learner themself; both compare within that', async t => {
  const line = {
    ...(people[0] as Person),
    roster: [{ from: null, to: null, cohorts: [], role: 'engineer', manager: 'person-0' }]
  }
  const tenantId = await seedWorld(db, { people: [people[0] as Person, ...people.slice(1, 5), line, line] })
  const { name } = await db.selectFrom('tenant').select('name').where('id', '=', tenantId).executeTakeFirstOrThrow()
  const asPerson = async (scopes: readonly string[]) => {
    const personal = await addCaller(name, scopes)
    await db.updateTable('credential').set({ person_external_id: 'person-0' }).where('key', '=', personal.key).execute()
    return personal
  }
  const manager = await asPerson(['line/read'])
  const list = await get('/scores/leadership-index', manager)
  t.same(
    list.body.learners.map(({ personId }: Scored) => personId),
    ['person-5', 'person-6']
  )
  t.equal((await get('/scores/leadership-index/people/person-5', manager)).status, 200)
  t.equal((await get('/scores/leadership-index/people/person-2', manager)).status, 404)
  t.equal((await get('/scores/leadership-index/teams', manager)).status, 200)
  t.equal((await get('/people/person-2/card', manager)).status, 404)
  const self = await asPerson(['self/read'])
  const card = await get('/people/person-0/card', self)
  t.match(card.body.metrics[0], { band: { nullReason: 'small_group' } })
  t.not(card.body.metrics[0].value, null)
  t.equal((await get('/people/person-5/card', self)).status, 404)
  t.equal((await get('/scores/leadership-index/teams', self)).status, 403)
})
