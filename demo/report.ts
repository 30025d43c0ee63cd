import { DateTime } from 'luxon'
import { type Pilot, pilotWeeks } from './deeds.js'
import { habits } from './learners.js'
import { askMetric, type JudgedMetric, judgedMetrics } from './metrics.js'
import type { Service } from './service.js'
import { formatTable, formatValue, judge, type Line, sparkline } from './table.js'

/** A metric for the whole pilot, and for each habit's cohort. */
interface Judgement {
  readonly whole: Line
  readonly cohorts: readonly Line[]
}

/** Asks every metric that has thresholds, and writes the pilot's table, its trend and what stands out. */
export async function reportPilot(service: Service, pilot: Pilot, colours: boolean): Promise<string> {
  const metrics = await judgedMetrics(service)
  const judgements = await Promise.all(metrics.map(metric => askAll(service, metric)))
  const trends = await Promise.all(metrics.slice(0, 1).map(metric => trend(service, pilot, metric)))
  const table = formatTable(
    judgements.flatMap(({ whole, cohorts }) => [whole, ...cohorts]),
    colours
  )
  return [table, '', ...trends, '', ...judgements.map(sentence)].join('\n')
}

async function askAll(service: Service, metric: JudgedMetric): Promise<Judgement> {
  const line = async (cohort: string, label: (period: string) => string): Promise<readonly Line[]> => {
    // Without from and to, a metric takes the last seven days that it can already judge.
    const { results } = await askMetric(service, metric.id, { cohort })
    return results.map(cell => ({ label: label(`${cell.period.from} to ${lastDayOf(cell.period.to)}`), metric, cell }))
  }
  const [whole] = await line('pilot', period => `${metric.name}, ${period}`)
  if (whole === undefined) throw new Error(`${metric.id} was answered without a result`)
  const cohorts = await Promise.all(habits.map(({ cohort }) => line(cohort, () => `  ${cohort}`)))
  return { whole, cohorts: cohorts.flat() }
}

/** The metric in each of the pilot's weeks of seven days. */
async function trend(service: Service, pilot: Pilot, metric: JudgedMetric): Promise<string> {
  const end = DateTime.fromISO(pilot.lastDay).plus({ days: 1 })
  const weeks = Array.from({ length: pilotWeeks }, (_, week) => end.minus({ weeks: pilotWeeks - week }))
  const answers = await Promise.all(
    weeks.map(from =>
      askMetric(service, metric.id, { cohort: 'pilot', from: dayOf(from), to: dayOf(from.plus({ weeks: 1 })) })
    )
  )
  const values = answers.map(({ results }) => results[0]?.value ?? null)
  const numbers = values.map(value => formatValue(value, metric.unit, 0)).join(', ')
  return `${metric.name}, week by week: ${sparkline(values)}  ${numbers}`
}

/** What a reader should take from a metric: where it stands, and which cohorts hold it back. */
function sentence({ whole, cohorts }: Judgement): string {
  const verdict = judge(whole.cell, whole.metric.thresholds)
  const below = cohorts.filter(({ cell, metric }) => judge(cell, metric.thresholds)?.state === 'below minimum')
  const held = below.length > 0 ? `; held back by ${below.map(({ label }) => label.trim()).join(' and ')}` : ''
  return `${whole.metric.name}: ${verdict?.state ?? 'no value'}${verdict?.state === 'success' ? '' : held}.`
}

function lastDayOf(to: string): string {
  return dayOf(DateTime.fromISO(to).minus({ days: 1 }))
}

function dayOf(day: DateTime): string {
  return day.toFormat('yyyy-MM-dd')
}
