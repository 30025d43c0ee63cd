-- 0018 Scores: pilots.
-- Why:      a pilot is a cohort, a stretch of weeks and what it is judged by; the decision on it is computed from these and
--           never kept, so that it can't be older than what it rests on.
-- Locks:    none; the table is new.
-- Backfill: none.

-- `cohort` is a saved filter or a cohort of the roster by name, looked up whenever it is asked for. `definition` has a
-- `version`, raised whenever it changes.
create table pilot (
  tenant_id integer not null references tenant,
  id text not null,
  name text,
  cohort text not null,
  starts_on date not null,
  length_weeks integer not null check (length_weeks between 1 and 104),
  definition jsonb not null check (jsonb_typeof(definition) = 'object'),
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp(),
  primary key (tenant_id, id)
);
