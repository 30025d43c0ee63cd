import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { RunningService } from './cluster.js'
import { headers } from './load.js'
import type { Scenario } from './scenario.js'
import { underLoad } from './under-load.js'

const clients = 40

/** Clients that send a byte now and then, and clients that go away amid their body. */
export const slowClients: Scenario = {
  name: 'slow-clients',
  what: `${clients} clients that trickle their body, and ${clients} that go away amid it, among the others`,
  play: underLoad({
    start: async cluster => [await cluster.startService({ environment: { REQUEST_TIMEOUT_MS: '4000' } })],
    rage: async ({ services: [service] }) => {
      if (service === undefined) throw new Error('no service was started')
      const halves = await Promise.all(Array.from({ length: clients }, () => goAway(service)))
      const answers = await Promise.all(Array.from({ length: clients }, () => trickle(service)))
      const timedOut = answers.filter(answer => /^HTTP\/1\.1 408 /.test(answer)).length
      const found = await Promise.all(halves.map(id => isStored(service, id)))
      const stored = found.filter(Boolean).length
      return {
        claim: 'who is too slow is told so, and half a body is not stored',
        held: timedOut === clients && stored === 0,
        seen: `${timedOut} of ${clients} answered 408, ${stored} of ${clients} halves stored`
      }
    }
  })
}

function begin({ url }: RunningService): { socket: Socket; id: string; body: string } {
  const id = randomUUID()
  const { hostname, port } = new URL(url)
  const socket = connect(Number(port), hostname)
  socket.on('error', () => undefined)
  const actor = { mbox: 'mailto:slow@example.org' }
  const object = { id: 'https://example.org/modules/slow' }
  const body = JSON.stringify({ id, actor, verb: { id: 'https://example.org/verbs/did' }, object })
  const lines = Object.entries({ ...headers, host: hostname, 'content-length': String(body.length) })
  socket.write(
    `POST /xapi/statements HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`
  )
  return { socket, id, body }
}

async function goAway(service: RunningService): Promise<string> {
  const { socket, id, body } = begin(service)
  socket.write(body.slice(0, -1))
  await sleep(Math.random() * 500)
  socket.destroy()
  return id
}

async function trickle(service: RunningService): Promise<string> {
  const { socket, body } = begin(service)
  let answer = ''
  socket.on('data', chunk => {
    answer += String(chunk)
  })
  const closed = once(socket, 'close')
  let at = 0
  const timer = setInterval(() => socket.write(body.charAt(at++)), 400)
  await Promise.race([closed, sleep(40_000)])
  clearInterval(timer)
  socket.destroy()
  return answer
}

async function isStored({ url }: RunningService, id: string): Promise<boolean> {
  const response = await fetch(`${url}/xapi/statements?statementId=${id}`, { headers })
  await response.text()
  return response.status === 200
}
