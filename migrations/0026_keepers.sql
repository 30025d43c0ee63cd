-- 0026 Derived rows are written by programs that keep all of them.
-- Why:      `learner_step` (0024) and `learner_categories` (0025) are written by workers, beside `learner_day` and
--           `learner_activity`. While an upgrade is under way a program from before them may run beside the present one;
--           it would go on to write those two, and leave these behind without anybody's notice.
-- Locks:    `learner_day` and `learner_activity` against writers, for an instant.
-- Backfill: none.

-- The program says on each connection which is the newest migration with derived tables that it knows. One that says an
-- earlier one, or none, records and answers as before; what it would derive it leaves on the queue (errors of class 55 go
-- by, and no row is at fault), where the present program takes it. Who is not the program, such as psql, is let through.
create function refuse_older_keepers() returns trigger language plpgsql as $$
begin
  if current_setting('application_name') = 'momentum-lrs'
    and coalesce(current_setting('momentum.keeps', true), '') < '0025' then
    raise exception using errcode = 'object_not_in_prerequisite_state',
      message = 'This program is older than the derived tables',
      hint = 'It goes on to record statements; what follows from them is derived by the program that has migrated.';
  end if;
  return null;
end
$$;

create trigger learner_day_keepers before insert or update or delete on learner_day
  for each statement execute function refuse_older_keepers();
create trigger learner_activity_keepers before insert or update or delete on learner_activity
  for each statement execute function refuse_older_keepers();
