-- 0013 The queue by what its rows name, and by how long they have waited.
-- Why:      a worker takes with the oldest rows whatever else is due of the same learners, so that a learner with many
--           rows is recomputed once for all of them. A row that waits for a future event has waited since its time
--           came, not since it was enqueued. And rows of `learner_activity` that had no event left were looked for by
--           module and activity, as often as PostgreSQL took that for as good as the primary key: 800 rows read for
--           each. Whoever was there with such an index finds one.
-- Locks:    `rollup_queue` and `learner_activity` against writers while the indexes are built.
-- Backfill: none. Parked rows that are tried again keep since when they wait from now on.

create index rollup_queue_agent on rollup_queue (tenant_id, agent_id) where agent_id is not null;
create index rollup_queue_person on rollup_queue (tenant_id, person_id) where person_id is not null;

drop index rollup_queue_lag;
create index rollup_queue_lag on rollup_queue (tenant_id, greatest(enqueued_at, due_at)) where attempts = 0;

drop index learner_activity_module;
create index learner_activity_module on learner_activity (tenant_id, module_id, activity_id, person_id);
