import type {} from 'fastify'
import type { Kysely } from 'kysely'
import type { Config } from '../config.js'
import type { PoolCounts } from '../database/open.js'
import type { Database } from '../database/schema.js'
import type { AnswerMemory } from '../metrics/answer-memory.js'
import type { WorkerCounts } from '../rollup/worker.js'
import type { XapiVersion } from '../xapi/version.js'

/** What the HTTP scopes are given to work with; nothing in them reads the environment or the clock by itself. */
export interface HttpContext {
  readonly db: Kysely<Database>
  readonly config: Config
  /** The program's version. */
  readonly program: string
  /** The current instant. */
  readonly now: () => Date
  /** A new random UUID. */
  readonly makeId: () => string
  /** Says that work was enqueued, so that the worker need not wait for its next look. */
  readonly wakeWorker: () => void
  /** Where what metrics counted is remembered; undefined for nowhere. */
  readonly memory?: AnswerMemory | undefined
  /** What this process's worker has done. */
  readonly workerCounts: () => WorkerCounts
  /** The connections of this process. */
  readonly poolCounts: () => PoolCounts
}

/** Who is asking: the credential or token that a request was authenticated with, and the tenant it belongs to. */
export interface Principal {
  /** The credential's key, or who the token was made for. */
  readonly key: string
  readonly tenantId: number
  /** IANA name of the tenant's time zone. */
  readonly timeZone: string
  readonly scopes: readonly string[]
  /** The Agent, as JSON text, that is written as the authority of what this credential stores. */
  readonly authority: string
  /** Whether an authority that is sent with a statement is kept, instead of being replaced by the one above. */
  readonly mayAssertAuthority: boolean
  /** The `personId` of whom it stands for, to whom `line/read` and `self/read` are limited; null for nobody. */
  readonly personId: string | null
  /** Whether only statements with the authority above may be read (`statements/read/mine`). */
  readonly readsMineOnly: boolean
  /** Whether what is stored may define activities (`define`). */
  readonly mayDefine: boolean
}

declare module 'fastify' {
  interface FastifyContextConfig {
    /** A credential needs one of these scopes, or one that opens it; a route without them is open to everybody. */
    scopes?: readonly string[]
  }
  interface FastifyRequest {
    principal: Principal
    /** The version of the standard that the request speaks; only under `/xapi`. */
    xapiVersion: XapiVersion
    /** What the outside puts in front of our paths, such as `/lrs`; empty for nothing. */
    pathPrefix: string
  }
}
