/** How long something took, in milliseconds, over `n` times. */
export interface Latency {
  readonly p50: number
  readonly p95: number
  readonly n: number
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
