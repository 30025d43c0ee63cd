/** How long something took, in milliseconds, over `n` times. */
export interface Latency {
  readonly p50: number
  readonly p95: number
  readonly n: number
}

/** The same of all answers that a load got. */
export interface Percentiles {
  readonly p50: number
  readonly p95: number
  readonly p99: number
}

/** Sorts times in place. */
export function percentilesOf(times: number[]): Percentiles {
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.floor(share * (times.length - 1))] ?? Number.NaN
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99) }
}

export function shownPercentiles({ p50, p95, p99 }: Percentiles): string {
  return `p50 ${p50.toFixed(1)}, p95 ${p95.toFixed(1)}, p99 ${p99.toFixed(1)} ms`
}

/** When to stop asking: after so many rounds of each asker, or so long. */
export interface Bounds {
  readonly connections: number
  readonly rounds: number
  readonly ms: number
}

/**
 * Asks from several connections at once, each again as soon as it is answered.
 *
 * @param askers what each connection asks; they are asked once before, which counts for nothing.
 */
export async function latencyOf(
  ask: (connection: number) => Promise<unknown>,
  { connections, rounds, ms }: Bounds
): Promise<Latency> {
  const numbers = Array.from({ length: connections }, (_, connection) => connection)
  await Promise.all(numbers.map(ask))
  const times: number[] = []
  const end = performance.now() + ms
  const asker = async (connection: number) => {
    for (let round = 0; round < rounds && performance.now() < end; round++) {
      const began = performance.now()
      await ask(connection)
      times.push(performance.now() - began)
    }
  }
  await Promise.all(numbers.map(asker))
  times.sort((a, b) => a - b)
  const at = (share: number) => times[Math.ceil(share * times.length) - 1] ?? 0
  return { p50: at(0.5), p95: at(0.95), n: times.length }
}
