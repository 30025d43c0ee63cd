-- 0009 Events: what else a statement says of a deed, the mappings of tenants, and the work of deriving events anew.
-- Why:      metrics ask for the activity, its type and categories, the registration and where the deed was done; what a
--           statement means is decided by data that a tenant may change; a changed mapping or time zone, or a rebuild,
--           derives stored statements anew, resumably, while others are stored.
-- Locks:    `learning_event` exclusively, for a moment: the new columns have constant defaults, which rewrite nothing.
-- Backfill: a derivation for each tenant that has statements, which the service carries out once it runs.

-- `activity_id` is the object where it is an Activity, otherwise the module. Types and categories are IRIs of the
-- dictionary of activities. `score_ratio` is (raw - min) / (max - min), where all three were sent; `score_scaled` is as
-- it was sent, and the two are never mixed. A duration of years or months has no length in milliseconds.
alter table learning_event
  add column activity_id integer,
  add column activity_type_id integer,
  add column category_ids integer[],
  add column registration uuid,
  add column platform text,
  add column cohort_tag text,
  add column role text,
  add column team text,
  add column manager_id text,
  add column manager_agent_id integer,
  add column score_ratio numeric,
  add column has_calendar_duration boolean not null default false;

-- A tenant's mapping from statements to kinds, in versions; the newest is in force. Version 0 is the program's own.
create table event_mapping (
  tenant_id integer not null references tenant,
  version integer not null check (version > 0),
  rules jsonb not null check (jsonb_typeof(rules) = 'array'),
  created_by text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, version)
);

create type derivation_reason as enum ('mapping', 'time-zone', 'rebuild');
create type derivation_phase as enum ('events', 'rollups', 'done');

-- Statements to derive events from anew, in the order of (stored, seq); where `verb_ids` are given, of one verb after the
-- other. It begins alone in the tenant's gate of writers, when all have ended who may have read the old mapping or zone:
-- `event_end` is the last `statement.seq` then, for what comes later is stored by the new one. `event_verbs` verbs are
-- done, and of the next the statements up to `event_stored` and `event_position`; `person_position` is the last
-- `person.id` that is done.
create table derivation (
  tenant_id integer not null references tenant,
  id bigint generated always as identity,
  reason derivation_reason not null,
  verb_ids integer[],
  requested_by text not null,
  requested_at timestamptz not null default clock_timestamp(),
  phase derivation_phase not null default 'events',
  event_end bigint,
  event_verbs integer not null default 0,
  event_stored timestamptz,
  event_position bigint not null default 0,
  person_position integer not null default 0,
  total bigint,
  derived bigint not null default 0,
  changed bigint not null default 0,
  started_at timestamptz,
  finished_at timestamptz,
  primary key (tenant_id, id)
);
create index derivation_open on derivation (tenant_id, id) where phase <> 'done';

insert into derivation (tenant_id, reason, requested_by)
select id, 'rebuild', 'migration 0009' from tenant
where exists (select from statement where statement.tenant_id = tenant.id);
