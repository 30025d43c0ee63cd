import { type Deed, dayOf, type History, liveDeeds, type Values } from './naive.js'

const next: Readonly<Record<string, string>> = { delivered: 'opened', opened: 'completed-task' }

/** The rows of `learner_step`, by `name step day module`. */
export function naiveSteps(history: History): Record<string, Values> {
  const rows = [...liveDeeds(history)].flatMap(([person, deeds]) => {
    const steps = deeds.flatMap(deed => {
      const module = deed.module ?? (deed.shape === 'agent' ? null : deed.activity)
      return module === null ? [] : [{ deed, module, day: dayOf(deed.timestamp, history) ?? '' }]
    })
    return steps
      .filter(({ deed: { kind } }) => kind in next)
      .map(({ deed, module, day }) => {
        const alike = steps.filter(other => other.module === module)
        const same = alike.filter(other => other.deed.kind === deed.kind)
        const [first] = same.filter(other => other.day === day)
        const isLater = (other: Deed) => Date.parse(other.timestamp) >= Date.parse(first?.deed.timestamp ?? '')
        const later = alike.filter(other => other.deed.kind === next[deed.kind] && isLater(other.deed))
        return [
          `${person} ${deed.kind} ${day} ${module}`,
          {
            before: same.findLast(other => other.day < day)?.day ?? '-infinity',
            followed_on: later[0]?.day ?? 'infinity'
          }
        ]
      })
  })
  return Object.fromEntries(rows)
}

/** The rows of `learner_attempt`, by `name activity scale day`. */
export function naiveAttempts(history: History): Record<string, Values> {
  const groups = new Map<string, Attempt[]>()
  for (const [person, deeds] of liveDeeds(history)) {
    for (const { key, ...attempt } of deeds.flatMap(deed => attemptsOf(deed, history))) {
      groups.set(`${person} ${key}`, [...(groups.get(`${person} ${key}`) ?? []), attempt])
    }
  }
  return Object.fromEntries([...groups].flatMap(([key, attempts]) => daysOf(key, attempts)))
}

interface Attempt {
  readonly day: string
  readonly score: number
  readonly isAlone: boolean
}

function attemptsOf(deed: Deed, history: History): readonly (Attempt & { readonly key: string })[] {
  const activity = deed.shape === 'agent' ? deed.module : deed.activity
  if (deed.kind !== 'assessed' || activity === null) return []
  const day = dayOf(deed.timestamp, history) ?? ''
  const isAlone = deed.score === null || deed.points === null
  const of = (scale: string, score: number) => ({ key: `${activity} ${scale}`, day, score, isAlone })
  return [
    ...(deed.score === null ? [] : [of('scaled', deed.score)]),
    ...(deed.points === null ? [] : [of('ratio', deed.points / 10)])
  ]
}

function daysOf(key: string, attempts: readonly Attempt[]): readonly (readonly [string, Values])[] {
  const days = [...new Set(attempts.map(({ day }) => day))].sort()
  return days.map((day, nth) => {
    const ofDay = attempts.filter(attempt => attempt.day === day)
    const scores = ofDay.map(({ score }) => score)
    const values = {
      ...{ before: days[nth - 1] ?? '-infinity', after: days[nth + 1] ?? 'infinity' },
      ...{ attempts: ofDay.length, alone: ofDay.filter(({ isAlone }) => isAlone).length },
      ...{ first_score: scores[0], last_score: scores.at(-1), best_score: Math.max(...scores) }
    }
    return [`${key} ${day}`, values]
  })
}

/** The rows of `learner_begun`, by the person's name. */
export function naiveBegun(activities: Record<string, Values>): Record<string, Values> {
  const persons = new Map<string, Map<string, { readonly begun: string[]; readonly completed: string[] }>>()
  for (const [key, { first_started_at: started, first_completed_at: completed }] of Object.entries(activities)) {
    const [activity = '', _module, ...person] = key.split(' ').toReversed()
    const name = person.toReversed().join(' ')
    const pairs = persons.get(name) ?? new Map()
    const pair = pairs.get(activity) ?? { begun: [], completed: [] }
    pair.begun.push(...[started, completed].filter(at => typeof at === 'string'))
    pair.completed.push(...[completed].filter(at => typeof at === 'string'))
    if (pair.begun.length > 0) persons.set(name, pairs.set(activity, pair))
  }
  return Object.fromEntries(
    [...persons].map(([name, pairs]) => {
      const firsts = (column: 'begun' | 'completed') =>
        [...pairs.values()].flatMap(pair => pair[column].sort().slice(0, 1)).sort()
      return [name, { begun: firsts('begun'), completed: firsts('completed') }]
    })
  )
}
