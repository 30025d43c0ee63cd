import fc from 'fast-check'
import t from 'tap'
import {
  type Answered,
  ask,
  choices,
  groupOf,
  knownRosterOf,
  personsOf,
  questions,
  type RosterOfTest,
  rosters
} from './attack.js'

interface Shown {
  readonly roster: RosterOfTest
  readonly k: number
  /** Every shown group of records, with one of the questions that shows it. */
  readonly groups: ReadonlyMap<bigint, Answered>
  readonly answers: readonly Answered[]
}

/** Asks every question, and keeps what is shown of people who count. */
function askAll(roster: RosterOfTest, asked: ReturnType<typeof questions>, k: number): Shown {
  const known = knownRosterOf(roster)
  const answers = asked.map(question => ask(known, roster, question, k))
  const groups = new Map<bigint, Answered>()
  for (const answer of answers) {
    for (const { group, isHidden, n } of answer.cells) if (!isHidden && n > 0) groups.set(group, answer)
  }
  return { roster, k, groups, answers }
}

const text = ({ conditions, breakdown }: Pick<Answered, 'conditions' | 'breakdown'>) =>
  JSON.stringify([conditions.map(({ name, value }) => `${name}=${value}`), breakdown])

/** Takes every shown number from every other whose people are among those of the one. */
function takePairs({ roster, groups, k }: Shown): string | null {
  for (const [large, one] of groups) {
    for (const [small, other] of groups) {
      if ((large & small) !== small || large === small) continue
      if (personsOf(roster, large & ~small) < k) return `${text(one)} less a cell of ${text(other)}`
    }
  }
  return null
}

/** Takes sums of the shown cells of each answer from every shown number that holds them: as many as there are. */
function takeSums(shown: Shown): string | null {
  for (const answer of shown.answers) {
    if (answer.breakdown.length === 0 || areOverlapping(answer)) continue
    for (const [whole, other] of shown.groups) {
      if (leavesFew(shown, answer, whole)) return `${text(other)} less cells of ${text(answer)}`
    }
  }
  return null
}

function leavesFew({ roster, k }: Shown, { cells }: Answered, whole: bigint): boolean {
  const inside = cells.filter(({ group }) => (group & whole) === group)
  const shown = inside.filter(({ isHidden }) => !isHidden)
  const hidden = inside.filter(({ isHidden }) => isHidden)
  const left = without(whole, shown)
  if (shown.every(({ n }) => n === 0) || left === 0n) return false
  const isOfHidden = without(left, hidden) === 0n
  const isOfFew = isOfHidden && (hidden.length === 1 || hidden.reduce((sum, { n }) => sum + n, 0) < k)
  return isOfFew || personsOf(roster, left) < k
}

/** The records of a group that are in none of some cells. */
function without(group: bigint, cells: Answered['cells']): bigint {
  return cells.reduce((rest, cell) => rest & ~cell.group, group)
}

/** Takes every shown number from sums of shown cells that reach beyond it; it asks for one thing more, or holds a cell. */
function takeFromSums({ roster, groups, k, answers }: Shown): string | null {
  for (const answer of answers) {
    if (answer.breakdown.length === 0 || areOverlapping(answer)) continue
    const cells = answer.cells.filter(({ n, isHidden }) => n > 0 || isHidden)
    const more = choices(1).flatMap(([one]) =>
      one === undefined ? [] : [groupOf(roster, [...answer.conditions, one])]
    )
    for (const [part, other] of groups) {
      const touched = cells.filter(({ group }) => (group & part) !== 0n)
      const holdsCell = touched.some(({ group }) => (group & part) === group)
      if (touched.some(({ isHidden }) => isHidden) || (!holdsCell && !more.includes(part))) continue
      const sum = touched.reduce((bits, { group }) => bits | group, 0n)
      const beyond = personsOf(roster, sum & ~part)
      if ((sum & part) === part && beyond > 0 && beyond < k) return `cells of ${text(answer)} less ${text(other)}`
    }
  }
  return null
}

/** Of cohorts that overlap no sum is a number of people. */
function areOverlapping({ cells }: Answered): boolean {
  return cells.some(({ group }, at) => cells.some((other, nth) => nth > at && (group & other.group) !== 0n))
}

const withinOne = questions(1)
const withinTwo = questions(2)

const attacked = (
  people: fc.Arbitrary<RosterOfTest>,
  asked: typeof withinOne,
  attack: (shown: Shown) => string | null
) =>
  fc.property(people, fc.integer({ min: 2, max: 5 }), (roster, k) => {
    const found = attack(askAll(roster, asked, k))
    if (found !== null) throw new Error(found)
  })

t.test('no two shown numbers, of questions of up to two conditions, differ by 1 to k-1 people', async () => {
  fc.assert(attacked(rosters(1), withinTwo, takePairs), { numRuns: 12 })
})

t.test('nor where membership goes by day and people move between groups', async () => {
  fc.assert(attacked(rosters(3, 10), withinOne, takePairs), { numRuns: 40 })
})

t.test(
  'the shown cells of an answer leave no 1 to k-1 people of any shown number, nor one hidden cell alone',
  async () => {
    fc.assert(attacked(rosters(1), withinOne, takeSums), { numRuns: 60 })
  }
)

t.test('nor where membership goes by day', async () => {
  fc.assert(attacked(rosters(3, 10), withinOne, takeSums), { numRuns: 40 })
})

t.test('no shown number leaves 1 to k-1 people of the shown cells of an answer that reach beyond it', async () => {
  fc.assert(attacked(rosters(1), withinOne, takeFromSums), { numRuns: 60 })
})

t.test('two teams that are a region and one person more are not both shown', async t => {
  const one = { role: null, cohorts: [], depth: 0, hired: null, counts: true }
  const people = (howMany: number, team: string | null, region: string) =>
    Array.from({ length: howMany }, () => ({ ...one, team, region }))
  const all = [
    ...people(9, 'red', 'apac'),
    ...people(1, 'red', 'emea'),
    ...people(10, 'green', 'apac'),
    ...people(6, 'blue', 'emea'),
    ...people(7, null, 'emea')
  ].map((said, person) => ({ ...said, person }))
  t.equal(takeFromSums(askAll(all, withinOne, 5)), null)
})
