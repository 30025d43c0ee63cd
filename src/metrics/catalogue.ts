import { activeUsers } from './active-users.js'
import { activityDrop } from './activity-drop.js'
import { activitySpike } from './activity-spike.js'
import { assessmentDelta } from './assessment-delta.js'
import { assessmentScore } from './assessment-score.js'
import { communityParticipation } from './community-participation.js'
import { completionOfOpened } from './completion-of-opened.js'
import { completionRate } from './completion-rate.js'
import { courseDiversity } from './course-diversity.js'
import { dau } from './dau.js'
import { deliveryRate } from './delivery-rate.js'
import { engagementFrequency } from './engagement-frequency.js'
import { forumInfluence } from './forum-influence.js'
import { forumInteractions } from './forum-interactions.js'
import { learningRetention } from './learning-retention.js'
import { managerCheckRate } from './manager-check-rate.js'
import { managerChecksDone } from './manager-checks-done.js'
import { mau } from './mau.js'
import type { Metric } from './metric.js'
import { openRate } from './open-rate.js'
import { outcomeTags } from './outcome-tags.js'
import { outstandingManagerChecks } from './outstanding-manager-checks.js'
import { participation } from './participation.js'
import { peerFeedbackRate } from './peer-feedback-rate.js'
import { peerFeedbackReceived } from './peer-feedback-received.js'
import { practiceTasks } from './practice-tasks.js'
import { repeatRate } from './repeat-rate.js'
import { rewardClaims } from './reward-claims.js'
import { rewardReturns } from './reward-returns.js'
import { sessionStarts } from './session-starts.js'
import { stickiness } from './stickiness.js'
import { timeOnTask } from './time-on-task.js'
import { wau } from './wau.js'

/** Every metric there is, in the order in which a reader should meet them. */
export const catalogue: readonly Metric[] = [
  activeUsers,
  repeatRate,
  practiceTasks,
  peerFeedbackRate,
  peerFeedbackReceived,
  managerCheckRate,
  dau,
  wau,
  mau,
  stickiness,
  sessionStarts,
  engagementFrequency,
  learningRetention,
  activityDrop,
  activitySpike,
  rewardClaims,
  rewardReturns,
  communityParticipation,
  forumInteractions,
  assessmentScore,
  assessmentDelta,
  timeOnTask,
  courseDiversity,
  forumInfluence,
  participation,
  completionRate,
  deliveryRate,
  openRate,
  completionOfOpened,
  outstandingManagerChecks,
  managerChecksDone,
  outcomeTags
]
