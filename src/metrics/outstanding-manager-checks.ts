import { sql } from 'kysely'
import { doneOfDue } from './due-checks.js'
import type { Metric } from './metric.js'

/**
 * Manager checks that came due and were not done.
 *
 * Numerator: Σ, over learners in P, of the manager checks about them that came due in the period and that no manager had
 * done by its end; it is the value, without a denominator. Details: `due`, how many came due, and `done`. Window: each
 * period, in whole local days of the query's time zone. Null: `empty_denominator` when P is empty.
 *
 * @see doneOfDue for what is due and what is done
 */
export const outstandingManagerChecks: Metric = {
  id: 'outstanding-manager-checks',
  name: 'Outstanding manager checks',
  question: 'How many checks do managers still owe their people?',
  definition: 'Manager checks of the target population that came due in the period − those of them done by its end.',
  unit: 'checks',
  calculation: 'count',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  counting: request => ({
    ...doneOfDue(request),
    x: sql`coalesce(due - done, 0)`,
    y: sql`1`,
    extra: { due: sql`coalesce(due, 0)`, done: sql`coalesce(done, 0)` },
    details: { due: sql`sum(due)`, done: sql`sum(done)` }
  }),
  evidence: () => ({ kinds: ['manager-check'], side: 'subject' })
}
