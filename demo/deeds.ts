import { DateTime } from 'luxon'
import type { Learner, Person } from './learners.js'
import { between, oneOf, type Random, randomFrom } from './random.js'

/** The eight weeks that are played. */
export interface Pilot {
  readonly seed: number
  /** The last local day, `YYYY-MM-DD`. */
  readonly lastDay: string
  /** IANA zone of the local days. */
  readonly zone: string
}

type DeedKind =
  | 'delivered'
  | 'opened'
  | 'completed-task'
  | 'repeated-session'
  | 'peer-feedback'
  | 'manager-check'
  | 'started'
  | 'assessed'
  | 'completed'
  | 'posted'

/** One thing that somebody did, before it is written as a statement. */
export interface Deed {
  readonly kind: DeedKind
  /** Whose pilot it belongs to; the actor too, except in a manager's check. */
  readonly learner: Learner
  readonly actor: Person
  /** Whom it is about, where that is somebody else. */
  readonly subject: Person | null
  /** Number of the module, from 0. */
  readonly module: number
  readonly at: DateTime
  readonly minutes: number | null
  /** Of a quiz, 0 to 1. */
  readonly score: number | null
  readonly outcomeTags: readonly string[]
}

export const pilotWeeks = 8
const pilotDays = pilotWeeks * 7

/** A local day of the pilot. */
export interface Day {
  /** Its midnight. */
  readonly start: DateTime
  readonly isWeekend: boolean
  /** Micro-lessons go out on Mondays and Thursdays. */
  readonly isDelivery: boolean
  /** Modules delivered by its end. */
  readonly delivered: number
}

/** The local days of the pilot, first to last. */
export function daysOf(pilot: Pilot): readonly Day[] {
  const last = DateTime.fromISO(pilot.lastDay, { zone: pilot.zone })
  let delivered = 0
  return Array.from({ length: pilotDays }, (_, index) => {
    const start = last.minus({ days: pilotDays - 1 - index })
    const isDelivery = start.weekday === 1 || start.weekday === 4
    delivered += isDelivery ? 1 : 0
    return { start, isWeekend: start.weekday > 5, isDelivery, delivered }
  })
}

/** What one learner, and their manager for them, does in the eight weeks; each learner has a random stream of their own. */
export function deedsOf(
  pilot: Pilot,
  days: readonly Day[],
  learner: Learner,
  peers: readonly Learner[]
): readonly Deed[] {
  const random = randomFrom(pilot.seed, learner.personId)
  const opened = new Map<number, number>()
  const deeds: Deed[] = []
  for (let week = 0; week < pilotWeeks; week += 1) {
    const weekDays = days.slice(week * 7, week * 7 + 7)
    const active = activeDays(random, learner, week, weekDays)
    for (const day of weekDays) {
      if (day.isDelivery) deeds.push(delivery(random, learner, day))
      if (day.delivered > 0 && active.has(day)) deeds.push(...session({ random, learner, peers, day, opened }))
    }
    deeds.push(...managerCheck(random, learner, weekDays))
  }
  return deeds
}

function activeDays(random: Random, learner: Learner, week: number, days: readonly Day[]): ReadonlySet<Day> {
  const { habit } = learner
  if (random() >= habit.turnsUp(week)) return new Set()
  const weekdays = days.filter(day => !day.isWeekend)
  const certain = weekdays[Math.floor(random() * weekdays.length)]
  const chosen = days.filter(day => random() < (day.isWeekend ? habit.weekendDay : habit.furtherWeekday))
  return new Set(certain === undefined ? chosen : [certain, ...chosen])
}

function delivery(random: Random, learner: Learner, day: Day): Deed {
  // The platform sends to everybody within half a minute of 09:00.
  const at = day.start.set({ hour: 9 }).plus({ milliseconds: between(random, 0, 30_000) })
  return { ...plain(learner, day.delivered - 1, at), kind: 'delivered' }
}

interface Session {
  readonly random: Random
  readonly learner: Learner
  readonly peers: readonly Learner[]
  readonly day: Day
  /** For each module, how often the learner has opened it; a session adds to it. */
  readonly opened: Map<number, number>
}

/** The learner opens the latest modules, does some of their tasks and may tell a peer how they did. */
function session({ random, learner, peers, day, opened }: Session): readonly Deed[] {
  const deeds: Deed[] = []
  const latest = day.delivered - 1
  let at = day.start
    .set({ hour: 9 })
    .plus({ minutes: day.isWeekend ? between(random, 60, 660) : between(random, 5, 520) })
  const next = () => {
    at = at.plus({ minutes: between(random, 1, 6), milliseconds: between(random, 0, 59_999) })
    return at
  }
  const first = Math.max(0, day.delivered - between(random, 1, learner.habit.modules))
  for (let module = latest; module >= first; module -= 1) {
    const times = opened.get(module) ?? 0
    opened.set(module, times + 1)
    deeds.push({ ...plain(learner, module, next()), kind: 'opened' })
    if (times === 0) deeds.push({ ...plain(learner, module, next()), kind: 'started' })
    if (times > 0) deeds.push({ ...plain(learner, module, next()), kind: 'repeated-session' })
    if (random() < learner.habit.task) {
      deeds.push(task(random, plain(learner, module, next())))
      if (random() < 0.4) deeds.push(...quiz(random, learner, module, next))
    }
  }
  if (random() < 0.5 * learner.habit.task) deeds.push({ ...plain(learner, latest, next()), kind: 'posted' })
  if (random() < learner.habit.feedback) deeds.push(...peerFeedback(random, peers, plain(learner, latest, next())))
  return deeds
}

function task(random: Random, deed: Omit<Deed, 'kind'>): Deed {
  return { ...deed, kind: 'completed-task', minutes: between(random, 2, 9), outcomeTags: [tag(random)] }
}

/** A quiz after a task; who does well has completed the module. */
function quiz(random: Random, learner: Learner, module: number, next: () => DateTime): readonly Deed[] {
  const score = between(random, 30 + Math.round(40 * learner.habit.task), 100) / 100
  const deed: Deed = { ...plain(learner, module, next()), kind: 'assessed', score }
  return score < 0.7 ? [deed] : [deed, { ...plain(learner, module, next()), kind: 'completed' }]
}

function peerFeedback(random: Random, peers: readonly Learner[], deed: Omit<Deed, 'kind'>): readonly Deed[] {
  const others = peers.filter(peer => peer !== deed.learner)
  const subject = others[Math.floor(random() * others.length)]
  return subject === undefined ? [] : [{ ...deed, kind: 'peer-feedback', subject, outcomeTags: [tag(random)] }]
}

/** Managers look in on Friday afternoons. */
function managerCheck(random: Random, learner: Learner, weekDays: readonly Day[]): readonly Deed[] {
  const friday = weekDays.find(day => day.start.weekday === 5)
  if (random() >= learner.habit.managerCheck || friday === undefined) return []
  const at = friday.start.set({ hour: 13 }).plus({ minutes: between(random, 0, 200) })
  const deed = plain(learner, Math.max(0, friday.delivered - 1), at)
  return [{ ...deed, kind: 'manager-check', actor: learner.manager, subject: learner, outcomeTags: [tag(random)] }]
}

function plain(learner: Learner, module: number, at: DateTime): Omit<Deed, 'kind'> {
  return { learner, actor: learner, subject: null, module, at, minutes: null, score: null, outcomeTags: [] }
}

function tag(random: Random): string {
  return oneOf(random, ['confident', 'confident', 'needs-practice'])
}
