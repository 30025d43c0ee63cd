import type { Generated } from 'kysely'
import type { LearnerActivityTable, LearnerAttemptTable } from './schema-activities.js'
import type {
  AssignmentTable,
  CohortTable,
  PersonAgentTable,
  PersonChangeTable,
  PersonTable,
  RosterTable
} from './schema-people.js'
import type { PilotTable, ScoreDefinitionTable } from './schema-scores.js'
import type { LearnerBegunTable, LearnerCategoriesTable, LearnerTimeTable, LearnerWeeksTable } from './schema-weeks.js'

/**
 * One interface per table, as the migrations leave it; a test compares them with the live schema.
 *
 * Values as the driver is set up to give them: `bigint` as a number, `timestamptz` and `date` as PostgreSQL's own
 * text, so that no digit is lost on the way through `Date`.
 */
export interface Database {
  readonly tenant: TenantTable
  readonly credential: CredentialTable
  readonly verb: DictionaryTable
  readonly activity: DictionaryTable
  readonly agent: AgentTable
  readonly statement: StatementTable
  readonly statement_agent: StatementAgentTable
  readonly statement_activity: StatementActivityTable
  readonly statement_reference: StatementReferenceTable
  readonly document: DocumentTable
  readonly activity_definition: ActivityDefinitionTable
  readonly verb_display: VerbDisplayTable
  readonly agent_name: AgentNameTable
  readonly attachment: AttachmentTable
  readonly attachment_chunk: AttachmentChunkTable
  readonly statement_attachment: StatementAttachmentTable
  readonly person: PersonTable
  readonly person_agent: PersonAgentTable
  readonly roster: RosterTable
  readonly person_change: PersonChangeTable
  readonly cohort: CohortTable
  readonly assignment: AssignmentTable
  readonly data_version: DataVersionTable
  readonly learning_event: LearningEventTable
  readonly event_mapping: EventMappingTable
  readonly derivation: DerivationTable
  readonly rollup_queue: RollupQueueTable
  readonly learner_day: LearnerDayTable
  readonly learner_weeks: LearnerWeeksTable
  readonly learner_time: LearnerTimeTable
  readonly learner_categories: LearnerCategoriesTable
  readonly erasure: ErasureTable
  readonly learner_activity: LearnerActivityTable
  readonly learner_begun: LearnerBegunTable
  readonly learner_step: LearnerStepTable
  readonly learner_attempt: LearnerAttemptTable
  readonly score_definition: ScoreDefinitionTable
  readonly pilot: PilotTable
}

export interface TenantTable {
  id: Generated<number>
  name: string
  time_zone: string
  created_at: Generated<string>
  erasures: Generated<number>
}

export interface DataVersionTable {
  tenant_id: number
  version: number
  raised_at: string
  roster_version: Generated<number>
}

export interface CredentialTable {
  key: string
  tenant_id: number
  name: string
  secret_hash: string
  scopes: string[]
  authority: string
  created_at: Generated<string>
  revoked_at: string | null
  may_assert_authority: Generated<boolean>
  rotated_at: string | null
  person_external_id: string | null
}

export interface DictionaryTable {
  tenant_id: number
  id: Generated<number>
  digest: Buffer
  iri: string
}

export interface AgentTable {
  tenant_id: number
  id: Generated<number>
  digest: Buffer
  ifi: string
}

export interface StatementTable {
  tenant_id: number
  seq: Generated<number>
  id: string
  stored: string
  timestamp: string
  verb_id: number
  authority_id: number
  registration: string | null
  refers_to: string | null
  voids: string | null
  text: string
}

/** One name that a statement is found by, in the statement's place in the reading order. */
interface StatementLink {
  tenant_id: number
  is_related: boolean
  stored: string
  seq: number
  via_seq: number
}

export interface StatementAgentTable extends StatementLink {
  agent_id: number
}

export interface StatementActivityTable extends StatementLink {
  activity_id: number
}

export interface StatementReferenceTable {
  tenant_id: number
  seq: number
  stored: string
  via_seq: number
  verb_id: number
  authority_id: number
  registration: string | null
}

export interface DocumentTable {
  tenant_id: number
  seq: Generated<number>
  resource: DocumentResource
  activity_id: number | null
  agent_id: number | null
  registration: string | null
  document_id: string
  digest: Buffer
  content_type: string
  content: Buffer
  etag: string
  updated: string
}

/** The standard's three document resources. */
export type DocumentResource = 'state' | 'activity-profile' | 'agent-profile'

export interface ActivityDefinitionTable {
  tenant_id: number
  activity_id: number
  definition: string
  updated: string
}

export interface VerbDisplayTable {
  tenant_id: number
  verb_id: number
  display: string
  updated: string
}

export interface AgentNameTable {
  tenant_id: number
  agent_id: number
  digest: Buffer
  name: string
  first_seen: string
}

export interface AttachmentTable {
  tenant_id: number
  sha2: Buffer
  length: number
}

export interface AttachmentChunkTable {
  tenant_id: number
  sha2: Buffer
  position: number
  content: Buffer
}

export interface StatementAttachmentTable {
  tenant_id: number
  statement_seq: number
  sha2: Buffer
}

export interface LearningEventTable {
  tenant_id: number
  statement_seq: number
  statement_id: string
  kind: LearningEventKind
  agent_id: number
  subject_agent_id: number | null
  module_id: number | null
  timestamp: string
  day: string
  score_scaled: string | null
  duration_ms: number | null
  success: boolean | null
  completion: boolean | null
  outcome_tags: string[] | null
  activity_id: number | null
  activity_type_id: number | null
  category_ids: number[] | null
  registration: string | null
  platform: string | null
  cohort_tag: string | null
  role: string | null
  team: string | null
  manager_id: string | null
  manager_agent_id: number | null
  score_ratio: string | null
  has_calendar_duration: Generated<boolean>
}

export interface EventMappingTable {
  tenant_id: number
  version: number
  rules: unknown
  created_by: string
  created_at: Generated<string>
}

/** Why statements are derived anew. */
export type DerivationReason = 'mapping' | 'time-zone' | 'rebuild'

/** How far a derivation has come. */
export type DerivationPhase = 'events' | 'rollups' | 'done'

export interface DerivationTable {
  tenant_id: number
  id: Generated<number>
  reason: DerivationReason
  verb_ids: number[] | null
  requested_by: string
  requested_at: Generated<string>
  phase: Generated<DerivationPhase>
  event_end: number | null
  event_verbs: Generated<number>
  event_stored: string | null
  event_position: Generated<number>
  person_position: Generated<number>
  total: number | null
  derived: Generated<number>
  changed: Generated<number>
  started_at: string | null
  finished_at: string | null
}

export interface RollupQueueTable {
  id: Generated<number>
  tenant_id: number
  agent_id: number | null
  person_id: number | null
  day: string | null
  voided_statement_id: string | null
  enqueued_at: Generated<string>
  due_at: Generated<string>
  module_id: number | null
  activity_id: number | null
  attempts: Generated<number>
  last_error: string | null
  parked_at: string | null
}

export interface LearnerDayTable extends LearnerDayCounts {
  tenant_id: number
  person_id: number
  day: string
  duration_ms: Generated<number>
  durations: Generated<number>
  calendar_durations: Generated<number>
  score_n: Generated<number>
  score_sum: Generated<string>
  score_sum_squares: Generated<string>
  session_starts: Generated<number>
  active_ms: Generated<number>
  first_delivered_at: string | null
  first_opened_at: string | null
  first_completed_task_at: string | null
  first_peer_feedback_at: string | null
  first_peer_feedback_received_at: string | null
  first_manager_check_received_at: string | null
}

export interface LearnerStepTable {
  tenant_id: number
  person_id: number
  step: LearningEventKind
  day: string
  module_id: number
  before: string
  followed_on: string
}

/** The counted columns of `learner_day`. */
export interface LearnerDayCounts {
  delivered: number
  opened: number
  completed_task: number
  repeated_session: number
  peer_feedback: number
  peer_feedback_received: number
  manager_check: number
  manager_check_received: number
  assessed: number
  completed: number
  started: number
  terminated: number
  posted: number
  replied: number
  endorsed: number
  reward_offered: number
  reward_claimed: number
  visited: number
  voided: number
  future: number
}

export interface ErasureTable {
  tenant_id: number
  id: Generated<number>
  requested_by: string
  started_at: Generated<string>
  finished_at: string | null
  statements: number
  voids: number
  authorities: number
  attachments: number
  attachment_bytes: number
  learning_events: number
  documents: number
  names: number
  agents: number
  persons: number
}

/** What a statement can mean: the taxonomy of learning events. */
export type LearningEventKind =
  | 'delivered'
  | 'opened'
  | 'completed-task'
  | 'repeated-session'
  | 'peer-feedback'
  | 'manager-check'
  | 'assessed'
  | 'completed'
  | 'started'
  | 'terminated'
  | 'posted'
  | 'replied'
  | 'endorsed'
  | 'reward-offered'
  | 'reward-claimed'
  | 'visited'
