#!/usr/bin/env node
import cluster from 'node:cluster'
import { readFileSync } from 'node:fs'
import { inspect } from 'node:util'
import { type Logger, pino } from 'pino'
import { UsageError } from './commands/command.js'
import { usage as commandUsage, isGroup, runCommand } from './commands/run.js'
import { type Config, readConfig } from './config.js'
import { explainConnection } from './database/explain-connection.js'
import { openDatabase } from './database/open.js'
import { LrsError } from './errors.js'
import { logSerializers } from './http/log-serializers.js'
import { buildService, type Service, startService } from './service.js'
import { sayReady, startMember, startWorkers } from './workers.js'

const usage = `Usage: momentum [command]

  start     run the service (this is the default)
  openapi   print the OpenAPI document

${commandUsage}`

/** Set in a process that another one of the program has started to answer requests. */
const member = cluster.worker

const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }

const commands: Readonly<Record<string, () => Promise<void>>> = { start, openapi }

const args = process.argv.slice(2)
const word = args[0] ?? 'start'
const command = isGroup(word) ? manage : commands[word]
if (command === undefined) {
  process.stderr.write(usage)
  process.exitCode = 2
} else {
  await command().catch(fail)
}

async function start(): Promise<void> {
  const config = readConfig(process.env)
  const logger = pino({ level: config.logLevel, serializers: logSerializers }, pino.destination(2))
  let stopping = false
  let service: Service | null = null
  const stop = (signal: NodeJS.Signals) => {
    // A terminal's Ctrl-C comes to npm and from npm again: the second one is no sign of impatience.
    if (stopping) return
    stopping = true
    logger.info({ signal }, 'stopping')
    service?.stop().catch(fail)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  service = await begin(config, logger)
  if (stopping) await service.stop()
  else if (member !== undefined) sayReady(member, service)
  else process.stdout.write(greeting(service))
}

/** One of several processes, all of them with the one that holds them, or the only one. */
function begin(config: Config, logger: Logger): Promise<Service> {
  if (member !== undefined) return startMember(member, { config, logger, version })
  return config.workers > 1 ? startWorkers(config, logger) : startService(config, logger, version)
}

/** `momentum credential …`, `momentum rebuild` and the others that `commands` knows. */
async function manage(): Promise<void> {
  try {
    const config = readConfig(process.env)
    const place = {
      config,
      log: (line: string) => process.stderr.write(`${line}\n`),
      print: (line: string) => process.stdout.write(`${line}\n`),
      exitWith: (code: number) => {
        process.exitCode = code
      },
      ...(process.stderr.isTTY ? { terminal: process.stderr } : {})
    }
    process.stdout.write(await runCommand(args, place))
  } catch (error) {
    if (!(error instanceof UsageError)) throw error
    process.stderr.write(`${error.message}\n\n${usage}`)
    process.exitCode = 2
  }
}

async function openapi(): Promise<void> {
  const config = readConfig({})
  const logger = pino({ level: 'silent' })
  const connection = { connectionString: 'postgres://nowhere/never-connected' }
  const { db } = openDatabase({ connection, poolSize: 1, onError: () => undefined })
  const worker = { wake: () => undefined, counts: () => ({ batches: 0, rows: 0, errors: 0 }) }
  const poolCounts = () => ({ total: 0, idle: 0, waiting: 0 })
  const app = await buildService(db, { config, logger, version, poolCounts }, worker)
  await app.ready()
  process.stdout.write(`${JSON.stringify(app.swagger(), null, 2)}\n`)
  await app.close()
  await db.destroy()
}

function greeting({ url, credential }: Service): string {
  const secret = credential.secret ?? '(printed at the first start only)'
  const userPass = shellQuote(`${credential.key}:${credential.secret ?? '<secret>'}`)
  const statement = {
    actor: { mbox: 'mailto:ada@example.org' },
    verb: { id: 'https://w3id.org/momentum-lrs/verbs/opened' },
    object: { id: 'https://example.org/modules/feedback' }
  }
  return `Momentum LRS ${version} is ready.

  xAPI endpoint   ${url}/xapi
  API reference   ${url}/docs
  key             ${credential.key}
  secret          ${secret}

Store a first statement:

  curl -u ${userPass} -H 'X-Experience-API-Version: 1.0.3' -H 'Content-Type: application/json' -d ${shellQuote(JSON.stringify(statement))} ${url}/xapi/statements

`
}

function shellQuote(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}

function fail(error: unknown): void {
  process.stderr.write(`Momentum LRS cannot go on.\n${explain(error)}\n`)
  process.exitCode = 1
}

function explain(error: unknown): string {
  if (error instanceof LrsError) return `${error.code}: ${error.message}`
  const { DATABASE_URL: url = '' } = process.env
  const unreachable = url === '' ? null : explainConnection(url, error)
  return unreachable === null ? inspect(error) : `database-unreachable: ${unreachable}`
}
