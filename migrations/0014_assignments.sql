-- 0014 Assignments: what learners were given to do, and which manager checks are due.
-- Why:      delivery and completion are shares of what was assigned, and checks are outstanding once they are due; no
--           statement says either, an LMS has them as enrolments.
-- Locks:    none that matter, the table is new.
-- Backfill: none; nothing was known of assignments before.

create type assignment_kind as enum ('activity', 'manager-check');

-- `assignment_id` is the LMS's own name for the enrolment. `person_id` is the person of the roster whom it names, also
-- one who is merged into another: who reads it follows `person.merged_into`, so that merging and undoing touch no row.
-- It holds on the local days from `assigned_on` until the day before `withdrawn_on`; on none when it was withdrawn
-- before it began. An enrolment may come after its deadline, so `due_on` may be before `assigned_on`.
create table assignment (
  tenant_id integer not null references tenant,
  id bigint generated always as identity,
  assignment_id text not null,
  person_id integer not null,
  kind assignment_kind not null,
  activity_id integer,
  assigned_on date not null,
  due_on date,
  withdrawn_on date,
  primary key (tenant_id, id),
  unique (tenant_id, assignment_id),
  foreign key (tenant_id, person_id) references person (tenant_id, id),
  foreign key (tenant_id, activity_id) references activity (tenant_id, id),
  check ((kind = 'activity') = (activity_id is not null)),
  check (kind = 'activity' or due_on is not null)
);
create index assignment_person on assignment (tenant_id, person_id);
create index assignment_activity on assignment (tenant_id, activity_id, person_id) where activity_id is not null;
create index assignment_check_due on assignment (tenant_id, due_on, person_id) where kind = 'manager-check';
