import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import { sql } from 'kysely'
import t from 'tap'
import { openDatabase } from '../../src/database/open.js'
import { activeUsers } from '../../src/metrics/active-users.js'
import { measure } from '../../src/metrics/measure.js'
import type { Measurement } from '../../src/metrics/measurement.js'
import type { MeasureRequest } from '../../src/metrics/metric.js'
import { repeatRate } from '../../src/metrics/repeat-rate.js'
import { activityColumns } from '../../src/rollup/learner-activities.js'
import { dayColumns, learnerDays } from '../../src/rollup/learner-days.js'
import { verifyTenant } from '../../src/rollup/verify.js'
import { testDatabase } from '../support/database.js'
import { type History, naiveLearnerActivities, naiveLearnerDays, type Values, withoutZeros } from './naive.js'
import { naiveActiveUsers, naiveRepeatRate } from './naive-metrics.js'
import { type Outcome, play, type Stage } from './stage.js'
import { meaningOf, type Story, stories } from './story.js'

/** More of them where there is time: `MASTER_RUNS=100000 npm test -- test/rollup/master.test.ts`. */
const runs = Number(process.env.MASTER_RUNS ?? 100)

t.setTimeout(60_000 + runs * 2000)

const fragileName = 'fragile'
const database = await testDatabase(t, 6)
const fragile = openDatabase({
  connection: { connectionString: `${database.url}&application_name=${fragileName}` },
  poolSize: 6,
  onError: () => undefined
})
t.teardown(() => fragile.db.destroy())
const stage: Stage = { db: database.db, fragile: fragile.db, fragileName }

interface Row {
  readonly key: string
  readonly values: Values
}

/** Rows as the naive recomputation has them, by the persons' names. */
function plain(rows: readonly Row[], columns: readonly string[]): Record<string, Values> {
  const value = (column: string, stored: unknown) => {
    if (stored === null || Array.isArray(stored)) return stored
    return column.endsWith('_at') ? new Date(String(stored)).toISOString() : Number(stored)
  }
  return withoutZeros(
    Object.fromEntries(
      rows.map(({ key, values }) => [
        key,
        Object.fromEntries(columns.map(column => [column, value(column, values[column])]))
      ])
    )
  )
}

async function readDays(query: ReturnType<typeof learnerDays>): Promise<Record<string, Values>> {
  const { rows } = await sql<Row>`
    select coalesce(person.external_id, agent.ifi) || ' ' || day as key, to_jsonb(days) as values
    from (${query}) as days
    left join person on person.tenant_id = days.tenant_id and person.id = days.person_id
    left join agent on agent.tenant_id = days.tenant_id and agent.id = person.first_agent_id`.execute(stage.db)
  return plain(rows, dayColumns)
}

async function readActivities(tenantId: number): Promise<Record<string, Values>> {
  const { rows } = await sql<Row>`
    select concat_ws(' ', coalesce(person.external_id, agent.ifi), module.iri, activity.iri) as key,
      to_jsonb(done) as values
    from learner_activity as done
    join person on person.tenant_id = done.tenant_id and person.id = done.person_id
    join activity as module on module.tenant_id = done.tenant_id and module.id = done.module_id
    join activity on activity.tenant_id = done.tenant_id and activity.id = done.activity_id
    left join agent on agent.tenant_id = done.tenant_id and agent.id = person.first_agent_id
    where done.tenant_id = ${tenantId}`.execute(stage.db)
  return plain(rows, activityColumns)
}

/** What METRICS.md makes of the story: no SQL, nothing of the program. */
function historyOf({ ordered, deeds, voided }: Story, { persons, rules, timeZone }: Outcome, now: Date): History {
  const places = new Map(ordered.toReversed().map(({ id }, at) => [id, -at]))
  const nameOf = (agent: number) =>
    persons.ownerOf(agent).replace(/^agent (\d)$/, '["mbox","mailto:agent-$1@example.org"]')
  return {
    timeZone,
    now,
    deeds: deeds
      .map(deed => ({ ...deed, kind: meaningOf(deed.kind, rules) }))
      .sort((a, b) => (places.get(a.id) ?? 0) - (places.get(b.id) ?? 0)),
    voided,
    personOf: nameOf
  }
}

const periods = ['2024-03-09', '2024-03-30', '2024-04-06', '2024-10-26'].map(from => ({
  from,
  to: new Date(Date.parse(from) + 2 * 86_400_000).toISOString().slice(0, 10)
}))

function sharesOf({ cells }: Measurement) {
  return cells.map(({ sumX, sumY }) => ({ numerator: sumX, denominator: sumY }))
}

async function checkMetrics({ tenantId, timeZone, persons }: Outcome, now: Date, days: Record<string, Values>) {
  for (const source of ['rollup', 'events'] as const) {
    const request: Omit<MeasureRequest, 'options'> = {
      tenantId,
      timeZone,
      source,
      periods,
      window: { from: '2024-03-01', to: '2024-11-01' },
      filter: null,
      membership: 'at_window_start',
      breakdown: [],
      module: null,
      today: now.toISOString().slice(0, 10),
      asOf: now
    }
    const opened = await measure(stage.db, activeUsers, { ...request, options: { basis: 'opened' } })
    const shares = sharesOf(opened)
    deepStrictEqual(shares, naiveActiveUsers(days, persons.learners(), periods), `active-users from the ${source}`)
    const repeated = await measure(stage.db, repeatRate, {
      ...request,
      options: { windowDays: 7, denominator: 'active' }
    })
    const rates = sharesOf(repeated)
    deepStrictEqual(rates, naiveRepeatRate(days, persons.learners(), periods, 7), `repeat-rate from the ${source}`)
  }
}

async function checkTables({ tenantId, timeZone }: Outcome, history: History, days: Record<string, Values>) {
  const window = { tenantId, timeZone, from: '2024-01-01', to: '3000-01-01', asOf: history.now }
  deepStrictEqual(await readDays(learnerDays({ ...window, source: 'rollup' })), days, 'learner_day')
  deepStrictEqual(await readDays(learnerDays({ ...window, source: 'events' })), days, 'the events themselves')
  deepStrictEqual(await readActivities(tenantId), naiveLearnerActivities(history), 'learner_activity')
  const differences: unknown[] = []
  const { pending } = await verifyTenant(stage.db, tenantId, difference => differences.push(difference))
  deepStrictEqual({ differences, pending }, { differences: [], pending: 0 }, 'the verification')
}

t.test(
  'the master test: whatever order statements, voids, duplicates, merges, splits, mappings and zones come in, however workers run and connections are lost, derived tables and metrics equal a recomputation by hand, and a verification finds nothing',
  async t => {
    await fc.assert(
      fc.asyncProperty(stories, async story => {
        const outcome = await play(stage, story)
        const now = new Date()
        const history = historyOf(story, outcome, now)
        const days = naiveLearnerDays(history)
        // Thrown, and not told to tap, so that fast-check looks for the shortest story that fails.
        await checkTables(outcome, history, days)
        await checkMetrics(outcome, now, days)
      }),
      { numRuns: runs }
    )
    t.pass(`for ${runs} stories`)
  }
)
