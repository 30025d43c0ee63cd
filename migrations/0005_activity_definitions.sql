-- 0005 What is known of activities, verbs and agents beyond their identifiers.
-- Why:      the Activities Resource, the Agents Resource and the format "canonical" answer what all statements together
--           have said, which would cost a search through them.
-- Locks:    none that matter, the tables are new.
-- Backfill: none. What statements said before is taken over when one says it again.

-- The texts are JSON as it was sent, in `text` and not in `jsonb`, which refuses \u0000 and loses the order of keys. A
-- definition is merged from all that were sent, under its row's lock.
create table activity_definition (
  tenant_id integer not null references tenant,
  activity_id integer not null,
  definition text not null,
  updated timestamptz not null,
  primary key (tenant_id, activity_id)
);

create table verb_display (
  tenant_id integer not null references tenant,
  verb_id integer not null,
  display text not null,
  updated timestamptz not null,
  primary key (tenant_id, verb_id)
);

-- Each name under which statements have shown an agent, as a JSON string. A name is of any length, hence its digest in
-- the key.
create table agent_name (
  tenant_id integer not null references tenant,
  agent_id integer not null,
  digest bytea not null,
  name text not null,
  first_seen timestamptz not null,
  primary key (tenant_id, agent_id, digest)
);
