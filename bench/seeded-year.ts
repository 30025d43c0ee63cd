import { rebuildPersons } from '../src/rollup/rebuild-rollups.js'
import { type BenchService, vacuum } from './service.js'
import { findYear, seedYear } from './year.js'

/**
 * The tenant with a year of so many events, by one learner for every 500: the one that a kept database has, or a new one
 * whose rollups are derived as a rebuild does, and whose tables are left as autovacuum would leave them in time.
 */
export async function ensureYear({ db, pool }: BenchService, events: number): Promise<number> {
  const options = { learners: Math.ceil(events / 500), events, modules: 600 }
  const found = await findYear(db, options)
  if (found !== null) return found
  const tenantId = await seedYear(db, options)
  for (let last: number | null = 0; last !== null; ) {
    const after: number = last
    const rebuilt = await db.transaction().execute(trx => rebuildPersons(trx, tenantId, after))
    last = rebuilt?.last ?? null
  }
  await vacuum(pool)
  return tenantId
}
