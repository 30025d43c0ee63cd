/** PostgreSQL's and the system's codes for a connection that was there and is not any more. */
const lostCodes: ReadonlySet<string> = new Set([
  '57P01',
  '57P02',
  '08006',
  '08003',
  'ECONNRESET',
  'EPIPE',
  'ECONNABORTED'
])

/** The same as the driver says it, without a code. */
const lostMessages = /^(Connection terminated|Client has encountered a connection error)/

/**
 * Says whether a query failed because its connection was lost: the server was stopped or restarted, or what lies between
 * broke off. Whether the query was carried out is not known then.
 */
export function isConnectionLost(error: unknown): boolean {
  const { code, message } = Object(error) as { readonly code?: unknown; readonly message?: unknown }
  return lostCodes.has(String(code)) || (code === undefined && lostMessages.test(String(message)))
}

/** Says whether no connection could be had in time, because all were busy or a new one took too long. */
export function isPoolExhausted(error: unknown): boolean {
  return /^timeout exceeded when trying to connect/.test(
    String((Object(error) as { readonly message?: unknown }).message)
  )
}
