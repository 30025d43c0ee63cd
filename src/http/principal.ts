import type { Principal } from './context.js'
import { hasScope } from './scopes.js'

/** Who asks, with what follows from the scopes worked out once. */
export function makePrincipal({
  key,
  tenantId,
  timeZone,
  scopes,
  authority,
  mayAssertAuthority,
  personId
}: Omit<Principal, 'readsMineOnly' | 'mayDefine'>): Principal {
  return {
    key,
    tenantId,
    timeZone,
    scopes,
    authority,
    mayAssertAuthority,
    personId,
    readsMineOnly: !hasScope(scopes, ['statements/read']),
    mayDefine: hasScope(scopes, ['define'])
  }
}
