-- 0015 Data version: how often what a tenant's metrics are made from has changed.
-- Why:      an answer that is asked for again can be told from an old one without being computed, by an ETag.
-- Locks:    none that matter, the table is new.
-- Backfill: none; a tenant without a row has version 0, and gets its row with the next change.

-- Raised by whoever commits a change, as the last statement of its transaction, in the order of the tenants. So of the
-- transactions that raise it each has a number of its own, and a snapshot that reads n has seen the first n of them and
-- no other. `raised_at` is the instant of the last one, by the database's clock.
create table data_version (
  tenant_id integer primary key references tenant,
  version bigint not null,
  raised_at timestamptz not null
) with (fillfactor = 50);
