import { learningEventKinds } from './mapping-rule.js'

/** Kinds that happen to the learner, who is their doer only because the statement names nobody else. */
export const doneToKinds = ['delivered', 'reward-offered'] as const

/**
 * Kinds that the learner did themself: they make a day active and a session go on. Being sent something does not, and
 * being the subject of somebody else's deed is none of one's own.
 */
export const deedKinds = learningEventKinds.filter(kind => !doneToKinds.some(other => other === kind))
