import { createHash } from 'node:crypto'
import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import { isStorable } from '../xapi/formats.js'

/** An agent that no roster names, with the names under which statements have shown it. */
export interface UnknownAgent {
  /** In the form of `ifiOf`. */
  readonly agent: string
  readonly names: readonly string[]
}

/** A person of the roster who may be the one who acts under an agent. */
export interface SuggestedPerson {
  readonly personId: string
  readonly name: string | null
  readonly because: Reason
}

/**
 * Why: the person is called so (`personId`); the person has an agent with the same e-mail address (`agent`); or the
 * person's name is one of the agent's (`name`).
 */
type Reason = 'personId' | 'agent' | 'name'

interface Clue {
  readonly reason: Reason
  readonly word: string
}

const mostSuggestions = 5

/**
 * Suggests who may act under agents that no roster names (our definition), the surest first, five for each at most:
 * 1. `agent`: a person who has an agent with the same e-mail address: as `mbox`, letters' case aside, or as its
 *    `mbox_sha1sum`, when the agent is an `mbox` or an account whose name is an address;
 * 2. `personId`: a person whom the roster calls as the agent's account, its address, what stands before the @, or its
 *    OpenID;
 * 3. `name`: a person with exactly the name under which a statement has shown the agent.
 *
 * Persons who are merged into another are not suggested. One round trip; each rule looks words up, and none compares all
 * agents with all persons.
 *
 * @returns the suggestions for each agent, in the order given.
 */
export async function suggestPersons(
  db: Kysely<Database>,
  tenantId: number,
  agents: readonly UnknownAgent[]
): Promise<readonly (readonly SuggestedPerson[])[]> {
  const clues = agents.flatMap((agent, position) => cluesOf(agent).map(clue => ({ ...clue, position })))
  if (clues.length === 0) return agents.map(() => [])
  const { rows } = await sql<SuggestedPerson & { position: number }>`
    with clue as (
      select * from unnest(
        ${clues.map(clue => clue.position)}::integer[],
        ${clues.map(clue => clue.reason)}::text[],
        ${clues.map(clue => clue.word)}::text[]) as given(position, reason, word)
    ),
    found as (
      select clue.position, person_agent.person_id, 1 as rank, clue.reason
      from clue
      join agent on agent.tenant_id = ${tenantId} and agent.digest = sha256(convert_to(clue.word, 'UTF8'))
      join person_agent on person_agent.tenant_id = ${tenantId} and person_agent.agent_id = agent.id
      where clue.reason = 'agent'
      union all
      select clue.position, person.id, 2, clue.reason
      from clue join person on person.tenant_id = ${tenantId} and person.external_id = clue.word
      where clue.reason = 'personId'
      union all
      select clue.position, person.id, 3, clue.reason
      from clue join person on person.tenant_id = ${tenantId} and person.name = clue.word
      where clue.reason = 'name'
    ),
    best as (select distinct on (position, person_id) * from found order by position, person_id, rank),
    ranked as (
      select best.position, best.reason, best.rank, person.external_id, person.name,
        row_number() over (partition by position order by rank, external_id) as place
      from best join person on person.tenant_id = ${tenantId} and person.id = best.person_id
      where person.external_id is not null and person.merged_into is null
    )
    select position, external_id as "personId", name, reason as because from ranked
    where place <= ${mostSuggestions} order by position, place`.execute(db)
  return agents.map((_agent, at) =>
    rows.filter(row => row.position === at).map(({ personId, name, because }) => ({ personId, name, because }))
  )
}

function cluesOf({ agent, names }: UnknownAgent): readonly Clue[] {
  const [type, value = '', account = ''] = JSON.parse(agent) as readonly string[]
  const called = type === 'account' ? account : value.replace(/^mailto:/, '')
  const address = type === 'mbox' || /^[^\s@]+@[^\s@]+$/.test(called) ? called : null
  const words: readonly (readonly [Reason, readonly string[]])[] = [
    ['agent', address === null ? [] : agentsOf(address)],
    ['personId', type === 'mbox_sha1sum' ? [] : [called, called.toLowerCase(), ...localPart(address)]],
    ['name', names]
  ]
  return words.flatMap(([reason, words]) =>
    [...new Set(words)].filter(word => word !== '' && isStorable(word)).map(word => ({ reason, word }))
  )
}

/** The agents with an e-mail address, in the form of `ifiOf`. */
function agentsOf(address: string): readonly string[] {
  return [`mailto:${address}`, `mailto:${address.toLowerCase()}`].flatMap(mbox => [
    JSON.stringify(['mbox', mbox]),
    JSON.stringify(['mbox_sha1sum', createHash('sha1').update(mbox).digest('hex')])
  ])
}

function localPart(address: string | null): readonly string[] {
  return address === null ? [] : [address.slice(0, address.lastIndexOf('@'))]
}
