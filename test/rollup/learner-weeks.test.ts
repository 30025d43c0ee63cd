import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import t from 'tap'
import type { Database } from '../../src/database/schema.js'
import { dayColumns } from '../../src/rollup/learner-days.js'
import { dayNumbers, daySets, rowOf, rowsOf, timeColumns, weekColumns } from '../../src/rollup/learner-weeks.js'
import { testDatabase } from '../support/database.js'
import { type Values, withoutZeros } from './naive.js'
import { naiveTime, naiveWeeks } from './naive-weeks.js'

const { db } = await testDatabase(t)
const counted = [
  ...daySets.filter(set => set !== 'active'),
  ...dayNumbers,
  ...['visited', 'voided', 'duration_ms', 'durations', 'calendar_durations', 'active_ms']
] as const

t.test('a row begins on every 49th day, a Monday', async t => {
  t.equal(rowOf('2025-12-15'), '2025-12-15')
  t.equal(rowOf('2026-02-01'), '2025-12-15')
  t.equal(rowOf('2026-02-02'), '2026-02-02')
  t.equal(new Date(rowOf('0001-01-01')).getUTCDay(), 1)
})

t.test('days are cut into the rows that they are in', async t => {
  t.same(rowsOf({ from: '2025-12-15', to: '2025-12-16' }), [{ begins: '2025-12-15', days: 1 }])
  t.same(rowsOf({ from: '2026-02-01', to: '2026-02-04' }), [
    { begins: '2025-12-15', days: 2 ** 48 },
    { begins: '2026-02-02', days: 3 }
  ])
  t.same(rowsOf({ from: '2025-12-15', to: '2026-02-02' }), [{ begins: '2025-12-15', days: 2 ** 49 - 1 }])
  t.same(rowsOf({ from: '2026-02-02', to: '2026-02-02' }), [])
})

/** A statement on `learner_day`: counts of days that are put, or days that go. */
const changes = fc.array(
  fc.record({
    person: fc.integer({ min: 1, max: 3 }),
    days: fc.uniqueArray(fc.integer({ min: 0, max: 120 }), { minLength: 1, maxLength: 8 }),
    counts: fc.option(
      fc.record(Object.fromEntries(counted.map(column => [column, fc.oneof(fc.constant(0), fc.nat(10))])))
    )
  }),
  { minLength: 1, maxLength: 8 }
)

t.test('whatever is written to learner_day, learner_weeks and learner_time are what follows from it', async () => {
  let tenantId = 1000
  await fc.assert(
    fc.asyncProperty(changes, async list => {
      tenantId += 1
      for (const { person, days, counts } of list) {
        const dates = days.map(dateOf)
        if (counts === null) await remove(db, { tenantId, person, dates })
        else await put(db, { tenantId, person, dates, counts })
        const kept = await readDays(tenantId)
        deepStrictEqual(await readWeeks(tenantId, 'learner_weeks', weekColumns), naiveWeeks(kept))
        deepStrictEqual(await readWeeks(tenantId, 'learner_time', timeColumns), naiveTime(kept))
      }
    }),
    { numRuns: 60 }
  )
})

const dateOf = (day: number) => new Date(Date.parse('2026-01-05') + day * 86_400_000).toISOString().slice(0, 10)

interface Target {
  readonly tenantId: number
  readonly person: number
  readonly dates: readonly string[]
}

async function remove(on: Kysely<Database>, { tenantId, person, dates }: Target) {
  await on
    .deleteFrom('learner_day')
    .where('tenant_id', '=', tenantId)
    .where('person_id', '=', person)
    .where('day', 'in', dates)
    .execute()
}

/** As the worker does: what is there is overwritten. */
async function put(on: Kysely<Database>, { tenantId, person, dates, counts }: Target & { counts: object }) {
  const others = dayColumns.filter(column => !column.startsWith('first_'))
  const row = { ...Object.fromEntries(others.map(column => [column, 0])), ...counts }
  const columns = Object.keys(row).map(column => sql.ref(column))
  await sql`
    insert into learner_day (tenant_id, person_id, day, ${sql.join(columns)})
    select ${tenantId}, ${person}, day, ${sql.join(Object.values(row).map(value => sql`${value}`))}
    from unnest(${dates}::date[]) as day
    on conflict (tenant_id, person_id, day) do update
      set (${sql.join(columns)}) = row (${sql.join(Object.keys(row).map(column => sql.ref(`excluded.${column}`)))})`.execute(
    on
  )
}

async function readDays(tenantId: number) {
  return rowsBy(sql`select person_id || ' ' || day as key, to_jsonb(learner_day) as values
    from learner_day where tenant_id = ${tenantId}`)
}

async function readWeeks(tenantId: number, table: 'learner_weeks' | 'learner_time', columns: readonly string[]) {
  const rows = await rowsBy(sql`select person_id || ' ' || begins as key, to_jsonb(weeks) as values
    from ${sql.table(table)} as weeks where tenant_id = ${tenantId}`)
  const cut = (values: Values) => Object.fromEntries(columns.map(column => [column, values[column]]))
  return withoutZeros(Object.fromEntries(Object.entries(rows).map(([key, values]) => [key, cut(values)])))
}

async function rowsBy(query: ReturnType<typeof sql>): Promise<Record<string, Values>> {
  const { rows } = await sql<{ key: string; values: Values }>`${query} order by 1`.execute(db)
  return Object.fromEntries(rows.map(({ key, values }) => [key, values]))
}
