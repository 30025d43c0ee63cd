import type { FastifyRequest } from 'fastify'
import type { Kysely } from 'kysely'
import type { Database } from '../../database/schema.js'
import { findDefinitions, findDisplays } from '../../store/find-descriptions.js'
import { formatCanonical, formatIds } from '../../xapi/format.js'
import { activitiesIn } from '../../xapi/mentions.js'
import type { Statement } from '../../xapi/statement.js'
import type { StatementFormat } from './statement-query.js'

/** Writes statements in the format that is asked for; two round trips for `canonical`, none for the others. */
export async function formatStatements(
  db: Kysely<Database>,
  texts: readonly string[],
  format: StatementFormat,
  { headers, principal }: FastifyRequest
): Promise<readonly string[]> {
  if (format === 'exact') return texts
  if (format === 'ids') return texts.map(formatIds)
  const statements = texts.map(text => JSON.parse(text) as Statement)
  const [definitions, displays] = await Promise.all([
    findDefinitions(db, principal.tenantId, activitiesOf(statements)),
    findDisplays(db, principal.tenantId, verbsOf(statements))
  ])
  const canon = {
    definitionOf: (iri: string) => definitions.get(iri) ?? null,
    displayOf: (iri: string) => displays.get(iri) ?? null
  }
  return texts.map(text => formatCanonical(text, canon, headers['accept-language'] ?? null))
}

function activitiesOf(statements: readonly Statement[]): readonly string[] {
  return statements.map(activitiesIn).flatMap(({ direct, related }) => [...direct, ...related])
}

function verbsOf(statements: readonly Statement[]): readonly string[] {
  return statements.flatMap(({ verb, object }) =>
    object.objectType === 'SubStatement' ? [verb.id, object.verb.id] : verb.id
  )
}
