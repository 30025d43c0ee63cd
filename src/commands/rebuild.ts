import { setTimeout } from 'node:timers/promises'
import { Presets, SingleBar } from 'cli-progress'
import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import { derive } from '../rollup/derive.js'
import { findRebuild, openRebuild, type RebuildProgress, rebuildPersons } from '../rollup/rebuild-rollups.js'
import type { Tenant } from '../store/tenant.js'
import { type Answer, type Given, noWords, type Screen, tenantsOf } from './command.js'

/** How long it waits where another process takes the step. */
const restMs = 50

/** Statements in one transaction. */
const chunkSize = 1000

/**
 * `momentum rebuild`: computes what is derived anew, a tenant after the other, while statements are stored as ever. A
 * rebuild that was broken off goes on where it was; one that another process is at is helped and watched.
 */
export async function rebuild(db: Kysely<Database>, given: Given, screen: Screen): Promise<Answer> {
  noWords(given)
  const tenants = await tenantsOf(db, given)
  const rebuilt: string[] = []
  for (const tenant of tenants) {
    await rebuildTenant(db, tenant, screen)
    rebuilt.push(tenant.name)
  }
  return { text: rebuilt.map(name => `${name} is rebuilt.\n`).join(''), json: { rebuilt } }
}

async function rebuildTenant(db: Kysely<Database>, { id, name }: Tenant, { terminal, log }: Screen): Promise<void> {
  const derivation = await openRebuild(db, id, 'momentum rebuild')
  const show = terminal === null ? showLines(name, log) : showBar(name, terminal)
  try {
    for (;;) {
      const progress = await findRebuild(db, id, derivation)
      show.update(progress)
      if (progress.isDone) return
      if ((await derive(db, { chunkSize, rebuildPersons })) === 0) await setTimeout(restMs)
    }
  } finally {
    show.stop()
  }
}

interface Shown {
  readonly update: (progress: RebuildProgress) => void
  readonly stop: () => void
}

function showBar(name: string, stream: NodeJS.WriteStream): Shown {
  const bar = new SingleBar(
    { format: `  ${name}  {bar} {percentage} %`, stream, hideCursor: true },
    Presets.shades_classic
  )
  bar.start(1, 0)
  return {
    update: ({ isDone, position, of }) => {
      bar.setTotal(Math.max(of, 1))
      bar.update(isDone ? Math.max(of, 1) : position)
    },
    stop: () => bar.stop()
  }
}

/** A line for every tenth that is done. */
function showLines(name: string, log: (line: string) => void): Shown {
  let shown = 0
  return {
    update: ({ isDone, position, of }) => {
      const tenths = isDone ? 10 : Math.min(9, Math.floor((position / Math.max(of, 1)) * 10))
      if (tenths > shown) log(`${name}: ${tenths * 10} %`)
      shown = Math.max(shown, tenths)
    },
    stop: () => undefined
  }
}
