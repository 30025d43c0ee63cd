import fc from 'fast-check'
import t from 'tap'
import { deedKinds } from '../../src/events/deed-kinds.js'
import { answerMetric } from '../../src/metrics/answer.js'
import { timeOnTask } from '../../src/metrics/time-on-task.js'
import { testDatabase } from '../support/database.js'
import { agree, type NaiveMetric } from './agreement.js'
import {
  type Deed,
  deedsOf,
  type EventWorld,
  eventStage,
  fivefold,
  seedDerivedWorld,
  seedEventWorld
} from './event-world.js'
import type { Person } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-04-09T10:00:00Z') }
const week = { from: '2026-03-02', to: '2026-03-09' }
const minutes = 60_000

const learner: Person = { known: true, roster: [{ from: null, to: null, cohorts: [] }], days: [] }
const people = Array.from({ length: 5 }, () => learner)

const deed = (by: number, day: number, minute: number, more: Partial<Deed> = {}): Deed => ({
  ...{ kind: 'opened', by, day, minute, activity: 0, module: 0 },
  ...more
})
const end = { kind: 'terminated' } as const

/** The example of docs/reference/metrics/time-on-task.md. */
const deeds = [
  deed(0, 0, 540),
  deed(0, 0, 560, { ...end, durationMs: 20 * minutes }),
  deed(0, 1, 600, { ...end, durationMs: 40 * minutes }),
  deed(1, 0, 540),
  deed(1, 0, 565),
  deed(1, 0, 595),
  deed(1, 0, 700),
  deed(2, 3, 540, { ...end, isCalendar: true }),
  deed(2, 3, 550),
  deed(3, 4, 540, { kind: 'delivered' })
]

const ask = async (tenantId: number, query: object = {}, method = 'auto') => {
  const answer = await answerMetric(db, timeOnTask, { ...week, ...query, options: { method } }, { ...asker, tenantId })
  return answer.results[0]
}

t.test('the worked example: durations where there are any, sessions otherwise, and never both', async t => {
  const tenantId = await seedDerivedWorld(db, fivefold({ people, deeds }))
  for (const consistency of ['eventual', 'strong']) {
    t.match(await ask(tenantId, { consistency }), {
      ...{ value: 25 * minutes, denominator: 25, n: 25 },
      details: { methods: { terminated: 5, sessions: 10 }, coverage: 1 / 3, calendarDurations: 5 }
    })
    t.match(await ask(tenantId, { consistency }, 'sessions'), {
      ...{ value: 17 * minutes, denominator: 25 },
      details: { methods: { terminated: 0, sessions: 15 } }
    })
    // Of the ten who were active without a duration the time isn't known; who did nothing spent none.
    t.match(await ask(tenantId, { consistency }, 'terminated'), {
      ...{ value: 20 * minutes, denominator: 15, n: 15 },
      details: { methods: { terminated: 5, sessions: 0 }, coverage: 1 / 3, calendarDurations: 5 }
    })
  }
})

t.test('nobody was active: no time, and no coverage that could be told', async t => {
  const tenantId = await seedEventWorld(db, fivefold({ people, deeds: [deed(0, 9, 0)] }))
  t.match(await ask(tenantId, { consistency: 'strong' }), { value: 0, denominator: 25, details: { coverage: null } })
})

t.test('an hour that the clocks skip is no pause', async t => {
  // 1:50 and, twenty minutes later, 3:10 in Berlin on 29 March.
  const spring = [deed(0, 27, 50), deed(0, 27, 70)]
  const tenantId = await seedEventWorld(db, fivefold({ people: [learner], deeds: spring }))
  const sunday = { from: '2026-03-29', to: '2026-03-30', tz: 'Europe/Berlin' }
  t.match(await ask(tenantId, sunday), { value: 20 * minutes })
})

const stage = eventStage('terminated', 'terminated', 'opened', 'visited', 'delivered')
const options = fc.record({ method: fc.constantFrom('auto' as const, 'terminated' as const, 'sessions' as const) })

const share =
  (isFutureCounted: boolean): NaiveMetric<{ method: 'auto' | 'terminated' | 'sessions' }, EventWorld>['share'] =>
  ({ at, countedDays }, moment, { method }, world) => {
    const known = deedsOf(world, at, isFutureCounted ? { today: 1000 } : moment)
    const done = known.filter(({ kind }) => deedKinds.some(other => other === kind))
    const instants = done.map(({ day, minute = 0 }) => day * 1440 + minute)
    const counted = done.map(({ day }) => countedDays.includes(day))
    const gaps = instants.map((instant, nth) => instant - (instants[nth - 1] ?? Number.NEGATIVE_INFINITY))
    const sessions = gaps.reduce((sum, gap, nth) => (counted[nth] && gap <= 30 ? sum + gap * minutes : sum), 0)
    const durations = done.flatMap(({ kind, durationMs = null, isCalendar }, nth) =>
      counted[nth] && kind === 'terminated' && durationMs !== null && isCalendar !== true ? [durationMs] : []
    )
    const terminated = durations.reduce((sum, duration) => sum + duration, 0)
    if (method === 'sessions' || (method === 'auto' && durations.length === 0)) return { x: sessions, y: 1 }
    return { x: terminated, y: durations.length > 0 || !counted.includes(true) ? 1 : 0 }
  }

t.test('any world: the same numbers as counting one learner after another', async () => {
  await agree(db, timeOnTask, { stage: { ...stage, sources: ['events'] }, options, share: share(false) })
})

t.test('any world: the same of the rollups, for which all of it has happened', async () => {
  const seed = async (_db: typeof db, world: EventWorld) => {
    const tenantId = await seedDerivedWorld(db, world)
    return tenantId
  }
  await agree(db, timeOnTask, { stage: { ...stage, sources: ['rollup'], seed }, options, share: share(true) })
})
