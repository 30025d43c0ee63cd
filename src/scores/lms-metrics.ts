/** The six metrics of learning that leadership and momentum are told from, by their ids in the catalogue. */
export const lmsMetrics = [
  'completion-rate',
  'time-on-task',
  'assessment-score',
  'engagement-frequency',
  'forum-interactions',
  'course-diversity'
] as const

export type LmsMetric = (typeof lmsMetrics)[number]
