import { openDatabase } from '../../src/database/open.js'
import type { Cluster, RunningService } from './cluster.js'
import { headers, type Load } from './load.js'
import type { Check } from './scenario.js'

/** Everything that must be true after a fault, whatever it was. */
export async function checkAll(
  cluster: Cluster,
  services: readonly RunningService[],
  load: Load
): Promise<readonly Check[]> {
  return [
    await checkStatements(cluster, load),
    await checkDocuments(services, load),
    {
      claim: 'no request was refused but for a fault',
      held: load.refusals.length === 0,
      seen: load.refusals[0] ?? 'none'
    },
    ...(await checkServing(services)),
    await checkDerived(cluster)
  ]
}

/** Each acknowledged statement is there once and says what was sent; ids are unique by the table's key. */
async function checkStatements({ databaseUrl }: Cluster, { acknowledged }: Load): Promise<Check> {
  const { db } = openDatabase({ connection: { connectionString: databaseUrl }, poolSize: 1, onError: () => undefined })
  const rows = await db
    .selectFrom('statement')
    .select(['id', 'text'])
    .execute()
    .finally(() => db.destroy())
  const textOf = new Map(rows.map(({ id, text }) => [id, text]))
  const wrong = [...acknowledged].filter(([id, sent]) => !says(textOf.get(id), sent))
  return {
    claim: 'every acknowledged statement is there, once, and says what was sent',
    held: wrong.length === 0 && textOf.size === rows.length && acknowledged.size > 0,
    seen: `${acknowledged.size} acknowledged, ${rows.length} stored, ${wrong.length} missing or different`
  }
}

function says(text: string | undefined, sent: object): boolean {
  if (text === undefined) return false
  const stored = JSON.parse(text)
  return Object.entries(sent).every(
    ([name, value]) => name === 'context' || JSON.stringify(stored[name]) === JSON.stringify(value)
  )
}

async function checkDocuments(services: readonly RunningService[], { documents }: Load): Promise<Check> {
  const wrong: string[] = []
  for (const [path, content] of documents) {
    const response = await fetch(`${services[0]?.url}${path}`, { headers })
    if ((await response.text()) !== content) wrong.push(path)
  }
  return {
    claim: 'documents are as the last acknowledged write left them',
    held: wrong.length === 0 && documents.size > 0,
    seen: `${documents.size} documents, ${wrong.length} different`
  }
}

async function checkServing(services: readonly RunningService[]): Promise<readonly Check[]> {
  const statuses = await Promise.all(
    services.map(async ({ url }) => (await fetch(`${url}/xapi/statements?limit=1`, { headers })).status)
  )
  return [
    {
      claim: 'every service serves again by itself',
      held: statuses.every(status => status === 200),
      seen: statuses.join(', ')
    }
  ]
}

async function checkDerived(cluster: Cluster): Promise<Check> {
  const { code, output } = await cluster.command('verify')
  return {
    claim: '`momentum verify` finds no difference',
    held: code === 0,
    seen: output.trim().split('\n').slice(-3).join(' | ')
  }
}
