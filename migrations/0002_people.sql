-- 0002 People: who a learner is, under which agents they act, and which cohorts they belong to when.
-- Why:      first schema.
-- Locks:    none that matter, every table is new.
-- Backfill: none.

create extension if not exists btree_gist;

-- A person that the roster names has an `external_id` (the API's personId). One without is provisional: an agent
-- acted before any roster knew it. `first_agent_id` is that agent, so that two workers make one person of it.
create table person (
  tenant_id integer not null references tenant,
  id integer generated always as identity,
  external_id text,
  first_agent_id integer,
  name text,
  created_at timestamptz not null default now(),
  primary key (tenant_id, id),
  unique (tenant_id, external_id),
  unique (tenant_id, first_agent_id),
  check (num_nonnulls(external_id, first_agent_id) = 1)
);

create table person_agent (
  tenant_id integer not null,
  agent_id integer not null,
  person_id integer not null,
  primary key (tenant_id, agent_id),
  foreign key (tenant_id, agent_id) references agent (tenant_id, id),
  foreign key (tenant_id, person_id) references person (tenant_id, id)
);
create index person_agent_person on person_agent (tenant_id, person_id);

-- What the roster says of a person, in local days. Ranges of one person never overlap.
create table roster (
  tenant_id integer not null,
  person_id integer not null,
  valid daterange not null check (not isempty(valid)),
  cohorts text[] not null default '{}',
  foreign key (tenant_id, person_id) references person (tenant_id, id),
  exclude using gist (tenant_id with =, person_id with =, valid with &&)
);
create index roster_cohorts on roster using gin (cohorts);
