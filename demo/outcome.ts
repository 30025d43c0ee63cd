import type { CardMetric, PilotDecision, ScoredLearner } from '../openapi/paths.d.ts'
import { answered, openClient } from './client.js'
import { type Pilot, pilotWeeks } from './deeds.js'
import type { Service } from './service.js'
import { sparkline } from './table.js'

const shownLearners = 5

/** Has the pilot decided on, and writes the decision, who leads, and the first one's card. */
export async function reportOutcome(service: Service, pilot: Pilot, firstDay: string): Promise<string> {
  const decision = await decide(service, firstDay)
  const leaders = await findLeaders(service)
  const [first] = leaders
  const card = first === undefined ? [] : await findCard(service, first.personId)
  return [
    `The decision on the pilot, as of the day after ${pilot.lastDay}: ${decision.decision}`,
    `  ${decision.sentence}`,
    '',
    'The top of the leadership index: mean z over six metrics of learning, the last 28 days',
    ...leaders.map(({ name, personId, value }, at) => `  ${at + 1}. ${name ?? personId}  ${figure(value)}`),
    '',
    ...(first === undefined ? [] : [`The card of ${first.name ?? first.personId}: last 28 days, 12 weeks, median`]),
    ...card.map(describe)
  ].join('\n')
}

async function decide(service: Service, startsOn: string): Promise<PilotDecision> {
  const client = openClient(service)
  const params = { path: { pilotId: 'demo' } }
  const body = { name: 'The demo', cohort: 'pilot', startsOn, lengthWeeks: pilotWeeks }
  await answered(client.PUT('/api/v1/pilots/{pilotId}', { params, body }))
  return answered(client.GET('/api/v1/pilots/{pilotId}/decision', { params }))
}

async function findLeaders(service: Service): Promise<readonly ScoredLearner[]> {
  // The demo's roster names no roles, so that learners are compared with all.
  const query = { cohort: 'pilot', by: 'none', limit: shownLearners } as const
  const { learners } = await answered(openClient(service).GET('/api/v1/scores/leadership-index', { params: { query } }))
  return learners
}

async function findCard(service: Service, personId: string): Promise<readonly CardMetric[]> {
  const params = { path: { personId }, query: { by: 'none' } } as const
  return (await answered(openClient(service).GET('/api/v1/people/{personId}/card', { params }))).metrics
}

function describe({ name, unit, value, weeks, band }: CardMetric): string {
  const most = Math.max(...weeks.map(week => week.value ?? 0), Number.MIN_VALUE)
  const trend = sparkline(weeks.map(week => (week.value === null ? null : week.value / most)))
  return `  ${name.padEnd(22)} ${figure(value, unit).padStart(8)}  ${trend}  ${figure(band.median, unit).padStart(8)}`
}

function figure(value: number | boolean | null, unit?: CardMetric['unit']): string {
  if (typeof value !== 'number') return '–'
  return unit === 'milliseconds' ? `${(value / 3_600_000).toFixed(1)} h` : value.toFixed(2)
}
