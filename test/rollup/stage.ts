import { deepStrictEqual } from 'node:assert'
import { randomUUID } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../../src/database/schema.js'
import type { MappingRule } from '../../src/events/mapping-rule.js'
import { putMapping } from '../../src/events/put-mapping.js'
import { setTimeZone } from '../../src/events/set-time-zone.js'
import { derive } from '../../src/rollup/derive.js'
import { processQueue } from '../../src/rollup/process-queue.js'
import { rebuildPersons } from '../../src/rollup/rebuild-rollups.js'
import { recordStatements } from '../../src/rollup/record-statements.js'
import { internWords } from '../../src/store/dictionary.js'
import { ensureTenant } from '../../src/store/tenant.js'
import { prepareStatement } from '../../src/xapi/prepare.js'
import { aim, dealer } from '../people/deals.js'
import { type Deal, type NaivePersons, naivePersons } from '../people/naive-persons.js'
import { drain } from '../support/app.js'
import { everyWord, type Statement, type Story } from './story.js'

/** Where a story is played: two ways into one database, one of them cut off now and then. */
export interface Stage {
  readonly db: Kysely<Database>
  readonly fragile: Kysely<Database>
  /** As the database knows the connections of `fragile`. */
  readonly fragileName: string
}

/** What is true when a story has been played. */
export interface Outcome {
  readonly tenantId: number
  readonly timeZone: string
  readonly rules: readonly MappingRule[]
  readonly persons: NaivePersons
}

const options = { chunkSize: 3, rebuildPersons }

type Step = Story['steps'][number]
type Task = (db: Kysely<Database>) => Promise<unknown>

/** Plays a story in a tenant of its own, and works off all that it has left to do. */
export async function play(
  stage: Stage,
  { ordered, opening, steps, timeZone, areWordsKnown }: Story
): Promise<Outcome> {
  const { db } = stage
  const name = randomUUID()
  const { id: tenantId } = await ensureTenant(db, name, timeZone)
  const { deal, changes } = dealer(db, tenantId)
  const outcome = { tenantId, timeZone, rules: [] as readonly MappingRule[], persons: naivePersons() }
  await internWords(db, { tenantId, dictionary: 'agent' }, everyWord.agent)
  if (areWordsKnown) {
    await internWords(db, { tenantId, dictionary: 'verb' }, everyWord.verb)
    await internWords(db, { tenantId, dictionary: 'activity' }, everyWord.activity)
  }
  const check = async (wanted: Deal) => {
    const aimed = aim(wanted, changes(), outcome.persons.ownerOf)
    deepStrictEqual(await deal(aimed), outcome.persons.deal(aimed), JSON.stringify(aimed))
  }
  for (const wanted of opening) await check(wanted)
  const left = [...ordered]
  for (let at = 0; left.length > 0; at++) {
    const step = steps[at % steps.length] as Step
    const batch = left.splice(0, step.take)
    if (step.isCrash) await crash(stage, tenantId, batch, step)
    await run(db, step.atOnce, [
      () => send(db, tenantId, batch),
      ...(step.deal === null ? [] : [step.deal]).map(wanted => () => check(wanted)),
      ...(step.rules === null ? [] : [step.rules]).map(rules => async () => {
        await putMapping(db, tenantId, { rules, createdBy: 'test', checkCurrent: () => undefined })
        outcome.rules = rules
      }),
      ...(step.timeZone === null ? [] : [step.timeZone]).map(zone => async () => {
        await setTimeZone(db, name, { timeZone: zone, setBy: 'test' })
        outcome.timeZone = zone
      }),
      ...workOf(step)
    ])
  }
  while ((await derive(db, options)) > 0);
  await drain(db)
  return outcome
}

async function run(db: Kysely<Database>, atOnce: boolean, tasks: readonly Task[]): Promise<void> {
  if (atOnce) await Promise.all(tasks.map(task => task(db)))
  else for (const task of tasks) await task(db)
}

function workOf({ work, derivations }: Step): readonly Task[] {
  return [
    ...Array.from({ length: work?.workers ?? 0 }, (): Task => db => processQueue(db, work?.batchSize ?? 0)),
    ...Array.from({ length: derivations }, (): Task => db => derive(db, options))
  ]
}

/** Begins what the step is about, and cuts its connections: what was under way is lost, or done, and nothing between. */
async function crash(stage: Stage, tenantId: number, batch: readonly Statement[], step: Step): Promise<void> {
  const { db, fragile, fragileName } = stage
  const tasks: readonly Task[] = [fragile => send(fragile, tenantId, batch), ...workOf(step)]
  const begun = Promise.allSettled(tasks.map(task => task(fragile)))
  await sql`
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = ${fragileName}`.execute(db)
  await begun
}

async function send(db: Kysely<Database>, tenantId: number, statements: readonly Statement[]): Promise<void> {
  const unique = [...new Map(statements.map(statement => [statement.id, statement])).values()]
  const prepared = unique.map(({ id, body }) =>
    prepareStatement(
      { text: JSON.stringify(body), value: body },
      { id, makeId: randomUUID, authority: '{"mbox":"mailto:lrs@example.org"}', version: '1.0.3' }
    )
  )
  await recordStatements(db, tenantId, prepared, { mayDefine: true })
}
