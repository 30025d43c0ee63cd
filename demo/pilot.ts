import { once } from 'node:events'
import { argv, env, stdout } from 'node:process'
import { parseArgs } from 'node:util'
import { DateTime } from 'luxon'
import { daysOf, type Pilot } from './deeds.js'
import { type Learner, makeLearners, rosterOf } from './learners.js'
import { askMetric, caughtUp, enrol } from './metrics.js'
import { reportOutcome } from './outcome.js'
import { showProgress } from './progress.js'
import { reportPilot } from './report.js'
import { send } from './send.js'
import { findService, type Service, startService } from './service.js'
import { makeStatements, type PilotStatements } from './statements.js'

const usage = `Usage: npm run demo -- [--seed <number>] [--keep]

Plays an eight-week micro-coaching pilot of 200 learners that ends yesterday, and prints how it went.

  --seed <number>  other learners' luck; the same seed on the same day sends the same statements (default 7)
  --keep           leaves the service running until Ctrl-C, to try it out

It starts the service on a throw-away database, unless one is ready at MOMENTUM_URL (default http://127.0.0.1:8080)
and MOMENTUM_KEY and MOMENTUM_SECRET are set: then the demo's people and statements are added to that one.
`

interface Options {
  readonly seed: number
  readonly keep: boolean
  readonly help: boolean
}

/** Runs the demo from the search for a service to its end. */
async function main(options: Options, signal: AbortSignal): Promise<void> {
  print('Momentum LRS demo: an eight-week micro-coaching pilot with 200 learners\n')
  const service = (await findService(env)) ?? (await start(signal))
  try {
    print(
      `${service.ownedByDemo ? 'Started a service with a throw-away database' : 'Using the service'} at ${service.url}`
    )
    await play(service, options, signal)
    if (options.keep && service.ownedByDemo) await keep(service, signal)
  } finally {
    if (service.ownedByDemo) print('Stopping the service and removing its data')
    await service.stop()
  }
}

function start(signal: AbortSignal): Promise<Service> {
  const zone = env.TENANT_TIME_ZONE
  return startService(zone === undefined || zone === '' ? 'UTC' : zone, signal)
}

async function play(service: Service, { seed }: Options, signal: AbortSignal): Promise<void> {
  const pilot: Pilot = { seed, ...(await yesterdayOf(service)) }
  const learners = makeLearners()
  await enrolAll(service, pilot, learners)
  const statements = makeStatements(pilot, learners)
  const seconds = await sendAll(service, statements, signal)
  const lagSeconds = await measureLag(service, signal)
  print(`\nHow the pilot did, ${firstDayOf(pilot)} to ${pilot.lastDay} (${pilot.zone})\n`)
  print(await reportPilot(service, pilot, stdout.isTTY && env.NO_COLOR === undefined))
  print(`\n${summary(statements, seconds)}`)
  print(
    lagSeconds === null
      ? 'The derived tables are still catching up.'
      : `The derived tables had everything ${lagSeconds.toFixed(1)} s after the last.`
  )
  print(`\n${await reportOutcome(service, pilot, firstDayOf(pilot))}\n`)
}

/** For how long after the last statement the derived tables lack something; null when that outlasts our patience. */
async function measureLag(service: Service, signal: AbortSignal): Promise<number | null> {
  const started = performance.now()
  return (await caughtUp(service, signal)) ? (performance.now() - started) / 1000 : null
}

/** Yesterday as the service's tenant has it, who may live in another zone and whose clock is the one that counts. */
async function yesterdayOf(service: Service): Promise<Omit<Pilot, 'seed'>> {
  const { meta } = await askMetric(service, 'active-users', {})
  const zone = meta.query.timeZone
  return { zone, lastDay: DateTime.fromISO(meta.asOf, { zone }).minus({ days: 1 }).toFormat('yyyy-MM-dd') }
}

async function enrolAll(service: Service, pilot: Pilot, learners: readonly Learner[]): Promise<void> {
  const roster = rosterOf(learners, firstDayOf(pilot))
  const { received, created } = await enrol(service, roster)
  print(`Enrolled ${received} people, ${created} of them new: ${learners.length} learners and their managers`)
}

/** Sends the punctual statements, then the late ones, then the voids, and says how many seconds that took. */
async function sendAll(service: Service, statements: PilotStatements, signal: AbortSignal): Promise<number> {
  const parts = [
    ['eight weeks of coaching', statements.punctual],
    ['late ones', statements.late],
    ['voids', statements.voids]
  ] as const
  const total = parts.reduce((sum, [, list]) => sum + list.length, 0)
  print(`Sending ${total} statements with the npm client @xapi/xapi`)
  const progress = showProgress(total)
  const started = performance.now()
  try {
    for (const [part, list] of parts) {
      await send(service, list, { signal, onSent: sent => progress.advance(sent, part) })
    }
  } finally {
    progress.stop()
  }
  return (performance.now() - started) / 1000
}

function summary({ punctual, late, voids }: PilotStatements, seconds: number): string {
  const sent = punctual.length + late.length + voids.length
  return (
    `Posted ${sent} statements in ${seconds.toFixed(1)} s (${Math.round(sent / seconds)} per second): ` +
    `${late.length} came late and out of order, ${voids.length} voided another.`
  )
}

/** Leaves the service to the reader until they press Ctrl-C. */
async function keep(service: Service, signal: AbortSignal): Promise<void> {
  print(`
The service stays until Ctrl-C.
  Reference  ${service.url}/docs
  Key        ${service.key}
  Secret     ${service.secret}

  curl -u '${service.key}:${service.secret}' '${service.url}/api/v1/metrics/active-users?cohort=pilot'
`)
  if (!signal.aborted) await once(signal, 'abort')
}

function firstDayOf(pilot: Pilot): string {
  return daysOf(pilot)[0]?.start.toFormat('yyyy-MM-dd') ?? pilot.lastDay
}

function print(text: string): void {
  stdout.write(`${text}\n`)
}

function readOptions(): Options {
  const { values } = parseArgs({
    args: argv.slice(2),
    options: {
      seed: { type: 'string', default: '7' },
      keep: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false }
    }
  })
  if (!/^\d{1,9}$/.test(values.seed)) throw new Error('--seed must be a whole number of at most nine digits')
  return { ...values, seed: Number(values.seed) }
}

const stopping = new AbortController()
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(name, () => stopping.abort())
try {
  const options = readOptions()
  if (options.help) print(usage)
  else await main(options, stopping.signal)
} catch (error) {
  // 130 is what a shell expects of a program that Ctrl-C ended.
  process.exitCode = stopping.signal.aborted ? 130 : 1
  const text = error instanceof Error ? error.message : String(error)
  if (!stopping.signal.aborted) process.stderr.write(`The demo failed. ${text}\n`)
}
