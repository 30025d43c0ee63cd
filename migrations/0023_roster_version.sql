-- 0023 Roster version: how often the roster, the persons on it or the saved cohorts have changed.
-- Why:      which groups are hidden follows from the roster alone, and a process that remembers it must know when it is
--           another. The data version rises with every batch of the worker, hundreds of times between two syncs.
-- Locks:    `data_version` exclusively, for a moment: a constant default rewrites nothing.
-- Backfill: none; the version is only compared with itself, and what a process remembers it has read itself.

alter table data_version
  add column roster_version bigint not null default 0;
