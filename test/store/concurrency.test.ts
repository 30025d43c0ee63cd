import { createHash, randomUUID } from 'node:crypto'
import { setImmediate } from 'node:timers/promises'
import { sql } from 'kysely'
import t from 'tap'
import { openDatabase } from '../../src/database/open.js'
import { internWords } from '../../src/store/dictionary.js'
import { transact } from '../../src/store/transact.js'
import { testApp } from '../support/app.js'
import { opened } from '../support/statements.js'

const app = await testApp(t, { poolSize: 12, config: { maxPageStatements: 50 } })
const { db, post, put, get, tenantId } = app

const times = <Value>(count: number, make: (at: number) => Value) => Array.from({ length: count }, (_, at) => make(at))
const shuffled = <Value>(values: readonly Value[]) =>
  values
    .map(value => ({ value, place: Math.random() }))
    .sort((a, b) => a.place - b.place)
    .map(({ value }) => value)
const statuses = (responses: readonly { statusCode: number }[]) =>
  [...new Set(responses.map(({ statusCode }) => statusCode))].sort()
const countStored = async (verb: string) => {
  const { rows } = await sql<{ count: number }>`
    select count(*)::integer as count
    from statement join verb on verb.id = statement.verb_id and verb.iri = ${verb}`.execute(db)
  return rows[0]?.count
}

/** Waits until somebody waits for a lock. */
async function untilBlocked(): Promise<void> {
  const deadline = Date.now() + 10_000
  for (;;) {
    const { rows } = await sql`
      select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`.execute(db)
    if (rows.length > 0) return
    if (Date.now() > deadline) throw new Error('Nobody waits for a lock')
    await setImmediate()
  }
}

t.test('requests that first see the same agents, verbs and activities at once lose nothing', async t => {
  const name = randomUUID()
  const verb = `https://example.org/verbs/${name}`
  const agents = times(10, at => ({ mbox: `mailto:${name}-${at}@example.org` }))
  const batch = () =>
    shuffled(agents).map((actor, at) => ({ actor, verb: { id: verb }, object: { id: `${verb}/activity/${at}` } }))
  t.same(statuses(await Promise.all(times(20, () => post(batch())))), [200])
  t.equal(await countStored(verb), 200)
  for (const agent of agents) {
    t.equal((await get({ verb, agent: JSON.stringify(agent) })).json().statements.length, 20)
  }
  const { rows } = await sql`select digest from agent where ifi like ${`%${name}%`}`.execute(db)
  t.equal(rows.length, 10)
})

t.test('a word that another transaction is just interning gets one number, whether that commits or not', async t => {
  const of = { tenantId, dictionary: 'verb' } as const
  for (const commits of [true, false]) {
    const word = `https://example.org/verbs/${randomUUID()}`
    const digest = createHash('sha256').update(word).digest()
    const trx = await db.startTransaction().execute()
    const { id } = await trx
      .insertInto('verb')
      .values({ tenant_id: tenantId, iri: word, digest })
      .returning('id')
      .executeTakeFirstOrThrow()
    const interned = internWords(db, of, [word])
    await untilBlocked()
    await (commits ? trx.commit() : trx.rollback()).execute()
    const number = (await interned).get(word)
    t.type(number, 'number')
    t.equal(number === id, commits)
    t.equal((await internWords(db, of, [word])).get(word), number)
  }
})

t.test('batches that share ids in different orders never deadlock into errors', async t => {
  const verb = { id: `https://example.org/verbs/${randomUUID()}` }
  const statements = times(60, () => ({ ...opened, id: randomUUID(), verb }))
  const responses = await Promise.all(times(24, () => post(shuffled(statements))))
  t.same(statuses(responses), [200])
  t.equal(await countStored(verb.id), 60)
})

t.test('an identical statement posted and put twenty times at once is stored once, and all succeed', async t => {
  const verb = { id: `https://example.org/verbs/${randomUUID()}` }
  const id = randomUUID()
  const statement = { ...opened, id, verb }
  const responses = await Promise.all(times(20, at => (at % 2 === 0 ? post(statement) : put(id, statement))))
  t.same(statuses(responses), [200, 204])
  t.equal(await countStored(verb.id), 1)
})

t.test('of different statements with one id at once, one is stored and the others are 409', async t => {
  const id = randomUUID()
  const responses = await Promise.all(
    times(10, at => post({ ...opened, id, object: { id: `https://example.org/activities/${at}` } }))
  )
  t.equal(responses.filter(response => response.statusCode === 200).length, 1)
  t.same(statuses(responses), [200, 409])
})

t.test('who reads on from Consistent-Through misses nothing, whatever is written meanwhile', async t => {
  const verb = `https://example.org/verbs/${randomUUID()}`
  const sizes = times(15, at => 1 + (at % 4) * 5)
  const write = async () => {
    for (const size of sizes) await post(times(size, () => ({ ...opened, verb: { id: verb } })))
  }
  let isWriting = true
  const written = Promise.all(times(6, write)).finally(() => {
    isWriting = false
  })
  const seen = new Set<string>()
  let since = '2000-01-01T00:00:00Z'
  const readOn = async () => {
    let url = `/xapi/statements?${new URLSearchParams({ verb, since, ascending: 'true' })}`
    const answers = []
    while (url !== '') {
      const answer = await app.call({ url })
      answers.push(answer)
      url = answer.json().more
    }
    for (const answer of answers) for (const { id } of answer.json().statements) seen.add(id)
    const through = String(answers[0]?.headers['x-experience-api-consistent-through'])
    if (through > since) since = through
  }
  while (isWriting) await readOn()
  await written
  await readOn()
  t.equal(seen.size, await countStored(verb))
  t.equal(seen.size, 6 * sizes.reduce((sum, size) => sum + size))
})

t.test('work that PostgreSQL gives up for a deadlock or a serialisation failure is tried five times', async t => {
  const failing = (code: string, failures: number) => {
    let attempts = 0
    const outcome = transact(db, async () => {
      attempts += 1
      if (attempts <= failures) throw Object.assign(new Error(code), { code })
      return attempts
    })
    return outcome.catch(error => `${error.message} after ${attempts}`)
  }
  t.equal(await failing('40P01', 0), 1)
  t.equal(await failing('40P01', 4), 5)
  t.equal(await failing('40001', 1), 2)
  t.equal(await failing('40001', 5), '40001 after 5')
  t.equal(await failing('23505', 1), '23505 after 1', 'anything else is not tried again')
})

t.test('a real deadlock is retried until both transactions have done their work', async t => {
  const databases = times(2, () => openDatabase({ ...app, poolSize: 1, onError: () => undefined }).db)
  t.teardown(() => Promise.all(databases.map(database => database.destroy())))
  const keys = [(await app.addCaller('deadlock')).key, (await app.addCaller('deadlock')).key]
  let arrived = 0
  let go: () => void = () => undefined
  const bothHere = new Promise<void>(resolve => {
    go = resolve
  })
  const renameAll = (database: typeof db, order: readonly string[]) => {
    let attempts = 0
    return transact(database, async trx => {
      attempts += 1
      for (const key of order) {
        await trx.updateTable('credential').set({ name: 'renamed' }).where('key', '=', key).execute()
        arrived += 1
        if (arrived === 2) go()
        await bothHere
      }
      return attempts
    })
  }
  const orders = [keys, keys.toReversed()]
  const attempts = await Promise.all(databases.map((database, at) => renameAll(database, orders[at] ?? [])))
  t.equal(Math.min(...attempts), 1)
  t.ok(Math.max(...attempts) > 1)
})
