import { randomUUID } from 'node:crypto'
import { request } from 'node:http'
import { text } from 'node:stream/consumers'
import { setTimeout as sleep } from 'node:timers/promises'
import { checkAll } from './check.js'
import type { Cluster } from './cluster.js'
import { headers, type Load, startLoad } from './load.js'
import type { Check, Scenario } from './scenario.js'

const rounds = 6
const senders = 24

/** Services that are told to stop under load answer every request that they had begun with. */
export const gracefulStop: Scenario = {
  name: 'graceful-stop',
  what: `SIGTERM to a service with ${senders} requests in flight, ${rounds} times`,
  play
}

async function play(cluster: Cluster): Promise<readonly Check[]> {
  const other = await cluster.startService()
  const load = startLoad([other.url], 3)
  const counts = { accepted: 0, answered: 0, clean: 0 }
  const acknowledged = new Map<string, object>()
  for (let round = 0; round < rounds; round++) {
    const service = await cluster.startService()
    const sending = Promise.all(
      Array.from({ length: senders }, () => sendUntilRefused(service.url, counts, acknowledged))
    )
    await sleep(500 + Math.random() * 1000)
    if ((await service.stop()) === 0) counts.clean += 1
    await sending
  }
  await load.stop()
  const all: Load = { ...load, acknowledged: new Map([...load.acknowledged, ...acknowledged]) }
  return [
    {
      claim: 'every request that was accepted is answered',
      held: counts.accepted === counts.answered && counts.accepted > 100,
      seen: `${counts.answered} of ${counts.accepted} answered with 200`
    },
    { claim: 'every service ends with 0', held: counts.clean === rounds, seen: `${counts.clean} of ${rounds}` },
    ...(await checkAll(cluster, [other], all))
  ]
}

/** Sends one after the other, each on a connection of its own, until none is let in. */
async function sendUntilRefused(
  url: string,
  counts: { accepted: number; answered: number },
  acknowledged: Map<string, object>
): Promise<void> {
  for (;;) {
    const statement = {
      id: randomUUID(),
      actor: { objectType: 'Agent', mbox: 'mailto:graceful@example.org' },
      verb: { id: 'https://w3id.org/momentum-lrs/verbs/opened' },
      object: { id: 'https://example.org/modules/1' }
    }
    const outcome = await sendOne(url, JSON.stringify(statement), () => {
      counts.accepted += 1
    })
    if (outcome === null) return
    if (outcome === 200) {
      counts.answered += 1
      acknowledged.set(statement.id, statement)
    }
  }
}

/** The service says that it has begun with a request by asking for its body; null when it was not let in. */
function sendOne(url: string, body: string, onAccepted: () => void): Promise<number | null> {
  return new Promise(resolve => {
    const sent = request(`${url}/xapi/statements`, {
      method: 'POST',
      agent: false,
      headers: { ...headers, expect: '100-continue', 'content-length': String(body.length) }
    })
    sent.on('continue', () => {
      onAccepted()
      sent.end(body)
    })
    sent.on('response', response => {
      text(response).then(
        () => resolve(response.statusCode ?? 0),
        () => resolve(0)
      )
    })
    sent.on('error', () => resolve(null))
    sent.flushHeaders()
  })
}
