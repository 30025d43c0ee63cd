import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { chmod, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { attachment, dataPart, jsonPart, multipart, multipartType } from '../test/support/multipart.js'
import type { Measurement } from './ingest.js'
import { makeStatement } from './statements.js'

const boundMb = 400
const key = 'bench'
const secret = 'a secret of the bench alone'
const headers = {
  authorization: `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`,
  'x-experience-api-version': '1.0.3'
}
const connections = 8
const withAttachments = { statements: 25, sizes: [10_000, 100_000, 1_000_000] } as const

/** What is sent on and on by each connection. */
type Sender = (url: string, number: number) => Promise<Response>

/**
 * Measures the most memory (RSS) that the service's process takes, as it is started by its users and with the settings
 * that it has by itself, under sustained loads of 8 connections.
 *
 * @param seconds how long each load goes on.
 */
export async function benchMemory(seconds: number): Promise<readonly Measurement[]> {
  const dataDir = await mkdtemp(join(tmpdir(), 'momentum-bench-'))
  await chmod(dataDir, 0o755)
  const service = await startProcess(dataDir)
  try {
    const measured = [
      lineOf('just started', { peak: peakMb(service.pid), early: rssMb(service.pid), late: 0, perSecond: 0 })
    ]
    const loads: Readonly<Record<string, Sender>> = {
      'batches of 100': sendBatch,
      [`batches of ${withAttachments.statements} with three attachments of 10 kB, 100 kB and 1 MB`]: sendAttachments,
      'the same, while every fourth request reads a page of 100 with all attachments': (url, number) =>
        number % 4 === 0 ? readAttachments(url) : sendAttachments(url, number)
    }
    for (const [what, send] of Object.entries(loads)) {
      measured.push(lineOf(what, await underLoad(service, send, seconds)))
    }
    return measured
  } finally {
    service.child.kill('SIGTERM')
    await once(service.child, 'exit')
    await rm(dataDir, { recursive: true, force: true })
  }
}

interface Service {
  readonly child: ChildProcess
  readonly pid: number
  readonly url: string
}

async function startProcess(dataDir: string): Promise<Service> {
  const child = fork(new URL('../../dist/main.js', import.meta.url), [], {
    // As `npm start` has it.
    execArgv: ['--max-old-space-size=1024'],
    env: {
      ...process.env,
      DATABASE_URL: '',
      DATA_DIR: join(dataDir, 'data'),
      PORT: '0',
      BOOTSTRAP_KEY: key,
      BOOTSTRAP_SECRET: secret,
      LOG_LEVEL: 'error'
    },
    stdio: ['ignore', 'pipe', 'inherit', 'ipc']
  })
  if (child.stdout === null || child.pid === undefined) throw new Error('The service could not be started')
  let output = ''
  while (!output.includes('/xapi')) {
    const [chunk] = (await once(child.stdout, 'data')) as [Buffer]
    output += chunk.toString()
  }
  void text(child.stdout)
  const url = /(http:\/\/\S+)\/xapi/.exec(output)?.[1]
  if (url === undefined) throw new Error(`The service says no address: ${output}`)
  return { child, pid: child.pid, url }
}

/** Requests of all loads: no statement is sent twice. */
let sent = 0

interface Memory {
  readonly peak: number
  /** In the first and in the last quarter of the load, the most at any second. */
  readonly early: number
  readonly late: number
  readonly perSecond: number
}

async function underLoad({ pid, url }: Service, send: Sender, seconds: number): Promise<Memory> {
  const end = performance.now() + seconds * 1000
  const before = sent
  const seen: number[] = []
  const watch = setInterval(() => seen.push(rssMb(pid)), 1000)
  const client = async () => {
    while (performance.now() < end) {
      const response = await send(url, sent++)
      await response.arrayBuffer()
      if (!response.ok && response.status !== 503) throw new Error(`${response.status} was answered`)
    }
  }
  await Promise.all(Array.from({ length: connections }, client))
  clearInterval(watch)
  const quarter = Math.ceil(seen.length / 4)
  return {
    peak: peakMb(pid),
    early: Math.max(...seen.slice(0, quarter)),
    late: Math.max(...seen.slice(-quarter)),
    perSecond: (sent - before) / seconds
  }
}

function sendBatch(url: string, number: number): Promise<Response> {
  const body = JSON.stringify(Array.from({ length: 100 }, (_, at) => makeStatement(11, number * 100 + at)))
  return fetch(`${url}/xapi/statements`, {
    method: 'POST',
    headers: { ...headers, 'content-type': 'application/json' },
    body
  })
}

function sendAttachments(url: string, number: number): Promise<Response> {
  const contents = withAttachments.sizes.map(size => randomBytes(size))
  const statements = Array.from({ length: withAttachments.statements }, (_, at) => ({
    ...makeStatement(12, number * withAttachments.statements + at),
    ...(at < contents.length ? { attachments: [attachment(contents[at] ?? Buffer.of())] } : {})
  }))
  return fetch(`${url}/xapi/statements`, {
    method: 'POST',
    headers: { ...headers, 'content-type': multipartType },
    body: multipart([jsonPart(statements), ...contents.map(content => dataPart(content))])
  })
}

function readAttachments(url: string): Promise<Response> {
  return fetch(`${url}/xapi/statements?attachments=true&limit=100`, { headers })
}

/** @see proc(5), /proc/pid/status: resident memory, and the most that it ever was */
function statusMb(pid: number, field: 'VmRSS' | 'VmHWM'): number {
  const found = new RegExp(`${field}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8'))
  return Number(found?.[1]) / 1024
}

function rssMb(pid: number): number {
  return statusMb(pid, 'VmRSS')
}

function peakMb(pid: number): number {
  return statusMb(pid, 'VmHWM')
}

function lineOf(what: string, { peak, early, late, perSecond }: Memory): Measurement {
  const told = `${peak.toFixed(0)} MB at most so far`
  const line = {
    what: `memory of the service, ${what}`,
    value:
      perSecond === 0
        ? told
        : `${told}; ${early.toFixed(0)} MB in the first quarter, ${late.toFixed(0)} in the last; ${perSecond.toFixed(1)} requests/s`,
    ratio: `${(peak / boundMb).toFixed(2)} of the bound`
  }
  process.stderr.write(`${line.what}: ${line.value}\n`)
  return line
}
