import type { LrsError } from '../../errors.js'
import { attributeNames, attributes } from '../../people/attributes.js'
import { parseJson } from '../../xapi/parse.js'
import type { Cells, CsvLimits, CsvShape } from './csv-rows.js'
import { faultOf, type RecordPlace } from './record-place.js'

/** What is written in a cell to clear what was known; an empty cell says nothing. */
const clearing = '\\N'

const plainColumns = new Set<string>([
  'personId',
  'name',
  'validFrom',
  ...attributeNames.filter(name => ['text', 'day'].includes(attributes[name].type)),
  'cohorts'
])

const agentColumns = new Set(['mbox', 'email', 'mbox_sha1sum', 'openid', 'account.homePage', 'account.name', 'agents'])

const group = /^demographics\.(.+)$/

/** The columns of a person. Several rows of one person stand for several records here. */
export const personColumns: CsvShape = {
  key: 'personId',
  isColumn: column => plainColumns.has(column) || agentColumns.has(column) || group.test(column),
  valueOf: (cells, place, limits) => {
    const agents = agentsOf(cells, limits, place)
    return {
      value: { ...attributesOf(cells), agents: agents.map(agent => agent.value) },
      columnOf: pointer =>
        columnOf(
          pointer,
          agents.map(agent => agent.column)
        )
    }
  }
}

/** The column that gave the value at a pointer. */
function columnOf(pointer: string, agentSources: readonly string[]): string | undefined {
  const [, field = '', key] = pointer.split('/').map(part => part.replaceAll('~1', '/').replaceAll('~0', '~'))
  if (field === 'agents') return agentSources[Number(key)]
  if (field === 'demographics') return `demographics.${key}`
  return field === '' ? undefined : field
}

function attributesOf(filled: Cells): object {
  const values: [string, unknown][] = []
  const groups: [string, unknown][] = []
  for (const [column, cell] of filled) {
    const [, key] = group.exec(column) ?? []
    const value = cell === clearing ? null : cell
    if (key !== undefined) groups.push([key, value])
    else if (column === 'cohorts') values.push([column, value === null ? null : namesOf(value)])
    else if (plainColumns.has(column)) values.push([column, value])
  }
  if (groups.length > 0) values.push(['demographics', Object.fromEntries(groups)])
  return Object.fromEntries(values)
}

function namesOf(cell: string): readonly string[] {
  return cell
    .split(';')
    .map(name => name.trim())
    .filter(name => name !== '')
}

interface SourcedAgent {
  readonly value: unknown
  readonly column: string
}

/** The Agents that a row gives, each with its column. */
function agentsOf(filled: Cells, limits: CsvLimits, place: RecordPlace): readonly SourcedAgent[] {
  const agents: SourcedAgent[] = []
  const add = (column: string, agentOf: (cell: string) => unknown) => {
    const cell = filled.get(column)
    if (cell !== undefined) agents.push({ value: agentOf(cell), column })
  }
  add('mbox', mbox => ({ mbox }))
  add('email', email => ({ mbox: `mailto:${email}` }))
  add('mbox_sha1sum', sum => ({ mbox_sha1sum: sum }))
  add('openid', openid => ({ openid }))
  // Without the one or the other the agent's own rules refuse it.
  const account = { homePage: filled.get('account.homePage'), name: filled.get('account.name') }
  add(account.name === undefined ? 'account.homePage' : 'account.name', () => ({ account: withoutGaps(account) }))
  for (const value of listedAgents(filled.get('agents'), limits, place)) agents.push({ value, column: 'agents' })
  return agents
}

function withoutGaps(account: object): object {
  return Object.fromEntries(Object.entries(account).filter(([, value]) => value !== undefined))
}

function listedAgents(cell: string | undefined, { maxJsonDepth }: CsvLimits, place: RecordPlace): readonly unknown[] {
  if (cell === undefined) return []
  const named = { ...place, columnOf: () => 'agents' }
  try {
    const value = parseJson(cell, maxJsonDepth)
    if (Array.isArray(value)) return value
  } catch (error) {
    throw faultOf(named, '/agents', (error as LrsError).message)
  }
  throw faultOf(named, '/agents', 'must be a JSON array of xAPI Agents')
}
