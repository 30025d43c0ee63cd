import { withoutEndZeros } from './json.js'

const iso =
  /^(\d{4})(-?)(\d{2})\2(\d{2})[Tt](\d{2})(?:(:?)(\d{2})(?:\6(\d{2})(?:[.,](\d+))?)?)(?:([Zz])|([+-])(\d{2})(?::?(\d{2}))?)?$/

interface Parts {
  readonly year: number
  readonly month: number
  readonly day: number
  readonly hour: number
  readonly minute: number
  /** Absent in a reduced form such as `12:30`. */
  readonly second: number | null
  /** Every digit as written; empty when there are none. */
  readonly fraction: string
  readonly isExtended: boolean
  /** Minutes east of UTC; null when no zone is written. */
  readonly offset: number | null
  readonly isNegativeZero: boolean
  readonly isZoneInRange: boolean
}

function numberOf(digits: string | undefined): number {
  return Number(digits ?? '0')
}

function readParts(text: string): Parts | null {
  const m = iso.exec(text)
  if (m === null) return null
  // The separators of date and time go together: all of them or none.
  const isExtended = m[2] === '-'
  if (isExtended !== (m[6] === ':')) return null
  const minutes = numberOf(m[12]) * 60 + numberOf(m[13])
  const hasZone = m[10] !== undefined || m[11] !== undefined
  return {
    year: numberOf(m[1]),
    month: numberOf(m[3]),
    day: numberOf(m[4]),
    hour: numberOf(m[5]),
    minute: numberOf(m[7]),
    second: m[8] === undefined ? null : Number(m[8]),
    fraction: m[9] ?? '',
    isExtended,
    offset: hasZone ? (m[11] === '-' ? -minutes : minutes) : null,
    isNegativeZero: m[11] === '-' && minutes === 0,
    isZoneInRange: numberOf(m[12]) <= 23 && numberOf(m[13]) <= 59
  }
}

function daysIn(year: number, month: number): number {
  return new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate()
}

function zoneFault(parts: Parts): string | null {
  if (parts.isNegativeZero) return 'A timestamp must not have the offset -00:00'
  return parts.isZoneInRange ? null : 'A timestamp must not have an offset beyond 23:59'
}

function rangeFault(parts: Parts): string | null {
  if (parts.month < 1 || parts.month > 12 || parts.day < 1 || parts.day > daysIn(parts.year, parts.month)) {
    return 'A timestamp must be a date that exists'
  }
  if (parts.second === 60) return 'A timestamp must not have a leap second (:60)'
  if (parts.hour > 23 || parts.minute > 59 || (parts.second ?? 0) > 59) {
    return 'A timestamp must be a time of day from 00:00:00 to 23:59:59'
  }
  // PostgreSQL has no year 0, and the offset can lead beyond either end.
  return /^(?!0000)\d{4}/.test(instant(parts)) ? null : 'A timestamp must lie in the years 0001 to 9999 of UTC'
}

/**
 * Says what is wrong with a timestamp; null if nothing is.
 *
 * It is an ISO 8601 date and time of day, extended or basic, to the minute at least. Without a zone it is read as UTC,
 * which 1.0.3 allows; `requiresRfc3339` (xAPI 2.0) asks for the extended format with seconds and zone. Refused besides:
 * `-00:00` in all its forms, leap seconds, `24:00`, dates that don't exist, and instants outside the years 0001 to 9999.
 * The future is never refused.
 *
 * @see xAPI 1.0.3 Data 4.5
 */
export function timestampFault(text: string, requiresRfc3339: boolean): string | null {
  const parts = readParts(text)
  if (parts === null) return 'A timestamp must be an ISO 8601 date and time, as 2025-01-31T12:30:00.000Z'
  if (requiresRfc3339 && !(parts.isExtended && parts.second !== null && parts.offset !== null && !text.includes(','))) {
    return 'A timestamp must follow RFC 3339, with seconds and a zone, as 2025-01-31T12:30:00.000Z'
  }
  return zoneFault(parts) ?? rangeFault(parts)
}

/** The instant to the second, as `YYYY-MM-DDTHH:mm:ss`; a year outside 0 to 9999 begins with a sign. */
function instant(parts: Parts): string {
  const date = new Date(0)
  // setUTCFullYear, because Date.UTC takes the years 0 to 99 for 1900 to 1999.
  date.setUTCFullYear(parts.year, parts.month - 1, parts.day)
  date.setUTCHours(parts.hour, parts.minute - (parts.offset ?? 0), parts.second ?? 0)
  const text = date.toISOString()
  return text.slice(0, text.lastIndexOf('.'))
}

const utc = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$/

/**
 * The same instant in UTC, as `YYYY-MM-DDTHH:mm:ss[.fraction]Z`, with every digit of the fraction as written.
 *
 * Takes a timestamp that `timestampFault` accepts; one without a zone is read as UTC.
 *
 * @throws RangeError for text that is no timestamp.
 */
export function toUtc(text: string): string {
  if (utc.test(text)) return text
  const parts = readParts(text)
  if (parts === null) throw new RangeError(`Not a timestamp: ${text}`)
  // Offsets are whole minutes, so the fraction of the second stays as it is.
  return `${instant(parts)}${parts.fraction === '' ? '' : `.${parts.fraction}`}Z`
}

function fractionOf(utcText: string): string {
  return withoutEndZeros(utcText.slice(20, -1))
}

/** Orders two valid timestamps by their instants, to the last digit: negative, zero or positive. */
export function compareInstants(a: string, b: string): number {
  const left = toUtc(a)
  const right = toUtc(b)
  return compareText(left.slice(0, 19), right.slice(0, 19)) || compareText(fractionOf(left), fractionOf(right))
}

function compareText(a: string, b: string): number {
  if (a === b) return 0
  return a < b ? -1 : 1
}

/** A UTC timestamp with at most so many digits after the second, cut and not rounded, e.g. for a column's precision. */
export function truncateFraction(utcText: string, digits: number): string {
  const fraction = utcText.slice(20, -1)
  if (fraction.length <= digits) return utcText
  return digits === 0 ? `${utcText.slice(0, 19)}Z` : `${utcText.slice(0, 20 + digits)}Z`
}
