import { type RawBuilder, sql } from 'kysely'

/** Which module alone counts. */
export interface ModuleChoice {
  readonly tenantId: number
  /** Its IRI; null for all modules, and what is of none. */
  readonly module: string | null
}

/** SQL for whether a column, the number of an activity, names the module that counts; a module that nobody knows has nothing. */
export function isOfModule(column: RawBuilder<unknown>, { tenantId, module }: ModuleChoice): RawBuilder<boolean> {
  if (module === null) return sql<boolean>`true`
  return sql<boolean>`(${column} = (
    select activity.id from activity
    where activity.tenant_id = ${tenantId} and activity.digest = sha256(convert_to(${module}, 'UTF8'))))`
}
