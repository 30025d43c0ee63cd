import { performance } from 'node:perf_hooks'
import { type GuardedQuery, guardOf } from '../src/metrics/disclosure/guard.js'
import { rosterMemoryOf } from '../src/metrics/disclosure/roster-memory.js'
import { addDays } from '../src/metrics/window.js'
import type { Measurement } from './ingest.js'
import { startBenchService } from './service.js'
import { seedYear } from './year.js'

const from = '2026-06-29'

/**
 * Measures how long it takes to decide which groups are hidden from who may not see names, on a seeded roster: with
 * nothing known of it, for questions that are new, and for questions that were asked before.
 */
export async function benchGroups(learners: number): Promise<readonly Measurement[]> {
  const service = await startBenchService()
  try {
    const tenantId = await seedYear(service.db, { learners, events: 0, modules: 1 })
    const query: GuardedQuery = {
      tenantId,
      today: '2026-09-30',
      periods: [{ from, to: addDays(from, 7) }],
      membership: 'at_window_start',
      filters: {},
      cohort: null,
      breakdown: [],
      minGroupSize: 10
    }
    const days = Array.from({ length: 90 }, (_, nth) => ({ from: addDays(from, nth), to: addDays(from, nth + 1) }))
    const weeks = Array.from({ length: 52 }, (_, nth) => ({
      from: addDays('2025-10-06', 7 * nth),
      to: addDays('2025-10-13', 7 * nth)
    }))
    const asked: readonly (readonly [what: string, query: GuardedQuery])[] = [
      ['everyone, the roster read first', query],
      ['a role', { ...query, filters: { role: ['engineer'] } }],
      ['the line of a manager', { ...query, filters: { manager: ['P12'] } }],
      ['by role', { ...query, breakdown: ['role'] }],
      ['by cohort, which overlap', { ...query, breakdown: ['cohort'] }],
      ['by role and region', { ...query, breakdown: ['role', 'region'] }],
      ['by tenure band', { ...query, breakdown: ['tenureBand'] }],
      ['by team', { ...query, breakdown: ['team'] }],
      ['by team and role', { ...query, breakdown: ['team', 'role'] }],
      ['by manager', { ...query, breakdown: ['manager'] }],
      ['a role on each of 90 days', { ...query, periods: days, filters: { role: ['engineer'] } }],
      ['by role on each of 90 days', { ...query, periods: days, breakdown: ['role'] }],
      ['by role in each of 52 weeks', { ...query, periods: weeks, breakdown: ['role'] }],
      ['by team on each of 90 days', { ...query, periods: days, breakdown: ['team'] }]
    ]
    const memory = rosterMemoryOf(service.db)
    const measured: Measurement[] = []
    for (const [what, one] of asked) {
      const first = await timed(() => guardOf(service.db, memory, one))
      const again = await timed(() => guardOf(service.db, memory, one))
      const texts = [first, again].map(({ ms, cpuMs }) => `${ms.toFixed(1)} ms (${cpuMs.toFixed(1)} ms of CPU)`)
      const ratio = (first.cpuMs / again.cpuMs).toFixed(0)
      measured.push({ what: `${what}, ${learners} learners`, value: texts.join(', again '), ratio })
    }
    return measured
  } finally {
    await service.stop()
  }
}

/** On a busy machine the time of the process is more to be trusted than that of the clock. */
async function timed(work: () => Promise<unknown>): Promise<{ readonly ms: number; readonly cpuMs: number }> {
  const start = performance.now()
  const before = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(before)
  return { ms: performance.now() - start, cpuMs: (user + system) / 1000 }
}
