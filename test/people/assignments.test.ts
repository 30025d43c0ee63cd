import fc from 'fast-check'
import { sql } from 'kysely'
import t from 'tap'
import { openDatabase } from '../../src/database/open.js'
import type { Assignment } from '../../src/people/assignment.js'
import { deleteAssignment } from '../../src/people/delete-assignment.js'
import { findAssignments } from '../../src/people/find-assignments.js'
import { mergePersons } from '../../src/people/merge-persons.js'
import { putAssignments } from '../../src/people/put-assignments.js'
import { putPeople } from '../../src/people/put-people.js'
import { undoChange } from '../../src/people/undo-change.js'
import { erasePerson } from '../../src/rollup/erase-person.js'
import { ensureTenant } from '../../src/store/tenant.js'
import { testDatabase } from '../support/database.js'

const { db, connection } = await testDatabase(t)
const { id: tenantId } = await ensureTenant(db, 'first', 'UTC')
const { id: otherTenant } = await ensureTenant(db, 'other', 'UTC')

const context = { tenantId, today: '2026-03-01', onMoved: async () => undefined }
const agentOf = (personId: string) => JSON.stringify(['mbox', `mailto:${personId}@example.org`])
const person = (personId: string) => ({ personId, agents: [agentOf(personId)] })
await putPeople(db, ['ada', 'ben', 'cem'].map(person), context)
await putPeople(db, [person('ada')], { ...context, tenantId: otherTenant })

const base: Assignment = {
  assignmentId: 'e1',
  personId: 'ada',
  kind: 'activity',
  activity: 'https://lms.example/courses/1',
  assignedOn: '2026-03-01',
  dueOn: null,
  withdrawnOn: null
}
const check = { kind: 'manager-check', activity: null } as const

const put = (assignments: readonly Assignment[], dryRun = false, tenant = tenantId) =>
  putAssignments(db, tenant, assignments, { dryRun })
const find = async (query: object = {}, tenant = tenantId) =>
  (await findAssignments(db, tenant, { limit: 1000, ...query })).assignments
const named = async (query: object = {}) => (await find(query)).map(({ assignmentId }) => assignmentId)
const clear = () => db.deleteFrom('assignment').execute()

const day = fc.constantFrom('2026-03-01', '2026-03-02', '2026-03-03')
const maybe = fc.option(day, { nil: null })
const some: fc.Arbitrary<Assignment> = fc
  .record({
    assignmentId: fc.constantFrom('a', 'B', 'ä', '1', 'e 2', 'e/3'),
    personId: fc.constantFrom('ada', 'ben', 'cem'),
    assignedOn: day,
    withdrawnOn: maybe
  })
  .chain(shared =>
    fc.oneof(
      fc.record({
        ...Object.fromEntries(Object.entries(shared).map(([name, value]) => [name, fc.constant(value)])),
        kind: fc.constant('activity'),
        activity: fc.constantFrom('https://lms.example/courses/1', 'https://lms.example/courses/ü'),
        dueOn: maybe
      }),
      fc.record({
        ...Object.fromEntries(Object.entries(shared).map(([name, value]) => [name, fc.constant(value)])),
        kind: fc.constant('manager-check'),
        activity: fc.constant(null),
        dueOn: day
      })
    )
  ) as fc.Arbitrary<Assignment>

const filter = fc.record(
  {
    personId: fc.constantFrom('ada', 'ben', 'nobody'),
    activity: fc.constantFrom('https://lms.example/courses/ü', 'https://lms.example/courses/never'),
    kind: fc.constantFrom('activity' as const, 'manager-check' as const),
    dueFrom: day,
    dueBefore: day
  },
  { requiredKeys: [] }
)

type Filter = typeof filter extends fc.Arbitrary<infer Value> ? Value : never

const matches = (given: Assignment, { personId, activity, kind, dueFrom, dueBefore }: Filter) =>
  [personId ?? given.personId, activity ?? given.activity, kind ?? given.kind].join() ===
    [given.personId, given.activity, given.kind].join() &&
  (dueFrom === undefined || (given.dueOn !== null && given.dueOn >= dueFrom)) &&
  (dueBefore === undefined || (given.dueOn !== null && given.dueOn < dueBefore))

const byName = (rows: Iterable<Assignment>) =>
  [...rows].sort((one, other) => (one.assignmentId < other.assignmentId ? -1 : 1))

t.test(
  'after any imports the last record of each assignmentId holds, whole; the counts and the dry run say what changed',
  async t => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.uniqueArray(some, { selector: ({ assignmentId }) => assignmentId, maxLength: 5 }), {
          minLength: 1,
          maxLength: 4
        }),
        filter,
        async (imports, query) => {
          await clear()
          const model = new Map<string, Assignment>()
          for (const records of imports) {
            const created = records.filter(({ assignmentId }) => !model.has(assignmentId))
            const before = new Map(model)
            for (const record of records) model.set(record.assignmentId, record)
            const differs = ({ assignmentId }: Assignment) =>
              JSON.stringify(Object.entries(before.get(assignmentId) ?? {}).sort()) !==
              JSON.stringify(Object.entries(model.get(assignmentId) ?? {}).sort())
            const changed = records.filter(differs)
            const expected = {
              received: records.length,
              created: created.length,
              updated: changed.length - created.length,
              unchanged: records.length - changed.length
            }
            const rehearsed = await put(records, true)
            t.match(rehearsed, expected)
            t.same(byName(await find()), byName(before.values()), 'a dry run changes nothing')
            t.same(await put(records), rehearsed)
            t.same(
              rehearsed.changes.map(({ assignmentId }) => assignmentId),
              changed.map(({ assignmentId }) => assignmentId)
            )
          }
          t.same(byName(await find()), byName(model.values()))
          const found = [...model.values()].filter(given => matches(given, query))
          t.same(byName(await find(query)), byName(found), 'each filter narrows')
        }
      ),
      { numRuns: 60 }
    )
  }
)

t.test('pages by keyset have every assignment once, in one order', async t => {
  await clear()
  await put(Array.from({ length: 7 }, (_, at) => ({ ...base, assignmentId: `p${at}` })))
  const pages: string[][] = []
  let after: string | null = null
  do {
    const page: Awaited<ReturnType<typeof findAssignments>> = await findAssignments(db, tenantId, {
      limit: 3,
      ...(after === null ? {} : { after })
    })
    pages.push(page.assignments.map(({ assignmentId }) => assignmentId))
    after = page.next
  } while (after !== null)
  t.same(pages, [['p0', 'p1', 'p2'], ['p3', 'p4', 'p5'], ['p6']])
})

t.test('a dry run tells each member that differs, from what to what, and interns no activity', async t => {
  await clear()
  await put([base])
  const activity = 'https://lms.example/courses/unseen'
  const { changes } = await put(
    [
      { ...base, activity, dueOn: '2026-04-01' },
      { ...base, assignmentId: 'e2' }
    ],
    true
  )
  t.same(changes, [
    {
      assignmentId: 'e1',
      change: 'updated',
      fields: { activity: { from: base.activity, to: activity }, dueOn: { from: null, to: '2026-04-01' } }
    },
    {
      assignmentId: 'e2',
      change: 'created',
      fields: {
        personId: { from: null, to: 'ada' },
        kind: { from: null, to: 'activity' },
        activity: { from: null, to: base.activity },
        assignedOn: { from: null, to: '2026-03-01' }
      }
    }
  ])
  t.same(await db.selectFrom('activity').select('id').where('iri', '=', activity).execute(), [])
})

t.test('a person whom the roster lacks refuses all of them, with the place of the first', async t => {
  await clear()
  const records = [base, ...['x', 'y'].map(personId => ({ ...base, assignmentId: personId, personId }))]
  await t.rejects(put(records), {
    code: 'unknown-person',
    status: 409,
    message: 'The roster has no person "x", nor 1 more of those who are named here',
    place: { index: 1, pointer: '/personId' }
  })
  await t.rejects(put(records.slice(0, 2), true), { message: 'The roster has no person "x"' })
  t.same(await find(), [])
})

t.test('an assignmentId that is given twice is refused', async t => {
  await t.rejects(put([base, base]), { code: 'invalid-body', place: { index: 1, pointer: '/assignmentId' } })
})

t.test('one assignmentId in two tenants is two, and no filter reaches over', async t => {
  await clear()
  await put([base])
  await put([{ ...base, dueOn: '2026-05-01' }], false, otherTenant)
  t.same(await find(), [base])
  t.match(await find({ personId: 'ada', activity: base.activity }, otherTenant), [{ dueOn: '2026-05-01' }])
  t.equal(await deleteAssignment(db, otherTenant, 'e1'), true)
  t.equal(await deleteAssignment(db, otherTenant, 'e1'), false)
  t.same(await find(), [base])
})

t.test('the assignments of who is merged count as the other’s, until the merge is undone', async t => {
  await clear()
  await put([base, { ...base, ...check, assignmentId: 'e2', personId: 'ben', dueOn: '2026-03-09' }])
  const changing = {
    ...context,
    changedBy: 'test',
    reason: null,
    isDryRun: false,
    countDays: async () => 0
  }
  const { changeId } = await mergePersons(db, 'ada', { personId: 'ben' }, changing)
  t.same(await named({ personId: 'ada' }), ['e1', 'e2'])
  t.same(await named({ personId: 'ben' }), ['e2'])
  t.match(await put([{ ...base, assignmentId: 'e3', personId: 'ben' }]), { created: 1 }, 'the LMS knows no merges')
  t.same(await named({ personId: 'ada' }), ['e1', 'e2', 'e3'])
  await undoChange(db, Number(changeId), changing)
  t.same(await named({ personId: 'ada' }), ['e1'])
  t.same(await named({ personId: 'ben' }), ['e2', 'e3'])
})

const wrong: Readonly<Record<string, object>> = {
  'an activity without one': { activity_id: null },
  'a manager check of an activity': { kind: 'manager-check', due_on: '2026-03-09' },
  'a manager check that is never due': { kind: 'manager-check', activity_id: null },
  nobody: { person_id: 0 },
  'an activity that is not in the dictionary': { activity_id: 0 },
  'a name that is there': { assignment_id: 'e1' }
}

t.test('the database itself refuses what no assignment can be', async t => {
  await clear()
  await put([base])
  const { id: _id, ...row } = await db.selectFrom('assignment').selectAll().executeTakeFirstOrThrow()
  for (const [name, fault] of Object.entries(wrong)) {
    await t.rejects(
      db
        .insertInto('assignment')
        .values({ ...row, assignment_id: 'e2', ...fault })
        .execute(),
      { code: /^23/ },
      name
    )
  }
})

t.test('imports of the same assignments at once, in any order, all end, with one row for each', async t => {
  await clear()
  const records = Array.from({ length: 200 }, (_, at) => ({ ...base, assignmentId: `c${at}` }))
  const rounds = Array.from({ length: 6 }, (_, at) => ({ at, dueOn: `2026-04-0${at + 1}` }))
  await Promise.all(
    rounds.map(({ at, dueOn }) => {
      const given = records.map(record => ({ ...record, dueOn }))
      return put(at % 2 === 0 ? given : given.reverse())
    })
  )
  const left = await find()
  t.equal(left.length, 200)
  t.equal(new Set(left.map(({ dueOn }) => dueOn)).size, 1, 'the last one won whole')
})

t.test('thousands are stored at once', async t => {
  await clear()
  const records = Array.from({ length: 3000 }, (_, at) => ({ ...base, assignmentId: `t${at}` }))
  t.match(await put(records), { received: 3000, created: 3000, changes: { length: 1000 } })
  t.match(await put(records), { created: 0, updated: 0, unchanged: 3000, changes: { length: 0 } })
})

t.test('59: an erased person has no assignments, and an import that comes meanwhile leaves none behind', async t => {
  await clear()
  const other = openDatabase({ connection, poolSize: 2, onError: () => undefined })
  t.teardown(() => other.db.destroy())
  const erasing = { tenantId, requestedBy: 'test', isDryRun: false, passSize: 5000 }
  await put([base, { ...base, assignmentId: 'e2', personId: 'cem' }])
  await erasePerson(db, { personId: 'cem' }, { ...erasing, isDryRun: true })
  t.same(await named(), ['e1', 'e2'], 'a dry run leaves them')
  const late = (at: number) =>
    putAssignments(other.db, tenantId, [{ ...base, assignmentId: `late${at}`, personId: 'cem' }], { dryRun: false })
  const outcomes = await Promise.allSettled([
    ...Array.from({ length: 4 }, (_, at) => late(at)),
    erasePerson(db, { personId: 'cem' }, erasing),
    ...Array.from({ length: 4 }, (_, at) => late(at + 4))
  ])
  for (const outcome of outcomes) {
    if (outcome.status === 'rejected') t.match(outcome.reason, { code: 'unknown-person' })
  }
  t.same(await named(), ['e1'])
  const { rows } = await sql<{ rest: number }>`
    select count(*)::integer as rest from assignment where not exists (
      select from person where person.tenant_id = assignment.tenant_id and person.id = assignment.person_id)`.execute(
    db
  )
  t.same(rows, [{ rest: 0 }])
})
