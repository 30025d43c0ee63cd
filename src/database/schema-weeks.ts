/** Sets of days, each an integer below 2^49 whose bit n is the day n after `begins`. */
export interface LearnerWeeksTable {
  tenant_id: number
  person_id: number
  begins: string
  active: number
  delivered: number
  opened: number
  peer_feedback: number
  peer_feedback_received: number
  manager_check_received: number
  completed_task_1: number
  completed_task_2: number
  completed_task_4: number
  posted_1: number
  posted_2: number
  posted_4: number
  replied_1: number
  replied_2: number
  replied_4: number
  endorsed_1: number
  endorsed_2: number
  endorsed_4: number
  reward_offered_1: number
  reward_offered_2: number
  reward_offered_4: number
  reward_claimed_1: number
  reward_claimed_2: number
  reward_claimed_4: number
  session_starts_1: number
  session_starts_2: number
  session_starts_4: number
  is_busy: boolean
}

/** The instants at which a person began activities, and at which they completed them, each in order. */
export interface LearnerBegunTable {
  tenant_id: number
  person_id: number
  begun: string[]
  completed: string[]
}

/** The time of seven weeks; an array has its sums by the first active day, the first two, and so on. */
export interface LearnerTimeTable {
  tenant_id: number
  person_id: number
  begins: string
  active: number
  timed: number
  duration_ms: number[] | null
  active_ms: number[] | null
  calendar_durations: number[] | null
}

/** The categories of deeds of seven weeks; an element of all arrays together is an octal digit of one category's days. */
export interface LearnerCategoriesTable {
  tenant_id: number
  person_id: number
  begins: string
  category_ids: number[]
  scales: number[]
  ones: number[]
  twos: number[]
  fours: number[]
}
