-- 0008 People: the attributes of the roster, merged persons, the trail of who was moved where, and saved cohorts.
-- Why:      cohorts are filters over what an HRIS says of people at a stated moment; merging and splitting persons must
--           be traceable and can be undone.
-- Locks:    `roster` and `person` exclusively, for a moment: the new columns have constant defaults, which rewrite
--           nothing.
-- Backfill: none; nothing but the cohorts was known before.

-- `manager_id` is the manager's `person.external_id`, as sent: an HRIS names managers before it sends them. `hired_on`
-- is the first local day of the employment and `left_on` the last.
alter table roster
  add column role text,
  add column team text,
  add column manager_id text,
  add column region text,
  add column job_family text,
  add column assignment_type text,
  add column hired_on date,
  add column left_on date,
  add column demographics jsonb not null default '{}' check (jsonb_typeof(demographics) = 'object');
create index roster_manager on roster (tenant_id, manager_id) where manager_id is not null;

-- A merged person keeps its row and its roster, so that the merge can be undone, and is no learner of its own meanwhile.
alter table person
  add column merged_into integer,
  add foreign key (tenant_id, merged_into) references person (tenant_id, id),
  add check (merged_into <> id);
create index person_merged_into on person (tenant_id, merged_into) where merged_into is not null;

create type person_change_kind as enum ('merge', 'split', 'undo');

-- Who moved which agents from whom to whom. `undoes` is the change that an `undo` takes back.
create table person_change (
  tenant_id integer not null references tenant,
  id bigint generated always as identity,
  kind person_change_kind not null,
  from_person_id integer not null,
  to_person_id integer not null,
  agent_ids integer[] not null,
  undoes bigint,
  reason text,
  changed_by text not null,
  changed_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id),
  unique (tenant_id, undoes),
  foreign key (tenant_id, undoes) references person_change (tenant_id, id),
  foreign key (tenant_id, from_person_id) references person (tenant_id, id),
  foreign key (tenant_id, to_person_id) references person (tenant_id, id),
  check ((kind = 'undo') = (undoes is not null))
);

-- A filter over attributes under a name; the roster's own named cohorts need no row here.
create table cohort (
  tenant_id integer not null references tenant,
  id text not null,
  name text,
  filter jsonb not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),
  primary key (tenant_id, id)
);
