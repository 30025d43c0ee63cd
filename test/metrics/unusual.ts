import { deepStrictEqual } from 'node:assert'
import fc from 'fast-check'
import type { Kysely } from 'kysely'
import type { Database } from '../../src/database/schema.js'
import { measure } from '../../src/metrics/measure.js'
import type { Metric } from '../../src/metrics/metric.js'
import { placed } from './agreement.js'
import { learnerActiveOn } from './learner.js'
import { activeDaysOf } from './naive.js'
import { dateOf, type Question, seedWorld, type World } from './world.js'

const roles = ['engineer', 'seller']

/** Learners of two roles, of whom a share comes on each day of a dozen weeks; on some days hardly any, or nearly all. */
const tides: fc.Arbitrary<World> = fc
  .array(fc.oneof({ weight: 5, arbitrary: fc.integer({ min: 4, max: 7 }) }, fc.constantFrom(0, 12)), {
    minLength: 84,
    maxLength: 84
  })
  .map(comers => ({
    people: Array.from({ length: 12 }, (_, at) => {
      // Not the same people every day.
      const days = comers.flatMap((count, day) => ((at + day * 5) % 12 < count ? [day] : []))
      const { days: active } = learnerActiveOn(...days)
      return { known: true, roster: [{ from: null, to: null, cohorts: [], role: roles[at % 2] ?? null }], days: active }
    })
  }))

const asked: fc.Arbitrary<Question> = fc.record({
  periods: fc.array(fc.record({ from: fc.integer({ min: 40, max: 76 }), days: fc.integer({ min: 1, max: 12 }) }), {
    minLength: 1,
    maxLength: 3
  }),
  today: fc.integer({ min: 60, max: 90 }),
  filter: fc.option(fc.constant({ role: ['seller'] })),
  membership: fc.constantFrom('at_window_start', 'at_event', 'current')
})

/**
 * Compares a metric of unusual days, in random worlds, with counting each group's days one after another.
 *
 * @throws with the smallest world in which they differ.
 */
export async function agreeOnDays(db: Kysely<Database>, metric: Metric, direction: -1 | 1): Promise<void> {
  const property = fc.asyncProperty(tides, asked, fc.boolean(), async (world, question, byRole) => {
    const breakdown = byRole ? (['role'] as const) : []
    const periods = question.periods.map(({ from, days }) => ({ from: dateOf(from), to: dateOf(from + days) }))
    const { cells } = await measure(db, metric, {
      tenantId: await seedWorld(db, world),
      timeZone: 'UTC',
      source: 'rollup',
      periods,
      window: periods[0] ?? { from: dateOf(0), to: dateOf(1) },
      filter: question.filter,
      membership: question.membership,
      breakdown,
      module: null,
      today: dateOf(question.today),
      asOf: new Date(`${dateOf(question.today)}T10:00:00Z`),
      options: {}
    })
    const expected = question.periods.flatMap(({ from, days }, period) => {
      const moment = { from, to: from + days, today: question.today }
      const members = placed(world, question, moment, breakdown)
      const groups = [...new Set(members.map(({ key }) => key))].sort()
      return groups.map(group => {
        const ofGroup = members.filter(({ key }) => key === group).map(({ learner }) => activeDaysOf(learner))
        const judged = judge(ofGroup, moment, direction)
        return { period, dimensions: JSON.parse(group), population: ofGroup.length, ...judged }
      })
    })
    deepStrictEqual(
      cells.map(({ period, dimensions, population, sumX, per, details }) => ({
        ...{ period, dimensions, population, sumX, per, details }
      })),
      expected
    )
  })
  await fc.assert(property, { numRuns: 60 })
}

function judge(
  learners: readonly (readonly number[])[],
  { from, to, today }: { readonly from: number; readonly to: number; readonly today: number },
  direction: -1 | 1
) {
  const comers = (day: number) => learners.filter(days => days.includes(day)).length
  const days = Array.from({ length: Math.max(0, Math.min(to, today) - from) }, (_, nth) => {
    const day = from + nth
    const trail = [1, 2, 3, 4, 5, 6, 7, 8].map(week => comers(day - 7 * week))
    const median = middle(trail)
    const mad = middle(trail.map(earlier => Math.abs(earlier - median)))
    return { day, learners: comers(day), median, mad }
  })
  const judged = days.filter(({ mad }) => mad > 0)
  const unusual = judged
    .map(day => ({ ...day, distance: direction * 6745 * (day.learners - day.median) }))
    .filter(({ distance, mad }) => distance > 35_000 * mad)
  const details = {
    // In ten-thousandths, which halves and quarters divide without rounding, so that a tie is one here too.
    days: unusual.map(({ day, distance, mad, ...others }) => ({
      ...{ day: dateOf(day), ...others, mad, robustZ: (direction * Math.round(distance / mad)) / 10_000 }
    })),
    notJudged: days.length - judged.length
  }
  return { sumX: unusual.length, per: judged.length, details: days.length === 0 ? null : details }
}

function middle(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  return ((sorted[sorted.length / 2 - 1] ?? 0) + (sorted[sorted.length / 2] ?? 0)) / 2
}
