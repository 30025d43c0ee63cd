import { execFile } from 'node:child_process'
import { mkdtemp, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { checkAll } from './check.js'
import type { Cluster } from './cluster.js'
import { startLoad } from './load.js'
import type { Check, Scenario } from './scenario.js'

const run = promisify(execFile)

/** The program of before the newest migration serves on while the present one migrates, and beside it. */
export const twoVersions: Scenario = {
  name: 'two-versions',
  what: 'the program of before the newest migration under load, the present one comes to it, and then the old one goes',
  play
}

async function play(cluster: Cluster): Promise<readonly Check[]> {
  const older = await buildOlder()
  try {
    const old = await cluster.startService({ program: older.program })
    const urls = [old.url]
    const load = startLoad(urls, 6)
    await sleep(4000)
    const present = await cluster.startService()
    urls.push(present.url)
    await sleep(8000)
    urls.shift()
    const code = await old.stop()
    await sleep(2000)
    await load.stop()
    return [
      {
        claim: 'both served at once, and the old one stopped cleanly',
        held: code === 0,
        seen: `${older.commit} and the present one; exit code ${code}; ${load.repeated()} requests sent again`
      },
      ...(await checkAll(cluster, [present], load))
    ]
  } finally {
    await older.remove()
  }
}

/** Builds the program of before the newest migrations, from this repository's history. */
async function buildOlder() {
  const commit = await findOlder()
  const folder = await mkdtemp(join(tmpdir(), 'momentum-older-'))
  await run('git', ['worktree', 'add', '--detach', join(folder, 'tree'), commit])
  const tree = join(folder, 'tree')
  await symlink(resolve('node_modules'), join(tree, 'node_modules'))
  await run(resolve('node_modules/.bin/tsc'), ['-p', 'tsconfig.build.json'], { cwd: tree })
  return {
    commit,
    program: join(tree, 'dist/main.js'),
    remove: async () => {
      await run('git', ['worktree', 'remove', '--force', tree])
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** The last commit whose migrations are the first ones of the present's: numbers may have come out of their order. */
async function findOlder(): Promise<string> {
  const lines = async (...args: readonly string[]) => {
    const { stdout } = await run('git', [...args]).catch(error => {
      throw new Error(`Skipped: the history is not at hand: ${error.message}`)
    })
    return stdout.split('\n').filter(line => line !== '')
  }
  const present = await lines('ls-tree', '--name-only', 'HEAD', 'migrations/')
  for (const commit of await lines('log', '--format=%h~1', '--diff-filter=A', '--', 'migrations')) {
    const older = await lines('ls-tree', '--name-only', commit, 'migrations/')
    if (older.length < present.length && older.every((name, at) => name === present[at])) {
      return (await lines('rev-parse', '--short', commit)).join('')
    }
  }
  throw new Error('Skipped: the history has no commit of before a migration')
}
