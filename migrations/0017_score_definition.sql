-- 0017 Scores: the definitions of a tenant, in versions.
-- Why:      weights, thresholds and coverage of a score are a tenant's own to choose, and an answer that was given must be
--           had again when they have changed: rows are added and never changed. Version 1 is the program's own.
-- Locks:    none; the table is new.
-- Backfill: none.

create table score_definition (
  tenant_id integer not null references tenant,
  score text not null,
  version integer not null check (version > 1),
  definition jsonb not null check (jsonb_typeof(definition) = 'object'),
  created_by text not null,
  created_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, score, version)
);
