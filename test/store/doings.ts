import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../../src/database/schema.js'
import { putMapping } from '../../src/events/put-mapping.js'
import { setTimeZone } from '../../src/events/set-time-zone.js'
import { noAttributes } from '../../src/people/attributes.js'
import { deleteAssignment } from '../../src/people/delete-assignment.js'
import { deleteCohort } from '../../src/people/delete-cohort.js'
import { putAssignments } from '../../src/people/put-assignments.js'
import { putCohort } from '../../src/people/put-cohort.js'
import { putHistory } from '../../src/people/put-history.js'
import { putPeople } from '../../src/people/put-people.js'
import { rehearsePeople } from '../../src/people/rehearse-people.js'
import { derive } from '../../src/rollup/derive.js'
import { erasePerson } from '../../src/rollup/erase-person.js'
import { processQueue } from '../../src/rollup/process-queue.js'
import { openRebuild, rebuildPersons } from '../../src/rollup/rebuild-rollups.js'
import { recordStatements } from '../../src/rollup/record-statements.js'
import { dealer, deals, ifiOf, mboxOf } from '../people/deals.js'
import { receiveStatements } from '../support/receive.js'
import { opened, voiding } from '../support/statements.js'

export const authority = '{"mbox":"mailto:lrs@example.org"}'

/** Stores statements as the service does. */
export function postTo(db: Kysely<Database>, tenantId: number, statements: readonly unknown[]) {
  return recordStatements(db, tenantId, receiveStatements(statements, authority), { mayDefine: false })
}

/** What the roster's operations are told. */
export const context = (tenantId: number) => ({ tenantId, today: '2026-03-01', onMoved: async () => undefined })

/** How events are derived, so that it takes several steps. */
export const steps = { chunkSize: 2, rebuildPersons }

const zones = ['UTC', 'Asia/Tokyo', 'America/New_York']

export const assignment = (at: number, dueOn: string | null) => ({
  assignmentId: `a${at}`,
  personId: `p${at}`,
  kind: 'activity' as const,
  activity: opened.object.id,
  assignedOn: '2026-03-01',
  dueOn,
  withdrawnOn: null
})

/** Something that may happen in a tenant, which is done by the code that does it in the service. */
export interface Doing {
  readonly what: string
  readonly run: (tenantId: number, name: string) => Promise<unknown>
}

const doing = <Value>(
  weight: number,
  what: string,
  given: fc.Arbitrary<Value>,
  run: (value: Value, tenantId: number, name: string) => Promise<unknown>
) => ({
  weight,
  arbitrary: given.map((value): Doing => ({ what, run: (tenantId, name) => run(value, tenantId, name) }))
})

const nth = fc.nat(2)
const isDry = fc.boolean()
const statement = fc.record({
  actor: fc.nat(5).map(agent => ({ mbox: mboxOf(agent) })),
  verb: fc
    .constantFrom('opened', 'completed-task', 'posted')
    .map(verb => ({ id: `https://w3id.org/momentum-lrs/verbs/${verb}` })),
  timestamp: fc.constantFrom('2026-03-01T10:00:00Z', '2026-03-01T23:30:00Z', '2026-03-02T10:00:00Z')
})
const nothing = fc.constant(null)

/** Whatever changes what answers are made from, and things that change nothing. */
export function doingsIn(db: Kysely<Database>): fc.Arbitrary<Doing> {
  const makePerson = (id: number, at: number) => putPeople(db, [{ personId: `p${at}`, agents: [] }], context(id))
  return fc.oneof(
    doing(4, 'store', statement, (given, id) => postTo(db, id, [{ ...opened, ...given }])),
    doing(4, 'work', fc.integer({ min: 1, max: 4 }), size => processQueue(db, size)),
    doing(1, 'void', nothing, async (_, id) => {
      const { rows } = await sql<{ id: string }>`
      select id from statement where tenant_id = ${id} order by seq desc limit 1`.execute(db)
      await postTo(
        db,
        id,
        rows.map(row => voiding(row.id))
      )
    }),
    doing(3, 'persons', deals, (deal, id) => dealer(db, id).deal(deal)),
    doing(2, 'roster', fc.tuple(nth, fc.constantFrom('a', 'b'), isDry), ([at, team, dry], id) =>
      (dry ? rehearsePeople : putPeople)(db, [{ personId: `p${at}`, agents: [], team }], context(id))
    ),
    doing(1, 'history', fc.tuple(nth, isDry), async ([at, dryRun], id) => {
      await makePerson(id, at)
      const range = { ...noAttributes, validFrom: '2026-01-01', validTo: null }
      await putHistory(db, { tenantId: id, personId: `p${at}` }, [range], { dryRun })
    }),
    doing(2, 'assign', fc.tuple(nth, fc.constantFrom(null, '2026-04-01'), isDry), async ([at, dueOn, dryRun], id) => {
      await makePerson(id, at)
      await putAssignments(db, id, [assignment(at, dueOn)], { dryRun })
    }),
    doing(1, 'unassign', nth, (at, id) => deleteAssignment(db, id, `a${at}`)),
    doing(1, 'save', nth, (at, id) => putCohort(db, id, { id: `c${at}`, name: null, filter: { role: ['a'] } })),
    doing(1, 'drop', nth, (at, id) => deleteCohort(db, id, `c${at}`)),
    doing(1, 'map', fc.constantFrom('opened' as const, 'visited' as const), (kind, id) =>
      putMapping(db, id, { rules: [{ verb: opened.verb.id, kind }], createdBy: 'test', checkCurrent: () => undefined })
    ),
    doing(1, 'zone', fc.constantFrom(...zones), (timeZone, _, name) => setTimeZone(db, name, { timeZone, setBy: 't' })),
    doing(1, 'rebuild', nothing, (_, id) => openRebuild(db, id, 'test')),
    doing(4, 'derive', nothing, () => derive(db, steps)),
    doing(1, 'erase', fc.tuple(fc.nat(5), isDry), ([agent, isDryRun], id) =>
      erasePerson(db, { agents: [ifiOf(agent)] }, { tenantId: id, requestedBy: 't', isDryRun, passSize: 2 })
    )
  )
}
