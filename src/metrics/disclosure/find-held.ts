import type { FilterParameter, Membership } from '../cohort-query.js'
import type { Dimension } from '../dimension.js'
import { type Held, held } from './hide-parts.js'
import { type Asked, type Partition, partitionOf } from './partition.js'
import { type Moment, type Records, tenureFlags } from './records.js'
import type { Attribute, Roster } from './roster.js'
import { dayNumber } from './roster.js'
import { type Finding, type KnownRoster, recordsAt, stretchOf, tenureOf } from './roster-memory.js'
import type { Roll } from './traits-of-group.js'
import { wholesOf } from './wholes.js'

/** Whom a query asks for, and what they are told apart by. */
export interface AskedQuery {
  readonly membership: Membership
  readonly filters: Readonly<Partial<Record<FilterParameter, readonly string[]>>>
  readonly cohort: string | null
  readonly breakdown: readonly Dimension[]
  readonly minGroupSize: number
}

/**
 * Finds what the parts of an answer at a moment are held against, remembered or not: one for all parts, or where people
 * belong to several cohorts one for each cohort. Tenure, which somebody's changes with nearly every day, is left out where
 * it can make no difference.
 */
export function findHeld(
  known: KnownRoster,
  query: AskedQuery,
  moment: Moment
): { readonly held: readonly Held[]; readonly isNew: boolean } {
  const asked: Asked = { traits: traitsAsked(known.roster, query), breakdown: query.breakdown, only: null }
  const finder: Finder = { known, moment, k: query.minGroupSize, isNew: false, roll: null }
  const found = findOne(finder, asked)
  return { held: found, isNew: finder.isNew }
}

interface Finder {
  readonly known: KnownRoster
  readonly moment: Moment
  readonly k: number
  isNew: boolean
  /** Who is there, once it is needed. */
  roll: Roll | null
}

function findOne(finder: Finder, asked: Asked): readonly Held[] {
  const finding = findWithTenure(finder, asked)
  if (finding.held !== null) return [finding.held]
  return finding.cohorts.flatMap(only => findOne(finder, { ...asked, traits: [...(asked.traits ?? []), only], only }))
}

/** Tenure counts where it is asked for, and where nearly all people of a part have some of it in common. */
function findWithTenure(finder: Finder, asked: Asked): Finding {
  const { known, moment, k } = finder
  const { traits } = known.roster.numbers
  const ofTenure = new Set(known.roster.ofTenure.map(({ trait }) => trait))
  const isOfTenure = (trait: number) => traits[trait]?.attribute === 'tenureBand' || ofTenure.has(trait)
  const isAskedFor = asked.breakdown.includes('tenureBand') || (asked.traits ?? []).some(isOfTenure)
  const day = `${tenureOf(known, dayNumber(moment.to))}`
  if (isAskedFor) return remember(finder, asked, day)
  const finding = remember(finder, asked, null)
  const isIdle = remembered(finder, [asked, day, 'idle'], () => {
    const { tenure } = rollOf(finder, true)
    const flags = [...(tenure?.values() ?? [])].map(({ flags }) => flags)
    return { ...nothing, isIdle: !finding.large.some(part => isNearlyShared(part, flags, k)) }
  }).isIdle
  return isIdle ? finding : remember(finder, asked, day)
}

const nothing: Finding = { held: null, cohorts: [], large: [], isIdle: false }

/** Whether all of a part but fewer than k records have one of some traits. */
function isNearlyShared(part: Int32Array, flags: readonly Uint8Array[], k: number): boolean {
  return flags.some(ofTrait => {
    let lacking = 0
    for (const at of part) {
      if (ofTrait[at] === 0) lacking += 1
      if (lacking >= k) return false
    }
    return true
  })
}

/** Finds it for a state of tenure, or without. */
function remember(finder: Finder, asked: Asked, day: string | null): Finding {
  return remembered(finder, [asked, day], () => {
    const roll = rollOf(finder, day !== null)
    const partition = partitionOf(roll, asked, finder.k)
    return partition.isOverlapping
      ? { ...nothing, cohorts: cohortsOf(partition, roll) }
      : findingOf(finder, roll, partition)
  })
}

function findingOf({ k }: Finder, roll: Roll, partition: Partition): Finding {
  const large = partition.parts.filter(({ persons }) => persons.length === k).map(({ records }) => records)
  return { ...nothing, held: held(partition, wholesOf(roll, partition, k)), large }
}

/** The cohorts by whose numbers people are told apart. */
function cohortsOf({ parts }: Partition, { records }: Roll): readonly number[] {
  const { traits } = records.roster.numbers
  return [...new Set(parts.flatMap(({ values }) => values.filter(trait => traits[trait]?.attribute === 'cohort')))]
}

function remembered(finder: Finder, what: readonly unknown[], find: () => Finding): Finding {
  const { known, moment, k } = finder
  const key = JSON.stringify([stretchOf(known, moment), k, what])
  const found = known.findings.get(key)
  if (found !== undefined) return found
  finder.isNew = true
  const made = find()
  known.findings.set(key, made)
  return made
}

function rollOf(finder: Finder, withTenure: boolean): Roll {
  const records: Records = finder.roll?.records ?? recordsAt(finder.known, finder.moment)
  const known = finder.roll?.tenure ?? null
  const tenure = known ?? (withTenure ? tenureFlags(records, dayNumber(finder.moment.to)) : null)
  finder.roll = { records, tenure }
  return { records, tenure: withTenure ? tenure : null }
}

/** The traits that everybody who is asked for has; null where one of them was never anybody's. */
function traitsAsked(roster: Roster, { filters, cohort }: AskedQuery): readonly number[] | null {
  const { numbers, nameNow } = roster
  const given = Object.entries(filters).flatMap(([name, values]) =>
    values.map(value =>
      name === 'manager' ? numbers.find('line', nameNow(value)) : numbers.find(name as Attribute, value)
    )
  )
  const all = cohort === null ? given : [...given, numbers.find('saved', cohort) ?? numbers.find('cohort', cohort)]
  const traits = all.flatMap(trait => trait ?? [])
  return traits.length < all.length ? null : traits.sort((a, b) => a - b)
}
