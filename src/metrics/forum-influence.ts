import { type RawBuilder, sql } from 'kysely'
import { eventDeeds } from './event-deeds.js'
import type { MeasureRequest, Metric } from './metric.js'

/**
 * How many of the others a learner moves to answer.
 *
 * Numerator: the sum, over learners in P, of the distinct other people of P who replied to them or endorsed them in the
 * period. Denominator: the sum of N − 1 over the same learners, with N = |P| of the whole period, whatever it is broken
 * down by. So a learner's own value is the share of the others whom they moved, and the value of a group is their mean;
 * of the whole P it is the density of the net of replies and endorsements. Window: each period, in whole local days of
 * the query's time zone. Null: `empty_denominator` when P is empty or one person.
 */
export const forumInfluence: Metric = {
  id: 'forum-influence',
  name: 'Forum influence',
  question: 'How many of the others do people move to answer?',
  definition:
    'Distinct other people of the target population who replied to or endorsed a learner in the period ÷ all other people of the target population.',
  unit: 'proportion',
  calculation: 'ratio',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {},
  lagDays: () => 0,
  counting: request => ({
    deeds: answers(request),
    perLearner: [
      sql`count(distinct other_id) filter (where (ordinal, other_id) in (select ordinal, person_id from population)) as people`
    ],
    x: sql`coalesce(people, 0)`,
    y: othersInPopulation,
    details: { answered: sql`count(*) filter (where x > 0)` }
  }),
  evidence: () => ({ kinds: ['replied', 'endorsed'], side: 'subject' })
}

/** Replies and endorsements that a learner got, with the person who gave them; nobody answers themself. */
function answers(request: Omit<MeasureRequest, 'options'>): RawBuilder<unknown> {
  return eventDeeds(request, {
    kinds: ['replied', 'endorsed'],
    side: 'subject',
    columns: [sql`giver.person_id as other_id`],
    joins: sql`
      join person_agent as giver on giver.tenant_id = ${request.tenantId} and giver.agent_id = event.agent_id`,
    where: sql`giver.person_id <> owner.person_id`
  })
}

/**
 * N − 1. The rows of a period are counted by distinct persons, because a learner has one for each value of a dimension:
 * those before and those after it, itself in both.
 */
const othersInPopulation = sql<number>`(
  dense_rank() over (partition by population.ordinal order by population.person_id)
  + dense_rank() over (partition by population.ordinal order by population.person_id desc) - 2)`
