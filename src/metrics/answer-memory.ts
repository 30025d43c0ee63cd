import { LRUCache } from 'lru-cache'
import type { Snapshot } from './measurement.js'

/** What was counted, and the snapshot that it was counted in. */
export interface Counted<Value> {
  readonly value: Value
  readonly snapshot: Snapshot
}

/** What a process remembers of what it counted. */
export interface AnswerMemory {
  readonly kept: LRUCache<string, Counted<unknown>>
  /** What is being counted at this moment, so that nobody counts the same beside it. */
  readonly underWay: Map<string, Promise<unknown>>
  readonly counts: { remembered: number; counted: number }
}

/** So long is something kept at most, also when nobody asks again: an erased person's name is in it. */
const keptMs = 600_000

/** @param size how many numbers are kept at most: cells of answers, and values of learners. */
export function makeAnswerMemory(size: number): AnswerMemory {
  return {
    kept: new LRUCache({ maxSize: size, ttl: keptMs, ttlAutopurge: true }),
    underWay: new Map(),
    counts: { remembered: 0, counted: 0 }
  }
}
