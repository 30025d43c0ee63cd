import { JSONPath } from 'jsonpath-plus'
import type { StatementPattern } from '../../src/events/profile-patterns.js'
import type { StatementTemplate, TemplateRule } from '../../src/events/profile-templates.js'

/** A statement of which nothing but its verb needs to be known. */
export interface AnyStatement {
  readonly verb: { readonly id: string }
}

/** What is said of a statement: the templates that it follows, or those whose rules it breaks. */
export interface Validation {
  readonly outcome: 'success' | 'invalid' | 'unmatched'
  readonly templates: readonly string[]
}

/**
 * Validates a statement against templates whose only determining property is the verb; its context activities are lists.
 *
 * @see xAPI Profiles 1.0 Communication 2.1
 */
export function validates(statement: AnyStatement, templates: readonly StatementTemplate[]): Validation {
  const meant = templates.filter(({ verb }) => verb === statement.verb.id)
  const failing = meant.filter(({ rules }) => !rules.every(rule => followsRule(statement, rule)))
  if (failing.length > 0) return { outcome: 'invalid', templates: failing.map(({ id }) => id) }
  return { outcome: meant.length > 0 ? 'success' : 'unmatched', templates: meant.map(({ id }) => id) }
}

/** Says whether a statement follows a rule that has no selector. */
export function followsRule(statement: object, { location, presence, any, all, none }: TemplateRule): boolean {
  const values = location.split('|').flatMap(path => valuesAt(statement, path.trim()))
  if (presence === 'included' && values.length === 0) return false
  if (presence === 'excluded' && values.length > 0) return false
  if (presence === 'recommended' && values.length === 0) return true
  const isIn = (list: readonly unknown[]) => (value: unknown) => list.includes(value)
  if (any !== undefined && !values.some(isIn(any))) return false
  if (all !== undefined && !values.every(isIn(all))) return false
  return none === undefined || !values.some(isIn(none))
}

function valuesAt(json: object, path: string): readonly unknown[] {
  return (JSONPath({ path, json, eval: false, wrap: true }) as readonly unknown[] | undefined) ?? []
}

/** What is left of a series of statements once a pattern has taken its part, each given by its templates. */
export interface Match {
  readonly outcome: 'success' | 'partial' | 'failure'
  readonly remaining: readonly (readonly string[])[]
}

/**
 * Matches statements, in order, against a pattern or a template: greedily and without going back.
 *
 * @see xAPI Profiles 1.0 Communication 2.2
 */
export function matches(series: Match['remaining'], id: string, patterns: readonly StatementPattern[]): Match {
  const pattern = patterns.find(one => one.id === id)
  if (pattern === undefined) return matchesTemplate(series, id)
  if (pattern.sequence !== undefined) return matchesSequence(series, pattern.sequence, patterns)
  if (pattern.alternates !== undefined) {
    const tried = pattern.alternates.map(member => matches(series, member, patterns))
    const taken = tried.filter(({ outcome }) => outcome === 'success')
    taken.sort((one, other) => one.remaining.length - other.remaining.length)
    const partial = tried.find(({ outcome }) => outcome === 'partial')
    return taken[0] ?? partial ?? { outcome: 'failure', remaining: series }
  }
  if (pattern.zeroOrMore === undefined) throw new Error(`${id} has a form that no pattern of the profile has`)
  let remaining = series
  while (remaining.length > 0) {
    const next = matches(remaining, pattern.zeroOrMore, patterns)
    if (next.outcome !== 'success') break
    remaining = next.remaining
  }
  return { outcome: 'success', remaining }
}

function matchesTemplate(series: Match['remaining'], id: string): Match {
  const [first, ...rest] = series
  if (first === undefined) return { outcome: 'partial', remaining: [] }
  return first.includes(id) ? { outcome: 'success', remaining: rest } : { outcome: 'failure', remaining: series }
}

function matchesSequence(
  series: Match['remaining'],
  members: readonly string[],
  patterns: readonly StatementPattern[]
): Match {
  let remaining = series
  for (const member of members) {
    const next = matches(remaining, member, patterns)
    if (next.outcome === 'failure') return { outcome: 'failure', remaining: series }
    if (next.outcome === 'partial') return { outcome: 'partial', remaining: [] }
    remaining = next.remaining
  }
  return { outcome: 'success', remaining }
}
