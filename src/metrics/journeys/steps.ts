import { type RawBuilder, sql } from 'kysely'
import type { LearningEventKind } from '../../database/schema.js'
import { learningEventKinds } from '../../events/mapping-rule.js'
import { dayNumbers, daysWith } from '../../rollup/learner-weeks.js'

/** A step: what a learner did, or was given, as a kind of event. */
export interface StepKind {
  readonly kind: LearningEventKind
  /** Whether the learner did it, or it was done about them. */
  readonly role: 'doer' | 'subject'
}

/** Kinds of which a learner may be the subject, by the names that being it has as a step. */
const receivedSteps: Readonly<Record<string, LearningEventKind>> = {
  'peer-feedback-received': 'peer-feedback',
  'manager-check-received': 'manager-check'
}

/** Everything that may be a step, in the taxonomy's order. */
export const stepNames: readonly string[] = [...learningEventKinds, ...Object.keys(receivedSteps)]

/** Steps whose first instant of each local day the rollup keeps. */
const dailySteps: ReadonlySet<string> = new Set([
  'delivered',
  'opened',
  'completed-task',
  'peer-feedback',
  'peer-feedback-received',
  'manager-check-received'
])

/** What a step counts; undefined for a name that is none. */
export function findStep(name: string): StepKind | undefined {
  const received = Object.hasOwn(receivedSteps, name) ? receivedSteps[name] : undefined
  if (received !== undefined) return { kind: received, role: 'subject' }
  const kind = learningEventKinds.find(kind => kind === name)
  return kind === undefined ? undefined : { kind, role: 'doer' }
}

/** Whether the rollup knows enough of a step: how often it was taken on a local day, and when first. */
export function isDaily(name: string): boolean {
  return dailySteps.has(name)
}

/** The columns of `learner_day` for a daily step. */
export function columnsOf(name: string): { readonly count: string; readonly first: string } {
  const column = name.replaceAll('-', '_')
  return { count: column, first: `first_${column}_at` }
}

/** SQL over a row of `learner_weeks` for the days on which a daily step was taken. */
export function daysOf(name: string): RawBuilder<number> {
  const { count } = columnsOf(name)
  const number = dayNumbers.find(number => number === count)
  return number === undefined ? sql<number>`${sql.ref(count)}` : daysWith(number)
}
