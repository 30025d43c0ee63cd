import { Compile } from 'typebox/compile'
import type { PersonRecord } from '../../people/person-record.js'
import { ifiOf } from '../../xapi/ifi.js'
import type { Actor } from '../../xapi/statement.js'
import { validateAgent } from '../../xapi/validate.js'
import { personColumns } from './people-csv.js'
import { Person } from './people-schema.js'
import type { RecordKind } from './record-body.js'
import { faultOf, type RecordPlace, schemaFaultOf } from './record-place.js'

const person = Compile(Person)

type PersonBody = Omit<PersonRecord, 'agents'> & { readonly agents: readonly unknown[] }

/** People, as the roster takes them. Rows of CSV with one `personId` are one person. */
export const peopleKind: RecordKind<PersonRecord> = {
  one: 'Person',
  many: 'people',
  read: readPerson,
  csv: personColumns,
  rows: { keyOf: ({ personId }) => personId, join: joinRows }
}

/**
 * Makes a record of a person as sent.
 *
 * @throws {LrsError} `invalid-body` with the person's place and the pointer to the value at fault.
 */
function readPerson(value: unknown, place: RecordPlace): PersonRecord {
  if (!person.Check(value)) throw schemaFaultOf(place, person.Errors(value)[0])
  const body = value as PersonBody
  const agents = body.agents.map((agent, position) => {
    const violation = validateAgent(agent, '1.0.3')
    // It is valid, so it has an identifier.
    if (violation === null) return String(ifiOf(agent as Actor))
    throw faultOf(place, `/agents/${position}${violation.pointer}`, violation.message, violation.rule)
  })
  return { ...body, agents }
}

/** Joins another row of a person, which brings more agents: what else it says must be what the first one does. */
function joinRows(first: PersonRecord, row: PersonRecord, place: RecordPlace): PersonRecord {
  const { agents, ...said } = row
  for (const [name, value] of Object.entries(said)) {
    const before = first[name as keyof PersonRecord]
    if (JSON.stringify(before) === JSON.stringify(value)) continue
    throw faultOf(place, `/${name}`, `differs from what an earlier row says of the person "${row.personId}"`)
  }
  const joined = [...new Set([...first.agents, ...agents])]
  if (joined.length > 100) throw faultOf(place, '/agents', `the person "${row.personId}" has more than 100 agents`)
  return { ...first, agents: joined }
}
