-- 0022 Learning events of two sorts by their day, with all that a metric reads of them.
-- Why:      scores, and who answered whom, are read from the events of a window. Those of 20,000 people over 90 days are
--           180,000 of 2,480,000 of all kinds, each looked up in the table: 4.7 s. Here they stand together.
-- Locks:    `learning_event` against writers while the indexes are built.
-- Backfill: none.

create index learning_event_answer on learning_event (tenant_id, day)
  include (agent_id, subject_agent_id, "timestamp", statement_id, module_id)
  where kind in ('replied', 'endorsed') and subject_agent_id is not null;
create index learning_event_assessed on learning_event (tenant_id, day)
  include (agent_id, activity_id, module_id, score_scaled, score_ratio, "timestamp", statement_seq, statement_id)
  where kind = 'assessed' and activity_id is not null;
