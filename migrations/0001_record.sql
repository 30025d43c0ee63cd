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
-- transaction has taken its id. `refers_to` is the target of a StatementRef as object, and `voids` the same for a
-- voiding statement. A statement is voided when another one voids it, whichever came first, so this is looked up and
-- never copied.
create table statement (
  tenant_id integer not null references tenant,
  seq bigint generated always as identity,
  id uuid not null,
  stored timestamptz not null,
  "timestamp" timestamptz not null,
  verb_id integer not null,
  authority_id integer not null,
  registration uuid,
  refers_to uuid,
  voids uuid,
  text text not null,
  primary key (tenant_id, id),
  unique (tenant_id, seq)
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
create index statement_authority on statement (tenant_id, authority_id, stored, seq);
create index statement_registration on statement (tenant_id, registration, stored, seq)
  where registration is not null;
create index statement_refers_to on statement (tenant_id, refers_to) where refers_to is not null;
create index statement_voids on statement (tenant_id, voids) where voids is not null;

-- The agents and activities that a statement names, in the reading order of the statement. A row with `is_related` is
-- one for the broad filters (related_agents, related_activities) only. A statement that refers to another meets the
-- filters that the other meets: it has the other's rows too, with `via_seq` telling where they come from.
create table statement_agent (
  tenant_id integer not null,
  agent_id integer not null,
  is_related boolean not null,
  stored timestamptz not null,
  seq bigint not null,
  via_seq bigint not null,
  primary key (tenant_id, agent_id, is_related, stored, seq, via_seq)
);

create table statement_activity (
  tenant_id integer not null,
  activity_id integer not null,
  is_related boolean not null,
  stored timestamptz not null,
  seq bigint not null,
  via_seq bigint not null,
  primary key (tenant_id, activity_id, is_related, stored, seq, via_seq)
);

-- For a statement that refers to another, directly or through others: what of the other the remaining filters ask.
create table statement_reference (
  tenant_id integer not null,
  seq bigint not null,
  stored timestamptz not null,
  via_seq bigint not null,
  verb_id integer not null,
  authority_id integer not null,
  registration uuid,
  primary key (tenant_id, seq, via_seq)
);
create index statement_reference_verb on statement_reference (tenant_id, verb_id, stored, seq);
create index statement_reference_authority on statement_reference (tenant_id, authority_id, stored, seq);
create index statement_reference_registration on statement_reference (tenant_id, registration, stored, seq)
  where registration is not null;
