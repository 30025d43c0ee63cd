import { isDeepStrictEqual } from 'node:util'
import type { Attributes, GivenAttributes } from '../../src/people/attributes.js'
import type { HistoryRange } from '../../src/people/history.js'

/** The tenant's day in the test's world: half of what happens lies before it. */
export const today = '2024-03-31'

const nothingKnown: Attributes = {
  role: null,
  team: null,
  managerId: null,
  region: null,
  jobFamily: null,
  assignmentType: null,
  hiredOn: null,
  leftOn: null,
  cohorts: [],
  demographics: {}
}

type Verdict = 'done' | 'invalid-body'

/** What is known of whom from when to when, as a reader of the reference would keep it on paper: no SQL. */
export interface NaiveRoster {
  /** Does what a record says, or says why not. */
  readonly put: (person: string, given: GivenAttributes, validFrom: string | null) => Verdict
  /** Replaces all that is known of a person. */
  readonly replace: (person: string, ranges: readonly HistoryRange[]) => void
  /** In the order of their days. */
  readonly rangesOf: (person: string) => readonly HistoryRange[]
}

export function naiveRoster(): NaiveRoster {
  const rangesOf = new Map<string, readonly HistoryRange[]>()
  return {
    put: (person, given, validFrom) => {
      const after = putInto(rangesOf.get(person) ?? [], given, validFrom)
      if (after === 'invalid-body') return after
      rangesOf.set(person, after)
      return 'done'
    },
    replace: (person, ranges) => {
      rangesOf.set(person, ranges)
    },
    rangesOf: person => rangesOf.get(person) ?? []
  }
}

/** What the roster says of somebody whom a split has made: they are in it for all time, and nothing is known. */
export const forAllTime: readonly HistoryRange[] = [{ ...nothingKnown, validFrom: null, validTo: null }]

/** A range of days of which these attributes are known. */
export function rangeOf(given: GivenAttributes, validFrom: string | null, validTo: string | null): HistoryRange {
  return { ...patched(nothingKnown, given), validFrom, validTo }
}

/** Whether somebody would leave before they are hired. */
export function isImpossible({ hiredOn, leftOn }: Attributes): boolean {
  return hiredOn !== null && leftOn !== null && leftOn < hiredOn
}

function putInto(
  ranges: readonly HistoryRange[],
  given: GivenAttributes,
  validFrom: string | null
): readonly HistoryRange[] | 'invalid-body' {
  const day = validFrom ?? today
  const held = ranges.find(range => (range.validFrom ?? '') <= day && (range.validTo ?? '9999') > day)
  const known = patched(held ?? nothingKnown, given)
  if (isImpossible(known)) return 'invalid-body'
  if (held?.validTo === null && isDeepStrictEqual({ ...held, ...known }, held)) return ranges
  if (ranges.length === 0) return [{ ...known, validFrom, validTo: null }]
  return [
    ...ranges
      .filter(range => (range.validFrom ?? '') < day)
      .map(range => (range === held ? { ...range, validTo: day } : range)),
    { ...known, validFrom: day, validTo: null }
  ]
}

/** Absent stays, null clears; cohorts are a set that is replaced, and each demographic group stands for itself. */
function patched(known: Attributes, { cohorts, demographics, ...given }: GivenAttributes): Attributes {
  const { role, team, managerId, region, jobFamily, assignmentType, hiredOn, leftOn } = { ...known, ...given }
  const groups = demographics === null ? {} : { ...known.demographics, ...demographics }
  return {
    ...{ role, team, managerId, region, jobFamily, assignmentType, hiredOn, leftOn },
    cohorts: cohorts === undefined ? known.cohorts : [...new Set(cohorts ?? [])].sort(),
    demographics: Object.fromEntries(
      Object.entries(groups).filter((group): group is [string, string] => group[1] !== null)
    )
  }
}
