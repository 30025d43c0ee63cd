import { strictEqual } from 'node:assert'
import t from 'tap'
import type { LearnerDayCounts } from '../../src/database/schema.js'
import { coachingIndex, compoundSignal } from '../../src/scores/coaching-index.js'
import { type Kpi, kpis } from '../../src/scores/kpi-thresholds.js'
import { defaultPilotDefinition } from '../../src/scores/pilot-decision.js'
import { pooledInterval } from '../../src/scores/pooled-interval.js'
import { dateOf, type Person, seedWorld } from '../metrics/world.js'
import { standIn } from '../scores/stand-ins.js'
import { today } from '../scores/team-world.js'
import { testApp } from '../support/app.js'

standIn()
const { db, addCaller } = await testApp(t, { now: () => new Date(`${dateOf(today)}T10:00:00Z`) })

/** What one learner does in each week: opens it, perhaps comes back two days later, and the rest on the first day. */
interface Habit {
  readonly opens: boolean
  readonly returns: boolean
  readonly tasks: number
  readonly feedback: boolean
  readonly checked: boolean
}

const everything: Habit = { opens: true, returns: true, tasks: 4, feedback: true, checked: true }
const nothing: Habit = { opens: false, returns: false, tasks: 0, feedback: false, checked: false }

function learner(cohort: string, team: string | null, habitOf: (week: number) => Habit): Person {
  const days = Array.from({ length: 8 }, (_, week) => {
    const { opens, returns, tasks, feedback, checked } = habitOf(week)
    const counts: Partial<LearnerDayCounts> = {
      opened: Number(opens),
      completed_task: tasks,
      peer_feedback: Number(feedback),
      manager_check_received: Number(checked)
    }
    return [{ day: 7 * week, counts }, ...(returns ? [{ day: 7 * week + 2, counts: { visited: 1 } }] : [])]
  })
  return {
    known: true,
    roster: [{ from: null, to: null, cohorts: [cohort], team, manager: 'boss' }],
    days: days.flat()
  }
}

const many = (count: number, make: (at: number) => Person) => Array.from({ length: count }, (_, at) => make(at))

/** Two thirds open, in two weeks of three; the rest follows from it. */
const half = (at: number) => (week: number) =>
  at % 3 === 2 || week % 3 === at % 3 ? nothing : { ...everything, tasks: 2, feedback: at < 3, returns: week % 2 === 0 }

const people = [
  ...many(24, () => learner('winners', 'red', () => everything)),
  ...many(40, () => learner('idle', 'red', () => nothing)),
  ...many(30, at => learner('half', at < 18 ? 'red' : 'blue', half(at))),
  ...many(12, () => learner('few', 'red', () => everything)),
  ...many(6, () => learner('tiny', 'tiny', () => everything)),
  // Of these only nine have a bracket, so that how many of them came back is hidden.
  ...many(24, at => learner('quiet', null, () => (at < 9 ? everything : { ...nothing, checked: true })))
]
const tenantId = await seedWorld(db, { people })
const { name } = await db.selectFrom('tenant').select('name').where('id', '=', tenantId).executeTakeFirstOrThrow()
const caller = await addCaller(name)

const ask = async (method: 'GET' | 'PUT' | 'DELETE', path: string, body?: unknown, { call } = caller) => {
  const payload = body === undefined ? {} : { payload: JSON.stringify(body) }
  const headers = body === undefined ? {} : { 'content-type': 'application/json' }
  const response = await call({ method, url: `/api/v1${path}`, headers, ...payload })
  return { status: response.statusCode, body: response.body === '' ? {} : response.json() }
}
const pilotOf = (cohort: string) => ({ cohort, startsOn: dateOf(0), lengthWeeks: 8 })
for (const cohort of ['winners', 'idle', 'half', 'few', 'tiny', 'quiet']) {
  strictEqual((await ask('PUT', `/pilots/${cohort}`, pilotOf(cohort))).status, 201)
}

const decision = async (pilot: string, query = '') => (await ask('GET', `/pilots/${pilot}/decision${query}`)).body

t.test('a pilot is saved, replaced, listed and deleted; a changed definition gets the next version', async t => {
  const north = { name: 'The north', ...pilotOf('winners') }
  const created = await ask('PUT', '/pilots/north', north)
  t.match(created, { status: 201, body: { id: 'north', ...north, definition: defaultPilotDefinition } })
  const renamed = await ask('PUT', '/pilots/north', { ...north, name: 'Up there' })
  t.match(renamed, { status: 200, body: { name: 'Up there', definition: { version: 1 } } })
  const stricter = await ask('PUT', '/pilots/north', { ...north, definition: { minimumWeeks: 6, version: 9 } })
  t.same(stricter.body.definition, { ...defaultPilotDefinition, minimumWeeks: 6, version: 2 })
  t.same((await ask('GET', '/pilots/north')).body, stricter.body)
  t.equal((await decision('north')).definitionVersion, 2)
  const ids = ({ pilots }: { pilots: readonly { id: string }[] }) => pilots.map(({ id }) => id)
  const first = (await ask('GET', '/pilots?limit=4')).body
  t.same([ids(first), first.next], [['few', 'half', 'idle', 'north'], 'north'])
  const second = (await ask('GET', `/pilots?limit=4&after=${first.next}`)).body
  t.same([ids(second), second.next], [['quiet', 'tiny', 'winners'], null])
  t.equal((await ask('DELETE', '/pilots/north')).status, 204)
  for (const [method, path] of [
    ['GET', '/pilots/north'],
    ['GET', '/pilots/north/decision'],
    ['DELETE', '/pilots/north']
  ] as const) {
    t.equal((await ask(method, path)).status, 404)
  }
  const other = await addCaller('second')
  t.same((await ask('GET', '/pilots', undefined, other)).body.pilots, [], 'another tenant has its own')
  t.equal((await ask('GET', '/pilots/half', undefined, other)).status, 404)
})

t.test('what a pilot can’t be is refused', async t => {
  const refused = [
    { ...pilotOf('winners'), startsOn: '2026-02-30' },
    { ...pilotOf('winners'), lengthWeeks: 0 },
    { ...pilotOf('winners'), cohort: '' },
    { ...pilotOf('winners'), definition: { minimumWeeks: 0 } },
    { ...pilotOf('winners'), definition: { thresholds: { 'active-users': { minimum: 0.9, success: 0.1 } } } },
    { cohort: 'winners' }
  ]
  for (const body of refused) t.equal((await ask('PUT', '/pilots/wrong', body)).status, 400, JSON.stringify(body))
  t.equal((await ask('GET', '/pilots/winners/decision?asOf=2026-13-01')).status, 400)
  t.equal((await ask('GET', `/pilots/winners/decision?asOf=${dateOf(today + 1)}`)).status, 400, 'has not come')
})

t.test('scale: every value has reached success, and every lower bound its minimum', async t => {
  const found = await decision('winners')
  t.match(found, {
    pilot: 'winners',
    asOf: dateOf(today),
    decision: 'scale',
    weeks: 8,
    n: 24,
    period: { from: dateOf(0), to: dateOf(56) },
    heldBackBy: [],
    sentence: /^Scale: /
  })
  t.same(
    found.kpis.map(({ id, value, n, state }: Record<string, unknown>) => [id, value, n, state]),
    kpis.map(id => [id, id === 'practice-tasks' ? 4 : 1, 24, 'success'])
  )
  t.match(found.kpis[0], { minimum: 0.4, success: 0.7, ci: { high: 1, method: 'wilson' } })
})

t.test('halt: three upper bounds or more are below their minimum', async t => {
  const found = await decision('idle')
  t.match(found, { decision: 'halt', n: 40 })
  t.same(
    found.kpis.map(({ value, state }: Record<string, unknown>) => [value, state]),
    [
      [0, 'failing'],
      [null, 'unknown'],
      [0, 'failing'],
      [0, 'below_minimum'],
      [0, 'failing']
    ],
    'when none of 40 did it, 5 % could still be the truth, and 10 % not'
  )
})

t.test('iterate: in between, with what holds it back; values are those of a week', async t => {
  const found = await decision('half')
  t.equal(found.decision, 'iterate')
  const naive = naiveKpis(people.slice(64, 94))
  for (const { id, value } of found.kpis) t.ok(Math.abs(value - (naive[id as Kpi] ?? -1)) < 1e-12, `${id} ${value}`)
  t.match(found.heldBackBy, ['active-users'])
  t.match(found.sentence, /^Iterate: \d of 5 measures hold it back: active users \(/)
})

t.test('insufficient data: too few weeks, too few learners, or not begun', async t => {
  t.match(await decision('winners', `?asOf=${dateOf(27)}`), {
    decision: 'insufficient_data',
    weeks: 3,
    period: { to: dateOf(21) },
    sentence: 'Not enough is known to decide on the pilot: it has run for 3 of at least 4 weeks.',
    kpis: [{ value: 1 }]
  })
  t.equal((await decision('winners', `?asOf=${dateOf(28)}`)).decision, 'scale')
  t.match(await decision('few'), { decision: 'insufficient_data', n: 12, kpis: [{ value: 1, n: 12 }] })
  const before = await decision('winners', `?asOf=${dateOf(3)}`)
  t.match(before, { decision: 'insufficient_data', weeks: 0, period: null, n: 24, kpis: [{ value: null, n: 0 }] })
  t.equal((await ask('PUT', '/pilots/nobody', pilotOf('nobody'))).status, 201)
  const nobody = await decision('nobody')
  t.match(nobody, { decision: 'insufficient_data', n: 0, kpis: [{ value: null, suppressed: false }] })
  t.match(nobody.meta.warnings, [{ code: 'unknown_cohort' }])
})

t.test('a pilot of fewer than ten shows nothing, and a measure of fewer than ten is not known', async t => {
  const tiny = await decision('tiny')
  t.match(tiny, {
    decision: 'insufficient_data',
    n: null,
    kpis: [{ value: null, ci: null, n: null, suppressed: true }]
  })
  const quiet = await decision('quiet')
  t.match(quiet.kpis[1], { id: 'repeat-rate', value: null, n: null, suppressed: true, state: 'unknown' })
  t.match(quiet.kpis[0], { value: 9 / 24, suppressed: false })
  t.match(quiet.sentence, /repeat rate \(not known\)/)
})

/** The measures of some weeks, once more: sums of learners and weeks. */
function naiveKpis(learners: readonly Person[], weeks = 8, from = 0): Readonly<Record<Kpi, number | null>> {
  const spans = learners.flatMap(({ days }) =>
    Array.from({ length: weeks }, (_, week) => {
      const start = from + 7 * week
      const active = days.filter(({ counts }) =>
        ['opened', 'completed_task', 'peer_feedback', 'visited'].some(column => (counts[column as 'opened'] ?? 0) > 0)
      )
      const first = active.find(({ day }) => day >= start && day < start + 7)?.day
      const inWeek = days.filter(({ day }) => day >= start && day < start + 7)
      return {
        first,
        isBack: active.some(({ day }) => first !== undefined && day > first && day <= first + 7),
        sum: (column: keyof LearnerDayCounts) => inWeek.reduce((sum, { counts }) => sum + (counts[column] ?? 0), 0)
      }
    })
  )
  const share = (column: keyof LearnerDayCounts) => spans.filter(({ sum }) => sum(column) > 0).length / spans.length
  const begun = spans.filter(({ first }) => first !== undefined)
  return {
    'active-users': share('opened'),
    'repeat-rate': begun.length === 0 ? null : begun.filter(({ isBack }) => isBack).length / begun.length,
    'practice-tasks': spans.reduce((sum, span) => sum + span.sum('completed_task'), 0) / spans.length,
    'peer-feedback-rate': share('peer_feedback'),
    'manager-check-rate': share('manager_check_received')
  }
}

t.test('the coaching index of a group is what the formula makes of its measures, by the week', async t => {
  const { status, body } = await ask('GET', `/scores/coaching-index?cohort=half&from=${dateOf(0)}&to=${dateOf(31)}`)
  t.equal(status, 200)
  t.match(body, { score: 'coaching-index', weeks: 4, groups: [{ dimensions: {}, n: 30, suppressed: false }] })
  const naive = naiveKpis(people.slice(64, 94), 4)
  const expected = coachingIndex(naive)
  const [group] = body.groups
  t.ok(Math.abs(group.value - (expected.value ?? 0)) < 1e-9, `${group.value}`)
  t.match(group.coverage, expected.coverage)
  t.match(group.components[2], { id: 'practice-tasks', weight: 3, ci: { method: 't' }, n: 30, isMissing: false })
  t.same(group.compoundSignal, compoundSignal(naive))
  const short = await ask('GET', `/scores/coaching-index?from=${dateOf(0)}&to=${dateOf(6)}`)
  t.match(short, { status: 400, body: { pointer: '/from' } })
  t.same((await ask('GET', '/scores/coaching-index?cohort=nobody')).body.groups, [])
})

t.test('of a breakdown small groups are hidden, with what would give them away, and cohorts by themselves', async t => {
  const path = `/scores/coaching-index?from=${dateOf(0)}&to=${dateOf(56)}`
  const { body } = await ask('GET', `${path}&breakdown=team`)
  t.same(
    body.groups.map(({ dimensions, n, suppressed }: Record<string, unknown>) => [dimensions, n, suppressed]),
    [
      [{ team: null }, 24, false],
      [{ team: 'blue' }, null, true],
      [{ team: 'red' }, 94, false],
      [{ team: 'tiny' }, null, true]
    ]
  )
  t.match(body.groups[1], { value: null, nullReason: 'small_group', components: [{ raw: null, n: null }] })
  const cohorts = (await ask('GET', `${path}&breakdown=cohort`)).body.groups
  t.same(
    cohorts.map(({ dimensions, n }: Record<string, unknown>) => [dimensions, n]),
    [
      [{ cohort: 'few' }, 12],
      [{ cohort: 'half' }, 30],
      [{ cohort: 'idle' }, 40],
      [{ cohort: 'quiet' }, 24],
      [{ cohort: 'tiny' }, null],
      [{ cohort: 'winners' }, 24]
    ]
  )
  t.ok(Math.abs(cohorts[0].value - 100) < 1e-9, 'all five have reached success')
})

t.test('the interval over weeks takes learners for the unit', t => {
  const sums = { n: 5, sumX: 11, sumY: 20, sumXX: 37, sumXY: 44, sumYY: 80 }
  const found = pooledInterval('proportion', sums)
  t.same([found?.low.toFixed(4), found?.high.toFixed(4), found?.method], ['0.2224', '0.8393', 'wilson'])
  const never = pooledInterval('proportion', { n: 20, sumX: 0, sumY: 80, sumXX: 0, sumXY: 0, sumYY: 320 })
  t.same([never?.low, never?.high.toFixed(4)], [0, '0.1611'], '0 of 20 learners, not of 80 weeks')
  // Every learner the same half of the weeks: nothing says how much learners differ.
  const alike = pooledInterval('proportion', { n: 10, sumX: 20, sumY: 40, sumXX: 40, sumXY: 80, sumYY: 160 })
  t.equal(alike?.low.toFixed(4), '0.2366', 'as 5 of 10')
  t.equal(pooledInterval('ratio', sums)?.method, 't')
  t.equal(pooledInterval('proportion', { ...sums, sumY: 0 }), null)
  t.end()
})
