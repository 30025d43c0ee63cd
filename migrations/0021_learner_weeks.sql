-- 0021 What a learner did over seven weeks, a bit for each day.
-- Why:      a metric of everyone over 90 days read 724,026 rows of `learner_day` to learn on which days 20,000 people
--           did something, and took 0.18 to 1.85 s of CPU. The same is in 39,984 rows here.
-- Locks:    `learner_day` against writers while the table is filled.
-- Backfill: here, from `learner_day`: 11 s for 2,920,818 rows, with everything else that is done here.

-- The learner-days of seven ISO weeks as sets of days: bit n of a column is the day n after `begins`, a Monday whose
-- distance from the Julian day 0, another Monday, is a multiple of 49. `active` are the days with a deed of the
-- learner's own, `opened` and the like those with such an event. Where it matters how many there were, three columns
-- have the number's binary digits: `posted_1`, `posted_2` and `posted_4` are bits of 1, 2 and 4, which tell 0 to 7; a
-- day with more has all three, and `is_busy` says that there is such a day in the row, whose number is then looked up in
-- `learner_day`.
create table learner_weeks (
  tenant_id integer not null,
  person_id integer not null,
  begins date not null,
  active bigint not null,
  delivered bigint not null,
  opened bigint not null,
  peer_feedback bigint not null,
  peer_feedback_received bigint not null,
  manager_check_received bigint not null,
  completed_task_1 bigint not null,
  completed_task_2 bigint not null,
  completed_task_4 bigint not null,
  posted_1 bigint not null,
  posted_2 bigint not null,
  posted_4 bigint not null,
  replied_1 bigint not null,
  replied_2 bigint not null,
  replied_4 bigint not null,
  endorsed_1 bigint not null,
  endorsed_2 bigint not null,
  endorsed_4 bigint not null,
  reward_offered_1 bigint not null,
  reward_offered_2 bigint not null,
  reward_offered_4 bigint not null,
  reward_claimed_1 bigint not null,
  reward_claimed_2 bigint not null,
  reward_claimed_4 bigint not null,
  session_starts_1 bigint not null,
  session_starts_2 bigint not null,
  session_starts_4 bigint not null,
  is_busy boolean not null,
  primary key (tenant_id, person_id, begins)
);
create index learner_weeks_begins on learner_weeks (tenant_id, begins);

insert into learner_weeks
select tenant_id, person_id, begins,
  coalesce(bit_or(bit) filter (where opened + completed_task + repeated_session + peer_feedback + manager_check
    + assessed + completed + started + terminated + posted + replied + endorsed + reward_claimed
    + visited > 0), 0) as active,
  coalesce(bit_or(bit) filter (where delivered > 0), 0) as delivered,
  coalesce(bit_or(bit) filter (where opened > 0), 0) as opened,
  coalesce(bit_or(bit) filter (where peer_feedback > 0), 0) as peer_feedback,
  coalesce(bit_or(bit) filter (where peer_feedback_received > 0), 0) as peer_feedback_received,
  coalesce(bit_or(bit) filter (where manager_check_received > 0), 0) as manager_check_received,
  coalesce(bit_or(bit) filter (where least(completed_task, 7) & 1 <> 0), 0) as completed_task_1,
  coalesce(bit_or(bit) filter (where least(completed_task, 7) & 2 <> 0), 0) as completed_task_2,
  coalesce(bit_or(bit) filter (where least(completed_task, 7) & 4 <> 0), 0) as completed_task_4,
  coalesce(bit_or(bit) filter (where least(posted, 7) & 1 <> 0), 0) as posted_1,
  coalesce(bit_or(bit) filter (where least(posted, 7) & 2 <> 0), 0) as posted_2,
  coalesce(bit_or(bit) filter (where least(posted, 7) & 4 <> 0), 0) as posted_4,
  coalesce(bit_or(bit) filter (where least(replied, 7) & 1 <> 0), 0) as replied_1,
  coalesce(bit_or(bit) filter (where least(replied, 7) & 2 <> 0), 0) as replied_2,
  coalesce(bit_or(bit) filter (where least(replied, 7) & 4 <> 0), 0) as replied_4,
  coalesce(bit_or(bit) filter (where least(endorsed, 7) & 1 <> 0), 0) as endorsed_1,
  coalesce(bit_or(bit) filter (where least(endorsed, 7) & 2 <> 0), 0) as endorsed_2,
  coalesce(bit_or(bit) filter (where least(endorsed, 7) & 4 <> 0), 0) as endorsed_4,
  coalesce(bit_or(bit) filter (where least(reward_offered, 7) & 1 <> 0), 0) as reward_offered_1,
  coalesce(bit_or(bit) filter (where least(reward_offered, 7) & 2 <> 0), 0) as reward_offered_2,
  coalesce(bit_or(bit) filter (where least(reward_offered, 7) & 4 <> 0), 0) as reward_offered_4,
  coalesce(bit_or(bit) filter (where least(reward_claimed, 7) & 1 <> 0), 0) as reward_claimed_1,
  coalesce(bit_or(bit) filter (where least(reward_claimed, 7) & 2 <> 0), 0) as reward_claimed_2,
  coalesce(bit_or(bit) filter (where least(reward_claimed, 7) & 4 <> 0), 0) as reward_claimed_4,
  coalesce(bit_or(bit) filter (where least(session_starts, 7) & 1 <> 0), 0) as session_starts_1,
  coalesce(bit_or(bit) filter (where least(session_starts, 7) & 2 <> 0), 0) as session_starts_2,
  coalesce(bit_or(bit) filter (where least(session_starts, 7) & 4 <> 0), 0) as session_starts_4,
  bool_or(greatest(completed_task, posted, replied, endorsed, reward_offered,
    reward_claimed, session_starts) > 7) as is_busy
from (
  select *, 1::bigint << (day - begins) as bit
  from (select *, day - (day - date 'J0') % 49 as begins from learner_day) as placed
) as placed
group by tenant_id, person_id, begins;

-- The rows are kept by `learner_day` itself, so that whoever writes there, the worker, a rebuild, an erasure or a hand,
-- leaves no other weeks than follow from it. Keys of `learner_day` are never updated. Who writes holds the learner.
create function keep_learner_weeks() returns trigger language plpgsql as $$
begin
  with touched as materialized (
    select distinct tenant_id, person_id, day - (day - date 'J0') % 49 as begins from changed
  ),
  counted as materialized (
    select *
    from touched cross join lateral (
      select count(*) as days,
        coalesce(bit_or(bit) filter (where opened + completed_task + repeated_session + peer_feedback + manager_check
          + assessed + completed + started + terminated + posted + replied + endorsed + reward_claimed
    + visited > 0), 0) as active,
        coalesce(bit_or(bit) filter (where delivered > 0), 0) as delivered,
        coalesce(bit_or(bit) filter (where opened > 0), 0) as opened,
        coalesce(bit_or(bit) filter (where peer_feedback > 0), 0) as peer_feedback,
        coalesce(bit_or(bit) filter (where peer_feedback_received > 0), 0) as peer_feedback_received,
        coalesce(bit_or(bit) filter (where manager_check_received > 0), 0) as manager_check_received,
        coalesce(bit_or(bit) filter (where least(completed_task, 7) & 1 <> 0), 0) as completed_task_1,
        coalesce(bit_or(bit) filter (where least(completed_task, 7) & 2 <> 0), 0) as completed_task_2,
        coalesce(bit_or(bit) filter (where least(completed_task, 7) & 4 <> 0), 0) as completed_task_4,
        coalesce(bit_or(bit) filter (where least(posted, 7) & 1 <> 0), 0) as posted_1,
        coalesce(bit_or(bit) filter (where least(posted, 7) & 2 <> 0), 0) as posted_2,
        coalesce(bit_or(bit) filter (where least(posted, 7) & 4 <> 0), 0) as posted_4,
        coalesce(bit_or(bit) filter (where least(replied, 7) & 1 <> 0), 0) as replied_1,
        coalesce(bit_or(bit) filter (where least(replied, 7) & 2 <> 0), 0) as replied_2,
        coalesce(bit_or(bit) filter (where least(replied, 7) & 4 <> 0), 0) as replied_4,
        coalesce(bit_or(bit) filter (where least(endorsed, 7) & 1 <> 0), 0) as endorsed_1,
        coalesce(bit_or(bit) filter (where least(endorsed, 7) & 2 <> 0), 0) as endorsed_2,
        coalesce(bit_or(bit) filter (where least(endorsed, 7) & 4 <> 0), 0) as endorsed_4,
        coalesce(bit_or(bit) filter (where least(reward_offered, 7) & 1 <> 0), 0) as reward_offered_1,
        coalesce(bit_or(bit) filter (where least(reward_offered, 7) & 2 <> 0), 0) as reward_offered_2,
        coalesce(bit_or(bit) filter (where least(reward_offered, 7) & 4 <> 0), 0) as reward_offered_4,
        coalesce(bit_or(bit) filter (where least(reward_claimed, 7) & 1 <> 0), 0) as reward_claimed_1,
        coalesce(bit_or(bit) filter (where least(reward_claimed, 7) & 2 <> 0), 0) as reward_claimed_2,
        coalesce(bit_or(bit) filter (where least(reward_claimed, 7) & 4 <> 0), 0) as reward_claimed_4,
        coalesce(bit_or(bit) filter (where least(session_starts, 7) & 1 <> 0), 0) as session_starts_1,
        coalesce(bit_or(bit) filter (where least(session_starts, 7) & 2 <> 0), 0) as session_starts_2,
        coalesce(bit_or(bit) filter (where least(session_starts, 7) & 4 <> 0), 0) as session_starts_4,
        bool_or(greatest(completed_task, posted, replied, endorsed, reward_offered,
          reward_claimed, session_starts) > 7) as is_busy
      from (
        select *, 1::bigint << (day - touched.begins) as bit from learner_day
        where tenant_id = touched.tenant_id and person_id = touched.person_id
          and day >= touched.begins and day < touched.begins + 49
      ) as placed
    ) as counts
  ),
  emptied as (
    delete from learner_weeks as kept using counted
    where counted.days = 0 and kept.tenant_id = counted.tenant_id and kept.person_id = counted.person_id
      and kept.begins = counted.begins
  )
  insert into learner_weeks (tenant_id, person_id, begins,
    active, delivered, opened, peer_feedback, peer_feedback_received, manager_check_received, completed_task_1,
    completed_task_2, completed_task_4, posted_1, posted_2, posted_4, replied_1, replied_2, replied_4, endorsed_1,
    endorsed_2, endorsed_4, reward_offered_1, reward_offered_2, reward_offered_4, reward_claimed_1,
    reward_claimed_2, reward_claimed_4, session_starts_1, session_starts_2, session_starts_4, is_busy)
  select tenant_id, person_id, begins,
    active, delivered, opened, peer_feedback, peer_feedback_received, manager_check_received, completed_task_1,
    completed_task_2, completed_task_4, posted_1, posted_2, posted_4, replied_1, replied_2, replied_4, endorsed_1,
    endorsed_2, endorsed_4, reward_offered_1, reward_offered_2, reward_offered_4, reward_claimed_1,
    reward_claimed_2, reward_claimed_4, session_starts_1, session_starts_2, session_starts_4, is_busy
  from counted where days > 0
  on conflict (tenant_id, person_id, begins) do update set (
    active, delivered, opened, peer_feedback, peer_feedback_received, manager_check_received, completed_task_1,
    completed_task_2, completed_task_4, posted_1, posted_2, posted_4, replied_1, replied_2, replied_4, endorsed_1,
    endorsed_2, endorsed_4, reward_offered_1, reward_offered_2, reward_offered_4, reward_claimed_1,
    reward_claimed_2, reward_claimed_4, session_starts_1, session_starts_2, session_starts_4, is_busy
  ) = row (
    excluded.active, excluded.delivered, excluded.opened, excluded.peer_feedback, excluded.peer_feedback_received,
    excluded.manager_check_received, excluded.completed_task_1, excluded.completed_task_2,
    excluded.completed_task_4, excluded.posted_1, excluded.posted_2, excluded.posted_4, excluded.replied_1,
    excluded.replied_2, excluded.replied_4, excluded.endorsed_1, excluded.endorsed_2, excluded.endorsed_4,
    excluded.reward_offered_1, excluded.reward_offered_2, excluded.reward_offered_4, excluded.reward_claimed_1,
    excluded.reward_claimed_2, excluded.reward_claimed_4, excluded.session_starts_1, excluded.session_starts_2,
    excluded.session_starts_4, excluded.is_busy
  )
  where (learner_weeks.*) *<> (excluded.*);
  return null;
end
$$;

create trigger learner_weeks_inserted after insert on learner_day
  referencing new table as changed for each statement execute function keep_learner_weeks();
create trigger learner_weeks_updated after update on learner_day
  referencing new table as changed for each statement execute function keep_learner_weeks();
create trigger learner_weeks_deleted after delete on learner_day
  referencing old table as changed for each statement execute function keep_learner_weeks();
