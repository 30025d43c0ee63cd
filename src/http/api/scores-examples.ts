import { lmsMetrics } from '../../scores/lms-metrics.js'
import { scoreCatalogue } from '../../scores/score-catalogue.js'

const period = { from: '2026-03-02', to: '2026-03-30' }

/** What an answer about a window of four weeks says of itself. */
function metaOf(id: string, breakdown: readonly string[] = []) {
  return {
    query: {
      metric: id,
      fromDate: period.from,
      toDate: period.to,
      from: '2026-03-02T00:00:00+01:00',
      to: '2026-03-30T00:00:00+02:00',
      timeZone: 'Europe/Berlin',
      interval: null,
      cohort: null,
      filters: {},
      module: null,
      membership: 'at_window_start',
      breakdown,
      options: {},
      compare: null,
      minGroupSize: 10,
      consistency: 'eventual'
    },
    definitionVersion: 1,
    asOf: '2026-03-30T08:00:00.000Z',
    consistentThrough: '2026-03-30T08:00:00.000Z',
    warnings: [],
    excluded: { voided: 0, unresolvedActor: 0, future: 0 },
    nextCursor: null
  }
}

const learner = {
  personId: '4711',
  name: 'Ada',
  group: 'engineer',
  value: null,
  nullReason: 'low_coverage',
  components: lmsMetrics.map(id => ({ id, raw: null, normalised: null, isMissing: true })),
  coverage: { present: 0, of: 6, needs: 4 },
  details: null
}

export const catalogueExample = {
  scores: scoreCatalogue.slice(0, 1).map(({ standard, parse: _, definition: meaning, components, ...score }) => ({
    ...score,
    meaning,
    of: 'group',
    components: [...components],
    version: 1,
    definition: standard,
    createdBy: null,
    createdAt: null
  }))
}

/** The answer of a score of learners. */
export const scoreExample = (score: string) => ({
  score,
  period,
  by: 'role',
  learners: [learner],
  meta: metaOf(score, ['role'])
})

export const personScoreExample = {
  score: 'leadership-index',
  personId: '4711',
  by: 'role',
  current: learner,
  history: [{ period, group: 'engineer', value: null, nullReason: 'low_coverage' }],
  meta: metaOf('leadership-index', ['role'])
}

export const teamsExample = {
  score: 'leadership-index',
  period,
  by: 'role',
  teams: [
    {
      team: 'platform',
      n: 12,
      suppressed: false,
      value: { mean: 0.4, n: 12, suppressed: false },
      components: [{ id: 'assessment-score', mean: 0.7, n: 11, suppressed: false }]
    }
  ],
  meta: metaOf('leadership-index', ['role', 'team'])
}

export const coachingExample = {
  score: 'coaching-index',
  period,
  weeks: 4,
  groups: [
    {
      dimensions: {},
      value: 50,
      nullReason: null,
      components: [
        {
          id: 'active-users',
          raw: 0.35,
          normalised: 0.5,
          nullReason: null,
          weight: 1,
          share: 1,
          contribution: 50,
          isMissing: false,
          ci: { low: 0.27, high: 0.44, method: 'wilson' },
          n: 60,
          suppressed: false
        }
      ],
      coverage: { present: 1, of: 1, needs: 1 },
      compoundSignal: { reached: 0, of: 1, metrics: [] },
      n: 60,
      suppressed: false
    }
  ],
  meta: metaOf('coaching-index')
}

export const decisionExample = {
  pilot: 'north',
  asOf: '2026-03-30',
  period,
  weeks: 4,
  lengthWeeks: 8,
  n: 60,
  decision: 'iterate',
  sentence: 'Iterate: 1 of 5 measures holds it back: active users (35 %, below the minimum of 40 %).',
  kpis: [
    {
      id: 'active-users',
      value: 0.35,
      ci: { low: 0.27, high: 0.44, method: 'wilson' },
      n: 60,
      suppressed: false,
      minimum: 0.4,
      success: 0.7,
      state: 'below_minimum'
    }
  ],
  heldBackBy: ['active-users'],
  definitionVersion: 1,
  meta: metaOf('pilot')
}

const band = { p25: 1, median: 2, p75: 4, n: 40, nullReason: null }

export const cardExample = {
  personId: '4711',
  period,
  by: 'role',
  group: 'engineer',
  metrics: [
    {
      id: 'forum-interactions',
      name: 'Forum interactions',
      unit: 'per-learner',
      value: 3,
      band,
      weeks: [{ period: { from: '2026-03-23', to: '2026-03-30' }, value: 1, band }]
    }
  ],
  meta: metaOf('card', ['role'])
}
