import fc from 'fast-check'
import type { Dimension } from '../../../src/metrics/dimension.js'
import { beginColumns, type RosterRow } from '../../../src/metrics/disclosure/columns.js'
import { type AskedQuery, findHeld } from '../../../src/metrics/disclosure/find-held.js'
import { hideParts } from '../../../src/metrics/disclosure/hide-parts.js'
import { keyOf } from '../../../src/metrics/disclosure/partition.js'
import { type KnownRoster, knownOf } from '../../../src/metrics/disclosure/roster-memory.js'
import type { CohortFilter } from '../../../src/people/cohort-filter.js'

/** What the roster of a test says of somebody, or of a stretch of their days. */
export interface Said {
  readonly person: number
  readonly role: string | null
  readonly team: string | null
  readonly region: string | null
  readonly cohorts: readonly string[]
  /** How far down the line of managers they are: everybody is below those above. */
  readonly depth: number
  /** The day of hire, counted from 2000-01-01; tenure is reckoned by day 1000. */
  readonly hired: number | null
  /** Whether somebody counts in the numbers, as in those of a metric for which they have something to tell. */
  readonly counts: boolean
}

export type RosterOfTest = readonly Said[]

const today = '2002-09-27'
const values = {
  role: ['engineer', 'seller', 'clerk'],
  team: ['red', 'green', 'blue'],
  region: ['emea', 'apac'],
  cohort: ['north', 'south'],
  line: ['chief', 'lead'],
  tenureBand: ['0-12', '36+'],
  saved: ['clerks-and-reds']
} as const

const savedFilter: CohortFilter = { or: [{ role: ['clerk'] }, { team: ['red'] }] }

const oneOf = <Value>(all: readonly Value[]) => fc.option(fc.constantFrom(...all), { freq: 6 })
const said = fc.record({
  role: oneOf(values.role),
  team: oneOf(values.team),
  region: oneOf(values.region),
  cohorts: fc.subarray([...values.cohort]),
  depth: fc.nat(2),
  hired: oneOf([900, -2000]),
  counts: fc.constant(true)
})

/**
 * Rosters in which groups nearly coincide: people are like one of a few, and some differ in one thing. Persons may have
 * several stretches, as where membership goes by day.
 */
export const rosters = (maxStretches: number, mostPeople = 22): fc.Arbitrary<RosterOfTest> =>
  fc
    .record({
      models: fc.array(said, { minLength: 1, maxLength: 4 }),
      people: fc.array(
        fc.array(
          fc.record({
            like: fc.nat(3),
            other: said,
            counts: fc.constantFrom(true, true, true, true, false),
            differs: fc.option(fc.constantFrom('role', 'team', 'region', 'cohorts', 'depth', 'hired'), { freq: 1 })
          }),
          { minLength: 1, maxLength: maxStretches }
        ),
        { minLength: 4, maxLength: mostPeople }
      )
    })
    .map(({ models, people }) =>
      people.flatMap((stretches, person) =>
        stretches.map(({ like, other, differs, counts }) => {
          const model = models[like % models.length] ?? other
          const changed = differs === null ? {} : { [differs]: other[differs as keyof typeof other] }
          return { ...model, ...changed, person, counts }
        })
      )
    )

/** The roster as the program reads it: each stretch a row that holds for three days of its own, or for all time. */
export function knownRosterOf(roster: RosterOfTest): KnownRoster {
  const isOfStretches = new Set(roster.map(({ person }) => person)).size < roster.length
  const managers = ['chief', 'lead'].map((name, at): RosterRow => {
    const manager = at === 0 ? null : 'chief'
    return [1000 + at, name, null, null, null, -4000, null, null, null, null, manager, null, null, null, [], {}]
  })
  const learners = roster.map((one, at): RosterRow => {
    const since = isOfStretches ? 900 + 3 * (at % 20) : null
    const [year1, year3] = one.hired === null ? [null, null] : [one.hired + 365, one.hired + 1096]
    const manager = one.depth === 0 ? null : one.depth === 1 ? 'chief' : 'lead'
    const days = [since, since === null ? null : since + 3, null, null, year1, year3] as const
    const [from, until, , left] = days
    const plain = [one.role, one.team, manager, one.region, null, null] as const
    return [one.person, `p${one.person}`, from, until, one.hired, left, year1, year3, ...plain, one.cohorts, {}]
  })
  const saved = [{ id: 'clerks-and-reds', filter: savedFilter }]
  const filling = beginColumns({ version: 1, learners: [...learners, ...managers], merged: [], saved })
  filling.fill(0, learners.length + managers.length)
  return knownOf(filling.end())
}

/** A condition, as a parameter has it. */
export interface Condition {
  readonly name: keyof typeof values
  readonly value: string
}

export interface Question {
  readonly conditions: readonly Condition[]
  readonly breakdown: readonly Dimension[]
}

/** What the program answers: the groups of the answer, with who they are, as bits of records. */
export interface Answered extends Question {
  readonly cells: readonly { readonly group: bigint; readonly n: number; readonly isHidden: boolean }[]
}

const dimensions: readonly (readonly Dimension[])[] = [
  [],
  ['role'],
  ['team'],
  ['region'],
  ['cohort'],
  ['tenureBand'],
  ['role', 'team'],
  ['region', 'team'],
  ['cohort', 'region']
]

const conditions = Object.entries(values).flatMap(([name, all]) =>
  all.map((value): Condition => ({ name: name as Condition['name'], value }))
)

/** Every choice of up to so many conditions, each attribute once. */
export function choices(most: number, from = 0): readonly (readonly Condition[])[] {
  if (most === 0) return [[]]
  return [
    [],
    ...conditions.slice(from).flatMap((one, at) =>
      choices(most - 1, from + at + 1)
        .filter(others => others.every(({ name }) => name !== one.name && !isBothCohort(name, one.name)))
        .map(others => [one, ...others])
    )
  ]
}

/** Saved cohorts and those of the roster are asked for by the same parameter. */
function isBothCohort(one: string, other: string): boolean {
  return [one, other].every(name => name === 'saved' || name === 'cohort')
}

/** Every question of up to so many conditions, with every breakdown. */
export function questions(mostConditions: number): readonly Question[] {
  return choices(mostConditions).flatMap(conditions => dimensions.map(breakdown => ({ conditions, breakdown })))
}

function valuesOf(one: Said, name: Condition['name'] | Dimension): readonly (string | null)[] {
  if (name === 'cohort') return one.cohorts.length === 0 ? [null] : one.cohorts
  if (name === 'line') return values.line.slice(0, one.depth)
  if (name === 'saved') return one.role === 'clerk' || one.team === 'red' ? values.saved : []
  if (name === 'tenureBand') return [one.hired === null ? null : one.hired === 900 ? '0-12' : '36+']
  return [one[name as 'role' | 'team' | 'region']]
}

/** Who a group is, counted by hand: the bits of its records. */
export function groupOf(roster: RosterOfTest, asked: readonly Pick<Condition, 'name' | 'value'>[]): bigint {
  return roster.reduce((bits, one, at) => {
    return asked.every(({ name, value }) => valuesOf(one, name).includes(value)) ? bits | (1n << BigInt(at)) : bits
  }, 0n)
}

/** How many persons some records are. */
export function personsOf(roster: RosterOfTest, group: bigint): number {
  return new Set(roster.filter((_one, at) => group & (1n << BigInt(at))).map(({ person }) => person)).size
}

/** Asks the program a question: what is in the answer by hand, and what of it is hidden by the program. */
export function ask(known: KnownRoster, roster: RosterOfTest, question: Question, k: number): Answered {
  const { conditions, breakdown } = question
  const everyone = groupOf(roster, conditions)
  const groups = new Map<string, bigint>()
  for (const [at, one] of roster.entries()) {
    const bit = 1n << BigInt(at)
    if ((everyone & bit) === 0n) continue
    for (const key of keysOf(breakdown.map(name => valuesOf(one, name)))) {
      groups.set(key, (groups.get(key) ?? 0n) | bit)
    }
  }
  const counting = roster.reduce((bits, { counts }, at) => (counts ? bits | (1n << BigInt(at)) : bits), 0n)
  const parts = [...groups].map(([key, group]) => ({ key, group, n: personsOf(roster, group & counting) }))
  const hidden = new Set(
    findHeld(known, queryOf(question, k), moment).held.flatMap(held => [...hideParts(held, parts, k)])
  )
  return { ...question, cells: parts.map(part => ({ ...part, isHidden: hidden.has(part) })) }
}

const moment = { membership: 'at_event', from: '2002-06-19', to: today, today } as const

function queryOf({ conditions, breakdown }: Question, k: number): AskedQuery {
  const ofCohort = conditions.find(({ name }) => name === 'cohort' || name === 'saved')
  const filters = conditions
    .filter(condition => condition !== ofCohort)
    .map(({ name, value }) => [name === 'line' ? 'manager' : name, [value]])
  return {
    membership: 'at_event',
    filters: Object.fromEntries(filters),
    cohort: ofCohort?.value ?? null,
    breakdown,
    minGroupSize: k
  }
}

function keysOf(lists: readonly (readonly (string | null)[])[]): readonly string[] {
  const [first, second] = lists
  if (first === undefined) return [keyOf([])]
  return first.flatMap(one => (second === undefined ? [keyOf([one])] : second.map(other => keyOf([one, other]))))
}
