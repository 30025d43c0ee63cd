-- 0010 Rollups: durations, scores, sessions and first instants of a learner's day; what a learner did with an activity;
--      rows of the queue that cannot be worked on.
-- Why:      time on task, assessment, sessions and conversion times are to be read from rollups; one row that fails
--           must not stop the others.
-- Locks:    `learner_day` and `rollup_queue` exclusively, for a moment: the new columns have constant defaults, which
--           rewrite nothing. The two indexes on `learning_event` hold up writers while they are made.
-- Backfill: the derivation that 0009 asks for recomputes every row. Rows of the queue that were there before are
--           worked on as before.

-- Durations in milliseconds: of *terminated* events, whose number with one is `durations`; `calendar_durations` are
-- those of years or months, which have no length. Scores: `score.scaled` of *assessed* events. A session begins with a
-- deed of the learner that has none in the 30 minutes before it; `active_ms` is the sum of the gaps of at most 30
-- minutes between deeds, credited to the day of the later one.
alter table learner_day
  add column duration_ms bigint not null default 0,
  add column durations integer not null default 0,
  add column calendar_durations integer not null default 0,
  add column score_n integer not null default 0,
  add column score_sum numeric not null default 0,
  add column score_sum_squares numeric not null default 0,
  add column session_starts integer not null default 0,
  add column active_ms bigint not null default 0,
  add column first_delivered_at timestamptz,
  add column first_opened_at timestamptz,
  add column first_completed_task_at timestamptz,
  add column first_peer_feedback_at timestamptz,
  add column first_peer_feedback_received_at timestamptz,
  add column first_manager_check_received_at timestamptz;

-- What one person did with one activity of a module, over all time; voided and future events left out. `attempts` are
-- *assessed* events, with a score or without. Equal instants are ordered by `statement.seq`.
create table learner_activity (
  tenant_id integer not null,
  person_id integer not null,
  module_id integer not null,
  activity_id integer not null,
  delivered integer not null,
  opened integer not null,
  started integer not null,
  completed_task integer not null,
  completed integer not null,
  first_delivered_at timestamptz,
  first_opened_at timestamptz,
  first_started_at timestamptz,
  first_completed_task_at timestamptz,
  first_completed_at timestamptz,
  attempts integer not null,
  first_score numeric,
  first_score_at timestamptz,
  best_score numeric,
  last_score numeric,
  last_score_at timestamptz,
  duration_ms bigint not null,
  outcome_tags text[],
  outcome_tags_at timestamptz,
  first_at timestamptz not null,
  last_at timestamptz not null,
  primary key (tenant_id, person_id, module_id, activity_id)
);
create index learner_activity_module on learner_activity (tenant_id, module_id, activity_id);

-- By this a learner's events with an activity are found to recompute its row.
create index learning_event_activity on learning_event (tenant_id, agent_id, module_id, activity_id)
  where module_id is not null;
-- By this the learners of a module and window are found without a table of its own; `statement_id` tells the voided.
create index learning_event_module on learning_event (tenant_id, module_id, day) include (agent_id, kind, statement_id)
  where module_id is not null;

-- `module_id` and `activity_id` name the row of `learner_activity` to recompute beside the day. A row that failed
-- alone is tried again later and later; from `parked_at` on, not before somebody says so.
alter table rollup_queue
  add column module_id integer,
  add column activity_id integer,
  add column attempts integer not null default 0,
  add column last_error text,
  add column parked_at timestamptz,
  add check ((module_id is null) = (activity_id is null)),
  add check (module_id is null or voided_statement_id is null);
drop index rollup_queue_due;
create index rollup_queue_due on rollup_queue (due_at) where parked_at is null;
create index rollup_queue_failed on rollup_queue (tenant_id, id) where attempts > 0;
