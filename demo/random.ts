import { createHash } from 'node:crypto'

/** The next number of a reproducible stream, in [0, 1). */
export type Random = () => number

/**
 * A stream of numbers that is always the same for the same words (mulberry32).
 *
 * Each learner gets a stream of their own, so that a change in one's habits leaves the others as they were.
 */
export function randomFrom(...words: readonly (string | number)[]): Random {
  let state = digestOf(words).readUInt32LE(0)
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** A UUID that is always the same for the same words (shaped as version 5: made from a name by SHA-1). */
export function uuidFrom(...words: readonly (string | number)[]): string {
  const bytes = digestOf(words).subarray(0, 16)
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x50, 6)
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8)
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
}

/** A whole number from `least` to `most`, both included. */
export function between(random: Random, least: number, most: number): number {
  return least + Math.floor(random() * (most - least + 1))
}

/** One of the items. */
export function oneOf<Item>(random: Random, items: readonly [Item, ...Item[]]): Item {
  return items[Math.floor(random() * items.length)] ?? items[0]
}

/** The items in another order (Fisher and Yates). */
export function shuffled<Item>(random: Random, items: readonly Item[]): Item[] {
  const rest = [...items]
  const drawn: Item[] = []
  while (rest.length > 0) drawn.push(...rest.splice(Math.floor(random() * rest.length), 1))
  return drawn
}

function digestOf(words: readonly (string | number)[]): Buffer {
  return createHash('sha1').update(words.join('\n')).digest()
}
