import { DateTime } from 'luxon'
import { isTimeZone } from '../config/values.js'
import { LrsError } from '../errors.js'

/** How a window is cut: local days, ISO weeks (from Monday) or calendar months. */
export type Interval = 'day' | 'week' | 'month'

/** A period in local days, half-open: `to` is the day after the last. */
export interface Period {
  readonly from: string
  readonly to: string
  /** The window clips it, or it is not over yet. */
  readonly partial: boolean
}

/** The window asked for, as it came. */
export interface WindowRequest {
  /** First local day, `YYYY-MM-DD`. */
  readonly from?: string | undefined
  /** The local day after the last. */
  readonly to?: string | undefined
  /** IANA name of a time zone. */
  readonly tz?: string | undefined
  readonly interval?: Interval | undefined
}

/** What a window is resolved against. */
export interface WindowDefaults {
  readonly timeZone: string
  readonly asOf: Date
  /** The default window ends this many days before today. */
  readonly lagDays: number
}

/** A window of whole local days, and its periods in order. */
export interface Window {
  readonly from: string
  readonly to: string
  /** The instant at which `from` begins, with its offset. */
  readonly fromInstant: string
  /** The instant at which `to` begins, with its offset. */
  readonly toInstant: string
  readonly timeZone: string
  readonly interval: Interval | null
  /** The local day of `asOf`, which is not complete yet. */
  readonly today: string
  readonly periods: readonly Period[]
}

/** A window without `from` is this long: the "last 7 days". */
export const defaultWindowDays = 7

/** The most periods in one answer; 1000 days are 2.7 years. */
export const maxPeriods = 1000

/**
 * Resolves a window of whole local days and cuts it into periods.
 *
 * Without `to` it ends before today, which is not complete yet; without `from` it is 7 days long; without either it
 * ends `lagDays` earlier. The zone is by default the tenant's. Without an interval the window is one period.
 * Calendar days are added in local time and only then converted: a local day may be 23 to 25 hours long.
 *
 * @throws LrsError `invalid-parameter` for a bad date or zone, `from` not before `to`, or too many periods
 */
export function resolveWindow(request: WindowRequest, defaults: WindowDefaults): Window {
  const timeZone = request.tz === undefined ? defaults.timeZone : parseTimeZone(request.tz)
  const interval = request.interval ?? null
  const today = localDay(defaults.asOf, timeZone)
  const lastEnd = request.from === undefined ? addDays(today, -defaults.lagDays) : today
  const to = request.to === undefined ? lastEnd : parseDay('to', request.to)
  const from = request.from === undefined ? addDays(to, -defaultWindowDays) : parseDay('from', request.from)
  if (from >= to) {
    throw new LrsError(
      'invalid-parameter',
      `from (${from}) must be before to (${to}): the window runs from the first day up to, but without, the second`
    )
  }
  return {
    from,
    to,
    fromInstant: startOfDay(from, timeZone),
    toInstant: startOfDay(to, timeZone),
    timeZone,
    interval,
    today,
    periods: cutPeriods(from, to, interval, today)
  }
}

/**
 * The periods to compare with, one for each of the window's own.
 *
 * Each is the stretch just before a window that has no interval, or the same days one interval earlier: the day, ISO
 * week or month before. Where a period isn't over, only its days up to and with today are compared; a shorter month
 * before ends where the month itself begins.
 */
export function previousPeriods(window: Window): readonly Period[] {
  return window.periods.map(period => {
    const elapsedTo = minDay(period.to, addDays(window.today, 1))
    const elapsedDays = Math.max(1, daysBetween(period.from, elapsedTo))
    const from = stepBack(period, window.interval)
    return { from, to: minDay(addDays(from, elapsedDays), period.from), partial: period.partial }
  })
}

/**
 * Checks the IANA name of a time zone, as `isTimeZone` knows them.
 *
 * @throws LrsError `invalid-parameter`
 */
function parseTimeZone(text: string): string {
  if (isTimeZone(text)) return text
  throw new LrsError(
    'invalid-parameter',
    `tz (${JSON.stringify(text)}) is not the IANA name of a time zone, such as Europe/Berlin or UTC`
  )
}

/** The local day that an instant falls in, `YYYY-MM-DD`. */
function localDay(instant: Date, timeZone: string): string {
  return isoDate(DateTime.fromJSDate(instant, { zone: timeZone }))
}

/** Adds calendar days to a local day. */
export function addDays(day: string, days: number): string {
  return isoDate(calendar(day).plus({ days }))
}

/** How many calendar days lie between two local days. */
export function daysBetween(from: string, to: string): number {
  return calendar(to).diff(calendar(from), 'days').days
}

/** The ISO instant, with its offset, at which a local day begins: the first of two midnights, or the end of a gap. */
function startOfDay(day: string, timeZone: string): string {
  const midnights = DateTime.fromISO(day, { zone: timeZone }).startOf('day').getPossibleOffsets()
  const first = Math.min(...midnights.map(midnight => midnight.toMillis()))
  return DateTime.fromMillis(first, { zone: timeZone }).toFormat("yyyy-MM-dd'T'HH:mm:ssZZ")
}

function cutPeriods(from: string, to: string, interval: Interval | null, today: string): readonly Period[] {
  if (interval === null) return [{ from, to, partial: to > today }]
  const periods: Period[] = []
  let start = calendar(from).startOf(interval)
  while (isoDate(start) < to) {
    if (periods.length === maxPeriods) throw tooManyPeriods(interval)
    const next = start.plus({ [interval]: 1 })
    const whole = { from: isoDate(start), to: isoDate(next) }
    const clipped = { from: maxDay(whole.from, from), to: minDay(whole.to, to) }
    const isWhole = clipped.from === whole.from && clipped.to === whole.to
    periods.push({ ...clipped, partial: !isWhole || clipped.to > today })
    start = next
  }
  return periods
}

function tooManyPeriods(interval: Interval): LrsError {
  return new LrsError(
    'invalid-parameter',
    `interval (${interval}) cuts the window into more than ${maxPeriods} periods; ask for a shorter window or a longer interval`
  )
}

/** The same days of the year before, one for each of the window's periods; 28 February stands in for the 29th. */
export function yearEarlierPeriods(window: Window): readonly Period[] {
  return window.periods.map(period => {
    const from = yearEarlier(period.from)
    const to = yearEarlier(minDay(period.to, addDays(window.today, 1)))
    // Only 29 February itself comes to nothing.
    return { from, to: to > from ? to : addDays(from, 1), partial: period.partial }
  })
}

/** Whether a window has the 29th of February in it, or ends with it, and so compares with a shorter February. */
export function hasLeapDay({ from, to }: Pick<Window, 'from' | 'to'>): boolean {
  const years = Array.from(
    { length: Number(to.slice(0, 4)) - Number(from.slice(0, 4)) + 1 },
    (_, nth) => Number(from.slice(0, 4)) + nth
  )
  return years.some(year => calendar(`${year}-02-29`).isValid && `${year}-02-29` >= from && `${year}-02-29` < to)
}

function yearEarlier(day: string): string {
  return isoDate(calendar(day).minus({ years: 1 }))
}

function stepBack(period: Period, interval: Interval | null): string {
  if (interval === null) return addDays(period.from, -daysBetween(period.from, period.to))
  return isoDate(calendar(period.from).minus({ [interval]: 1 }))
}

/**
 * Checks a local day, `YYYY-MM-DD`, from 1900 to 2999.
 *
 * @param name what it is called in the request
 * @throws LrsError `invalid-parameter`
 */
export function parseDay(name: string, text: string): string {
  if (/^(19|2\d)/.test(text) && isDay(text)) return text
  throw new LrsError(
    'invalid-parameter',
    `${name} (${JSON.stringify(text)}) is not a day of the calendar written YYYY-MM-DD, from 1900-01-01 to 2999-12-31`
  )
}

/** Whether a text is a day of the calendar, `YYYY-MM-DD`. */
export function isDay(text: string): boolean {
  return /^\d{4}-\d\d-\d\d$/.test(text) && calendar(text).isValid
}

/** A local day as a point of the calendar; UTC serves because its days are all alike. */
function calendar(day: string): DateTime {
  return DateTime.fromISO(day, { zone: 'utc' })
}

function isoDate(dateTime: DateTime): string {
  return dateTime.toFormat('yyyy-MM-dd')
}

/** The later of two days. */
export function maxDay(a: string, b: string): string {
  return a > b ? a : b
}

function minDay(a: string, b: string): string {
  return a < b ? a : b
}
