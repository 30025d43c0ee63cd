import { activeUsers } from './active-users.js'
import { dau } from './dau.js'
import type { Metric } from './metric.js'
import { practiceTasks } from './practice-tasks.js'
import { repeatRate } from './repeat-rate.js'

/** Every metric there is, in the order in which a reader should meet them. */
export const catalogue: readonly Metric[] = [activeUsers, repeatRate, practiceTasks, dau]
