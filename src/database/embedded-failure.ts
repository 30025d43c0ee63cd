import { LrsError } from '../errors.js'

/** What to tell of a failure besides the failure. */
export interface FailureContext {
  /** What was being done, as the beginning of a sentence: `The embedded PostgreSQL could not be started`. */
  readonly attempt: string
  readonly dataDir: string
  /** Lines that the server or initdb wrote; the last few go into the message. */
  readonly output?: string
}

const shownLines = 12

const instead = 'or set DATABASE_URL to a PostgreSQL 15 to 18 of your own'

/** The first match in the failure's text says what to do about it. */
const remedies: readonly { readonly pattern: RegExp; readonly remedy: (dataDir: string) => string }[] = [
  {
    pattern: /No space left on device|ENOSPC|disk quota|EDQUOT/i,
    remedy: dir => `The disk is full: free some space for ${dir}.`
  },
  {
    pattern: /database files are incompatible|was initialized by PostgreSQL version/,
    remedy: dir => `${dir} was made by another version of PostgreSQL: move its data with pg_dump, ${instead}.`
  },
  {
    pattern: /postmaster\.pid" already exists|is another postmaster/,
    remedy: dir => `${dir} is in use by another running Momentum LRS: stop that one, or choose another DATA_DIR.`
  },
  {
    pattern: /pre-existing shared memory block/,
    remedy: dir =>
      `Processes of an earlier server still work on ${dir}: end them (they are named postgres) and start again.`
  },
  {
    pattern: /Address already in use|could not bind|lock file "[^"]*\.s\.PGSQL|could not create any Unix-domain socket/,
    remedy: () => 'The port or socket is taken by another server: stop that one, or set TMPDIR to another short folder.'
  },
  {
    pattern: /shared memory|could not map anonymous|Cannot allocate memory|ENOMEM|No space left in segment/i,
    remedy: () =>
      `The system gives too little (shared) memory: free some (in a container, raise --shm-size), ${instead}.`
  },
  {
    pattern: /has wrong ownership|must be started by the user that owns/,
    remedy: dir => `${dir} belongs to another user: start as that user, or choose another DATA_DIR.`
  },
  {
    pattern: /could not look up effective user ID/,
    remedy: () => `This user has no line in /etc/passwd, which initdb wants: start as one that has, ${instead}.`
  },
  {
    pattern: /error while loading shared libraries|Library not loaded|symbol not found|GLIBC|Exec format|ENOEXEC/i,
    remedy: () =>
      `Its programs can't run on this system (they want a common glibc Linux or macOS): ${instead.slice(3)}.`
  },
  { pattern: /EROFS|Read-only file system/i, remedy: dir => `${dir} can't be written: choose another DATA_DIR.` },
  {
    pattern: /ENOTDIR|EEXIST|not a directory/i,
    remedy: dir => `${dir} (or a part of its path) is not a directory: choose another DATA_DIR.`
  },
  {
    pattern: /EACCES|EPERM|Permission denied|Operation not permitted/i,
    remedy: dir => `A permission is missing: let this user write ${dir}, choose another DATA_DIR, ${instead}.`
  }
]

/** An `embedded-server-failed` with one message, for what is recognised before the server is tried. */
export function failure(message: string, cause?: unknown): LrsError {
  return new LrsError('embedded-server-failed', message, {}, cause === undefined ? {} : { cause })
}

/** Turns whatever went wrong into an `embedded-server-failed` that says what and what to do; an LrsError stays itself. */
export function explain(error: unknown, context: FailureContext): LrsError {
  if (error instanceof LrsError) return error
  const reason = error instanceof Error ? error.message : String(error)
  const lines = (context.output ?? '').trimEnd().split('\n').slice(-shownLines)
  const text = `${reason}\n${lines.join('\n')}`
  const remedy =
    remedies.find(({ pattern }) => pattern.test(text))?.remedy(context.dataDir) ??
    `See the log in ${context.dataDir}/postgres, ${instead}.`
  const tail = lines.join('').trim() === '' ? '' : `\nIts last lines:\n  ${lines.join('\n  ')}`
  return failure(`${context.attempt}: ${reason}. ${remedy}${tail}`, error)
}

/** Whether the error is one of the operating system's with one of these codes. */
export function hasCode(error: unknown, ...codes: readonly string[]): boolean {
  return error instanceof Error && 'code' in error && codes.includes(String(error.code))
}

/** For `catch`: null for an error with one of these codes; any other goes on. */
export function ignoring(...codes: readonly string[]): (error: unknown) => null {
  return error => {
    if (hasCode(error, ...codes)) return null
    throw error
  }
}
