import fc from 'fast-check'
import type { Kysely } from 'kysely'
import type { Database } from '../../src/database/schema.js'
import { activeUsers } from '../../src/metrics/active-users.js'
import { measure } from '../../src/metrics/measure.js'
import type { Measurement } from '../../src/metrics/measurement.js'
import type { MeasureRequest } from '../../src/metrics/metric.js'
import { repeatRate } from '../../src/metrics/repeat-rate.js'
import type { CohortFilter } from '../../src/people/cohort-filter.js'
import { filters } from '../metrics/world.js'
import { everyPerson, personName } from '../people/naive-persons.js'

type Asked =
  | { readonly metric: 'active-users'; readonly options: { readonly basis: 'opened' | 'received' } }
  | {
      readonly metric: 'repeat-rate'
      readonly options: { readonly windowDays: 7 | 14 | 30; readonly denominator: 'active' | 'population' }
    }

/** What is asked of a story's tenant. */
export type Question = Asked & Omit<MeasureRequest, 'tenantId' | 'timeZone' | 'asOf' | 'options'>

/** Some days about each of the instants of a story, within which people change teams, are hired and leave. */
const spans = ['2024-03-09', '2024-03-30', '2024-04-06', '2024-10-26'].map(from => ({ from, to: dayAfter(from, 2) }))

const names = everyPerson.map(personName)

/** Filters that often hold, and any others. */
const someFilter: fc.Arbitrary<CohortFilter> = fc.oneof(
  filters,
  fc.constantFrom<CohortFilter>(
    { team: ['red'] },
    { not: { team: ['blue'] } },
    { role: ['engineer', 'lead'] },
    { cohort: ['north'] }
  ),
  fc.constantFrom(...names).map(name => ({ line: [name] })),
  fc.constantFrom(...names).map(name => ({ manager: [name] })),
  fc.constantFrom(...names).map(name => ({ person: [name] }))
)

const asked: fc.Arbitrary<Asked> = fc.oneof(
  fc.record({
    metric: fc.constant('active-users' as const),
    options: fc.record({ basis: fc.constantFrom('opened', 'received') })
  }),
  fc.record({
    metric: fc.constant('repeat-rate' as const),
    options: fc.record({
      windowDays: fc.constantFrom(7, 14, 30),
      denominator: fc.constantFrom('active', 'population')
    })
  })
)

/** One metric over the periods, asked of everyone or of a cohort. */
export const questions: fc.Arbitrary<Question> = fc
  .record({
    asked,
    source: fc.constantFrom('rollup' as const, 'events' as const),
    filter: fc.option(someFilter, { freq: 3 }),
    membership: fc.constantFrom('at_window_start' as const, 'at_event' as const, 'current' as const),
    today: fc.constantFrom('2024-03-12', '2024-04-02', '2024-04-20', '2024-10-28', '2025-01-01'),
    longer: fc.nat(20)
  })
  .map(({ asked, longer, ...question }) => ({
    ...asked,
    ...question,
    periods: [...spans, { from: '2024-03-09', to: dayAfter('2024-03-10', longer) }],
    window: { from: '2024-03-01', to: '2024-11-01' },
    breakdown: [],
    module: null
  }))

type Moment = Pick<MeasureRequest, 'tenantId' | 'timeZone' | 'asOf'>

/** Asks the program. */
export function ask(db: Kysely<Database>, question: Question, moment: Moment): Promise<Measurement> {
  // Apart, for each metric knows its own options only.
  if (question.metric === 'active-users') return measure(db, activeUsers, { ...question, ...moment })
  return measure(db, repeatRate, { ...question, ...moment })
}

function dayAfter(date: string, days: number): string {
  return new Date(Date.parse(date) + days * 86_400_000).toISOString().slice(0, 10)
}
