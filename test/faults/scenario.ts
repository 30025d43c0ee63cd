import type { Cluster } from './cluster.js'

/** Something that goes wrong, and what must be true afterwards. */
export interface Scenario {
  readonly name: string
  readonly what: string
  readonly play: (cluster: Cluster) => Promise<readonly Check[]>
  /** Makes the folder of the data fit for it; what takes that back. */
  readonly prepare?: (folder: string) => Promise<() => Promise<void>>
}

/** One thing that must be true, and what was seen. */
export interface Check {
  readonly claim: string
  readonly held: boolean
  readonly seen: string
}
