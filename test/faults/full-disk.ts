import { execFile } from 'node:child_process'
import { appendFile, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import pg from 'pg'
import type { Cluster } from './cluster.js'
import type { Scenario } from './scenario.js'
import { underLoad } from './under-load.js'

const run = promisify(execFile)

/** The disk of PostgreSQL fills up to its last page, and has room again later. */
export const fullDisk: Scenario = {
  name: 'full-disk',
  what: 'PostgreSQL on a disk of 400 MB that is full for 6 s, twice',
  prepare: async folder => {
    await run('mount', ['-t', 'tmpfs', '-o', 'size=400m,mode=755', 'momentum-faults', folder]).catch(error => {
      throw new Error(`Skipped: a small disk can't be mounted here: ${error.message}`)
    })
    return async () => {
      await run('umount', ['-l', folder])
    }
  },
  play: underLoad({
    rage: async ({ cluster, load }) => {
      let refused = 0
      for (let round = 0; round < 2; round++) {
        const before = load.repeated()
        const ballast = await fill(cluster.dataDir)
        await sleep(6000)
        await rm(ballast)
        refused += load.repeated() > before ? 1 : 0
        await untilEntered(cluster)
      }
      return {
        claim: 'the disk was full',
        held: refused === 2,
        seen: `${refused} times, with requests that failed for it`
      }
    }
  })
}

/** Writes until there is no room left, others writing meanwhile. */
async function fill(folder: string): Promise<string> {
  const path = join(folder, 'ballast')
  for (const size of [2 ** 20, 2 ** 12]) {
    const piece = Buffer.alloc(size, 1)
    let hasRoom = true
    while (hasRoom) {
      hasRoom = await appendFile(path, piece).then(
        () => true,
        () => false
      )
    }
  }
  return path
}

/** PostgreSQL may have ended over its log, which it can't do without; then it is started again, as a supervisor would. */
async function untilEntered(cluster: Cluster): Promise<void> {
  for (let tries = 0; tries < 50; tries++) {
    const client = new pg.Client(cluster.databaseUrl)
    const isIn = await client.connect().then(
      () => true,
      () => false
    )
    await client.end().catch(() => undefined)
    if (isIn) return
    if (tries === 30) await cluster.killDatabase().catch(() => undefined)
    await sleep(200)
  }
}
