import { DateTime } from 'luxon'

/** A deed as the test invents it; agents and persons by their numbers. */
export interface Deed {
  readonly id: string
  /** A kind of the taxonomy, or a word that is none. */
  readonly kind: string
  readonly actor: number
  readonly shape: 'activity' | 'agent' | 'extension' | 'group-actor' | 'sub-statement'
  /** Whom it is about where the shape says so. */
  readonly subject: number
  readonly timestamp: string
  /** The activity, for the shapes that have one as object, and whether a parent is named, which is the module then. */
  readonly activity: string
  readonly module: string | null
  readonly score: number | null
  /** Of ten, beside the score or alone. */
  readonly points: number | null
  readonly minutes: number | null
  readonly tags: readonly string[] | null
  readonly categories: readonly string[]
}

/** All that has happened in one tenant. */
export interface History {
  readonly timeZone: string
  readonly now: Date
  /** In the order in which they were stored. */
  readonly deeds: readonly Deed[]
  /** The ids that voiding statements name. */
  readonly voided: ReadonlySet<string>
  /** The name of whoever acts under an agent. */
  readonly personOf: (agent: number) => string
}

/** Column → value; instants as ISO text with milliseconds. */
export type Values = Record<string, unknown>

const kinds = [
  ...['delivered', 'opened', 'completed-task', 'repeated-session', 'peer-feedback', 'manager-check', 'assessed'],
  ...[
    'completed',
    'started',
    'terminated',
    'posted',
    'replied',
    'endorsed',
    'reward-offered',
    'reward-claimed',
    'visited'
  ]
]

const halfAnHour = 30 * 60_000

/** Computes everything anew from METRICS.md, without SQL: `person day` → column → value, zeros and nulls left out. */
export function naiveLearnerDays(history: History): Record<string, Values> {
  const days: Record<string, Values> = {}
  const change = (person: string, timestamp: string, column: string, next: (value: unknown) => unknown) => {
    const key = `${person} ${dayOf(timestamp, history)}`
    const values = days[key] ?? {}
    values[column] = next(values[column])
    days[key] = values
  }
  const add = (person: string, timestamp: string, column: string, amount: number) =>
    change(person, timestamp, column, value => Number(value ?? 0) + amount)
  for (const deed of history.deeds) {
    for (const { agent, column } of countedOf(deed, history)) {
      const person = history.personOf(agent)
      add(person, deed.timestamp, column, 1)
      if (firsts.includes(column)) {
        change(person, deed.timestamp, `first_${column}_at`, value =>
          earlier(value as string | undefined, deed.timestamp)
        )
      }
      if (column === 'terminated' && deed.minutes !== null) {
        add(person, deed.timestamp, 'durations', 1)
        add(person, deed.timestamp, 'duration_ms', deed.minutes * 60_000)
      }
      if (column === 'assessed' && deed.score !== null) {
        add(person, deed.timestamp, 'score_n', 1)
        add(person, deed.timestamp, 'score_sum', deed.score)
        add(person, deed.timestamp, 'score_sum_squares', deed.score ** 2)
      }
    }
  }
  for (const [person, deeds] of liveDeeds(history)) {
    const own = deeds.filter(({ kind }) => kind !== 'delivered' && kind !== 'reward-offered')
    own.forEach(({ timestamp }, at) => {
      const gap = Date.parse(timestamp) - Date.parse(own[at - 1]?.timestamp ?? '0001-01-01T00:00:00Z')
      if (gap > halfAnHour) add(person, timestamp, 'session_starts', 1)
      else add(person, timestamp, 'active_ms', gap)
    })
  }
  return withoutZeros(days)
}

const firsts = [
  ...['delivered', 'opened', 'completed_task', 'peer_feedback'],
  ...['peer_feedback_received', 'manager_check_received']
]

function earlier(known: string | undefined, timestamp: string): string {
  return known !== undefined && known < timestamp ? known : timestamp
}

/** `person module activity` → column → value. */
export function naiveLearnerActivities(history: History): Record<string, Values> {
  const rows = new Map<string, Deed[]>()
  for (const [person, deeds] of liveDeeds(history)) {
    for (const deed of deeds) {
      const activity = deed.shape === 'agent' ? deed.module : deed.activity
      const module = deed.module ?? activity
      if (module === null) continue
      const key = `${person} ${module} ${activity}`
      rows.set(key, [...(rows.get(key) ?? []), deed])
    }
  }
  return withoutZeros(Object.fromEntries([...rows].map(([key, deeds]) => [key, activityOf(deeds)])))
}

function activityOf(deeds: readonly Deed[]): Values {
  const of = (...kinds: readonly string[]) => deeds.filter(({ kind }) => kinds.includes(kind))
  const scores = of('assessed').filter(({ score }) => score !== null)
  const tagged = deeds.filter(({ tags }) => tags !== null)
  const counts = ['delivered', 'opened', 'started', 'completed-task', 'completed'].flatMap(kind => {
    const column = kind.replace('-', '_')
    return [
      [column, of(kind).length],
      [`first_${column}_at`, of(kind)[0]?.timestamp ?? null]
    ]
  })
  return {
    ...Object.fromEntries(counts),
    attempts: of('assessed').length,
    first_score: scores[0]?.score ?? null,
    first_score_at: scores[0]?.timestamp ?? null,
    best_score: scores.length === 0 ? null : Math.max(...scores.map(({ score }) => score ?? 0)),
    last_score: scores.at(-1)?.score ?? null,
    last_score_at: scores.at(-1)?.timestamp ?? null,
    duration_ms: of('terminated').reduce((sum, { minutes }) => sum + (minutes ?? 0) * 60_000, 0),
    outcome_tags: tagged.at(-1)?.tags ?? null,
    outcome_tags_at: tagged.at(-1)?.timestamp ?? null,
    first_at: deeds[0]?.timestamp,
    last_at: deeds.at(-1)?.timestamp
  }
}

/** `person day category` → how many of the person's own deeds are of it, but not the category of all of cmi5's statements. */
export function naiveCategories(history: History): Record<string, number> {
  const numbers: Record<string, number> = {}
  for (const [person, deeds] of liveDeeds(history)) {
    for (const { kind, timestamp, categories } of deeds) {
      if (kind === 'delivered' || kind === 'reward-offered') continue
      for (const category of categories) {
        if (category.startsWith('https://w3id.org/xapi/cmi5/')) continue
        const key = `${person} ${dayOf(timestamp, history)} ${category}`
        numbers[key] = (numbers[key] ?? 0) + 1
      }
    }
  }
  return numbers
}

/** Person → what they did, or was done to them, in time; equal instants in the order in which they were stored. */
export function liveDeeds(history: History): ReadonlyMap<string, readonly Deed[]> {
  const persons = new Map<string, Deed[]>()
  for (const deed of history.deeds) {
    for (const { agent, column } of countedOf(deed, history)) {
      if (column === 'voided' || column === 'future' || column.endsWith('_received')) continue
      const person = history.personOf(agent)
      persons.set(person, [...(persons.get(person) ?? []), deed])
    }
  }
  for (const deeds of persons.values()) deeds.sort((a, b) => Date.parse(a.timestamp) - Date.parse(b.timestamp))
  return persons
}

export function dayOf(timestamp: string, { timeZone }: History) {
  return DateTime.fromISO(timestamp, { zone: timeZone }).toISODate()
}

/** Rows of values without those that are zero or null. */
export function withoutZeros(rows: Record<string, Values>): Record<string, Values> {
  const present = (values: Values) => Object.entries(values).filter(([, value]) => value !== null && value !== 0)
  return Object.fromEntries(Object.entries(rows).map(([key, values]) => [key, Object.fromEntries(present(values))]))
}

/** What a deed adds one to, and for whom. */
function countedOf(deed: Deed, { voided, now }: History): readonly { agent: number; column: string }[] {
  if (!kinds.includes(deed.kind) || deed.shape === 'group-actor' || deed.shape === 'sub-statement') return []
  const subject = deed.shape === 'activity' ? null : deed.subject
  const isDoneToSubject = ['delivered', 'reward-offered'].includes(deed.kind) && subject !== null
  const agent = isDoneToSubject ? subject : deed.actor
  if (voided.has(deed.id)) return [{ agent, column: 'voided' }]
  if (Date.parse(deed.timestamp) > now.getTime() + 5 * 60_000) return [{ agent, column: 'future' }]
  const column = deed.kind.replace('-', '_')
  const isReceived = ['peer-feedback', 'manager-check'].includes(deed.kind) && subject !== null
  return [{ agent, column }, ...(isReceived ? [{ agent: subject, column: `${column}_received` }] : [])]
}
