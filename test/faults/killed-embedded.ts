import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Cluster } from './cluster.js'
import { headers } from './load.js'
import type { Check, Scenario } from './scenario.js'

/** The service's own PostgreSQL is killed; the service starts it again, and serves by itself. */
export const killedEmbedded: Scenario = {
  name: 'killed-embedded',
  what: 'the embedded PostgreSQL is killed with -9 three times under its service',
  play
}

async function play(cluster: Cluster): Promise<readonly Check[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'momentum-embedded-'))
  const service = await cluster.startService({ environment: { DATABASE_URL: '', DATA_DIR: dataDir } })
  const acknowledged: string[] = []
  const post = async () => {
    const statement = {
      actor: { mbox: 'mailto:ada@example.org' },
      verb: { id: 'https://w3id.org/momentum-lrs/verbs/opened' },
      object: { id: 'https://example.org/modules/1' }
    }
    const sent = { method: 'POST', headers, body: JSON.stringify(statement) }
    const response = await fetch(`${service.url}/xapi/statements`, sent).catch(() => null)
    if (response?.status !== 200) return false
    acknowledged.push(...((await response.json()) as string[]))
    return true
  }
  let recoveries = 0
  for (let round = 0; round < 3; round++) {
    for (let at = 0; at < 50; at++) await post()
    const [pid] = (await readFile(join(dataDir, 'postgres/data/postmaster.pid'), 'utf8')).split('\n')
    process.kill(Number(pid), 'SIGKILL')
    await sleep(100)
    for (let tries = 0; tries < 300 && !(await post()); tries++) await sleep(100)
    recoveries += 1
  }
  const found = await Promise.all(
    acknowledged.map(async id => (await fetch(`${service.url}/xapi/statements?statementId=${id}`, { headers })).status)
  )
  const code = await service.stop()
  await rm(dataDir, { recursive: true, force: true })
  const lost = found.filter(status => status !== 200).length
  return [
    {
      claim: 'it serves again by itself, and every acknowledged statement is there',
      held: recoveries === 3 && lost === 0 && acknowledged.length > 150,
      seen: `${recoveries} recoveries, ${acknowledged.length} acknowledged, ${lost} missing`
    },
    { claim: 'it stops cleanly', held: code === 0, seen: `exit code ${code}` }
  ]
}
