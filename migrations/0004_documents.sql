-- 0004 Documents: State, Activity Profiles and Agent Profiles.
-- Why:      the standard's three document resources.
-- Locks:    none that matter, the table is new.
-- Backfill: none.

create type document_resource as enum ('state', 'activity-profile', 'agent-profile');

-- A document's id is text of any length, hence its digest in the key. `registration` is null in most keys, and two
-- documents without one are the same document.
create table document (
  tenant_id integer not null references tenant,
  seq bigint generated always as identity,
  resource document_resource not null,
  activity_id integer,
  agent_id integer,
  registration uuid,
  document_id text not null,
  digest bytea not null,
  content_type text not null,
  content bytea not null,
  etag text not null,
  updated timestamptz not null,
  primary key (tenant_id, seq),
  unique nulls not distinct (tenant_id, resource, agent_id, activity_id, registration, digest)
);
