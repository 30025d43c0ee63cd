import { deepStrictEqual } from 'node:assert'
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { sql } from 'kysely'
import { DateTime } from 'luxon'
import t from 'tap'
import { findMapping } from '../../src/events/find-mapping.js'
import { learningEventOf } from '../../src/events/learning-event.js'
import type { MappingRule } from '../../src/events/mapping-rule.js'
import { putMapping } from '../../src/events/put-mapping.js'
import { setTimeZone } from '../../src/events/set-time-zone.js'
import { derive } from '../../src/rollup/derive.js'
import { countColumns, learnerDays } from '../../src/rollup/learner-days.js'
import { processQueue } from '../../src/rollup/process-queue.js'
import { rebuildPersons } from '../../src/rollup/rebuild-rollups.js'
import { recordStatements } from '../../src/rollup/record-statements.js'
import { ensureTenant, type Tenant } from '../../src/store/tenant.js'
import { type PreparedStatement, prepareStatement } from '../../src/xapi/prepare.js'
import { drain } from '../support/app.js'
import { testDatabase } from '../support/database.js'

const { db } = await testDatabase(t, 10)

const verbs = [
  'https://lms.example/verbs/a',
  'https://lms.example/verbs/b',
  'https://w3id.org/momentum-lrs/verbs/opened'
]
const types = ['https://types.example/course', 'https://types.example/video']
const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe']

const rules = fc.uniqueArray(
  fc
    .record({
      verb: fc.constantFrom(...verbs),
      activityType: fc.constantFrom(undefined, ...types),
      kind: fc.constantFrom('completed-task', 'visited', 'peer-feedback', null)
    })
    .map(({ verb, activityType, kind }) => ({ verb, kind, ...(activityType && { activityType }) }) as MappingRule),
  { maxLength: 4, selector: ({ verb, activityType }) => `${verb} ${activityType}` }
)

const deeds = fc.record({
  verb: fc.constantFrom(...verbs),
  type: fc.constantFrom(undefined, ...types),
  actor: fc.nat(3),
  minutes: fc.nat(3 * 24 * 60)
})

const stories = fc.record({
  batches: fc.array(fc.array(deeds, { minLength: 1, maxLength: 4 }), { minLength: 6, maxLength: 14 }),
  mappings: fc.array(rules, { minLength: 2, maxLength: 6 }),
  zones: fc.array(fc.constantFrom(...zones), { maxLength: 2 }),
  chunkSize: fc.integer({ min: 1, max: 6 })
})

type Deed = typeof deeds extends fc.Arbitrary<infer D> ? D : never

function prepared({ verb, type, actor, minutes }: Deed): PreparedStatement {
  const value = {
    actor: { mbox: `mailto:agent-${actor}@example.org` },
    verb: { id: verb },
    object: { id: 'https://example.org/modules/feedback', ...(type && { definition: { type } }) },
    timestamp: new Date(Date.parse('2026-03-28T00:00:00Z') + minutes * 60_000).toISOString()
  }
  const authority = '{"mbox":"mailto:lrs@example.org"}'
  return prepareStatement({ text: JSON.stringify(value), value }, { makeId: randomUUID, authority, version: '1.0.3' })
}

/** Each event as its statement's id → kind and local day. */
async function storedEvents({ id }: Tenant): Promise<Record<string, string>> {
  const { rows } = await sql<{ statement_id: string; kind: string; day: string }>`
    select statement_id, kind, day from learning_event where tenant_id = ${id}`.execute(db)
  return Object.fromEntries(rows.map(({ statement_id, kind, day }) => [statement_id, `${kind} ${day}`]))
}

async function learnerDayRows({ id, timeZone }: Tenant, source: 'rollup' | 'events'): Promise<unknown> {
  const window = { tenantId: id, timeZone, from: '2026-03-01', to: '2026-05-01', asOf: new Date() }
  const columns = sql.join(countColumns.map(column => sql.ref(column)))
  const { rows } = await sql`
    select person_id, day, ${columns} from (${learnerDays({ ...window, source })}) as days
    order by person_id, day`.execute(db)
  return rows
}

t.test(
  'statements, mappings, zones, derivations and workers at the same time: in the end every event is that of the last mapping and zone',
  async t => {
    let races = 0
    await fc.assert(
      fc.asyncProperty(stories, async story => {
        const name = randomUUID()
        const { id: tenantId } = await ensureTenant(db, name, 'UTC')
        const options = { chunkSize: story.chunkSize, rebuildPersons }
        const batches = story.batches.map(batch => batch.map(prepared))
        let writing = true
        const sendSome = async (part: number) => {
          for (const batch of batches.filter((_, at) => at % 3 === part)) {
            await recordStatements(db, tenantId, batch, { mayDefine: true })
          }
        }
        const putAll = async () => {
          for (const rules of story.mappings) {
            await putMapping(db, tenantId, { rules, createdBy: 'test', checkCurrent: () => undefined })
          }
        }
        const moveAll = async () => {
          for (const timeZone of story.zones) await setTimeZone(db, name, { timeZone, setBy: 'test' })
        }
        const goOn = async (work: () => Promise<number>) => {
          while (writing) await work()
        }
        const beside = [
          goOn(() => derive(db, options)),
          goOn(() => derive(db, options)),
          goOn(() => processQueue(db, 5))
        ]
        await Promise.all([sendSome(0), sendSome(1), sendSome(2), putAll(), putAll(), moveAll()])
        writing = false
        await Promise.all(beside)
        while ((await derive(db, options)) > 0);
        await drain(db)

        const mapping = await findMapping(db, tenantId)
        const tenant = await ensureTenant(db, name, 'UTC')
        const expected = batches.flat().flatMap(statement => {
          const event = learningEventOf(statement, mapping)
          const day = DateTime.fromISO(statement.timestamp ?? '', { zone: tenant.timeZone }).toISODate()
          return event === null ? [] : [[statement.id, `${event.kind} ${day}`]]
        })
        // Thrown, and not told to tap, so that fast-check looks for the shortest story that fails.
        deepStrictEqual(await storedEvents(tenant), Object.fromEntries(expected))
        deepStrictEqual(await learnerDayRows(tenant, 'rollup'), await learnerDayRows(tenant, 'events'))
        races += mapping.version
      }),
      { numRuns: 25 }
    )
    t.ok(races > 25, `${races} mappings were put in force`)
  }
)
