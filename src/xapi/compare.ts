import { truncatedDuration } from './duration.js'
import { canonicalText, isMap, type Json, readJson } from './json.js'
import { SIGNATURE } from './statement.js'
import { timestampFault, toUtc } from './timestamp.js'

/** Brings a value to the form in which equal values are alike; undefined drops it. */
type Rule = (value: Json) => Json | undefined

function fields(rules: Readonly<Record<string, Rule>>): Rule {
  const byKey = new Map(Object.entries(rules))
  return value => {
    if (!isMap(value)) return value
    const result = new Map<string, Json>()
    for (const [key, member] of value) {
      const rule = byKey.get(key)
      const kept = rule === undefined ? member : rule(member)
      if (kept !== undefined) result.set(key, kept)
    }
    return result
  }
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}

function listOf(rule: Rule): Rule {
  return value => (isList(value) ? value.map(rule).filter(element => element !== undefined) : value)
}

const drop: Rule = () => undefined

const lowerCase: Rule = value => (typeof value === 'string' ? value.toLowerCase() : value)

const lowerDomain: Rule = value =>
  typeof value === 'string' ? value.replace(/@[^@]*$/, domain => domain.toLowerCase()) : value

const instant: Rule = value =>
  typeof value === 'string' && timestampFault(value, false) === null
    ? toUtc(value).replace(/(?:\.0+|(\.\d*[1-9])0*)?Z$/, '$1Z')
    : value

const duration: Rule = value => (typeof value === 'string' ? truncatedDuration(value) : value)

const identity = { mbox: lowerDomain, mbox_sha1sum: lowerCase }

const agent = fields(identity)

/** Members are an unordered list, so they are put in the order of their text. */
const members: Rule = value => {
  const list = listOf(agent)(value)
  if (list === undefined || !isList(list)) return list
  const byText = list.map(member => ({ member, text: canonicalText(member) }))
  return byText.sort((a, b) => (a.text < b.text ? -1 : 1)).map(({ member }) => member)
}

const actor = fields({ ...identity, member: members })

const activity = fields({ definition: drop })

const statementRef = fields({ id: lowerCase })

const activities: Rule = value => listOf(activity)(isMap(value) ? [value] : value)

const context = fields({
  registration: lowerCase,
  instructor: actor,
  team: actor,
  contextActivities: fields({ parent: activities, grouping: activities, category: activities, other: activities }),
  contextAgents: listOf(fields({ agent: actor })),
  contextGroups: listOf(fields({ group: actor })),
  language: lowerCase,
  statement: statementRef
})

const attachment = fields({ sha2: lowerCase })

/** Without signatures: what was signed cannot hold its own signature. */
const attachments: Rule = value => {
  if (!isList(value)) return value
  const kept = value.filter(element => !(isMap(element) && element.get('usageType') === SIGNATURE))
  return kept.length === 0 && value.length > 0 ? undefined : listOf(attachment)(kept)
}

const event = {
  actor,
  verb: fields({ display: drop }),
  result: fields({ duration }),
  context,
  timestamp: instant,
  attachments
}

const plainObjects: ReadonlyMap<Json | undefined, Rule> = new Map([
  ['Agent', actor],
  ['Group', actor],
  ['StatementRef', statementRef]
])

function objectRule(kinds: ReadonlyMap<Json | undefined, Rule>): Rule {
  return value => (isMap(value) ? (kinds.get(value.get('objectType')) ?? activity)(value) : value)
}

const subStatement = fields({ ...event, object: objectRule(plainObjects) })

const statement = fields({
  ...event,
  object: objectRule(new Map([...plainObjects, ['SubStatement', subStatement]])),
  id: lowerCase,
  stored: drop,
  authority: drop,
  version: drop
})

interface Comparable {
  readonly body: string
  readonly id: string | null
  readonly timestamp: string | null
}

function comparable(text: string): Comparable {
  const value = statement(readJson(text))
  if (!isMap(value)) return { body: canonicalText(value ?? null), id: null, timestamp: null }
  const { id, timestamp, rest } = split(value)
  return { body: canonicalText(rest), id: textOrNull(id), timestamp: textOrNull(timestamp) }
}

function split(value: ReadonlyMap<string, Json>) {
  const rest = new Map(value)
  rest.delete('id')
  rest.delete('timestamp')
  return { id: value.get('id'), timestamp: value.get('timestamp'), rest }
}

function textOrNull(value: Json | undefined): string | null {
  return value === undefined ? null : canonicalText(value)
}

function agree(a: string | null, b: string | null): boolean {
  return a === null || b === null || a === b
}

/**
 * Whether two statements are the same by the standard's rules of comparison; both as JSON text.
 *
 * Ignored: what the LRS sets (`stored`, `authority`, `version`, and `id` and `timestamp` where one of the two lacks it),
 * how instants are written, verb display, activity definitions, the order of group members, a context activity alone or
 * in a list, the order of keys, the case of UUIDs, hashes, language tags and mail domains, signatures, and of durations
 * what is finer than 0.01 s. Numbers are compared by their exact decimal value: 1 and 1.0 are the same,
 * 999999999999999999 and 1000000000000000000 are not. Everything else counts, an `objectType` left out included.
 *
 * @see xAPI 1.0.3 Data 2.3.1
 */
export function sameStatement(a: string, b: string): boolean {
  const left = comparable(a)
  const right = comparable(b)
  return agree(left.id, right.id) && agree(left.timestamp, right.timestamp) && left.body === right.body
}
