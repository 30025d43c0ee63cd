import { type RawBuilder, sql } from 'kysely'
import { doneToKinds } from '../events/deed-kinds.js'
import { futureTolerance, isVoided } from './learner-days.js'
import { daysOfRow } from './learner-weeks.js'

/** Every column of `learner_categories` but its key, in its order. */
export const categoryColumns: readonly string[] = ['category_ids', 'scales', 'ones', 'twos', 'fours']

/** What an element of these arrays, all together, is called. */
const elementColumns = ['category_id', 'scale', 'ones', 'twos', 'fours']

/** Categories that say by which rules a statement was made, not what it is about. */
const ruleCategories = [
  'https://w3id.org/xapi/cmi5/context/categories/cmi5',
  'https://w3id.org/xapi/cmi5/context/categories/moveon'
] as const

/** The octal places that a count, a PostgreSQL integer, may have. */
const scales = Array.from({ length: 11 }, (_, place) => 8 ** place)

/** SQL over a row of `activity` for whether it is one of these. */
export const isRuleCategory = sql<boolean>`digest in (${sql.join(
  ruleCategories.map(iri => sql`sha256(convert_to(${iri}, 'UTF8'))`)
)})`

/** SQL for the first day of the row of seven weeks that a local day is in. */
export function beginsOf(day: RawBuilder<unknown>): RawBuilder<string> {
  return sql<string>`(${day} - (${day} - date 'J0') % ${sql.lit(daysOfRow)})`
}

/** What `categoryRows` needs of each row of `learning_event as event`. */
export const categoryEventColumns = sql`event.day, event.category_ids`

/** SQL over `learning_event as event` for whether it is a deed of the learner's own that has categories and counts. */
export const isCategorisedDeed = sql<boolean>`(event.category_ids is not null
  and event.kind not in (${sql.join(doneToKinds.map(kind => sql.lit(kind)))})
  and event."timestamp" <= statement_timestamp() + ${futureTolerance}::interval and not ${isVoided})`

/**
 * A query for rows of `learner_categories`: of the deeds of some days, and of what is stored of the others in the same
 * seven weeks. It reads the tenants of `key`, a common table expression.
 *
 * @param events a query for `tenant_id`, `person_id` and `categoryEventColumns`.
 * @param kept a query for the stored elements that stay: the key, `category_id`, `scale`, `ones`, `twos`, `fours`.
 */
export function categoryRows(events: RawBuilder<unknown>, kept: RawBuilder<unknown> | null): RawBuilder<unknown> {
  const digit = (bit: number) =>
    sql`case when deeds / scale & ${sql.lit(bit)} <> 0 then 1::bigint << (day - begins) else 0 end`
  const ordered = elementColumns.map(
    (column, at) =>
      sql`array_agg(${sql.ref(column)} order by category_id, scale) as ${sql.ref(categoryColumns[at] ?? column)}`
  )
  return sql`
    select tenant_id, person_id, begins, ${sql.join(ordered)}
    from (
      select tenant_id, person_id, begins, category_id, scale,
        bit_or(ones) as ones, bit_or(twos) as twos, bit_or(fours) as fours
      from (
        select tenant_id, person_id, begins, category_id, scale,
          ${digit(1)} as ones, ${digit(2)} as twos, ${digit(4)} as fours
        from (
          select tenant_id, person_id, day, ${beginsOf(sql`day`)} as begins, category_id, count(*)::integer as deeds
          from (${events}) as event cross join unnest(category_ids) as category_id
          where (tenant_id, category_id) not in (
            select tenant_id, id from activity where tenant_id in (select tenant_id from key) and ${isRuleCategory})
          group by tenant_id, person_id, day, category_id
        ) as counted
        join (values ${sql.join(scales.map(scale => sql`(${sql.lit(scale)})`))}) as places(scale) on scale <= deeds
        ${kept === null ? sql`` : sql`union all ${kept}`}
      ) as element
      group by tenant_id, person_id, begins, category_id, scale
    ) as element
    where ones | twos | fours <> 0
    group by tenant_id, person_id, begins`
}

/**
 * A query for the elements that are stored of the rows that days of persons are in, without these days.
 *
 * @param key a query for `tenant_id`, `person_id` and `day`.
 */
export function storedWithoutDays(key: RawBuilder<unknown>): RawBuilder<unknown> {
  const rest = (column: string) => sql`unnest(${sql.ref(`stored.${column}`)}) & ~days`
  return sql`
    select stored.tenant_id, stored.person_id, stored.begins, unnest(stored.category_ids), unnest(stored.scales),
      ${sql.join(['ones', 'twos', 'fours'].map(rest))}
    from (
      select tenant_id, person_id, begins, bit_or(1::bigint << (day - begins)) as days
      from (select tenant_id, person_id, day, ${beginsOf(sql`day`)} as begins from (${key}) as key) as placed
      group by tenant_id, person_id, begins
    ) as touched
    join learner_categories as stored using (tenant_id, person_id, begins)`
}
