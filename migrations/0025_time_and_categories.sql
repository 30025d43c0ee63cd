-- 0025 How long a learner learned, and of which categories their deeds were, by seven weeks.
-- Why:      for everyone over 90 days `time-on-task` added up 724,026 rows of `learner_day`, 0.7 s of CPU, and
--           `course-diversity` read 2,133,924 events, 2.7 s. The same is in 38,772 rows of each table here. `outcome-tags`
--           read all events of the window to find those with tags.
-- Locks:    `learner_day` and `learning_event` against writers until all is filled.
-- Backfill: here, from `learner_day` and `learning_event`: 64 s for 2,920,818 and 10,033,977 rows.

lock table learner_day in share row exclusive mode;

-- The time of seven ISO weeks, which begin where those of `learner_weeks` do. `active` are the days with a deed of the
-- learner's own and `timed` those with a duration, as bits. An array has the sum for the first active day, for the first
-- two, and so on, so that any stretch of days is one subtraction; null where all is 0.
create table learner_time (
  tenant_id integer not null,
  person_id integer not null,
  begins date not null,
  active bigint not null,
  timed bigint not null,
  duration_ms bigint[],
  active_ms bigint[],
  calendar_durations bigint[],
  primary key (tenant_id, person_id, begins)
);
create index learner_time_begins on learner_time (tenant_id, begins);

insert into learner_time
select tenant_id, person_id, begins, bit_or(bit), coalesce(bit_or(bit) filter (where durations > 0), 0),
  case when bool_or(duration_ms <> 0) then array_agg(duration_sum order by day) end,
  case when bool_or(active_ms <> 0) then array_agg(active_sum order by day) end,
  case when bool_or(calendar_durations <> 0) then array_agg(calendar_sum order by day) end
from (
  select *, 1::bigint << (day - begins) as bit, sum(duration_ms) over so_far::bigint as duration_sum,
    sum(active_ms) over so_far::bigint as active_sum, sum(calendar_durations) over so_far as calendar_sum
  from (
    select tenant_id, person_id, day, day - (day - date 'J0') % 49 as begins,
      duration_ms, durations, calendar_durations, active_ms
    from learner_day
    where opened + completed_task + repeated_session + peer_feedback + manager_check + assessed + completed + started
      + terminated + posted + replied + endorsed + reward_claimed + visited > 0
  ) as placed
  window so_far as (partition by tenant_id, person_id, begins order by day)
) as placed
group by tenant_id, person_id, begins;

-- The rows are kept by `learner_day` itself, as those of `learner_weeks` are.
create function keep_learner_time() returns trigger language plpgsql as $$
begin
  with touched as materialized (
    select distinct tenant_id, person_id, day - (day - date 'J0') % 49 as begins from changed
  ),
  counted as materialized (
    select *
    from touched cross join lateral (
      select bit_or(bit) as active, coalesce(bit_or(bit) filter (where durations > 0), 0) as timed,
        case when bool_or(duration_ms <> 0) then array_agg(duration_sum) end as duration_ms,
        case when bool_or(active_ms <> 0) then array_agg(active_sum) end as active_ms,
        case when bool_or(calendar_durations <> 0) then array_agg(calendar_sum) end as calendar_durations
      from (
        select durations, duration_ms, active_ms, calendar_durations, 1::bigint << (day - touched.begins) as bit,
          sum(duration_ms) over so_far::bigint as duration_sum, sum(active_ms) over so_far::bigint as active_sum,
          sum(calendar_durations) over so_far as calendar_sum
        from learner_day
        where tenant_id = touched.tenant_id and person_id = touched.person_id
          and day >= touched.begins and day < touched.begins + 49
          and opened + completed_task + repeated_session + peer_feedback + manager_check + assessed + completed
            + started + terminated + posted + replied + endorsed + reward_claimed + visited > 0
        window so_far as (order by day)
        order by day
      ) as placed
    ) as counts
  ),
  emptied as (
    delete from learner_time as kept using counted
    where counted.active is null and kept.tenant_id = counted.tenant_id and kept.person_id = counted.person_id
      and kept.begins = counted.begins
  )
  insert into learner_time (tenant_id, person_id, begins, active, timed, duration_ms, active_ms, calendar_durations)
  select tenant_id, person_id, begins, active, timed, duration_ms, active_ms, calendar_durations
  from counted where active is not null
  on conflict (tenant_id, person_id, begins) do update
    set (active, timed, duration_ms, active_ms, calendar_durations) = row (excluded.active, excluded.timed,
      excluded.duration_ms, excluded.active_ms, excluded.calendar_durations)
    where (learner_time.*) *<> (excluded.*);
  return null;
end
$$;

create trigger learner_time_inserted after insert on learner_day
  referencing new table as changed for each statement execute function keep_learner_time();
create trigger learner_time_updated after update on learner_day
  referencing new table as changed for each statement execute function keep_learner_time();
create trigger learner_time_deleted after delete on learner_day
  referencing old table as changed for each statement execute function keep_learner_time();

-- How many of a learner's own deeds of seven weeks were of which category, on which days. An element of all arrays
-- together is three digits of the numbers of one category by day, of the octal place `scales`: bits of `ones`, `twos` and
-- `fours` are days whose digit has them. Days with at most 7 are told by one element, more by one more for each digit.
-- The worker writes the rows, from events; categories by which cmi5 says that its rules hold are left out.
create table learner_categories (
  tenant_id integer not null,
  person_id integer not null,
  begins date not null,
  category_ids integer[] not null,
  scales integer[] not null,
  ones bigint[] not null,
  twos bigint[] not null,
  fours bigint[] not null,
  primary key (tenant_id, person_id, begins)
);
create index learner_categories_begins on learner_categories (tenant_id, begins);

insert into learner_categories
select tenant_id, person_id, begins, array_agg(category_id order by category_id, scale),
  array_agg(scale order by category_id, scale), array_agg(ones order by category_id, scale),
  array_agg(twos order by category_id, scale), array_agg(fours order by category_id, scale)
from (
  select tenant_id, person_id, day - nth as begins, category_id, scale,
    coalesce(bit_or(1::bigint << nth) filter (where deeds / scale & 1 <> 0), 0) as ones,
    coalesce(bit_or(1::bigint << nth) filter (where deeds / scale & 2 <> 0), 0) as twos,
    coalesce(bit_or(1::bigint << nth) filter (where deeds / scale & 4 <> 0), 0) as fours
  from (
    select tenant_id, person_id, day, (day - date 'J0') % 49 as nth, category_id, count(*)::integer as deeds
    from learning_event as event
    join person_agent using (tenant_id, agent_id)
    cross join unnest(category_ids) as category_id
    where kind not in ('delivered', 'reward-offered') and "timestamp" <= statement_timestamp() + interval '5 minutes'
      and not exists (
        select from statement as voiding
        where voiding.tenant_id = event.tenant_id and voiding.voids = event.statement_id and voiding.voids is not null)
      and (tenant_id, category_id) not in (
        select tenant_id, id from activity where digest in (
          sha256(convert_to('https://w3id.org/xapi/cmi5/context/categories/cmi5', 'UTF8')),
          sha256(convert_to('https://w3id.org/xapi/cmi5/context/categories/moveon', 'UTF8'))))
    group by tenant_id, person_id, day, category_id
  ) as counted
  join (values (1), (8), (64), (512), (4096), (32768), (262144), (2097152), (16777216), (134217728), (1073741824))
    as places (scale) on scale <= deeds
  group by tenant_id, person_id, begins, category_id, scale
) as element
where ones | twos | fours <> 0
group by tenant_id, person_id, begins;

-- An event without tags costs it nothing. The tags themselves may be too long for an index.
create index learning_event_tagged on learning_event (tenant_id, day) where outcome_tags <> '{}';
