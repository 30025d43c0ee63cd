import type pg from 'pg'

/** So that the texts of random filters, of which there is no end, don't fill the server's memory. */
const mostTexts = 400

const nameOf = new Map<string, string>()

/**
 * Has a pool's connections prepare each text once: half of what a story costs the server is the making of plans. The
 * service has each plan made anew, for the values that there are.
 */
export function prepareTexts(pool: pg.Pool): void {
  pool.on('connect', client => {
    const query = client.query.bind(client) as (config: string | pg.QueryConfig, values?: unknown[]) => unknown
    const named = (text: string, values?: unknown[]) => {
      const name = values === undefined || values.length === 0 ? undefined : nameFor(text)
      return name === undefined ? query(text, values) : query({ name, text, values: values ?? [] })
    }
    Object.assign(client, { query: named })
  })
}

function nameFor(text: string): string | undefined {
  const known = nameOf.get(text)
  if (known !== undefined || nameOf.size >= mostTexts) return known
  nameOf.set(text, `text_${nameOf.size}`)
  return nameOf.get(text)
}
