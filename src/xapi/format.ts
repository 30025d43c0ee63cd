import { chooseLanguage } from './language.js'
import { elementSpans, memberSpans, skipSpace, skipValue } from './scan.js'
import { componentKeys } from './validate-activity.js'

/** Rewrites the JSON text of one value. */
type Rewrite = (text: string) => string

/** Rewrites some members of an object; the others stay as they are. */
function fields(rules: Readonly<Record<string, Rewrite>>): Rewrite {
  const byKey = new Map(Object.entries(rules))
  return text => {
    if (!text.startsWith('{')) return text
    const members = memberSpans(text).map(({ key, keyStart, start, end }) => {
      const rule = byKey.get(key)
      return rule === undefined ? text.slice(keyStart, end) : text.slice(keyStart, start) + rule(text.slice(start, end))
    })
    return `{${members.join(',')}}`
  }
}

/** Keeps only some members of an object, as they are. */
function only(keys: readonly string[]): Rewrite {
  return text => {
    const members = memberSpans(text).filter(member => keys.includes(member.key))
    return `{${members.map(({ keyStart, end }) => text.slice(keyStart, end)).join(',')}}`
  }
}

function listOf(rule: Rewrite): Rewrite {
  return text => {
    if (!text.startsWith('[')) return rule(text)
    return `[${elementSpans(text)
      .map(({ start, end }) => rule(text.slice(start, end)))
      .join(',')}]`
  }
}

/** What differs between the formats: how each kind of thing is written. */
interface Writers {
  readonly actor: Rewrite
  readonly verb: Rewrite
  readonly activity: Rewrite
}

function objectTypeOf(text: string): string {
  const member = memberSpans(text).find(({ key }) => key === 'objectType')
  return member === undefined ? 'Activity' : (JSON.parse(text.slice(member.start, member.end)) as string)
}

function eventRules({ actor, verb, activity }: Writers): Readonly<Record<string, Rewrite>> {
  const activities = listOf(activity)
  const context = fields({
    instructor: actor,
    team: actor,
    contextActivities: fields({ parent: activities, grouping: activities, category: activities, other: activities }),
    contextAgents: listOf(fields({ agent: actor })),
    contextGroups: listOf(fields({ group: actor }))
  })
  return { actor, verb, context }
}

function statementRewrite(writers: Writers): Rewrite {
  const event = eventRules(writers)
  const plain = new Map([
    ['Activity', writers.activity],
    ['Agent', writers.actor],
    ['Group', writers.actor]
  ])
  const subStatement = fields({ ...event, object: text => plain.get(objectTypeOf(text))?.(text) ?? text })
  const kinds = new Map([...plain, ['SubStatement', subStatement]])
  return fields({
    ...event,
    object: text => kinds.get(objectTypeOf(text))?.(text) ?? text,
    authority: writers.actor
  })
}

const identifiers = ['mbox', 'mbox_sha1sum', 'openid', 'account']

const identityOnly: Rewrite = text => {
  const isIdentified = memberSpans(text).some(({ key }) => identifiers.includes(key))
  if (isIdentified) return only(['objectType', ...identifiers])(text)
  return fields({ member: listOf(identityOnly) })(only(['objectType', 'member'])(text))
}

const idsRewrite = statementRewrite({
  actor: identityOnly,
  verb: only(['id']),
  activity: only(['id'])
})

/**
 * A statement's text in the format `ids`: agents, groups, verbs and activities with only what identifies them.
 *
 * An anonymous group keeps its members, each by what identifies it. All else stays as it is.
 *
 * @see xAPI 1.0.3 Communication 2.1.3, `format`
 */
export function formatIds(text: string): string {
  return idsRewrite(text)
}

/** A language map with only the language that the reader wants most. */
function oneLanguage(acceptLanguage: string | null): Rewrite {
  return text => {
    if (!text.startsWith('{')) return text
    const tags = memberSpans(text).map(member => member.key)
    const chosen = chooseLanguage(tags, acceptLanguage)
    return chosen === null ? text : only([chosen])(text)
  }
}

/** An activity's definition with one language in each of its language maps, those of its components included. */
export function filterDefinition(text: string, acceptLanguage: string | null): string {
  const language = oneLanguage(acceptLanguage)
  const components = listOf(fields({ description: language }))
  const lists = Object.fromEntries(componentKeys.map(key => [key, components]))
  return fields({ name: language, description: language, ...lists })(text)
}

/** What the store holds of activities and verbs, as JSON text by IRI; null where it holds nothing. */
export interface Canon {
  readonly definitionOf: (iri: string) => string | null
  readonly displayOf: (iri: string) => string | null
}

/** Puts what the store holds under a key of an object with an id, or what the object has there itself, one language each. */
function canonicalMember(key: string, canonOf: (iri: string) => string | null, filter: Rewrite): Rewrite {
  return text => {
    const members = memberSpans(text)
    const id = members.find(member => member.key === 'id')
    const own = members.find(member => member.key === key)
    const canonical = id === undefined ? null : canonOf(JSON.parse(text.slice(id.start, id.end)) as string)
    const value = canonical ?? (own === undefined ? null : text.slice(own.start, own.end))
    if (value === null) return text
    const start = skipSpace(value, 0)
    const filtered = filter(value.slice(start, skipValue(value, start)))
    if (own === undefined) return `${text.slice(0, -1).trimEnd()},"${key}":${filtered}}`
    return text.slice(0, own.start) + filtered + text.slice(own.end)
  }
}

/**
 * A statement's text in the format `canonical`: activities with the definition and verbs with the display that the
 * store holds, and one language in each of their language maps.
 *
 * @param canon What the store holds; where it holds nothing, the statement's own stays.
 * @param acceptLanguage The request's header, applied to each language map by itself; null if it has none.
 * @see xAPI 1.0.3 Communication 2.1.3, `format` and language filtering
 */
export function formatCanonical(text: string, canon: Canon, acceptLanguage: string | null): string {
  return statementRewrite({
    actor: unchanged => unchanged,
    verb: canonicalMember('display', canon.displayOf, oneLanguage(acceptLanguage)),
    activity: canonicalMember('definition', canon.definitionOf, value => filterDefinition(value, acceptLanguage))
  })(text)
}
