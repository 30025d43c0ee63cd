import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { FastifyInstance, InjectOptions, LightMyRequestResponse } from 'fastify'
import type { Kysely } from 'kysely'
import { pino } from 'pino'
import type { Test } from 'tap'
import { buildApp } from '../../src/app.js'
import { type Config, readConfig } from '../../src/config.js'
import type { Database } from '../../src/database/schema.js'
import { logSerializers } from '../../src/http/log-serializers.js'
import { operatorScopes } from '../../src/http/scopes.js'
import { makeAnswerMemory } from '../../src/metrics/answer-memory.js'
import { processQueue } from '../../src/rollup/process-queue.js'
import type { WorkerCounts } from '../../src/rollup/worker.js'
import { createCredential } from '../../src/store/credential.js'
import { ensureTenant } from '../../src/store/tenant.js'
import { type TestDatabase, testDatabase } from './database.js'

/** Somebody with a credential: each call is made with it, and under `/xapi` with the version header. */
export interface Caller {
  readonly tenantId: number
  readonly key: string
  readonly secret: string
  /** The value of the Authorization header. */
  readonly authorization: string
  readonly call: (request: InjectOptions) => Promise<LightMyRequestResponse>
  /** POSTs a statement or a list, or text just as it is. */
  readonly post: (body: unknown) => Promise<LightMyRequestResponse>
  readonly put: (statementId: string, body: unknown) => Promise<LightMyRequestResponse>
  readonly get: (query: Readonly<Record<string, string>>) => Promise<LightMyRequestResponse>
  readonly putPeople: (body: unknown) => Promise<LightMyRequestResponse>
}

/** The HTTP service over a database of its own, with a first tenant. */
export interface TestApp extends TestDatabase, Caller {
  readonly app: FastifyInstance
  /** Listens on a free port, once; the same address as `http://127.0.0.1:…` every time. */
  readonly listen: () => Promise<string>
  /** A further credential, which stands for nobody unless a personId is given. */
  readonly addCaller: (tenant: string, scopes?: readonly string[], personId?: string | null) => Promise<Caller>
  /** Recomputes what the queue names, until nothing is due. */
  readonly drain: () => Promise<void>
}

export interface TestAppOptions {
  readonly config?: Partial<Config>
  readonly timeZone?: string
  readonly now?: () => Date
  readonly poolSize?: number
  readonly workerCounts?: () => WorkerCounts
  /** Hears each line of the log, whatever its level; without it nothing is logged. */
  readonly onLog?: (line: string) => void
}

/** Builds the service over a clone of the template; both go when the test ends. */
export async function testApp(t: Test, options: TestAppOptions = {}): Promise<TestApp> {
  const opened = await testDatabase(t, options.poolSize)
  const { db } = opened
  const app = await buildApp({
    context: {
      db,
      config: { ...readConfig({}), ...options.config },
      now: options.now ?? (() => new Date()),
      makeId: randomUUID,
      program: '0.0.0',
      memory: makeAnswerMemory(10_000),
      wakeWorker: () => undefined,
      workerCounts: options.workerCounts ?? (() => ({ batches: 0, rows: 0, errors: 0 })),
      poolCounts: () => ({
        total: opened.pool.totalCount,
        idle: opened.pool.idleCount,
        waiting: opened.pool.waitingCount
      })
    },
    logger:
      options.onLog === undefined
        ? pino({ level: 'silent' })
        : pino({ level: 'trace', serializers: logSerializers }, { write: options.onLog }),
    version: '0.0.0'
  })
  t.teardown(() => app.close())
  const addCaller: TestApp['addCaller'] = (tenant, scopes = operatorScopes, personId = null) =>
    makeCaller(db, app, { tenant, scopes, personId, timeZone: options.timeZone ?? 'UTC' })
  let url: Promise<string> | null = null
  return {
    ...opened,
    ...(await addCaller('first')),
    app,
    addCaller,
    listen: () => {
      url ??= listen(app)
      return url
    },
    drain: () => drain(db)
  }
}

async function listen(app: FastifyInstance): Promise<string> {
  await app.listen({ host: '127.0.0.1', port: 0 })
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
}

async function makeCaller(
  db: Kysely<Database>,
  app: FastifyInstance,
  {
    tenant,
    timeZone,
    ...rights
  }: {
    readonly tenant: string
    readonly scopes: readonly string[]
    readonly personId: string | null
    readonly timeZone: string
  }
): Promise<Caller> {
  const { id: tenantId } = await ensureTenant(db, tenant, timeZone)
  const key = randomUUID()
  const secret = `${randomUUID()}:with:colons`
  await createCredential(db, { tenantId, name: tenant, key, secret, ...rights })
  const authorization = basic(key, secret)
  const call = (request: InjectOptions) =>
    app.inject({ ...request, headers: { authorization, 'x-experience-api-version': '1.0.3', ...request.headers } })
  const send = (method: 'POST' | 'PUT', path: string, body: unknown) =>
    call({
      method,
      url: path,
      headers: { 'content-type': 'application/json' },
      payload: typeof body === 'string' ? body : JSON.stringify(body)
    })
  return {
    tenantId,
    key,
    secret,
    authorization,
    call,
    post: body => send('POST', '/xapi/statements', body),
    put: (statementId, body) => send('PUT', `/xapi/statements?statementId=${statementId}`, body),
    get: query => call({ method: 'GET', url: `/xapi/statements?${new URLSearchParams(query)}` }),
    putPeople: body => send('PUT', '/api/v1/people', body)
  }
}

/** The value of an Authorization header. */
export function basic(key: string, secret: string): string {
  return `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`
}

/** Recomputes what the queue names, until nothing is due. */
export async function drain(db: Kysely<Database>): Promise<void> {
  while ((await processQueue(db, 100)) > 0);
}
