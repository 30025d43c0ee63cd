import {
  checkBoolean,
  checkDuration,
  checkExtensions,
  checkIri,
  checkLanguageMap,
  checkMediaType,
  checkNumber,
  checkSha2,
  checkString
} from './formats.js'
import type { VersionRules } from './version.js'
import {
  arrayOf,
  broken,
  type Check,
  checkObject,
  type ObjectShape,
  objectOf,
  under,
  type Violation
} from './violation.js'

const scoreShape: ObjectShape = {
  topic: 'score',
  called: 'A score',
  properties: new Map(['scaled', 'raw', 'min', 'max'].map(key => [key, checkNumber] as const)),
  required: []
}

interface Scores {
  readonly scaled?: number
  readonly raw?: number
  readonly min?: number
  readonly max?: number
}

function checkRange({ scaled = 0, raw, min, max }: Scores, rules: VersionRules): Violation | null {
  if (scaled < -1 || scaled > 1) {
    return under('scaled', broken(rules, 'score', 'scaled', `Must be from -1 to 1, not ${scaled}`))
  }
  if (min !== undefined && max !== undefined && min >= max) {
    return under('min', broken(rules, 'score', 'min-below-max', `min, ${min}, must be less than max, ${max}`))
  }
  if (raw !== undefined && (raw < (min ?? raw) || raw > (max ?? raw))) {
    return under('raw', broken(rules, 'score', 'raw-in-range', `raw, ${raw}, must be from min to max`))
  }
  return null
}

/** Checks a score by the numeric value of its numbers. @see xAPI 1.0.3 Data 2.4.5.1 */
const checkScore: Check = (value, rules) => checkObject(value, scoreShape, rules) ?? checkRange(value as Scores, rules)

/** Checks a result. @see xAPI 1.0.3 Data 2.4.5 */
export const checkResult = objectOf({
  topic: 'result',
  called: 'A result',
  properties: new Map([
    ['score', checkScore],
    ['success', checkBoolean],
    ['completion', checkBoolean],
    ['response', checkString],
    ['duration', checkDuration],
    ['extensions', checkExtensions]
  ]),
  required: []
})

const checkLength: Check = (value, rules) => {
  const violation = checkNumber(value, rules)
  if (violation !== null) return violation
  return Number.isInteger(value) && Number(value) >= 0
    ? null
    : broken(rules, 'attachment', 'length', `Must be a whole number of octets, not ${String(value)}`)
}

/** Checks the list of attachments; whether their data came too is a matter of the request. */
export const checkAttachments = arrayOf(
  objectOf({
    topic: 'attachment',
    called: 'An attachment',
    properties: new Map([
      ['usageType', checkIri],
      ['display', checkLanguageMap],
      ['description', checkLanguageMap],
      ['contentType', checkMediaType],
      ['length', checkLength],
      ['sha2', checkSha2],
      ['fileUrl', checkIri]
    ]),
    required: ['usageType', 'display', 'contentType', 'length', 'sha2']
  }),
  'attachment',
  'attachments'
)
