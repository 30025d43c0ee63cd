import type { Kysely } from 'kysely'
import { LRUCache } from 'lru-cache'
import type { Database } from '../../database/schema.js'
import { findRosterVersion } from '../../store/data-version.js'
import { findRoster } from './find-roster.js'
import type { Held } from './hide-parts.js'
import { extentOf, type Moment, type Records, recordsIn } from './records.js'
import { openAfter, openBefore, type Roster } from './roster.js'

/** The rosters of tenants as they were last seen, each with what was found out from it. */
export interface RosterMemory {
  readonly rosters: LRUCache<number, KnownRoster>
  /** Rosters that are being read, so that all who need one wait for the same reading. */
  readonly readings: Map<number, Promise<KnownRoster>>
}

/** What was found out about those who are asked for, at a moment. */
export interface Finding {
  /** What the parts are held against; null where they overlap, and those of each cohort stand for themselves. */
  readonly held: Held | null
  /** The cohorts that overlap, as traits. */
  readonly cohorts: readonly number[]
  /** The records of the parts that are not small. */
  readonly large: readonly Int32Array[]
  /** Whether tenure makes no difference. */
  readonly isIdle: boolean
}

/** A tenant's roster of one version. */
export interface KnownRoster {
  readonly roster: Roster
  /** The days on which somebody joins or leaves, or what is said of them changes; in order, each once. */
  readonly changes: Int32Array
  /** The days by which somebody's tenure is another; in order, each once. */
  readonly anniversaries: Int32Array
  /** Who is on it, by stretches of days that are alike. */
  readonly stretches: LRUCache<string, Records>
  readonly findings: LRUCache<string, Finding>
}

/** A stretch of 20,000 learners takes some 4 MB; of findings the records and the positions in them are counted. */
const limits = { tenants: 8, stretches: 3, findings: 4_000_000 } as const

const memories = new WeakMap<object, RosterMemory>()

/** The memory of a database, one for all that is asked of it. */
export function rosterMemoryOf(db: Kysely<Database>): RosterMemory {
  const known = memories.get(db)
  if (known !== undefined) return known
  const made: RosterMemory = { rosters: new LRUCache({ max: limits.tenants }), readings: new Map() }
  memories.set(db, made)
  return made
}

/**
 * Finds a tenant's roster: the remembered one, for one look-up by a key, while nobody has changed the roster, the persons
 * or a saved cohort. Otherwise it is read, once for all who wait for it.
 */
export async function findKnownRoster(
  db: Kysely<Database>,
  { rosters, readings }: RosterMemory,
  tenantId: number
): Promise<KnownRoster> {
  const version = await findRosterVersion(db, tenantId)
  const known = rosters.get(tenantId)
  // A snapshot may be older than what is remembered; the newer roster serves.
  if (known !== undefined && known.roster.version >= version) return known
  // Who has a transaction open waits for nobody, since those who read may need its connection.
  const underWay = db.isTransaction ? undefined : await readings.get(tenantId)?.catch(() => undefined)
  if (underWay !== undefined && underWay.roster.version >= version) return underWay
  const reading = findRoster(db, tenantId).then(knownOf)
  readings.set(tenantId, reading)
  try {
    const found = await reading
    if ((rosters.get(tenantId)?.roster.version ?? -1) < found.roster.version) rosters.set(tenantId, found)
    return found
  } finally {
    if (readings.get(tenantId) === reading) readings.delete(tenantId)
  }
}

/** Begins to remember what is found out from a roster. */
export function knownOf(roster: Roster): KnownRoster {
  const { since, until, hired, gone, year1, year3 } = roster
  return {
    roster,
    changes: daysOf([since, until, hired, gone]),
    anniversaries: daysOf([hired, year1, year3]),
    stretches: new LRUCache({ max: limits.stretches }),
    findings: new LRUCache({ maxSize: limits.findings, sizeCalculation: sizeOf })
  }
}

function sizeOf({ held, large }: Finding): number {
  const ofWholes = held?.wholes.reduce((sum, { inside, cut }) => sum + inside.length + cut.length, 0) ?? 0
  return large.reduce((sum, { length }) => sum + length, 1 + ofWholes + 10 * (held?.persons.length ?? 0))
}

function daysOf(columns: readonly Int32Array[]): Int32Array {
  const days = new Set(columns.flatMap(column => [...column]))
  days.delete(openBefore)
  days.delete(openAfter)
  return Int32Array.from(days).sort()
}

/** Names the stretch of days that a moment lies in: in all of it the same people are there, and the same is said of them. */
export function stretchOf({ changes }: KnownRoster, moment: Moment): string {
  const [first, after] = extentOf(moment)
  // A row is there when it begins before the end and ends after the beginning.
  return `${countUpTo(changes, first)}:${countUpTo(changes, after - 1)}`
}

/** Names the stretch of days by whose end tenure is the same. */
export function tenureOf({ anniversaries }: KnownRoster, end: number): number {
  return countUpTo(anniversaries, end)
}

/** Who is on a known roster at a moment. */
export function recordsAt(known: KnownRoster, moment: Moment): Records {
  const stretch = stretchOf(known, moment)
  const remembered = known.stretches.get(stretch)
  if (remembered !== undefined) return remembered
  const records = recordsIn(known.roster, extentOf(moment))
  known.stretches.set(stretch, records)
  return records
}

/** How many of some days, in order, lie on or before a day. */
function countUpTo(days: Int32Array, day: number): number {
  let [low, high] = [0, days.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if ((days[middle] as number) <= day) low = middle + 1
    else high = middle
  }
  return low
}
