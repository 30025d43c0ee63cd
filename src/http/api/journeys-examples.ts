import type { FunnelAnswer } from '../../metrics/journeys/funnel.js'
import type { JourneyMeta, ResolvedJourney } from '../../metrics/journeys/journey.js'
import type { LifecycleAnswer } from '../../metrics/journeys/lifecycle.js'
import type { RetentionAnswer } from '../../metrics/journeys/retention.js'
import { toCohorts, toCurve } from '../../metrics/journeys/retention-matrix.js'
import type { SequenceAnswer } from '../../metrics/journeys/sequence.js'
import { type Share, shareOf } from '../../metrics/journeys/share.js'
import { toSteps } from '../../metrics/journeys/step-answer.js'
import { lifecycleCsv, retentionCsv, stepsCsv } from './journeys-csv.js'

const about = (options: ResolvedJourney['options']): JourneyMeta => ({
  query: {
    fromDate: '2026-03-02',
    toDate: '2026-03-16',
    from: '2026-03-02T00:00:00+01:00',
    to: '2026-03-16T00:00:00+01:00',
    timeZone: 'Europe/Berlin',
    cohort: 'pilot-north',
    filters: { role: ['engineer'] },
    membership: 'at_window_start',
    options,
    minGroupSize: 10,
    consistency: 'eventual'
  },
  definitionVersion: 1,
  asOf: '2026-04-20T08:00:00.000Z',
  consistentThrough: '2026-04-20T08:00:00.000Z',
  warnings: [],
  excluded: { voided: 2, unresolvedActor: 0, future: 0 }
})

const count = (position: number, n: number, hours: number, hoursSincePrevious: number) => ({
  position,
  n,
  medianFromFirst: hours * 3600,
  p90FromFirst: hours * 7200,
  medianFromPrevious: hoursSincePrevious * 3600,
  p90FromPrevious: hoursSincePrevious * 7200
})

const folded = (...steps: readonly ReturnType<typeof count>[]) => ({
  steps,
  eligible: 50,
  immature: 0,
  state: {
    excluded: { voided: 0, unresolvedActor: 0, future: 0 },
    unknown: [],
    emptyPeriods: 0,
    oldestDue: null,
    derivation: null,
    parkedRows: 0,
    version: null
  }
})

const funnelSteps = ['delivered', 'opened', 'completed-task', 'peer-feedback']

const funnel: FunnelAnswer = {
  funnel: 'funnel',
  eligible: 50,
  results: toSteps(
    funnelSteps,
    folded(count(1, 45, 0, 0), count(2, 36, 5, 5), count(3, 24, 48, 40), count(4, 12, 96, 30)),
    10
  ),
  meta: about({ steps: funnelSteps, mode: 'ordered', windowDays: 14, module: null })
}

const stages = ['opened', 'opened-again', 'completed-task', 'peer-feedback-received', 'manager-check-received']

const sequence: SequenceAnswer = {
  sequence: 'sequence',
  eligible: 50,
  completed: shareOf(11, 50),
  results: toSteps(
    stages,
    folded(
      count(1, 40, 0, 0),
      count(2, 30, 24, 24),
      count(3, 24, 72, 40),
      count(4, 16, 120, 40),
      count(5, 11, 200, 60)
    ),
    10
  ),
  meta: about({ windowDays: 28 })
}

const units = [
  { from: '2026-03-02', to: '2026-03-09', partial: false },
  { from: '2026-03-09', to: '2026-03-16', partial: false }
]

const cohorts = toCohorts(
  [
    { size: 30, eligible: [30, 30, 30], retained: [30, 18, 15] },
    { size: 20, eligible: [20, 20, 20], retained: [20, 10, 9] }
  ],
  { window: { periods: units, today: '2026-04-20' }, unit: 'week', type: 'bracket', leastShown: () => 10 }
)

const retention: RetentionAnswer = {
  retention: 'retention',
  results: cohorts,
  ...toCurve(cohorts),
  meta: about({ type: 'bracket', unit: 'week', periods: 3 })
}

const period = (at: number, states: readonly [number, number, number, number]) => {
  const [fresh, returning, resurrecting, dormant] = states
  const share = (learners: number): Share => shareOf(learners, 50)
  return {
    period: { from: units[at]?.from ?? '', to: units[at]?.to ?? '' },
    partial: false,
    population: 50,
    active: share(fresh + returning + resurrecting),
    new: share(fresh),
    returning: share(returning),
    resurrecting: share(resurrecting),
    dormant: share(dormant)
  }
}

const lifecycle: LifecycleAnswer = {
  lifecycle: 'lifecycle',
  results: [period(0, [30, 0, 0, 0]), period(1, [12, 18, 0, 12])],
  meta: about({ interval: 'week' })
}

/** Examples of the answers, in both forms. */
export const exampleFunnel = { json: funnel, csv: stepsCsv(funnel) }
export const exampleSequence = { json: sequence, csv: stepsCsv(sequence) }
export const exampleRetention = { json: retention, csv: retentionCsv(retention) }
export const exampleLifecycle = { json: lifecycle, csv: lifecycleCsv(lifecycle) }
