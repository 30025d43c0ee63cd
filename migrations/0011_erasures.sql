-- 0011 Erasures: how often persons were erased, when, by whom and how much of the record.
-- Why:      a person can be erased; that it was done can be shown, without anything of the person in it.
-- Locks:    `tenant` exclusively, for a moment: it is small, and a constant default rewrites nothing.
-- Backfill: none; nobody was erased before.

-- Counts the erasures that took numbers out of the dictionary of agents. Whoever remembers numbers compares it with
-- what it was when they were looked up.
alter table tenant
  add column erasures integer not null default 0;

-- Counts alone: nothing here may tell who was erased. `finished_at` is null while it goes on, or where it broke off.
create table erasure (
  tenant_id integer not null references tenant,
  id bigint generated always as identity,
  requested_by text not null,
  started_at timestamptz not null default clock_timestamp(),
  finished_at timestamptz,
  statements integer not null,
  voids integer not null,
  authorities integer not null,
  attachments integer not null,
  attachment_bytes bigint not null,
  learning_events integer not null,
  documents integer not null,
  names integer not null,
  agents integer not null,
  persons integer not null,
  primary key (tenant_id, id)
);
