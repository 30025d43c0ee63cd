import cluster, { type Worker as Member } from 'node:cluster'
import { once } from 'node:events'
import type { Logger } from 'pino'
import type { Config } from './config.js'
import { LrsError } from './errors.js'
import type { WorkerCounts } from './rollup/worker.js'
import { type Company, prepareDatabase, type Service, startAll, startService } from './service.js'

/** What processes of one program tell each other. */
type Message =
  /** A member listens at the address. */
  | { readonly ready: string }
  /** What a member's worker has done; or, from the one that holds them, what those of all have. */
  | { readonly counts: WorkerCounts }

const nothing: WorkerCounts = { batches: 0, rows: 0, errors: 0 }

/** How often members tell what they have done: less than Prometheus asks, and little beside a request. */
const countsMs = 1000

/** How long a process that can't start is let be, such as while PostgreSQL is away. */
const replaceMs = 1000

/**
 * Starts the database, and as many processes that answer requests as WORKERS says, on one port: this process hands them
 * the connections in turns, and answers none.
 *
 * One that ends is replaced. They are told to stop before the database is stopped, and finish what they have accepted.
 *
 * @throws {LrsError} when the database or one of them can't start; what had been started is stopped again.
 */
export async function startWorkers(config: Config, logger: Logger): Promise<Service> {
  return startAll(async stops => {
    const members = holdMembers(logger)
    const { credential } = await prepareDatabase(config, logger, stops, { entersServer: false, onMoved: members.renew })
    stops.push(members.stop)
    const urls = await Promise.all(Array.from({ length: config.workers }, members.add))
    return { credential, url: urls[0] ?? '' }
  })
}

function holdMembers(logger: Logger) {
  const running = new Set<Member>()
  const counts = countTogether(running)
  let isStopping = false
  const add = async (): Promise<string> => {
    const member = cluster.fork()
    running.add(member)
    counts.follow(member)
    member.once('exit', () => running.delete(member))
    const url = await readiness(member)
    member.once('exit', (code, signal) => {
      if (isStopping) return
      logger.error({ code, signal }, 'a process that answers requests has ended; another takes its place')
      replace()
    })
    return url
  }
  const replace = () => {
    add().catch(error => {
      logger.error({ err: error }, 'a process that answers requests could not be replaced; it will be tried again')
      const again = setTimeout(() => isStopping || replace(), replaceMs)
      again.unref()
    })
  }
  return {
    add,
    // Each finishes what it has accepted, and another takes its place, which finds the database where it is now.
    renew: () => {
      for (const member of running) member.process.kill('SIGTERM')
    },
    stop: async () => {
      isStopping = true
      await Promise.all([...running].map(endMember))
    }
  }
}

/** Waits until a member listens. */
async function readiness(member: Member): Promise<string> {
  return new Promise((resolve, reject) => {
    member.on('message', (message: Message) => {
      if ('ready' in message) resolve(message.ready)
    })
    member.once('exit', () =>
      reject(new LrsError('invalid-configuration', 'A process of WORKERS ended before it was ready; it has said why'))
    )
  })
}

async function endMember(member: Member): Promise<void> {
  const ended = once(member, 'exit')
  member.process.kill('SIGTERM')
  await ended
}

/** Adds up what members have done, those that have ended too, and tells each of them. */
function countTogether(running: ReadonlySet<Member>) {
  const byMember = new Map<number, WorkerCounts>()
  return {
    follow: (member: Member) =>
      member.on('message', (message: Message) => {
        if (!('counts' in message)) return
        byMember.set(member.id, message.counts)
        const counts = [...byMember.values()].reduce(plus, nothing)
        for (const other of running) if (other.isConnected()) other.send({ counts } satisfies Message)
      })
  }
}

function plus(one: WorkerCounts, other: WorkerCounts): WorkerCounts {
  return {
    batches: one.batches + other.batches,
    rows: one.rows + other.rows,
    errors: one.errors + other.errors
  }
}

/** Starts the service as one of the processes that {@link startWorkers} holds; it ends with the one that holds it. */
export async function startMember(
  member: Member,
  { config, logger, version }: { readonly config: Config; readonly logger: Logger; readonly version: string }
): Promise<Service> {
  const company = { entersServer: true, countsOfAll: shareCounts(member) }
  return startAll(async stops => {
    // What it listens to keeps a process from ending.
    stops.push(async () => {
      member.disconnect()
    })
    const service = await startService(config, logger, version, company)
    stops.push(service.stop)
    return { url: service.url, credential: service.credential }
  })
}

/** Tells the one that holds this process that it listens. */
export function sayReady(member: Member, { url }: Service): void {
  member.send({ ready: url } satisfies Message)
}

/** Makes the counts of all from what is told: what others have done as of late, and what this one has by now. */
function shareCounts(member: Member): Company['countsOfAll'] {
  return own => {
    let told = nothing
    let all = nothing
    member.on('message', (message: Message) => {
      if ('counts' in message) all = message.counts
    })
    const tell = () => {
      if (!member.isConnected() || own().batches + own().errors === told.batches + told.errors) return
      told = own()
      member.send({ counts: told } satisfies Message)
    }
    setInterval(tell, countsMs).unref()
    return () => {
      const { batches, rows, errors } = own()
      const since = { batches: batches - told.batches, rows: rows - told.rows, errors: errors - told.errors }
      return plus(all, since)
    }
  }
}
