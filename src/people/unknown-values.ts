import { type RawBuilder, sql } from 'kysely'
import { type CohortFilter, type FilterLeaf, leavesOf } from './cohort-filter.js'

/** A value that a filter asks for and that the roster never names. */
export interface UnknownValue {
  /** The filter's word for the attribute; `demographic` with its key, such as `demographic age`. */
  readonly attribute: string
  readonly value: string
}

/**
 * SQL for the values, a JSON array of `UnknownValue`, that a filter asks for and no row of the roster, of any time,
 * names; so that a slip of the pen is not taken for an empty group. Each attribute is looked for once.
 */
export function unknownValues(tenantId: number, filter: CohortFilter | null): RawBuilder<readonly UnknownValue[]> {
  const asked = filter === null ? [] : askedOf(filter)
  if (asked.length === 0) return sql<readonly UnknownValue[]>`'[]'::jsonb`
  const branches = asked.map(
    ({ attribute, key, values }) => sql`(
      select ${key === null ? attribute : `${attribute} ${key}`}::text as attribute, value
      from (select unnest(${values}::text[]) as value except (${knownValues(attribute, { tenantId, key, values })})) as missing
    )`
  )
  return sql<readonly UnknownValue[]>`(
    select coalesce(jsonb_agg(jsonb_build_object('attribute', attribute, 'value', value) order by attribute, value), '[]')
    from (${sql.join(branches, sql` union all `)}) as missing
  )`
}

interface Asked {
  readonly attribute: string
  /** Of a demographic, or null. */
  readonly key: string | null
  readonly values: readonly string[]
}

function askedOf(filter: CohortFilter): readonly Asked[] {
  const valuesOf = new Map<string, Asked>()
  for (const leaf of leavesOf(filter)) {
    const asked = askedOfLeaf(leaf)
    if (asked === null) continue
    const same = JSON.stringify([asked.attribute, asked.key])
    const values = new Set([...(valuesOf.get(same)?.values ?? []), ...asked.values])
    valuesOf.set(same, { ...asked, values: [...values] })
  }
  return [...valuesOf.values()]
}

/** A tenure band is one of three, and known. */
function askedOfLeaf(leaf: FilterLeaf): Asked | null {
  if ('tenureBand' in leaf) return null
  if ('demographic' in leaf) return { attribute: 'demographic', ...leaf.demographic }
  const [attribute, values] = Object.entries(leaf)[0] as [string, readonly string[]]
  return { attribute, key: null, values }
}

const columns: Readonly<Record<string, string>> = {
  role: 'role',
  team: 'team',
  region: 'region',
  jobFamily: 'job_family',
  assignmentType: 'assignment_type'
}

function knownValues(
  attribute: string,
  { tenantId, key, values }: Omit<Asked, 'attribute'> & { readonly tenantId: number }
): RawBuilder<unknown> {
  const ofTenant = sql`tenant_id = ${tenantId}`
  const persons = sql`select external_id from person where ${ofTenant} and external_id = any(${values}::text[])`
  if (attribute === 'cohort') {
    return sql`select unnest(cohorts) from roster where ${ofTenant} and cohorts && ${values}::text[]`
  }
  if (attribute === 'demographic') {
    const value = sql`demographics ->> ${key}::text`
    return sql`select ${value} from roster where ${ofTenant} and ${value} = any(${values}::text[])`
  }
  if (attribute === 'person') return persons
  if (attribute === 'manager' || attribute === 'line') {
    return sql`${persons} union select manager_id from roster where ${ofTenant} and manager_id = any(${values}::text[])`
  }
  const column = sql.ref(columns[attribute] ?? attribute)
  return sql`select ${column} from roster where ${ofTenant} and ${column} = any(${values}::text[])`
}
