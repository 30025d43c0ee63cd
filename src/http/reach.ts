import { LrsError } from '../errors.js'
import type { CohortFilter } from '../people/cohort-filter.js'
import type { Principal } from './context.js'
import { hasScope, isPersonal, type Scope } from './scopes.js'

/** What a route shows: numbers over groups of learners, or people and their numbers by name. */
export type Shown = 'aggregates' | 'names'

/** How far a caller's sight reaches: whom an answer to them may speak of. */
export interface Reach {
  /** Only those for whom this holds, as of the day that the query asks about; null for everyone. */
  readonly filter: CohortFilter | null
}

/** Who asks, as far as it decides the reach. */
type Asker = Pick<Principal, 'key' | 'scopes' | 'personId'>

/** The scope that shows everyone. */
const everyone: Readonly<Record<Shown, Scope>> = { aggregates: 'metrics/read', names: 'people/read' }

const ownPath = '/api/v1/people/{personId} and what lies below it'

/**
 * Whom an answer may speak of: everyone; the line below a manager, at whatever depth and without the manager (unless
 * a circle of managers leads back to them); or a learner alone, who has no group and so no aggregates. The widest scope
 * that is held decides, and a manager who is also a learner, by `self/read`, has both.
 *
 * The filter has to be asked together with what the caller asks (`bothOf`), never instead of it.
 *
 * @throws {LrsError} `forbidden` where no scope shows such things, or none without a person that is missing
 */
export function reachOf(asker: Asker, shown: Shown): Reach {
  if (hasScope(asker.scopes, [everyone[shown]])) return { filter: null }
  const filters = personalFilters(asker, shown)
  const [only, ...others] = filters
  if (only === undefined) throw new LrsError('forbidden', explainRefusal(asker, wantedFor[shown]))
  return { filter: others.length === 0 ? only : { or: filters } }
}

/**
 * Whether an answer speaks only of people whom the caller may see by name: everyone with `people/read`, or a manager's
 * own line. Groups need no protection from them but that for small ones.
 *
 * @throws {LrsError} `forbidden` as `reachOf` does
 */
export function seesNames(asker: Asker, shown: Shown): boolean {
  return hasScope(asker.scopes, [everyone.names]) || reachOf(asker, shown).filter !== null
}

const wantedFor: Readonly<Record<Shown, readonly Scope[]>> = {
  aggregates: ['metrics/read', 'line/read'],
  names: ['people/read', 'line/read', 'self/read']
}

function personalFilters({ scopes, personId }: Asker, shown: Shown): readonly CohortFilter[] {
  if (personId === null) return []
  return [
    ...(hasScope(scopes, ['line/read']) ? [{ line: [personId] }] : []),
    ...(shown === 'names' && hasScope(scopes, ['self/read']) ? [{ person: [personId] }] : [])
  ]
}

/** The scopes that are of use: without a person those that are limited to one are none. */
export function usableScopes({ scopes, personId }: Asker): readonly string[] {
  return personId === null ? scopes.filter(scope => !isPersonal(scope)) : scopes
}

/** Why somebody who lacks all these scopes, or the person that they are limited to, is refused, and what would help. */
export function explainRefusal(asker: Asker, wanted: readonly string[]): string {
  const who = `The credential "${asker.key}"`
  if (hasScope(asker.scopes, wanted)) {
    return `${who} stands for no person, to whom ${wanted.filter(isPersonal).join(' and ')} would be limited: set its personId, or for tokens OIDC_PERSON_CLAIM`
  }
  const lacking = `${who} lacks the scope ${wanted.join(' or ')}`
  const isLearner = wanted.includes('line/read') && hasScope(asker.scopes, ['self/read'])
  return isLearner ? `${lacking}; self/read shows the own numbers alone, at ${ownPath}` : lacking
}
