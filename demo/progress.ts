import { stdout } from 'node:process'
import { Presets, SingleBar } from 'cli-progress'

/** Shows how far the sending is. */
export interface Progress {
  advance(statements: number, part: string): void
  stop(): void
}

/** A bar on a terminal, a line at every quarter anywhere else. */
export function showProgress(total: number): Progress {
  return stdout.isTTY ? bar(total) : lines(total)
}

function bar(total: number): Progress {
  const shown = new SingleBar(
    { format: '  {bar} {percentage} %  {value} of {total}  {part}', stream: stdout, hideCursor: true },
    Presets.shades_classic
  )
  shown.start(total, 0, { part: '' })
  return { advance: (statements, part) => shown.increment(statements, { part }), stop: () => shown.stop() }
}

function lines(total: number): Progress {
  let sent = 0
  return {
    advance(statements, part) {
      const before = Math.floor((sent / total) * 4)
      sent += statements
      if (Math.floor((sent / total) * 4) > before) stdout.write(`  ${sent} of ${total}  ${part}\n`)
    },
    stop() {}
  }
}
