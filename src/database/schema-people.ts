import type { Generated } from 'kysely'

export interface PersonTable {
  tenant_id: number
  id: Generated<number>
  external_id: string | null
  first_agent_id: number | null
  name: string | null
  created_at: Generated<string>
  merged_into: number | null
  leaderboard_opt_out: Generated<boolean>
}

export interface PersonAgentTable {
  tenant_id: number
  agent_id: number
  person_id: number
}

export interface RosterTable {
  tenant_id: number
  person_id: number
  valid: string
  cohorts: Generated<string[]>
  role: string | null
  team: string | null
  manager_id: string | null
  region: string | null
  job_family: string | null
  assignment_type: string | null
  hired_on: string | null
  left_on: string | null
  demographics: Generated<unknown>
}

export interface PersonChangeTable {
  tenant_id: number
  id: Generated<number>
  kind: PersonChangeKind
  from_person_id: number
  to_person_id: number
  agent_ids: number[]
  undoes: number | null
  reason: string | null
  changed_by: string
  changed_at: Generated<string>
}

/** How agents came to another person. */
export type PersonChangeKind = 'merge' | 'split' | 'undo'

export interface CohortTable {
  tenant_id: number
  id: string
  name: string | null
  filter: unknown
  created_at: Generated<string>
  updated_at: Generated<string>
}

export interface AssignmentTable {
  tenant_id: number
  id: Generated<number>
  assignment_id: string
  person_id: number
  kind: AssignmentKind
  activity_id: number | null
  assigned_on: string
  due_on: string | null
  withdrawn_on: string | null
}

/** What was assigned: an activity to the learner, or a check of the learner to their manager. */
export type AssignmentKind = 'activity' | 'manager-check'
