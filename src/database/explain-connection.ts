interface Failure {
  readonly code?: string
  readonly message: string
}

/** What keeps a connection from being made, by the codes of the system and of PostgreSQL, after "cannot be reached". */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there. Is it started, and are host and port right?',
  ENOTFOUND: 'its host has no address. Is the name right?',
  EAI_AGAIN: 'its host has no address just now. Is the network up?',
  ETIMEDOUT: 'it does not answer in time. Does a firewall stand between?',
  EHOSTUNREACH: 'no way leads to its host. Is the network up?',
  ENETUNREACH: 'no way leads to its host. Is the network up?',
  ECONNRESET: 'it breaks the connection off. Does it want TLS, or is it another kind of server?',
  ENOENT: 'its socket is not there. Is it started?',
  EACCES: 'this user may not open its socket',
  '28P01': 'it does not take the password of that user',
  '28000': 'it does not let that user in from here: see its pg_hba.conf',
  '3D000': 'it has no database of that name: create it first',
  53300: 'it has no connection left: lower DATABASE_POOL_SIZE, or raise its max_connections',
  '57P03': 'it is starting up or shutting down: try again in a moment',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is signed by nobody who is trusted here',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is signed by nobody who is trusted here',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is signed by nobody who is trusted here'
}

/** What the driver says without a code. */
const texts: readonly (readonly [RegExp, string])[] = [
  [/timeout/i, reasons.ETIMEDOUT ?? ''],
  [/does not support SSL/, 'it does not speak TLS, which the address asks for'],
  [/password must be a string/, 'it wants a password, and the address has none'],
  [/terminated unexpectedly/, reasons.ECONNRESET ?? '']
]

/**
 * Says in a sentence why a database can't be connected to: where it was looked for, without the password, and what is
 * the matter.
 *
 * @returns null when the failure is of another kind.
 */
export function explainConnection(databaseUrl: string, failure: unknown): string | null {
  const { code = '', message } = failure as Failure
  const reason = reasons[code] ?? texts.find(([pattern]) => pattern.test(message))?.[1]
  if (reason === undefined) return null
  const { hostname, port, username, pathname, searchParams } = new URL(databaseUrl)
  const host = searchParams.get('host') ?? decodeURIComponent(hostname)
  const user = decodeURIComponent(username)
  const place = [
    `host "${host === '' ? 'localhost' : host}"`,
    `port ${searchParams.get('port') ?? (port === '' ? '5432' : port)}`,
    `database "${decodeURIComponent(pathname.slice(1))}"`,
    ...(user === '' ? [] : [`user "${user}"`])
  ]
  return `The PostgreSQL of DATABASE_URL cannot be reached (${place.join(', ')}): ${reason}`
}
