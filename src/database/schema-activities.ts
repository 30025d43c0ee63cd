export interface LearnerActivityTable {
  tenant_id: number
  person_id: number
  module_id: number
  activity_id: number
  delivered: number
  opened: number
  started: number
  completed_task: number
  completed: number
  first_delivered_at: string | null
  first_opened_at: string | null
  first_started_at: string | null
  first_completed_task_at: string | null
  first_completed_at: string | null
  attempts: number
  first_score: string | null
  first_score_at: string | null
  best_score: string | null
  last_score: string | null
  last_score_at: string | null
  duration_ms: number
  outcome_tags: string[] | null
  outcome_tags_at: string | null
  first_at: string
  last_at: string
}

/** On which scale a score is read: as it was sent, or placed between the least and the most that could be had. */
export type ScoreScale = 'scaled' | 'ratio'

export interface LearnerAttemptTable {
  tenant_id: number
  person_id: number
  activity_id: number
  scale: ScoreScale
  day: string
  before: string
  after: string
  attempts: number
  alone: number
  first_score: string
  last_score: string
  best_score: string
}
