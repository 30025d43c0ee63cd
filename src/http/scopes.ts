/** What a scope opens besides itself. `statements/delete` is never part of `all`. @see xAPI 1.0.3 Communication 4.2 */
const opens: Readonly<Record<string, readonly string[]>> = {
  all: ['statements/write', 'statements/read', 'state', 'define', 'profile'],
  'all/read': ['statements/read', 'state/read', 'profile/read']
}

/** Every scope that a credential of the operator gets: the standard's, and Momentum's own. */
export const operatorScopes = ['all', 'metrics/read', 'people/read', 'people/write', 'admin'] as const

/** Says whether what a credential was given opens one of the scopes that are wanted. */
export function hasScope(given: readonly string[], wanted: readonly string[]): boolean {
  return wanted.some(scope => given.some(granted => granted === scope || opens[granted]?.includes(scope)))
}
