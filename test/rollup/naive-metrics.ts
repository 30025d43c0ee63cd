import { naiveActiveUsers, naiveExcluded, naiveRepeatRate } from '../metrics/naive.js'
import { dateOf, isCountColumn, type Person, type World } from '../metrics/world.js'
import type { NaivePersons } from '../people/naive-persons.js'
import type { Values } from './naive.js'
import type { Question } from './question.js'

/** What a metric must answer, by the rules alone. */
export function naiveMeasure(world: World, { filter, membership, today, periods, window, ...asked }: Question) {
  const numbered = (span: { readonly from: string; readonly to: string }) => ({
    from: dayNumber(span.from),
    to: dayNumber(span.to)
  })
  const counts = periods.map(span => {
    const question = { period: numbered(span), filter, membership, today: dayNumber(today) }
    if (asked.metric === 'repeat-rate') return naiveRepeatRate(world, question, asked.options)
    return naiveActiveUsers(world, question, asked.options.basis === 'opened' ? ['opened'] : ['opened', 'delivered'])
  })
  return { counts, excluded: naiveExcluded(world, numbered(window)) }
}

/** Everybody with their days and with what the roster says of them; those of the roster stand first. */
export function worldOf(days: Record<string, Values>, persons: NaivePersons): World {
  const daysOf = new Map<string, Person['days']>()
  for (const [key, values] of Object.entries(days)) {
    const space = key.lastIndexOf(' ')
    const counts = Object.fromEntries(Object.entries(values).filter(([column]) => isCountColumn(column)))
    const name = key.slice(0, space)
    daysOf.set(name, [...(daysOf.get(name) ?? []), { day: dayNumber(key.slice(space + 1)), counts }])
  }
  const people = persons.people()
  const names = people.map(({ name }) => name)
  return {
    people: [
      ...people.map(({ name, isKnown, mergedInto, ranges }) => ({
        known: isKnown,
        mergedInto: mergedInto === null ? null : names.indexOf(mergedInto),
        days: daysOf.get(name) ?? [],
        roster: ranges.map(({ validFrom, validTo, managerId, hiredOn, leftOn, ...attributes }) => ({
          ...attributes,
          from: dayNumberOrNull(validFrom),
          to: dayNumberOrNull(validTo),
          manager: managerId,
          hired: dayNumberOrNull(hiredOn),
          left: dayNumberOrNull(leftOn)
        }))
      })),
      ...[...daysOf]
        .filter(([name]) => !names.includes(name))
        .map(([_, days]) => ({ known: false, mergedInto: null, roster: [], days }))
    ]
  }
}

function dayNumber(date: string): number {
  return (Date.parse(date) - Date.parse(dateOf(0))) / 86_400_000
}

function dayNumberOrNull(date: string | null): number | null {
  return date === null ? null : dayNumber(date)
}
