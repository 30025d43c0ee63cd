import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { credential } from './cluster.js'

const namespace = 'https://w3id.org/momentum-lrs/'
const kinds = ['opened', 'delivered', 'completed-task', 'peer-feedback', 'manager-check', 'repeated-session']
const learners = 60

/** What a load has done so far. */
export interface Load {
  /** Every statement that was acknowledged, by its id, as it was sent. */
  readonly acknowledged: ReadonlyMap<string, object>
  /** For each document the content of the last write that was acknowledged. */
  readonly documents: ReadonlyMap<string, string>
  /** Requests that got no answer, or one of the 5xx, and were sent again. */
  readonly repeated: () => number
  /** Refusals that no fault explains. */
  readonly refusals: readonly string[]
  /** Ends it when every request in flight has been acknowledged. */
  readonly stop: () => Promise<void>
}

/**
 * Posts as learning platforms do: batches under ids of their own, sent again as they are, to any service, until one has
 * acknowledged them. Some void what was sent, or what comes later; some are late; the roster moves agents meanwhile.
 */
export function startLoad(urls: readonly string[], senders: number): Load {
  const acknowledged = new Map<string, object>()
  const documents = new Map<string, string>()
  const refusals: string[] = []
  const counters = { repeated: 0, stopping: false }
  const ask = async (path: string, init: { method: string; body: string }): Promise<Response | null> => {
    const url = urls[Math.floor(Math.random() * urls.length)]
    const response = await fetch(`${url}${path}`, { ...init, headers, signal: AbortSignal.timeout(60_000) }).catch(
      () => null
    )
    if (response !== null)
      await response
        .clone()
        .text()
        .catch(() => undefined)
    return response
  }
  /** Sends until it is acknowledged or refused for good. */
  const insist = async (path: string, method: string, body: string): Promise<boolean> => {
    for (;;) {
      const response = await ask(path, { method, body })
      if (response?.ok) return true
      if (response !== null && response.status < 500 && response.status !== 429) {
        refusals.push(`${method} ${path}: ${response.status} ${await response.text()}`)
        return false
      }
      counters.repeated += 1
      await sleep(100)
    }
  }
  const post = async (recent: string[]) => {
    const batch = Array.from({ length: 1 + Math.floor(Math.random() * 20) }, () => makeStatement(recent))
    if (!(await insist('/xapi/statements', 'POST', JSON.stringify(batch)))) return
    for (const statement of batch) acknowledged.set(statement.id, statement)
    recent.push(...batch.map(({ id }) => id))
    recent.splice(0, recent.length - 200)
  }
  const putState = async (sender: number, at: number) => {
    const path = statePath(sender)
    const body = JSON.stringify({ sender, at })
    if (await insist(path, 'PUT', body)) documents.set(path, body)
  }
  /** Merges into a profile, which leaves the member that the first write alone gave. */
  const postProfile = async (sender: number, at: number) => {
    const path = profilePath(sender)
    const first = documents.has(path) ? {} : { since: 0 }
    const isDone = await insist(path, 'POST', JSON.stringify({ ...first, sender, at }))
    if (isDone) documents.set(path, JSON.stringify({ since: 0, sender, at }))
  }
  const sender = async (number: number) => {
    const recent: string[] = []
    for (let at = 0; !counters.stopping; at++) {
      await post(recent)
      if (at % 5 === 0) await putState(number, at)
      if (at % 5 === 2) await postProfile(number, at)
    }
  }
  const roster = async () => {
    for (let at = 0; !counters.stopping; at++) {
      await insist('/api/v1/people', 'PUT', JSON.stringify([makePerson(at % 40)]))
      await sleep(50)
    }
  }
  const running = [roster(), ...Array.from({ length: senders }, (_, number) => sender(number))]
  return {
    acknowledged,
    documents,
    refusals,
    repeated: () => counters.repeated,
    stop: async () => {
      counters.stopping = true
      await Promise.all(running)
    }
  }
}

/** What every request of the load carries. */
export const headers = {
  authorization: `Basic ${Buffer.from(`${credential.key}:${credential.secret}`).toString('base64')}`,
  'x-experience-api-version': '1.0.3',
  'content-type': 'application/json'
} as const

function statePath(sender: number): string {
  const agent = encodeURIComponent(JSON.stringify(agentOf(sender)))
  return `/xapi/activities/state?activityId=https://example.org/a&stateId=bookmark&agent=${agent}`
}

function profilePath(sender: number): string {
  const agent = encodeURIComponent(JSON.stringify(agentOf(sender)))
  return sender % 2 === 0
    ? `/xapi/agents/profile?profileId=preferences&agent=${agent}`
    : `/xapi/activities/profile?profileId=sender-${sender}&activityId=https://example.org/a`
}

function agentOf(learner: number) {
  return { objectType: 'Agent', mbox: `mailto:learner-${learner}@example.org` }
}

function makePerson(number: number) {
  return { personId: `person-${number}`, agents: [agentOf(number)], cohorts: [number % 2 === 0 ? 'even' : 'odd'] }
}

/** A deed of the last month, or, one time in ten, the voiding of one that was sent or is still to be. */
function makeStatement(recent: readonly string[]) {
  const id = randomUUID()
  const actor = agentOf(Math.floor(Math.random() * learners))
  const timestamp = new Date(Date.now() - Math.floor(Math.random() * 30 * 86_400_000)).toISOString()
  if (Math.random() < 0.1) {
    const target = recent[Math.floor(Math.random() * recent.length)] ?? randomUUID()
    return {
      id,
      actor,
      timestamp,
      verb: { id: 'http://adlnet.gov/expapi/verbs/voided' },
      object: { objectType: 'StatementRef', id: target }
    }
  }
  const kind = kinds[Math.floor(Math.random() * kinds.length)] ?? 'opened'
  const isAboutSomebody = kind === 'peer-feedback' || kind === 'manager-check'
  const module = { id: `https://example.org/modules/${Math.floor(Math.random() * 20)}` }
  return {
    id,
    actor,
    timestamp,
    verb: { id: `${namespace}verbs/${kind}` },
    object: isAboutSomebody ? agentOf(Math.floor(Math.random() * learners)) : module,
    ...(isAboutSomebody ? { context: { contextActivities: { parent: [module] } } } : {})
  }
}
