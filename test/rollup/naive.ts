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
}

/** All that has happened in one tenant. */
export interface History {
  readonly timeZone: string
  readonly now: Date
  readonly deeds: readonly Deed[]
  /** The ids that voiding statements name. */
  readonly voided: ReadonlySet<string>
  /** The name of whoever acts under an agent. */
  readonly personOf: (agent: number) => string
}

export type DayCounts = Record<string, number>

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

/** Counts everything anew from METRICS.md, without SQL: `person day` → column → count, zeros left out. */
export function naiveLearnerDays(history: History): Record<string, DayCounts> {
  const days: Record<string, DayCounts> = {}
  for (const deed of history.deeds) {
    const day = DateTime.fromISO(deed.timestamp, { zone: history.timeZone }).toISODate()
    for (const { agent, column } of countedOf(deed, history)) {
      const key = `${history.personOf(agent)} ${day}`
      const counts = days[key] ?? {}
      counts[column] = (counts[column] ?? 0) + 1
      days[key] = counts
    }
  }
  return days
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
