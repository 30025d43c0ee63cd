-- 0003 Learning events, the queue of learner-days to recompute, and the first rollup.
-- Why:      first schema.
-- Locks:    none that matter, every table is new.
-- Backfill: none.

create type learning_event_kind as enum (
  'delivered', 'opened', 'completed-task', 'repeated-session', 'peer-feedback', 'manager-check',
  'assessed', 'completed', 'started', 'terminated', 'posted', 'replied', 'endorsed',
  'reward-offered', 'reward-claimed', 'visited'
);

-- What a statement means. `agent_id` gets the credit for doing; `subject_agent_id`, where it differs, is whom the
-- deed was about. `day` is the local day of `timestamp` in the tenant's time zone.
create table learning_event (
  tenant_id integer not null,
  statement_seq bigint not null,
  statement_id uuid not null,
  kind learning_event_kind not null,
  agent_id integer not null,
  subject_agent_id integer,
  module_id integer,
  "timestamp" timestamptz not null,
  day date not null,
  score_scaled numeric,
  duration_ms bigint,
  success boolean,
  completion boolean,
  outcome_tags text[],
  primary key (tenant_id, statement_seq)
);
create index learning_event_agent on learning_event (tenant_id, agent_id, day);
create index learning_event_subject on learning_event (tenant_id, subject_agent_id, day)
  where subject_agent_id is not null;
create index learning_event_day on learning_event (tenant_id, day);

-- Append-only, and not unique: a unique row with DO NOTHING would lose events, because the no-op of a writer that
-- has not committed yet is deleted under it. A row names what to recompute in one of three ways: an agent's day, a
-- person's day, or the days that a voided statement touches. It is due now, or when a future event's time comes.
create table rollup_queue (
  id bigint generated always as identity primary key,
  tenant_id integer not null,
  agent_id integer,
  person_id integer,
  day date,
  voided_statement_id uuid,
  enqueued_at timestamptz not null default clock_timestamp(),
  due_at timestamptz not null default clock_timestamp(),
  check (num_nonnulls(agent_id, person_id, voided_statement_id) = 1),
  check ((day is null) = (voided_statement_id is not null))
);
create index rollup_queue_due on rollup_queue (due_at);
create index rollup_queue_lag on rollup_queue (tenant_id, enqueued_at);

-- Counts of one person's local day, voided and future events left out and counted apart.
create table learner_day (
  tenant_id integer not null,
  person_id integer not null,
  day date not null,
  delivered integer not null,
  opened integer not null,
  completed_task integer not null,
  repeated_session integer not null,
  peer_feedback integer not null,
  peer_feedback_received integer not null,
  manager_check integer not null,
  manager_check_received integer not null,
  assessed integer not null,
  completed integer not null,
  started integer not null,
  terminated integer not null,
  posted integer not null,
  replied integer not null,
  endorsed integer not null,
  reward_offered integer not null,
  reward_claimed integer not null,
  visited integer not null,
  voided integer not null,
  future integer not null,
  primary key (tenant_id, person_id, day)
);
create index learner_day_day on learner_day (tenant_id, day);
-- Every metric says what its window left out.
create index learner_day_voided on learner_day (tenant_id, day) where voided > 0;
create index learner_day_future on learner_day (tenant_id, day) where future > 0;
