import type { Score } from '../xapi/statement.js'

/** Digits after the point that a ratio is rounded to; a number of JSON has 17 at most. */
const digits = 20

/**
 * (raw − min) ÷ (max − min) as decimal text, or null where one of the three is missing or max is not greater than min.
 *
 * The numbers are taken by their decimal digits, not by the binary fractions beside them, and the quotient is rounded
 * half up to 20 digits: 0.3 of 0.1 to 0.4 is two thirds and not 0.6666666666666665.
 */
export function scoreRatio(score: Score | undefined): string | null {
  if (score?.raw === undefined || score.min === undefined || score.max === undefined) return null
  const [raw, min, max] = alike([score.raw, score.min, score.max])
  if (raw === undefined || min === undefined || max === undefined || max <= min) return null
  return divide(raw - min, max - min)
}

/** The numbers as whole multiples of one power of ten. A number's exponent is 324 at most, so they stay small. */
function alike(numbers: readonly number[]): readonly bigint[] {
  const parts = numbers.map(number => {
    const [mantissa = '', exponent = '0'] = String(number).split('e')
    const [whole = '', fraction = ''] = mantissa.split('.')
    return { digits: BigInt(whole + fraction), power: Number(exponent) - fraction.length }
  })
  const least = Math.min(...parts.map(({ power }) => power))
  return parts.map(({ digits, power }) => digits * 10n ** BigInt(power - least))
}

function divide(numerator: bigint, denominator: bigint): string {
  const isNegative = numerator < 0n
  const scaled = (isNegative ? -numerator : numerator) * 10n ** BigInt(digits)
  const rounded = String((2n * scaled + denominator) / (2n * denominator)).padStart(digits + 1, '0')
  return `${isNegative ? '-' : ''}${rounded.slice(0, -digits)}.${rounded.slice(-digits)}`
}
