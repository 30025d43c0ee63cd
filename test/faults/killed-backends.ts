import { readdir, readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import type { Cluster } from './cluster.js'
import type { Scenario } from './scenario.js'
import { underLoad } from './under-load.js'

/** Backends are ended by PostgreSQL's own means, and one by kill -9, which makes PostgreSQL restart all of itself. */
export const killedBackends: Scenario = {
  name: 'killed-backends',
  what: 'pg_terminate_backend on everyone 20 times, and kill -9 of a backend 3 times, which restarts PostgreSQL',
  play: underLoad({
    rage: async ({ cluster }) => {
      const kills = { terminated: 0, killed: 0 }
      for (let round = 0; round < 20; round++) {
        kills.terminated += await terminateAll(cluster)
        await sleep(300 + Math.random() * 400)
        if (round % 7 === 3) kills.killed += await killOne(cluster)
      }
      const seen = `${kills.terminated} backends terminated, ${kills.killed} killed`
      return { claim: 'backends were lost', held: kills.terminated > 20 && kills.killed >= 2, seen }
    }
  })
}

async function terminateAll({ databaseUrl }: Cluster): Promise<number> {
  const client = new pg.Client(databaseUrl)
  client.on('error', () => undefined)
  try {
    await client.connect()
    const { rows } = await client.query(`select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and pid <> pg_backend_pid()`)
    return rows.length
  } catch {
    // It is starting again.
    return 0
  } finally {
    await client.end().catch(() => undefined)
  }
}

/** Kills a child of the postmaster that serves a connection. */
async function killOne(cluster: Cluster): Promise<number> {
  const postmaster = await cluster.postmaster()
  for (const pid of (await readdir('/proc')).filter(name => /^\d+$/.test(name))) {
    const read = (file: string) => readFile(`/proc/${pid}/${file}`, 'utf8').catch(() => '')
    const parent = /^PPid:\s*(\d+)$/m.exec(await read('status'))?.[1]
    if (Number(parent) !== postmaster || !/momentum momentum/.test(await read('cmdline'))) continue
    process.kill(Number(pid), 'SIGKILL')
    return 1
  }
  return 0
}
