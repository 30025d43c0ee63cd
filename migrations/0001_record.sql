-- 0001 The record: tenants, credentials, the dictionaries of verbs, activities and agents, statements.
-- Why:      first schema.
-- Locks:    none that matter, every table is new.
-- Backfill: none.

create table tenant (
  id integer generated always as identity primary key,
  name text not null unique,
  time_zone text not null,
  created_at timestamptz not null default now()
);

-- A secret is kept as an scrypt hash only. `authority` is the Agent, as JSON text, that is written into
-- each statement which the credential stores.
create table credential (
  key text primary key,
  tenant_id integer not null references tenant,
  name text not null,
  secret_hash text not null,
  scopes text[] not null,
  authority text not null,
  created_at timestamptz not null default now(),
  revoked_at timestamptz
);
create index credential_tenant on credential (tenant_id);

-- Dictionaries. The SHA-256 digest is the key, because a b-tree entry holds about 2.7 kB and an IRI may be longer.
create table verb (
  tenant_id integer not null references tenant,
  id integer generated always as identity,
  digest bytea not null,
  iri text not null,
  primary key (tenant_id, id),
  unique (tenant_id, digest)
);

create table activity (
  tenant_id integer not null references tenant,
  id integer generated always as identity,
  digest bytea not null,
  iri text not null,
  primary key (tenant_id, id),
  unique (tenant_id, digest)
);

-- `ifi` is the inverse functional identifier as a JSON array: its property and its whole value, so that an
-- account's home page and name can't be confused. Agents and identified groups share one dictionary: a filter
-- by `agent` finds both.
create table agent (
  tenant_id integer not null references tenant,
  id integer generated always as identity,
  digest bytea not null,
  ifi text not null,
  primary key (tenant_id, id),
  unique (tenant_id, digest)
);

-- `text` is the statement exactly as it is returned. `stored` comes from the database's clock, after the writing
-- transaction has taken its id. `voids` is the target of a voiding statement; a statement is voided when another
-- one voids it, whichever came first, so this is looked up and never copied.
create table statement (
  tenant_id integer not null references tenant,
  seq bigint generated always as identity,
  id uuid not null,
  stored timestamptz not null,
  "timestamp" timestamptz not null,
  verb_id integer not null,
  actor_id integer,
  object_activity_id integer,
  object_agent_id integer,
  registration uuid,
  voids uuid,
  text text not null,
  primary key (tenant_id, id)
);
-- LZ4 costs a third of pglz's time, but not every server is built with it: the embedded one is not.
do $$
begin
  if 'lz4' = any((select enumvals from pg_settings where name = 'default_toast_compression')::text[]) then
    alter table statement alter column text set compression lz4;
  end if;
end
$$;

create index statement_stored on statement (tenant_id, stored, seq);
create index statement_verb on statement (tenant_id, verb_id, stored, seq);
create index statement_actor on statement (tenant_id, actor_id, stored, seq) where actor_id is not null;
create index statement_object_activity on statement (tenant_id, object_activity_id, stored, seq)
  where object_activity_id is not null;
create index statement_object_agent on statement (tenant_id, object_agent_id, stored, seq)
  where object_agent_id is not null;
create index statement_registration on statement (tenant_id, registration, stored, seq)
  where registration is not null;
create index statement_voids on statement (tenant_id, voids) where voids is not null;
