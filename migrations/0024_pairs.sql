-- 0024 Pairs of learner and activity or module, as metrics ask for them.
-- Why:      rates over pairs of everyone over 90 days read 700,000 events, or all that 20,000 people ever did with
--           5,000,000 activities, and took 0.7 to 2.2 s of CPU.
-- Locks:    `learner_day`, `learner_activity` and `learning_event` against writers while indexes are built and tables filled.
-- Backfill: here, from `learner_activity` and `learning_event`: 43 s for 10,033,977 events, with the indexes.

-- In the order in which workers write them: they would wait for each other otherwise, while an older program works on.
lock table learner_day, learner_activity in share row exclusive mode;

-- All that is asked of activities that were begun, without the table.
create index learner_activity_begun on learner_activity (tenant_id, person_id, activity_id)
  include (first_started_at, first_completed_at)
  where first_started_at is not null or first_completed_at is not null;

-- Activities by the day on which they are assigned.
create index assignment_begins on assignment (tenant_id, assigned_on) include (person_id, activity_id, withdrawn_on)
  where kind = 'activity';

-- And of deliveries.
create index learning_event_delivered on learning_event (tenant_id, day)
  include (agent_id, module_id, activity_id, "timestamp", statement_id)
  where kind = 'delivered';

-- When a learner has begun each of their activities, by *started* or by *completed*, and when they have completed them:
-- an instant for each activity, whatever modules it was done in, in order, so that how many there were by any day is
-- found by halving.
create table learner_begun (
  tenant_id integer not null,
  person_id integer not null,
  begun timestamptz[] not null,
  completed timestamptz[] not null,
  primary key (tenant_id, person_id)
);

insert into learner_begun
select tenant_id, person_id, array_agg(begun_at order by begun_at),
  coalesce(array_agg(completed_at order by completed_at) filter (where completed_at is not null), '{}')
from (
  select tenant_id, person_id, least(min(first_started_at), min(first_completed_at)) as begun_at,
    min(first_completed_at) as completed_at
  from learner_activity where first_started_at is not null or first_completed_at is not null
  group by tenant_id, person_id, activity_id
) as pair
group by tenant_id, person_id;

-- The rows are kept by `learner_activity` itself, as `learner_weeks` are by `learner_day` (0021). Keys of
-- `learner_activity` are never updated. Who writes holds the learner.
create function count_learner_begun(tenants integer[], persons integer[]) returns void language plpgsql as $$
begin
  with touched as materialized (
    select distinct tenant_id, person_id from unnest(tenants, persons) as given(tenant_id, person_id)
  ),
  counted as materialized (
    select touched.tenant_id, touched.person_id, counts.*
    from touched cross join lateral (
      select array_agg(begun_at order by begun_at) as begun,
        coalesce(array_agg(completed_at order by completed_at) filter (where completed_at is not null), '{}') as completed
      from (
        select least(min(first_started_at), min(first_completed_at)) as begun_at, min(first_completed_at) as completed_at
        from learner_activity as done
        where done.tenant_id = touched.tenant_id and done.person_id = touched.person_id
          and (first_started_at is not null or first_completed_at is not null)
        group by activity_id
      ) as pair
    ) as counts
  ),
  emptied as (
    delete from learner_begun as kept using counted
    where counted.begun is null and kept.tenant_id = counted.tenant_id and kept.person_id = counted.person_id
  )
  insert into learner_begun (tenant_id, person_id, begun, completed)
  select tenant_id, person_id, begun, completed from counted where begun is not null
  on conflict (tenant_id, person_id) do update set begun = excluded.begun, completed = excluded.completed
  where (learner_begun.*) *<> (excluded.*);
end
$$;

-- Most rows that are written are of what was begun before, or of what is never begun, such as a visit.
create function keep_learner_begun() returns trigger language plpgsql as $$
declare
  tenants integer[];
  persons integer[];
begin
  if tg_op = 'UPDATE' then
    select array_agg(changed.tenant_id), array_agg(changed.person_id) into tenants, persons
    from changed join former using (tenant_id, person_id, module_id, activity_id)
    where (changed.first_started_at, changed.first_completed_at)
      is distinct from (former.first_started_at, former.first_completed_at);
  else
    select array_agg(tenant_id), array_agg(person_id) into tenants, persons
    from changed where first_started_at is not null or first_completed_at is not null;
  end if;
  if tenants is not null then
    perform count_learner_begun(tenants, persons);
  end if;
  return null;
end
$$;

create trigger learner_begun_inserted after insert on learner_activity
  referencing new table as changed for each statement execute function keep_learner_begun();
create trigger learner_begun_updated after update on learner_activity
  referencing old table as former new table as changed for each statement execute function keep_learner_begun();
create trigger learner_begun_deleted after delete on learner_activity
  referencing old table as changed for each statement execute function keep_learner_begun();

-- A day on which a learner came to a step in a module: it was *delivered* to them, or they *opened* it. `before` is the
-- last such day before, minus infinity for none: a row is the module's first in a window where `before` lies before it.
-- `followed_on` is the first day of an event of the next step (*opened* after *delivered*, *completed-task* after
-- *opened*) at or after the day's first event, infinity for none. Voided and future events are left out.
create table learner_step (
  tenant_id integer not null,
  person_id integer not null,
  step learning_event_kind not null check (step in ('delivered', 'opened')),
  day date not null,
  module_id integer not null,
  before date not null,
  followed_on date not null,
  primary key (tenant_id, person_id, step, day, module_id)
);

insert into learner_step
select tenant_id, person_id, kind, day, module_id,
  coalesce(lag(day) over (partition by tenant_id, person_id, module_id, kind order by day), '-infinity'),
  coalesce(min(next_day), 'infinity')
from (
  select tenant_id, person_id, kind, day, module_id, case kind
    when 'delivered' then min(day) filter (where kind = 'opened') over onwards
    when 'opened' then min(day) filter (where kind = 'completed-task') over onwards end as next_day
  from (
    select event.tenant_id, person_agent.person_id, kind, day, module_id, "timestamp"
    from learning_event as event join person_agent using (tenant_id, agent_id)
    where kind in ('delivered', 'opened', 'completed-task') and module_id is not null
      and "timestamp" <= statement_timestamp() + interval '5 minutes'
      and not exists (select from statement as voiding
        where voiding.tenant_id = event.tenant_id and voiding.voids = event.statement_id and voiding.voids is not null)
  ) as event
  window onwards as (partition by tenant_id, person_id, module_id order by "timestamp" desc)
) as event
where kind <> 'completed-task'
group by tenant_id, person_id, module_id, kind, day;

-- The rows of everyone and a window, without the table.
create index learner_step_day on learner_step (tenant_id, step, day) include (person_id, module_id, before, followed_on);
