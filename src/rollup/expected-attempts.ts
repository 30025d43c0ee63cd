import { sql } from 'kysely'
import { wholeRow } from './difference.js'

/** What ought to stand in `learner_attempt`, as `expectedValues` has it: each attempt is numbered from all ends it may be of. */
export const expectedAttempts = sql`
  with scored as (
    select person_id, activity_id, 'scaled' as scale, day, score_scaled as score, score_ratio as other, "timestamp", statement_seq
    from deed where is_doer and is_live and kind = 'assessed' and activity_id is not null and score_scaled is not null
    union all
    select person_id, activity_id, 'ratio', day, score_ratio, score_scaled, "timestamp", statement_seq
    from deed where is_doer and is_live and kind = 'assessed' and activity_id is not null and score_ratio is not null
  ),
  numbered as (
    select *,
      row_number() over (partition by person_id, activity_id, scale, day order by "timestamp", statement_seq) as nth,
      row_number() over (partition by person_id, activity_id, scale, day
        order by "timestamp" desc, statement_seq desc) as nth_last,
      row_number() over (partition by person_id, activity_id, scale, day
        order by score desc, "timestamp", statement_seq) as nth_best
    from scored
  ),
  total as (
    select person_id, activity_id, scale, day, max(nth) as attempts, sum((other is null)::integer) as alone
    from numbered group by person_id, activity_id, scale, day
  )
  select person_id, activity_id, scale::score_scale, day, name, value
  from (
    select total.*, max(near.day) filter (where near.day < total.day) as before,
      min(near.day) filter (where near.day > total.day) as after
    from total left join total as near using (person_id, activity_id, scale)
    group by total.person_id, total.activity_id, total.scale, total.day, total.attempts, total.alone
  ) as attempt
  cross join lateral (values (${sql.lit(wholeRow)}, 'exists'), ('before', before::text), ('after', after::text),
    ('attempts', attempts::text), ('alone', alone::text)) as v(name, value)
  union all
  select person_id, activity_id, scale::score_scale, day, name, score::text
  from numbered
  cross join lateral (values
    ('first_score', nth), ('last_score', nth_last), ('best_score', nth_best)
  ) as v(name, place)
  where place = 1`
