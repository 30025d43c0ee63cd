import { setImmediate } from 'node:timers/promises'
import type { Kysely } from 'kysely'
import type { Database } from '../../database/schema.js'
import { LrsError } from '../../errors.js'
import type { FilterParameter, Membership } from '../cohort-query.js'
import { type DeedDimension, type Dimension, isRosterDimension } from '../dimension.js'
import type { Period } from '../window.js'
import { findHeld } from './find-held.js'
import { type Counted, type Held, hideParts } from './hide-parts.js'
import { keyOf } from './partition.js'
import { findKnownRoster, type RosterMemory, stretchOf } from './roster-memory.js'

/** What of a query decides which of its groups are hidden. */
export interface GuardedQuery {
  readonly tenantId: number
  readonly today: string
  readonly periods: readonly Pick<Period, 'from' | 'to'>[]
  readonly membership: Membership
  readonly filters: Readonly<Partial<Record<FilterParameter, readonly string[]>>>
  readonly cohort: string | null
  readonly breakdown: readonly (Dimension | DeedDimension)[]
  readonly minGroupSize: number
}

/**
 * Hides groups from those who may not see their people by name: not only small ones, but also those that differ by few
 * people from others that can be asked for.
 */
export interface Guard {
  /** Which parts of a period's answer are hidden; its position is that among the query's periods. */
  readonly hide: <One extends Counted>(period: number, parts: readonly One[]) => ReadonlySet<One>
  /** Which parts of an answer over all periods together are hidden: those that are in one of them. */
  readonly hideInAny: <One extends Counted>(parts: readonly One[]) => ReadonlySet<One>
}

/** A query, resolved, of which it is to be known what is hidden. */
export interface GuardableQuery extends Omit<GuardedQuery, 'today' | 'periods' | 'breakdown'> {
  readonly window: Pick<GuardedQuery, 'periods' | 'today'>
  readonly previous?: GuardedQuery['periods']
  readonly breakdown?: GuardedQuery['breakdown']
  readonly rosterMemory: RosterMemory | null
}

/**
 * Makes the guard of a resolved query: for the window's periods and, after them, those to compare with; null for who may
 * see names.
 *
 * @throws {LrsError} as `guardOf` does
 */
export async function guardFor(db: Kysely<Database>, query: GuardableQuery): Promise<Guard | null> {
  const { rosterMemory, window, previous = [], breakdown = [] } = query
  if (rosterMemory === null) return null
  const periods = [...window.periods, ...previous]
  return guardOf(db, rosterMemory, { ...query, today: window.today, periods, breakdown })
}

/**
 * From how many people on the numbers of all who are asked for in a period are shown: from `minGroupSize`, or never where
 * the guard hides them.
 */
export function leastShownOf(guard: Guard | null, minGroupSize: number): (period: number) => number {
  const everyone = [{ key: keyOf([]), n: Infinity }]
  return period => ((guard?.hide(period, everyone).size ?? 0) > 0 ? Infinity : minGroupSize)
}

/** From so many different rosters on, an answer takes too long. */
const maxStretches = 400

/**
 * Makes the guard of a query. It depends on the roster alone, not on what was counted. Periods in which nothing of the
 * roster changes are decided together; between the others, requests have their turn.
 *
 * @throws {LrsError} `invalid-parameter` where the roster changes within the periods more than 400 times
 */
export async function guardOf(db: Kysely<Database>, memory: RosterMemory, query: GuardedQuery): Promise<Guard> {
  const known = await findKnownRoster(db, memory, query.tenantId)
  const moments = query.periods.map(({ from, to }) => ({ from, to, today: query.today, membership: query.membership }))
  checkStretches(new Set(moments.map(moment => stretchOf(known, moment))).size)
  const asked = { ...query, breakdown: query.breakdown.filter(isRosterDimension) }
  const all: (readonly Held[])[] = []
  for (const moment of moments) {
    const { held, isNew } = findHeld(known, asked, moment)
    all.push(held)
    if (isNew) await setImmediate()
  }
  const hideIn = <One extends Counted>(holds: readonly Held[], parts: readonly One[]) => {
    // Whom the roster as it is remembered doesn't know may have come to it since.
    const strange = parts.filter(({ key, n }) => n > 0 && !holds.some(({ positions }) => positions.has(key)))
    return new Set([...strange, ...holds.flatMap(held => [...hideParts(held, parts, query.minGroupSize)])])
  }
  return { hide: (period, parts) => hideIn(all[period] ?? [], parts), hideInAny: parts => hideIn(all.flat(), parts) }
}

function checkStretches(stretches: number): void {
  if (stretches <= maxStretches) return
  throw new LrsError(
    'invalid-parameter',
    `The roster changes ${stretches} times within these periods, and without people/read each time it has to be decided anew what is hidden, which is done ${maxStretches} times at most; ask for fewer periods, or for longer ones`,
    { pointer: '/interval' }
  )
}
