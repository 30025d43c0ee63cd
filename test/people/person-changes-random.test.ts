import { deepStrictEqual } from 'node:assert'
import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import t from 'tap'
import { openDatabase } from '../../src/database/open.js'
import type { Database } from '../../src/database/schema.js'
import { processQueue } from '../../src/rollup/process-queue.js'
import { recordStatements } from '../../src/rollup/record-statements.js'
import { ensureTenant } from '../../src/store/tenant.js'
import { prepareStatement } from '../../src/xapi/prepare.js'
import { drain } from '../support/app.js'
import { testDatabase } from '../support/database.js'
import { opened, voiding } from '../support/statements.js'
import { agent, aim, dealer, deals, ifiOf, mboxOf } from './deals.js'
import { countDeeds, type Deal, type Deed, everyAgent, naivePersons } from './naive-persons.js'

const verbOf = (kind: string) => ({ id: `https://w3id.org/momentum-lrs/verbs/${kind}` })

const deeds = fc.record({
  actor: agent,
  subject: fc.option(agent),
  day: fc.constantFrom('2024-03-04', '2024-03-05', '2024-03-06')
})

const steps = fc.record({
  deeds: fc.array(deeds, { maxLength: 3 }),
  voids: fc.option(fc.nat(20)),
  deal: fc.option(deals, { freq: 8 }),
  workers: fc.nat(2),
  batchSize: fc.integer({ min: 1, max: 9 }),
  atOnce: fc.boolean()
})

/** One tenant of a test's world, worked on through one pool of connections. */
function world(db: Kysely<Database>, tenantId: number) {
  const store = async (statements: readonly { readonly id: string; readonly body: object }[]) => {
    const prepared = statements.map(({ id, body }) =>
      prepareStatement(
        { text: JSON.stringify(body), value: body },
        { id, makeId: randomUUID, authority: '{"mbox":"mailto:lrs@example.org"}', version: '1.0.3' }
      )
    )
    await recordStatements(db, tenantId, prepared, { mayDefine: false })
  }
  return {
    /** Makes every agent known, with a statement that is no learning event. */
    meet: () =>
      store(everyAgent.map(agent => ({ id: randomUUID(), body: bodyOf('sneezed', agent, null, '2024-03-04') }))),
    store: (deeds: readonly Deed[]) =>
      store(
        deeds.map(({ id, actor, subject, day }) => ({
          id,
          body: bodyOf(subject === null ? 'opened' : 'peer-feedback', actor, subject, day)
        }))
      ),
    void: (id: string) => store([{ id: randomUUID(), body: voiding(id) }]),
    ...dealer(db, tenantId)
  }
}

function bodyOf(kind: string, actor: number, subject: number | null, day: string): object {
  const object = subject === null ? opened.object : { objectType: 'Agent', mbox: mboxOf(subject) }
  return { actor: { mbox: mboxOf(actor) }, verb: verbOf(kind), object, timestamp: `${day}T12:00:00Z` }
}

const columns = ['opened', 'peer_feedback', 'peer_feedback_received', 'voided'] as const

/** `learner_day` as `countDeeds` gives it. */
async function readDays(db: Kysely<Database>, tenantId: number) {
  const rows = await db
    .selectFrom('learner_day')
    .innerJoin('person', join =>
      join.onRef('person.tenant_id', '=', 'learner_day.tenant_id').onRef('person.id', '=', 'person_id')
    )
    .leftJoin('agent', join =>
      join.onRef('agent.tenant_id', '=', 'person.tenant_id').onRef('agent.id', '=', 'first_agent_id')
    )
    .select(['external_id', 'ifi', 'day', ...columns])
    .where('learner_day.tenant_id', '=', tenantId)
    .execute()
  return Object.fromEntries(
    rows.map(row => [
      `${row.external_id ?? nameOf(row.ifi)} ${row.day}`,
      Object.fromEntries(columns.map(column => [column, row[column]]).filter(([, count]) => count !== 0))
    ])
  )
}

function nameOf(ifi: string | null): string {
  return `agent ${everyAgent.findIndex(agent => ifiOf(agent) === ifi)}`
}

async function run(atOnce: boolean, tasks: readonly (() => Promise<unknown>)[]): Promise<void> {
  if (atOnce) await Promise.all(tasks.map(task => task()))
  else for (const task of tasks) await task()
}

t.test(
  'whatever is put, merged, split and undone while statements come in and workers run, learner_day equals a count by hand',
  async t => {
    const { db } = await testDatabase(t, 6)
    const seen = new Map<string, number>()
    await fc.assert(
      fc.asyncProperty(fc.array(steps, { minLength: 6, maxLength: 16 }), async steps => {
        const { id: tenantId } = await ensureTenant(db, randomUUID(), 'UTC')
        const { meet, store, void: voidDeed, deal: dealWith } = world(db, tenantId)
        const persons = naivePersons()
        const done: Deed[] = []
        const voided = new Set<string>()
        await meet()
        for (const step of steps) {
          const fresh = step.deeds.map(deed => ({ ...deed, id: randomUUID() }))
          const targets = step.voids === null ? [] : done.slice(step.voids % (done.length + 1)).slice(0, 1)
          for (const { id } of targets) voided.add(id)
          const check = async (wanted: Deal) => {
            const deal = aim(wanted, persons.changes(), persons.ownerOf)
            const verdict = await dealWith(deal)
            deepStrictEqual(verdict, persons.deal(deal), JSON.stringify(deal))
            seen.set(`${deal.kind} ${verdict}`, (seen.get(`${deal.kind} ${verdict}`) ?? 0) + 1)
          }
          await run(step.atOnce, [
            () => store(fresh),
            ...targets.map(
              ({ id }) =>
                () =>
                  voidDeed(id)
            ),
            ...(step.deal === null ? [] : [step.deal]).map(deal => () => check(deal)),
            ...Array.from({ length: step.workers }, () => () => processQueue(db, step.batchSize))
          ])
          done.push(...fresh)
        }
        await drain(db)
        // Thrown, and not told to tap, so that fast-check looks for the shortest story that fails.
        deepStrictEqual(await readDays(db, tenantId), countDeeds(done, voided, persons.ownerOf))
      }),
      { numRuns: 50 }
    )
    for (const kind of ['put', 'merge', 'split', 'undo']) {
      t.ok((seen.get(`${kind} done`) ?? 0) > 0, `${kind}: done ${seen.get(`${kind} done`)} times`)
    }
    for (const kind of [
      'put people-conflict',
      'merge person-change-conflict',
      'split people-conflict',
      'undo not-found'
    ]) {
      t.ok((seen.get(kind) ?? 0) > 0, `${kind} ${seen.get(kind)} times`)
    }
  }
)

/** Deadlocks since the database was made. Sessions that have ended have told all of theirs. */
async function deadlocks(db: Kysely<Database>): Promise<number> {
  const others = sql<{ n: number }>`
    select count(*) as n from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'`
  while (((await others.execute(db)).rows[0]?.n ?? 0) > 0);
  const { rows } = await sql<{ deadlocks: number }>`
    select deadlocks from pg_stat_database where datname = current_database()`.execute(db)
  return rows[0]?.deadlocks ?? Number.NaN
}

t.test(
  'many who put, merge, split and undo the same persons, and many workers, never deadlock, and nothing is lost',
  async t => {
    const { db, connection } = await testDatabase(t, 1)
    const crowd = openDatabase({ connection, poolSize: 12, onError: () => undefined })
    const { id: tenantId } = await ensureTenant(crowd.db, randomUUID(), 'UTC')
    const { meet, store, deal, changes } = world(crowd.db, tenantId)
    const done: Deed[] = []
    const verdicts = new Map<string, number>()
    await meet()
    for (const round of fc.sample(
      fc.record({
        deeds: fc.array(fc.array(deeds, { minLength: 4, maxLength: 4 }), { minLength: 3, maxLength: 3 }),
        deals: fc.array(deals, { minLength: 10, maxLength: 10 })
      }),
      { numRuns: 60, seed: 17 }
    )) {
      const batches = round.deeds.map(batch => batch.map(deed => ({ ...deed, id: randomUUID() })))
      await Promise.all([
        ...batches.map(store),
        ...round.deals.map(async given => {
          const wanted = aim(given, changes(), () => '')
          const verdict = `${given.kind} ${await deal(wanted)}`
          verdicts.set(verdict, (verdicts.get(verdict) ?? 0) + 1)
        }),
        ...Array.from({ length: 6 }, () => processQueue(crowd.db, 5))
      ])
      done.push(...batches.flat())
    }
    await drain(crowd.db)
    const { rows } = await sql<{ ifi: string; owner: string | null; merged: boolean }>`
    select ifi, external_id as owner, merged_into is not null as merged from person_agent
    join person on person.tenant_id = person_agent.tenant_id and person.id = person_id
    join agent on agent.tenant_id = person_agent.tenant_id and agent.id = agent_id
    where person_agent.tenant_id = ${tenantId}`.execute(crowd.db)
    const owners = new Map(rows.map(({ ifi, owner }) => [ifi, owner]))
    const ownerOf = (agent: number) => owners.get(ifiOf(agent)) ?? `agent ${agent}`
    t.same(await readDays(crowd.db, tenantId), countDeeds(done, new Set(), ownerOf))
    t.notOk(
      rows.some(({ merged }) => merged),
      'no merged person has an agent'
    )
    // How many there are is a matter of who comes first.
    for (const kind of ['put', 'merge', 'split', 'undo']) t.ok((verdicts.get(`${kind} done`) ?? 0) > 0, kind)
    await crowd.db.destroy()
    t.equal(await deadlocks(db), 0)
  }
)

t.test('the count of deadlocks sees one where there is one', async t => {
  const { db, connection } = await testDatabase(t, 1)
  const { db: two } = openDatabase({ connection, poolSize: 2, onError: () => undefined })
  const tenants = [await ensureTenant(two, 'a', 'UTC'), await ensureTenant(two, 'b', 'UTC')]
  let arrived = 0
  let go = () => {}
  const both = new Promise<void>(resolve => {
    go = resolve
  })
  const lockInTurn = (ids: readonly number[]) =>
    two.transaction().execute(async trx => {
      for (const id of ids) {
        await sql`select from tenant where id = ${id} for update`.execute(trx)
        arrived += 1
        if (arrived === 2) go()
        await both
      }
    })
  const ids = tenants.map(({ id }) => id)
  const outcomes = await Promise.allSettled([lockInTurn(ids), lockInTurn(ids.toReversed())])
  t.same(outcomes.map(({ status }) => status).toSorted(), ['fulfilled', 'rejected'])
  await two.destroy()
  t.equal(await deadlocks(db), 1)
})
