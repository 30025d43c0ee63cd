/**
 * Every scope that a credential may have, and what it allows: first the standard's, then Momentum's own.
 *
 * @see xAPI 1.0.3 Communication 4.2
 */
export const scopes = {
  'statements/write': 'Store statements',
  'statements/read/mine': 'Read the statements whose authority is this credential',
  'statements/read': 'Read every statement',
  'statements/delete': 'Erase persons from the record, and list the erasures; never part of `all`',
  state: 'Read and write State documents',
  'state/read': 'Read State documents',
  define: 'Let what is stored define activities',
  profile: 'Read and write Activity Profile and Agent Profile documents',
  'profile/read': 'Read Activity Profile and Agent Profile documents',
  activities_profile: 'Read and write Activity Profile documents',
  agents_profile: 'Read and write Agent Profile documents',
  'all/read': 'Read everything under /xapi',
  all: 'Everything under /xapi, but for erasing',
  'metrics/read': 'Read metrics of everyone, as aggregates only',
  'people/read': 'Read the roster and the assignments, and numbers of people by name',
  'line/read':
    'Read metrics and people of the own line alone: everybody below the person that the credential stands for',
  'self/read': 'Read the roster’s entry and the numbers of the person alone that the credential stands for',
  'people/write': 'Write the roster and the assignments',
  admin: 'Manage the own tenant: its credentials, its event mapping, its scores and its pilots',
  tenants: 'List, create and change tenants; the operator’s alone, and part of no other scope'
} as const

/** The name of a scope. */
export type Scope = keyof typeof scopes

/** What a scope opens directly besides itself. */
const opens: Readonly<Partial<Record<Scope, readonly Scope[]>>> = {
  all: ['all/read', 'statements/write', 'state', 'define', 'profile'],
  'all/read': ['statements/read', 'state/read', 'profile/read'],
  'statements/read': ['statements/read/mine'],
  state: ['state/read'],
  profile: ['profile/read', 'activities_profile', 'agents_profile']
}

/**
 * What each resource wants, one of each list: the least scopes that open it, since greater ones open these.
 *
 * What the activities and agents of all statements are called is more than a reader of its own statements may know.
 *
 * `aggregates` and `names` let personal scopes in: a route that takes them must limit its answer by `reachOf`, and by
 * `requirePerson` where it is about one person. The others let in only who may see everyone.
 */
export const access = {
  statements: { read: ['statements/read/mine'], write: ['statements/write'] },
  state: { read: ['state/read'], write: ['state'] },
  activityProfile: { read: ['profile/read', 'activities_profile'], write: ['activities_profile'] },
  agentProfile: { read: ['profile/read', 'agents_profile'], write: ['agents_profile'] },
  activities: { read: ['statements/read', 'profile/read', 'activities_profile', 'define'] },
  agents: { read: ['statements/read', 'profile/read', 'agents_profile'] },
  people: { read: ['people/read'], write: ['people/write'] },
  metrics: { read: ['metrics/read'] },
  catalogue: { read: ['metrics/read', 'people/read', 'line/read', 'self/read'] },
  aggregates: { read: ['metrics/read', 'line/read'] },
  names: { read: ['people/read', 'line/read', 'self/read'] },
  erasures: { read: ['statements/delete'], write: ['statements/delete'] },
  cohorts: {
    read: ['metrics/read', 'people/read', 'line/read'],
    readFilters: ['people/read'],
    write: ['people/write']
  },
  eventMapping: { read: ['metrics/read'], write: ['admin'] },
  scoreDefinitions: { write: ['admin'] },
  pilots: { read: ['metrics/read'], write: ['admin'] },
  credentials: { read: ['admin'], write: ['admin'] },
  tenants: { read: ['tenants'], write: ['tenants'] }
} as const satisfies Record<string, Readonly<Partial<Record<'read' | 'readFilters' | 'write', readonly Scope[]>>>>

/** What the first credential of a tenant gets. */
export const tenantScopes = ['all', 'metrics/read', 'people/read', 'people/write', 'admin'] as const

/** What the first credential of the first tenant, the operator's, gets. */
export const operatorScopes = [...tenantScopes, 'tenants'] as const

/** Says whether a word names a scope. */
export function isScope(word: string): word is Scope {
  return Object.hasOwn(scopes, word)
}

/** Says whether what a credential was given opens one of the scopes that are wanted. */
export function hasScope(given: readonly string[], wanted: readonly string[]): boolean {
  return wanted.some(scope => given.some(granted => opened.get(granted)?.has(scope)))
}

/** The scopes that are limited to the person that a credential stands for, each with those that show it of anybody. */
const coveredBy: Readonly<Partial<Record<string, readonly Scope[]>>> = {
  'line/read': ['metrics/read', 'people/read'],
  'self/read': ['people/read']
}

/** Says whether a scope is limited to the person that a credential stands for, and so nothing without one. */
export function isPersonal(scope: string): boolean {
  return Object.hasOwn(coveredBy, scope)
}

/**
 * Those of the wanted scopes that one who was given these may not hand on, because they open more. A scope that is
 * limited to a person is handed on by who has it for the same person, or may see as much of anybody.
 */
export function scopesBeyond(
  given: readonly string[],
  wanted: readonly string[],
  isSamePerson = false
): readonly string[] {
  return wanted.filter(scope => {
    const covering = coveredBy[scope]
    if (covering === undefined || isSamePerson) return !hasScope(given, [scope]) && !isCovered(given, covering)
    return !isCovered(given, covering)
  })
}

function isCovered(given: readonly string[], covering: readonly Scope[] = []): boolean {
  return covering.length > 0 && covering.every(scope => hasScope(given, [scope]))
}

/** Each scope with all that it opens, directly or not. */
const opened: ReadonlyMap<string, ReadonlySet<string>> = new Map(
  Object.keys(scopes).map(scope => [scope, new Set(closure(scope as Scope))])
)

function closure(scope: Scope): readonly Scope[] {
  return [scope, ...(opens[scope] ?? []).flatMap(closure)]
}
