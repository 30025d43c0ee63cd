const designators =
  /^P(?!$)(?:(\d+(?:[.,]\d+)?)W|(?:(\d+(?:[.,]\d+)?)Y)?(?:(\d+(?:[.,]\d+)?)M)?(?:(\d+(?:[.,]\d+)?)D)?(?:T(?!$)(?:(\d+(?:[.,]\d+)?)H)?(?:(\d+(?:[.,]\d+)?)M)?(?:(\d+(?:[.,]\d+)?)S)?)?)$/

/**
 * Whether the text is an ISO 8601 duration in the format with designators, as `P3Y1M29DT4H35M59.14S` or `P4W`.
 *
 * Weeks stand alone, only the last part may have a fraction, and the alternative format (`P0003-01-01`) is refused.
 *
 * @see xAPI 1.0.3 Data 4.6
 */
export function isDuration(text: string): boolean {
  const fraction = text.search(/[.,]/)
  // A fraction must be in the last part: digits, one designator, the end.
  return designators.test(text) && (fraction === -1 || /^.\d+[A-Z]$/.test(text.slice(fraction)))
}

const DAY_MS = 86_400_000

/** Whole milliseconds of one part, read from its digits so that 0.29 s is 290 ms; what is finer is cut. */
function partMs(digits: string | undefined, unitMs: number): number {
  if (digits === undefined) return 0
  const [whole = '0', fraction = ''] = digits.split(/[.,]/)
  return Number(whole) * unitMs + Math.floor((Number(fraction.slice(0, 12).padEnd(12, '0')) * unitMs) / 1e12)
}

function isZero(digits: string | undefined): boolean {
  return digits === undefined || /^[0.,]+$/.test(digits)
}

/**
 * The length of a duration in whole milliseconds, a day counted as 24 hours.
 *
 * Null when it has no exact length: text that is no duration, years or months other than zero, or more milliseconds
 * than a number holds exactly.
 */
export function durationMs(text: string): number | null {
  const parts = isDuration(text) ? designators.exec(text) : null
  if (parts === null || !isZero(parts[2]) || !isZero(parts[3])) return null
  const ms =
    partMs(parts[1], 7 * DAY_MS) +
    partMs(parts[4], DAY_MS) +
    partMs(parts[5], 3_600_000) +
    partMs(parts[6], 60_000) +
    partMs(parts[7], 1000)
  return Number.isSafeInteger(ms) ? ms : null
}

/** Whether the text is a duration with years or months, whose length depends on the calendar; those of zero have none. */
export function isCalendarDuration(text: string): boolean {
  const parts = isDuration(text) ? designators.exec(text) : null
  return parts !== null && !(isZero(parts[2]) && isZero(parts[3]))
}

/** The duration with its seconds cut to hundredths, which is all that counts when durations are compared. */
export function truncatedDuration(text: string): string {
  return text.replace(/[.,](\d{1,2})\d*S$/, (_, hundredths: string) => {
    const kept = hundredths.replace(/0{1,2}$/, '')
    return kept === '' ? 'S' : `.${kept}S`
  })
}

/**
 * Whether two durations are the same for the comparison of statements: as strings, their seconds cut to 0.01 s.
 *
 * `PT60S` and `PT1M` differ: units are never converted.
 *
 * @see xAPI 1.0.3 Data 2.3.1 and 4.6
 */
export function sameDuration(a: string, b: string): boolean {
  return truncatedDuration(a) === truncatedDuration(b)
}
