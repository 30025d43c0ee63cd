import { stdSerializers } from 'pino'

/** What PostgreSQL tells of the values in a row or a query, which may be anybody's address. */
const values = ['detail', 'where', 'internalQuery', 'parameters'] as const

/**
 * How failures and requests are written into the log: so that one can find the fault, without what names a person.
 * Addresses have agents and search words in them, so a request is its method and its route.
 */
export const logSerializers = {
  err: (error: Error) => {
    const told: Record<string, unknown> = { ...stdSerializers.err(error) }
    for (const name of values) delete told[name]
    return told
  },
  req: ({ method, routeOptions }: { readonly method?: string; readonly routeOptions?: { readonly url?: string } }) => ({
    method,
    route: routeOptions?.url
  })
} as const
