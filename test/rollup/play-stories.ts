import { deepStrictEqual } from 'node:assert'
import { workerData } from 'node:worker_threads'
import fc from 'fast-check'
import { sql } from 'kysely'
import { openDatabase } from '../../src/database/open.js'
import { selectAttributes } from '../../src/people/attributes.js'
import { selectBounds } from '../../src/people/history.js'
import { activityColumns } from '../../src/rollup/learner-activities.js'
import { dayColumns, learnerDays } from '../../src/rollup/learner-days.js'
import { timeColumns, weekColumns } from '../../src/rollup/learner-weeks.js'
import { verifyTenant } from '../../src/rollup/verify.js'
import { countsOf } from '../metrics/naive.js'
import {
  type History,
  naiveCategories,
  naiveLearnerActivities,
  naiveLearnerDays,
  type Values,
  withoutZeros
} from './naive.js'
import { naiveMeasure, worldOf } from './naive-metrics.js'
import { naiveAttempts, naiveBegun, naiveSteps } from './naive-pairs.js'
import { naiveTime, naiveWeeks } from './naive-weeks.js'
import { prepareTexts } from './prepared.js'
import { ask } from './question.js'
import { type Outcome, play, type Stage } from './stage.js'
import { meaningOf, type Story, stories } from './story.js'

/** What this thread is told. */
export interface Orders {
  /** The address of a database of its own. */
  readonly url: string
  readonly runs: number
  readonly seed: number
}

const { url, runs, seed } = workerData as Orders

/** Plans are made once for all values: see `prepareTexts`. */
const planned = `${url}&options=${encodeURIComponent('-c plan_cache_mode=force_generic_plan -c jit=off')}`

const fragileName = 'fragile'

const opened = openDatabase({ connection: { connectionString: planned }, poolSize: 4, onError: () => undefined })
const fragile = openDatabase({
  connection: { connectionString: `${planned}&application_name=${fragileName}` },
  poolSize: 3,
  onError: () => undefined
})
prepareTexts(opened.pool)
prepareTexts(fragile.pool)
const stage: Stage = { db: opened.db, fragile: fragile.db, fragileName }

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

async function readWeeks(
  tenantId: number,
  table: 'learner_weeks' | 'learner_time',
  columns: readonly string[]
): Promise<Record<string, Values>> {
  const { rows } = await sql<Row>`
    select coalesce(person.external_id, agent.ifi) || ' ' || begins as key, to_jsonb(weeks) as values
    from ${sql.table(table)} as weeks
    join person on person.tenant_id = weeks.tenant_id and person.id = weeks.person_id
    left join agent on agent.tenant_id = weeks.tenant_id and agent.id = person.first_agent_id
    where weeks.tenant_id = ${tenantId}`.execute(stage.db)
  return withoutZeros(
    Object.fromEntries(
      rows.map(({ key, values }) => [key, Object.fromEntries(columns.map(column => [column, values[column]]))])
    )
  )
}

/** The numbers that the octal digits make, by person, day and category. */
async function readCategories(tenantId: number): Promise<Record<string, number>> {
  const { rows } = await sql<{ key: string; deeds: number }>`
    select concat_ws(' ', coalesce(person.external_id, agent.ifi), begins + nth, category.iri) as key,
      sum(scale * ((one >> nth & 1) + 2 * (two >> nth & 1) + 4 * (four >> nth & 1)))::integer as deeds
    from learner_categories as weeks
    cross join unnest(category_ids, scales, ones, twos, fours) as element(category_id, scale, one, two, four)
    cross join generate_series(0, 48) as nth
    join activity as category on category.tenant_id = weeks.tenant_id and category.id = element.category_id
    join person on person.tenant_id = weeks.tenant_id and person.id = weeks.person_id
    left join agent on agent.tenant_id = weeks.tenant_id and agent.id = person.first_agent_id
    where weeks.tenant_id = ${tenantId} and (one | two | four) >> nth & 1 = 1
    group by 1`.execute(stage.db)
  return Object.fromEntries(rows.map(({ key, deeds }) => [key, deeds]))
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

async function readSteps(tenantId: number): Promise<Record<string, Values>> {
  const { rows } = await sql<Row>`
    select concat_ws(' ', coalesce(person.external_id, agent.ifi), step.step, step.day, module.iri) as key,
      json_build_object('before', before, 'followed_on', followed_on) as values
    from learner_step as step
    join person on person.tenant_id = step.tenant_id and person.id = step.person_id
    join activity as module on module.tenant_id = step.tenant_id and module.id = step.module_id
    left join agent on agent.tenant_id = step.tenant_id and agent.id = person.first_agent_id
    where step.tenant_id = ${tenantId}`.execute(stage.db)
  return Object.fromEntries(rows.map(({ key, values }) => [key, values]))
}

async function readAttempts(tenantId: number): Promise<Record<string, Values>> {
  const { rows } = await sql<Row>`
    select concat_ws(' ', coalesce(person.external_id, agent.ifi), activity.iri, scale, day) as key, json_build_object(
      'before', before, 'after', after, 'attempts', attempts, 'alone', alone, 'first_score', first_score::float8,
      'last_score', last_score::float8, 'best_score', best_score::float8) as values
    from learner_attempt as attempt
    join person on person.tenant_id = attempt.tenant_id and person.id = attempt.person_id
    join activity on activity.tenant_id = attempt.tenant_id and activity.id = attempt.activity_id
    left join agent on agent.tenant_id = attempt.tenant_id and agent.id = person.first_agent_id
    where attempt.tenant_id = ${tenantId}`.execute(stage.db)
  return Object.fromEntries(rows.map(({ key, values }) => [key, values]))
}

async function readBegun(tenantId: number): Promise<Record<string, Values>> {
  const { rows } = await sql<{ key: string; begun: readonly string[]; completed: readonly string[] }>`
    select coalesce(person.external_id, agent.ifi) as key, to_json(begun) as begun, to_json(completed) as completed
    from learner_begun as kept
    join person on person.tenant_id = kept.tenant_id and person.id = kept.person_id
    left join agent on agent.tenant_id = kept.tenant_id and agent.id = person.first_agent_id
    where kept.tenant_id = ${tenantId}`.execute(stage.db)
  const iso = (instants: readonly string[]) => instants.map(instant => new Date(instant).toISOString())
  return Object.fromEntries(
    rows.map(({ key, begun, completed }) => [key, { begun: iso(begun), completed: iso(completed) }])
  )
}

/** What the roster says, of whom from when to when. */
async function readRoster(tenantId: number) {
  const { rows } = await sql`
    select person.external_id as name, ${selectBounds}, ${selectAttributes('roster')}
    from roster join person on person.tenant_id = roster.tenant_id and person.id = roster.person_id
    where roster.tenant_id = ${tenantId} order by external_id, valid`.execute(stage.db)
  return rows
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

interface Played {
  readonly story: Story
  readonly outcome: Outcome
  readonly now: Date
  readonly days: Record<string, Values>
}

async function checkTables({ story, outcome, now, days }: Played) {
  const { tenantId, timeZone, persons } = outcome
  const window = { tenantId, timeZone, from: '2024-01-01', to: '3000-01-01', asOf: now }
  deepStrictEqual(await readDays(learnerDays({ ...window, source: 'rollup' })), days, 'learner_day')
  deepStrictEqual(await readWeeks(tenantId, 'learner_weeks', weekColumns), naiveWeeks(days), 'learner_weeks')
  deepStrictEqual(await readWeeks(tenantId, 'learner_time', timeColumns), naiveTime(days), 'learner_time')
  const history = historyOf(story, outcome, now)
  deepStrictEqual(await readCategories(tenantId), naiveCategories(history), 'learner_categories')
  const activities = naiveLearnerActivities(history)
  deepStrictEqual(await readActivities(tenantId), activities, 'learner_activity')
  deepStrictEqual(await readBegun(tenantId), naiveBegun(activities), 'learner_begun')
  deepStrictEqual(await readSteps(tenantId), naiveSteps(history), 'learner_step')
  deepStrictEqual(await readAttempts(tenantId), naiveAttempts(history), 'learner_attempt')
  const ranges = persons.people().flatMap(({ name, ranges }) => ranges.map(range => ({ name, ...range })))
  deepStrictEqual(await readRoster(tenantId), ranges, 'roster')
  if (story.checks.events) {
    deepStrictEqual(await readDays(learnerDays({ ...window, source: 'events' })), days, 'the events themselves')
  }
  if (!story.checks.verification) return
  const differences: unknown[] = []
  const { pending } = await verifyTenant(stage.db, tenantId, difference => differences.push(difference))
  deepStrictEqual({ differences, pending }, { differences: [], pending: 0 }, 'the verification')
}

async function checkMetric({ story: { question }, outcome: { tenantId, timeZone, persons }, now, days }: Played) {
  const answer = await ask(stage.db, question, { tenantId, timeZone, asOf: now })
  const expected = naiveMeasure(worldOf(days, persons), question)
  deepStrictEqual({ counts: countsOf(answer), excluded: answer.excluded }, expected, JSON.stringify(question))
}

/** After so many stories the tables are emptied, so that the last of many thousand costs no more than the first. */
const storiesKept = 500

let played = 0

await fc.assert(
  fc.asyncProperty(stories, async story => {
    const outcome = await play(stage, story)
    const now = new Date()
    const days = naiveLearnerDays(historyOf(story, outcome, now))
    const done: Played = { story, outcome, now, days }
    // Thrown, so that fast-check looks for the shortest story that fails.
    await checkTables(done)
    await checkMetric(done)
    played += 1
    if (played % storiesKept === 0) await sql`truncate tenant cascade`.execute(stage.db)
  }),
  { numRuns: runs, seed }
)
await Promise.all([opened.db.destroy(), fragile.db.destroy()])
