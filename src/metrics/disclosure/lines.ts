import type { Roster } from './roster.js'

/**
 * Says who is above the people of some rows, however far: the numbers of the managers' names, each once. Whoever has
 * left still holds their line together, so it takes all rows that are valid, also of those who are not employed.
 */
export function walkLines(
  { own, directManagers, names }: Pick<Roster, 'own' | 'directManagers' | 'names'>,
  rows: readonly number[]
): (row: number) => readonly number[] {
  const managersOf: number[][] = names.map(() => [])
  for (const row of rows) {
    const manager = directManagers[row] as number
    const ofPerson = managersOf[own[row] as number]
    if (manager >= 0 && ofPerson !== undefined && !ofPerson.includes(manager)) ofPerson.push(manager)
  }
  const known = new Map<number, readonly number[]>([[-1, []]])
  return row => {
    const manager = directManagers[row] as number
    const walked = known.get(manager)
    if (walked !== undefined) return walked
    const met = new Set([manager])
    // A set can be walked while it grows, and ends where a circle of managers comes back.
    for (const name of met) for (const next of managersOf[name] ?? []) met.add(next)
    const line = [...met]
    known.set(manager, line)
    return line
  }
}
