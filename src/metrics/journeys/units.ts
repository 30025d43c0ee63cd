import { DateTime } from 'luxon'
import { type Interval, resolveWindow, type Window, type WindowDefaults, type WindowRequest } from '../window.js'

/** A window without `from` has so many units. */
const defaultUnits = 12

/**
 * Resolves a window that is cut into units: local days, ISO weeks or calendar months.
 *
 * Without `from` and `to` it is the last 12 units that are over; without `from` it begins 12 units before the unit that
 * `to` lies in.
 *
 * @throws LrsError `invalid-parameter` as `resolveWindow` does
 */
export function resolveUnits(
  request: WindowRequest,
  unit: Interval,
  defaults: Omit<WindowDefaults, 'lagDays'>
): Window {
  const against = { ...defaults, lagDays: 0 }
  const asked = { ...request, interval: unit }
  if (request.from !== undefined) return resolveWindow(asked, against)
  const { to, today } = resolveWindow({ ...request, interval: undefined }, against)
  const end = request.to === undefined ? startOfUnit(today, unit) : to
  return resolveWindow({ ...asked, from: addUnits(startOfUnit(end, unit), unit, -defaultUnits), to: end }, against)
}

/** The first day of the unit that a local day lies in. */
export function startOfUnit(day: string, unit: Interval): string {
  return isoDate(calendar(day).startOf(unit))
}

/** Adds units to a local day; where a month is shorter, its last day stands for those it lacks. */
export function addUnits(day: string, unit: Interval, units: number): string {
  return isoDate(calendar(day).plus({ [unit]: units }))
}

/** A local day as a point of the calendar; UTC serves because its days are all alike. */
function calendar(day: string): DateTime {
  return DateTime.fromISO(day, { zone: 'utc' })
}

function isoDate(dateTime: DateTime): string {
  return dateTime.toFormat('yyyy-MM-dd')
}
