-- 0027 Scored attempts by learner, activity and day, with the days of those before and after.
-- Why:      the score that counts of each learner and activity was found by putting all attempts of a window in order:
--           180,000 of 20,000 people over 90 days took 250 to 330 ms of CPU.
-- Locks:    `learner_day`, `learner_activity` and `learning_event` against writers until all is filled.
-- Backfill: here, from `learning_event`: 8 s for 716,232 scored attempts among 10,033,977 events, with the indexes.

-- In the order in which workers write them: they would wait for each other otherwise, while an older program works on.
lock table learner_day, learner_activity in share row exclusive mode;

create type score_scale as enum ('scaled', 'ratio');

-- By this all that a learner was assessed in with an activity is found, whatever module it was done in.
create index learning_event_assessed_activity on learning_event (tenant_id, agent_id, activity_id)
  where kind = 'assessed' and activity_id is not null;

-- A day on which a learner was assessed in an activity with a score on a scale. `before` is the last such day before,
-- minus infinity for none, and `after` the next one, infinity for none: a row is the activity's first in a window where
-- `before` lies before it, and its last where `after` does not lie in it. `alone` are those of the `attempts` whose only
-- score is on this scale. Equal instants are in the order in which they were stored. Voided and future events are left out.
create table learner_attempt (
  tenant_id integer not null,
  person_id integer not null,
  activity_id integer not null,
  scale score_scale not null,
  day date not null,
  before date not null,
  after date not null,
  attempts integer not null,
  alone integer not null,
  first_score numeric not null,
  last_score numeric not null,
  best_score numeric not null,
  primary key (tenant_id, person_id, activity_id, scale, day)
);

insert into learner_attempt
select tenant_id, person_id, activity_id, scale, day,
  coalesce(lag(day) over days, '-infinity'), coalesce(lead(day) over days, 'infinity'),
  attempts, alone, first_score, last_score, best_score
from (
  select event.tenant_id, person_id, activity_id, scale, day, count(*) as attempts, count(*) filter (where is_alone) as alone,
    (array_agg(score order by "timestamp", statement_seq))[1] as first_score,
    (array_agg(score order by "timestamp" desc, statement_seq desc))[1] as last_score,
    (array_agg(score order by score desc, "timestamp", statement_seq))[1] as best_score
  from learning_event as event
  join person_agent using (tenant_id, agent_id)
  cross join lateral (values
    ('scaled'::score_scale, score_scaled, score_ratio is null), ('ratio', score_ratio, score_scaled is null)
  ) as given(scale, score, is_alone)
  where kind = 'assessed' and activity_id is not null and score is not null
    and "timestamp" <= statement_timestamp() + interval '5 minutes'
    and not exists (select from statement as voiding
      where voiding.tenant_id = event.tenant_id and voiding.voids = event.statement_id and voiding.voids is not null)
  group by event.tenant_id, person_id, activity_id, scale, day
) as done
window days as (partition by tenant_id, person_id, activity_id, scale order by day);

-- The rows of everyone and a window, without the table; and those of a window that only count on the other scale.
create index learner_attempt_day on learner_attempt (tenant_id, scale, day)
  include (person_id, activity_id, before, after, attempts, first_score, last_score, best_score);
create index learner_attempt_alone on learner_attempt (tenant_id, scale, day) include (person_id, alone) where alone > 0;

-- What 0026 refuses to older programs now includes this table.
create or replace function refuse_older_keepers() returns trigger language plpgsql as $$
begin
  if current_setting('application_name') = 'momentum-lrs'
    and coalesce(current_setting('momentum.keeps', true), '') < '0027' then
    raise exception using errcode = 'object_not_in_prerequisite_state',
      message = 'This program is older than the derived tables',
      hint = 'It goes on to record statements; what follows from them is derived by the program that has migrated.';
  end if;
  return null;
end
$$;
