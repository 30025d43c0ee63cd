import { activeUsers } from './active-users.js'
import type { Metric } from './metric.js'
import { repeatRate } from './repeat-rate.js'

/** Every metric there is, in the order in which a reader should meet them. */
export const catalogue: readonly Metric[] = [activeUsers, repeatRate]
