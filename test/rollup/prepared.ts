import type pg from 'pg'

/** So that the texts of random filters, of which there is no end, don't fill the server's memory. */
const mostTexts = 400

const nameOf = new Map<string, string>()

/**
 * Has a pool's connections prepare each text once: half of what a story costs the server is the making of plans. The
 * service has most plans made anew, for the values that there are; what it names itself goes through as it is.
 */
export function prepareTexts(pool: pg.Pool): void {
  pool.on('connect', client => {
    const query = client.query.bind(client) as (config: unknown, values?: unknown[], ...others: unknown[]) => unknown
    const named = (text: unknown, values?: unknown[], ...others: unknown[]) => {
      const name = typeof text !== 'string' || values === undefined || values.length === 0 ? undefined : nameFor(text)
      return name === undefined ? query(text, values, ...others) : query({ name, text, values }, undefined, ...others)
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
