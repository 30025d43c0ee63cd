/** An object of a profile as it was read: nothing of it is known yet. */
export type Thing = Readonly<Record<string, unknown>>

type Report = (fault: string) => void

/** Reports each fault whose condition holds. */
function reportThose(report: Report, faults: readonly (readonly [holds: boolean, fault: string])[]): void {
  for (const [holds, fault] of faults) if (holds) report(fault)
}

const termProperties =
  'id type inScheme prefLabel definition deprecated? broader? broadMatch? narrower? narrowMatch? related? relatedMatch? exactMatch?'
const extensionProperties = 'id type inScheme prefLabel definition deprecated? context? schema? inlineSchema?'
const documentProperties =
  'id type inScheme prefLabel definition contentType deprecated? context? schema? inlineSchema?'

/** The properties of each type of object, those with a question mark optional. @see xAPI Profiles 1.0 Structure 6 to 9 */
const properties: Readonly<Record<string, string>> = {
  Profile: 'id @context type conformsTo prefLabel definition seeAlso? versions author concepts? templates? patterns?',
  version: 'id wasRevisionOf? generatedAtTime',
  Organization: 'type name url?',
  Person: 'type name url?',
  Verb: termProperties,
  ActivityType: termProperties,
  AttachmentUsageType: termProperties,
  ContextExtension: `${extensionProperties} recommendedVerbs?`,
  ResultExtension: `${extensionProperties} recommendedVerbs?`,
  ActivityExtension: `${extensionProperties} recommendedActivityTypes?`,
  StateResource: documentProperties,
  AgentProfileResource: documentProperties,
  ActivityProfileResource: documentProperties,
  Activity: 'id type inScheme deprecated? activityDefinition',
  StatementTemplate:
    'id type inScheme prefLabel definition deprecated? verb? objectActivityType? contextGroupingActivityType? contextParentActivityType? contextOtherActivityType? contextCategoryActivityType? attachmentUsageType? objectStatementRefTemplate? contextStatementRefTemplate? rules?',
  rule: 'location selector? presence? any? all? none? scopeNote?',
  Pattern:
    'id type primary? inScheme? prefLabel? definition? deprecated? alternates? optional? oneOrMore? sequence? zeroOrMore?'
}

const conceptTypes = Object.keys(properties).filter(
  name => !['Profile', 'version', 'Organization', 'Person', 'StatementTemplate', 'rule', 'Pattern'].includes(name)
)
/** An absolute IRI. */
const iri = /^[a-z][a-z\d+.-]*:\S+$/i
const iriProperties =
  'id inScheme conformsTo seeAlso url verb objectActivityType optional oneOrMore zeroOrMore context schema'.split(' ')
const listProperties =
  'wasRevisionOf broader broadMatch narrower narrowMatch related relatedMatch exactMatch recommendedVerbs recommendedActivityTypes contextGroupingActivityType contextParentActivityType contextOtherActivityType contextCategoryActivityType attachmentUsageType objectStatementRefTemplate contextStatementRefTemplate alternates sequence'.split(
    ' '
  )
const patternForms = ['alternates', 'optional', 'oneOrMore', 'sequence', 'zeroOrMore'] as const

const index = String.raw`\*|\d+|'[^']+'|"[^"]+"`
const legalPath = new RegExp(String.raw`^\$(\.\.?(\w+|\*)|\[(${index})(\s*,\s*(${index}))*\])+$`)

const listOf = (value: unknown) => (Array.isArray(value) ? (value as readonly unknown[]) : [])
const thingsOf = (value: unknown) => listOf(value) as readonly Thing[]

/** Every requirement on the structure of a profile that a document breaks, each as `where: what`. */
export function profileFaults(profile: Thing): readonly string[] {
  const faults: string[] = []
  const at = (where: unknown) => (fault: string) => faults.push(`${where}: ${fault}`)
  checkNothingEmpty(profile, at('profile'))
  checkObject(profile, 'Profile', at('profile'))
  reportThose(at('profile'), [
    [
      ![profile['@context']].flat().includes('https://w3id.org/xapi/profiles/context'),
      '@context is not that of profiles'
    ],
    [profile.conformsTo !== 'https://w3id.org/xapi/profiles#1.0', 'conformsTo is not version 1.0']
  ])
  checkVersions(profile, at('versions'))
  const author = (profile.author ?? {}) as Thing
  checkObject(author, ['Organization', 'Person'].find(type => type === author.type) ?? 'Person', at('author'))
  const versions = thingsOf(profile.versions).map(({ id }) => id)
  const [concepts, templates, patterns] = ['concepts', 'templates', 'patterns'].map(name => thingsOf(profile[name]))
  for (const thing of [concepts, templates, patterns].flatMap(things => things ?? [])) {
    if (!versions.includes(thing.inScheme)) at(thing.id)('inScheme is no version of the profile')
  }
  for (const concept of concepts ?? []) checkConcept(concept, concepts ?? [], at(concept.id))
  for (const template of templates ?? []) checkTemplate(template, at(template.id))
  for (const pattern of patterns ?? []) checkPattern(pattern, patterns ?? [], templates ?? [], at(pattern.id))
  const ids = [concepts, templates, patterns].flatMap(things => (things ?? []).map(({ id }) => id))
  for (const id of new Set(ids.filter((id, position) => ids.indexOf(id) !== position))) at(id)('id is taken')
  return faults
}

/** Values in a profile are never empty. @see xAPI Profiles 1.0 Structure 4.0 */
function checkNothingEmpty(value: unknown, report: Report): void {
  if (value === null || value === '') report('a value is null or empty')
  if (typeof value !== 'object' || value === null) return
  const members = Object.values(value)
  if (members.length === 0) report('an object or a list is empty')
  for (const member of members) checkNothingEmpty(member, report)
}

function checkObject(thing: Thing, type: string, report: Report): void {
  const expected = (properties[type] ?? '').split(' ')
  const known = expected.map(name => name.replace('?', ''))
  reportThose(report, [
    ...expected.map(name => [!name.endsWith('?') && thing[name] === undefined, `${name} is missing`] as const),
    ...Object.keys(thing).map(name => [!known.includes(name), `${name} is unknown`] as const),
    [known.includes('type') && thing.type !== type, 'type is wrong']
  ])
  for (const [names, isRight, what] of forms) {
    const wrong = names.filter(name => thing[name] !== undefined && !isRight(thing[name]))
    for (const name of wrong) report(`${name} is not ${what}`)
  }
}

const isIri = (value: unknown) => typeof value === 'string' && iri.test(value)

/** The form of the values of the properties that have one. */
const forms: readonly (readonly [names: readonly string[], isRight: (value: unknown) => boolean, what: string])[] = [
  [iriProperties, isIri, 'an IRI'],
  [listProperties, value => Array.isArray(value) && value.every(isIri), 'a list of IRIs'],
  [['prefLabel', 'definition', 'scopeNote'], isLanguageMap, 'a language map'],
  [['deprecated', 'primary'], value => typeof value === 'boolean', 'a boolean'],
  [['any', 'all', 'none'], Array.isArray, 'a list'],
  [['location', 'selector'], isLegalPath, 'a legal JSONPath']
]

function isLanguageMap(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  return Object.entries(value).every(
    ([tag, text]) => /^[a-z]{2,3}(-[\dA-Za-z]{2,8})*$/.test(tag) && typeof text === 'string'
  )
}

/** @see xAPI Profiles 1.0 Structure 6.1 */
function checkVersions(profile: Thing, report: Report): void {
  const versions = thingsOf(profile.versions)
  const ids = [profile.id, ...versions.map(({ id }) => id)]
  if (new Set(ids).size !== ids.length) report('id is that of another version or of the profile')
  const first = versions.filter(({ wasRevisionOf }) => wasRevisionOf === undefined)
  if (first.length > 1) report('wasRevisionOf is missing')
  for (const version of versions) {
    checkObject(version, 'version', report)
    const time = String(version.generatedAtTime)
    if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/.test(time) || Number.isNaN(Date.parse(time))) {
      report('generatedAtTime is not a timestamp')
    }
  }
}

/** @see xAPI Profiles 1.0 Structure 7.1, 7.2 */
function checkConcept(concept: Thing, concepts: readonly Thing[], report: Report): void {
  const type = conceptTypes.find(name => name === concept.type) ?? 'Verb'
  checkObject(concept, type, report)
  const { related, schema, inlineSchema, deprecated } = concept
  const here = concepts.filter(other => other.type === type).map(({ id }) => id)
  reportThose(report, [
    ...['broader', 'narrower', 'related'].map(
      name =>
        [!listOf(concept[name]).every(id => here.includes(id)), `${name} is not of this profile and type`] as const
    ),
    ...['broadMatch', 'narrowMatch'].map(
      name => [listOf(concept[name]).some(id => here.includes(id)), `${name} is of this profile`] as const
    ),
    [related !== undefined && deprecated !== true, 'related is not for what is in use'],
    [schema !== undefined && inlineSchema !== undefined, 'schema is given twice'],
    [inlineSchema !== undefined && !isJson(inlineSchema), 'inlineSchema is not JSON as text']
  ])
}

function isJson(text: unknown): boolean {
  try {
    return typeof text === 'string' && typeof JSON.parse(text) === 'object'
  } catch {
    return false
  }
}

/** @see xAPI Profiles 1.0 Structure 8.0, 8.1 */
function checkTemplate(template: Thing, report: Report): void {
  checkObject(template, 'StatementTemplate', report)
  if (template.objectStatementRefTemplate !== undefined && template.objectActivityType !== undefined) {
    report('objectStatementRefTemplate and objectActivityType exclude each other')
  }
  for (const rule of thingsOf(template.rules)) {
    checkObject(rule, 'rule', report)
    const demands = ['presence', 'any', 'all', 'none'].filter(name => rule[name] !== undefined)
    const presence = String(rule.presence ?? 'included')
    reportThose(report, [
      [demands.length === 0, 'a rule asks for nothing'],
      [!['included', 'excluded', 'recommended'].includes(presence), 'presence is wrong']
    ])
  }
}

function isLegalPath(path: unknown): boolean {
  return String(path)
    .split(/\s*\|\s*/)
    .every(part => legalPath.test(part))
}

/** @see xAPI Profiles 1.0 Structure 9.0 */
function checkPattern(pattern: Thing, patterns: readonly Thing[], templates: readonly Thing[], report: Report): void {
  checkObject(pattern, 'Pattern', report)
  const members = membersOf(pattern)
  const known = [...patterns, ...templates].map(({ id }) => id)
  const isAlone = pattern.primary === true && templates.some(({ id }) => id === members[0])
  const alternates = patterns.filter(({ id }) => listOf(pattern.alternates).includes(id))
  reportThose(report, [
    [patternForms.filter(form => pattern[form] !== undefined).length !== 1, 'not exactly one form'],
    [
      pattern.primary === true && !(pattern.prefLabel && pattern.definition),
      'a primary pattern has no name or definition'
    ],
    ...members.map(member => [!known.includes(member), `${member} is unknown`] as const),
    [listOf(pattern.alternates).length === 1, 'alternates has one member'],
    [listOf(pattern.sequence).length === 1 && !isAlone, 'sequence has one member'],
    [alternates.some(inner => 'optional' in inner || 'zeroOrMore' in inner), 'an alternate may be absent'],
    [reaches(pattern, pattern.id, patterns), 'it holds itself']
  ])
}

function membersOf(pattern: Thing): readonly unknown[] {
  return patternForms.flatMap(form => (pattern[form] === undefined ? [] : [pattern[form]].flat()))
}

function reaches(from: Thing, id: unknown, patterns: readonly Thing[], seen: readonly unknown[] = []): boolean {
  return membersOf(from).some(member => {
    if (member === id) return true
    const next = patterns.find(pattern => pattern.id === member)
    return next !== undefined && !seen.includes(member) && reaches(next, id, patterns, [...seen, member])
  })
}
