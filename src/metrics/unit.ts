/** The units that values of metrics have, with what they mean. */
export const units = {
  proportion: '0 to 1',
  learners: 'learners, as a mean over the days, weeks or months of the period',
  'per-learner': 'events, days or things per learner',
  'per-learner-week': 'events or days per learner and week',
  count: 'events',
  checks: 'manager checks',
  milliseconds: 'milliseconds per learner',
  score: 'a score on the scale of -1 to 1, or 0 to 1 where it is not signed',
  categories: 'categories per learner'
} as const

export type Unit = keyof typeof units
