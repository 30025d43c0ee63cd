import { spawn } from 'node:child_process'
import { chmod, chown, mkdir } from 'node:fs/promises'
import { env } from 'node:process'
import { failure } from './embedded-failure.js'

/** Whom the server's programs run as. */
export interface Account {
  /** The name, or the number when the account has none. */
  readonly name: string
  readonly uid: number
  readonly gid: number
}

/** What decides the account. */
export interface AccountSituation {
  /** The user that this process runs as. */
  readonly uid: number
  /** The text of /etc/passwd. */
  readonly passwd: string
  /** Who owns the cluster that is there already; null for none. */
  readonly owner: { readonly uid: number; readonly gid: number } | null
}

/** What a program wrote and how it ended; `code` is null when it couldn't be started or was killed. */
export interface Ran {
  readonly code: number | null
  readonly output: string
}

/** The accounts that root lends the server, best first: PostgreSQL refuses to run as root. */
const candidates = ['postgres', 'nobody']

/**
 * Chooses whom the server runs as: null, as oneself, for an ordinary user; for root the owner of the cluster that is
 * there, or else an account of the system that has no rights.
 *
 * @throws LrsError `embedded-server-failed` when root finds no such account.
 */
export function chooseAccount({ uid, passwd, owner }: AccountSituation): Account | null {
  if (uid !== 0) return null
  const accounts = parsePasswd(passwd)
  if (owner !== null && owner.uid !== 0) {
    return { name: accounts.find(account => account.uid === owner.uid)?.name ?? String(owner.uid), ...owner }
  }
  const found = candidates.map(name => accounts.find(account => account.name === name)).find(account => account)
  if (found !== undefined) return found
  throw failure(
    'PostgreSQL does not run as root, and this system has neither a user postgres nor a user nobody to run it as: ' +
      'make one, start as an ordinary user, or set DATABASE_URL'
  )
}

function parsePasswd(text: string): readonly Account[] {
  return text
    .split('\n')
    .map(line => line.split(':'))
    .map(([name = '', , uid, gid]) => ({ name, uid: Number(uid), gid: Number(gid) }))
    .filter(({ name, uid, gid }) => name !== '' && uid > 0 && gid >= 0)
}

/** What is handed to `spawn` to run as the account. */
export function identity(account: Account | null): { readonly uid?: number; readonly gid?: number } {
  return account === null ? {} : { uid: account.uid, gid: account.gid }
}

/** Gives a file or folder to the account. */
export async function give(path: string, account: Account | null): Promise<void> {
  if (account !== null) await chown(path, account.uid, account.gid)
}

/** Makes a folder, unless it is there, that every account can pass through, whatever the umask. */
export async function makeOpenFolder(path: string): Promise<void> {
  const made = await mkdir(path, { recursive: true })
  if (made !== undefined) await chmod(path, 0o755)
}

/** A plain environment: no PG* variable of ours reaches the server, and its messages stay in English. */
export function serverEnvironment(): NodeJS.ProcessEnv {
  return { PATH: env.PATH ?? '/usr/bin:/bin', LC_ALL: 'C', TZ: 'UTC' }
}

/** Runs a program as the account to its end. A program that can't be started is a result too, with the reason. */
export function runAs(account: Account | null, file: string, args: readonly string[], cwd = '/'): Promise<Ran> {
  return new Promise(resolve => {
    const child = spawn(file, args, {
      ...identity(account),
      cwd,
      env: serverEnvironment(),
      stdio: ['ignore', 'pipe', 'pipe']
    })
    const output: Buffer[] = []
    child.stdout.on('data', (chunk: Buffer) => output.push(chunk))
    child.stderr.on('data', (chunk: Buffer) => output.push(chunk))
    child.on('error', error => resolve({ code: null, output: error.message }))
    child.on('close', code => resolve({ code, output: Buffer.concat(output).toString('utf8') }))
  })
}

/** Whether the account can enter a folder; tried rather than computed, because modes don't tell of ACLs and mounts. */
export async function canEnter(account: Account | null, folder: string): Promise<boolean> {
  const { code } = await runAs(account, '/bin/sh', ['-c', 'cd -- "$0"', folder])
  return code === 0
}
