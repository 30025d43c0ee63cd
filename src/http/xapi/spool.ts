import { randomUUID } from 'node:crypto'
import { type FileHandle, open, unlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** Where in the spool something lies. */
export interface SpoolRange {
  readonly start: number
  readonly length: number
}

/** A temporary file for the data of one request. */
export interface Spool {
  /** Writes at the end. */
  readonly append: (content: Buffer) => Promise<void>
  /** Where the next byte will lie. */
  readonly size: () => number
  /** Reads a range in pieces of this many bytes, the last one shorter. */
  readonly read: (range: SpoolRange, pieceBytes: number) => AsyncGenerator<Buffer>
  /** Gives the file's space back. */
  readonly close: () => Promise<void>
}

/**
 * Makes a temporary file, in the folder that TMPDIR names, when something is first written.
 *
 * The file loses its name as soon as it is open. So only this process can read it, and when the process ends, however
 * it ends, the operating system gives the space back: there is nothing to tidy up.
 */
export function makeSpool(): Spool {
  let opened: Promise<FileHandle> | null = null
  let size = 0
  return {
    append: async content => {
      opened ??= openNameless()
      const file = await opened
      await file.appendFile(content)
      size += content.length
    },
    size: () => size,
    async *read({ start, length }, pieceBytes) {
      if (opened === null) return
      const file = await opened
      for (let done = 0; done < length; done += pieceBytes) {
        const piece = Buffer.allocUnsafe(Math.min(pieceBytes, length - done))
        await file.read(piece, 0, piece.length, start + done)
        yield piece
      }
    },
    close: async () => {
      if (opened !== null) await (await opened).close()
    }
  }
}

async function openNameless(): Promise<FileHandle> {
  const path = join(tmpdir(), `momentum-${randomUUID()}`)
  const file = await open(path, 'wx+', 0o600)
  await unlink(path)
  return file
}
