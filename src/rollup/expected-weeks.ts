import { sql } from 'kysely'
import { doneToKinds } from '../events/deed-kinds.js'
import { learningEventKinds } from '../events/mapping-rule.js'
import { wholeRow } from './difference.js'
import { isRuleCategory } from './learner-categories.js'
import { columnOf } from './learner-days.js'
import { daysOfRow } from './learner-weeks.js'

/** SQL over learner-days for how many deeds of one's own a day has. */
export const ownActivity = sql<number>`(${sql.join(
  learningEventKinds.filter(kind => !doneToKinds.some(other => other === kind)).map(kind => sql.ref(columnOf(kind))),
  sql` + `
)})`

const arrays = ['duration_ms', 'active_ms', 'calendar_durations'].map(
  name => sql`
    union all
    select person_id, begins, ${sql.lit(name)}, array_agg(${sql.ref(name)} order by day)::text
    from so_far group by person_id, begins having max(${sql.ref(name)}) > 0`
)

/** What ought to stand in `learner_time`, as `expectedValues` has it: each day is added up with all before it in its row. */
export const expectedTime = sql`
  with own as (select * from own_day where (${ownActivity}) > 0),
  so_far as (
    select own.person_id, own.begins, own.day, own.bit, own.durations > 0 as is_timed, sum(earlier.duration_ms) as duration_ms,
      sum(earlier.active_ms) as active_ms, sum(earlier.calendar_durations) as calendar_durations
    from own join own as earlier using (person_id, begins)
    where earlier.day <= own.day
    group by own.person_id, own.begins, own.day, own.bit, own.durations
  )
  select distinct person_id, begins, ${sql.lit(wholeRow)} as name, 'exists' as value from so_far
  union all
  select person_id, begins, 'active', sum(bit)::text from so_far group by person_id, begins
  union all
  select person_id, begins, 'timed', sum(bit)::text from so_far where is_timed group by person_id, begins
  ${sql.join(arrays, sql``)}`

const nth = sql`mod(day - date 'J0', ${sql.lit(daysOfRow)})`

const digitsWith = (bit: number) => sql`coalesce(
  sum(power(2, nth)) filter (where mod(digit, ${sql.lit(2 * bit)}) >= ${sql.lit(bit)}), 0)::bigint`

const elements = Object.entries({
  category_ids: sql`category_id`,
  scales: sql`power(8, place)::integer`,
  ones: sql`ones`,
  twos: sql`twos`,
  fours: sql`fours`
}).map(
  ([name, value]) => sql`
    union all
    select person_id, begins, ${sql.lit(name)}, array_agg(${value} order by category_id, place)::text
    from element group by person_id, begins`
)

/** What ought to stand in `learner_categories`: the number of each day and category, written in octal. */
export const expectedCategories = sql`
  with counted as (
    select person_id, day - ${nth} as begins, ${nth} as nth, category_id, count(*) as n
    from deed cross join unnest(category_ids) as category_id
    where is_doer and is_live and kind not in (${sql.join(doneToKinds.map(kind => sql.lit(kind)))})
      and category_id not in (
        select id from activity where tenant_id = (select tenant_id from deed limit 1) and ${isRuleCategory})
    group by person_id, day, category_id
  ),
  element as (
    select person_id, begins, category_id, place,
      ${digitsWith(1)} as ones, ${digitsWith(2)} as twos, ${digitsWith(4)} as fours
    from (
      select *, mod(trunc(n / power(8::numeric, place)), 8) as digit from counted cross join generate_series(0, 10) as place
    ) as written
    where digit > 0 group by person_id, begins, category_id, place
  )
  select distinct person_id, begins, ${sql.lit(wholeRow)} as name, 'exists' as value from element
  ${sql.join(elements, sql``)}`
