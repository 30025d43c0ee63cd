import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import type { Test } from 'tap'
import { basic } from './app.js'

/** What the program says when it is ready. */
export interface Greeting {
  /** All of it, as printed. */
  readonly text: string
  /** Without a slash at the end. */
  readonly url: string
  readonly key: string
  readonly secret: string
  /** The line to paste. */
  readonly curl: string
  readonly authorization: string
}

/** The program as a process of its own. */
export interface Program {
  readonly child: ChildProcess
  /** Resolves when it is ready, and rejects with what it wrote when it ends before. */
  readonly ready: () => Promise<Greeting>
  /** Resolves when it has ended. */
  readonly ended: Promise<{ readonly code: number | null; readonly output: string; readonly errors: string }>
}

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url))

/** Starts the program with these settings only; it is killed when the test ends, if it still runs. */
export function startProgram(
  t: Test,
  settings: Readonly<Record<string, string>>,
  args: readonly string[] = []
): Program {
  const environment = { ...process.env, DATABASE_URL: '', PORT: '0', ...settings }
  const child = spawn(process.execPath, [...process.execArgv, main, ...args], {
    env: environment,
    stdio: ['ignore', 'pipe', 'pipe']
  })
  t.teardown(() => child.kill('SIGKILL'))
  let output = ''
  child.stdout.on('data', chunk => {
    output += chunk
  })
  const errors = text(child.stderr)
  const ended = once(child, 'close').then(async ([code]) => ({ code, output, errors: await errors }))
  return {
    child,
    ended,
    ready: async () => {
      const isOver = ended.then(() => true)
      while (!output.includes('curl ')) {
        const isDone = await Promise.race([isOver, once(child.stdout, 'data').then(() => false)])
        if (isDone) throw new Error(`The program ended before it was ready: ${(await ended).errors}`)
      }
      return readGreeting(output)
    }
  }
}

function readGreeting(output: string): Greeting {
  const read = (pattern: RegExp) => pattern.exec(output)?.[1] ?? ''
  const key = read(/key +(\S+)/)
  const secret = read(/secret +(.+)/)
  return {
    text: output,
    url: read(/xAPI endpoint +(\S+)\/xapi/),
    key,
    secret,
    curl: read(/^ *(curl .*)$/m),
    authorization: basic(key, secret)
  }
}
