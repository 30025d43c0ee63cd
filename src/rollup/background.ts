import { setTimeout } from 'node:timers/promises'

/** Work that goes on beside the service. */
export interface Background {
  /** Says that there is work, so that it looks at once. */
  readonly wake: () => void
  /** Finishes the piece in hand and stops. */
  readonly stop: () => Promise<void>
}

/** How work in the background is run. */
export interface BackgroundOptions {
  /** Does a piece; 0 where there was nothing to do. */
  readonly work: () => Promise<number>
  /** How long it rests when there was nothing to do, or a piece failed. */
  readonly idleMs: number
  /** Hears of a piece that failed; it is tried again after a rest. */
  readonly onError: (error: unknown) => void
}

/** Starts work in this process: piece after piece, one at a time. */
export function startBackground({ work, idleMs, onError }: BackgroundOptions): Background {
  let stopping = false
  let awake = new AbortController()
  const wake = () => awake.abort()

  const rest = async () => {
    await setTimeout(idleMs, undefined, { signal: awake.signal }).catch(() => undefined)
    awake = new AbortController()
  }
  const run = async () => {
    while (!stopping) {
      const done = await work().catch(error => {
        onError(error)
        return 0
      })
      if (done === 0 && !stopping) await rest()
    }
  }

  const running = run()
  return {
    wake,
    stop: async () => {
      stopping = true
      wake()
      await running
    }
  }
}
