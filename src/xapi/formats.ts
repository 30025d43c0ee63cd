import { isDuration } from './duration.js'
import { timestampFault } from './timestamp.js'
import type { Topic, VersionRules } from './version.js'
import { broken, type Check, describe, isObject, typeName, under, type Violation } from './violation.js'

// Every pattern here is linear: no repeated part can match the same text in two ways.

const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i

/** Whether the text is a UUID in its standard string form, of whatever version and variant. */
export function isUuid(text: string): boolean {
  return text.length === 36 && uuid.test(text)
}

// RFC 3987 without its private-use ranges: a scheme, then none of white space, controls, <>"{}|\^` or lone surrogates.
const iri =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: controls are what it refuses
  /^[a-z][a-z0-9+.-]*:[^\s\u0000-\u0020\u007f-\u009f<>"{}|\\^`\ud800-\udfff]+$/iu
const strayPercent = /%(?![0-9a-f]{2})/i

/**
 * Whether the text is an absolute IRI, with a scheme and characters that RFC 3987 allows.
 *
 * IRIs are compared as strings and never normalised.
 *
 * @see xAPI 1.0.3 Data 2.2, 3.1 and 4.3
 */
export function isIri(text: string): boolean {
  return iri.test(text) && !(text.includes('%') && strayPercent.test(text))
}

/** Whether the text is `mailto:` with exactly one address, as an `mbox` has to be. */
function isMailto(text: string): boolean {
  return mailto.test(text) && isIri(text)
}
const mailto = /^mailto:[^@?,;:\s]+@[^@?,;:\s]+$/

const ascii = /^[\u0021-\u007e]+$/

/** Whether the text is an absolute URI: an IRI in ASCII. */
function isUri(text: string): boolean {
  return ascii.test(text) && isIri(text)
}

const languageTag =
  /^(?:(?:[a-z]{2,3}(?:-[a-z]{3}){0,3}|[a-z]{4,8})(?:-[a-z]{4})?(?:-(?:[a-z]{2}|\d{3}))?(?:-(?:[a-z\d]{5,8}|\d[a-z\d]{3}))*(?:-[a-wyz\d](?:-[a-z\d]{2,8})+)*(?:-x(?:-[a-z\d]{1,8})+)?|x(?:-[a-z\d]{1,8})+)$/i

const grandfathered = new Set(
  'en-gb-oed i-ami i-bnn i-default i-enochian i-hak i-klingon i-lux i-mingo i-navajo i-pwn i-tao i-tay i-tsu sgn-be-fr sgn-be-nl sgn-ch-de'.split(
    ' '
  )
)

/** Whether the text has the form of an RFC 5646 language tag; its subtags need not be registered. */
function isLanguageTag(text: string): boolean {
  return languageTag.test(text) || grandfathered.has(text.toLowerCase())
}

const mediaType =
  /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+(?:[ \t]*;[ \t]*[\w!#$%&'*+.^`|~-]+=(?:[\w!#$%&'*+.^`|~-]+|"(?:[\t !#-[\]-~\x80-\xff]|\\[\t -~\x80-\xff])*"))*[ \t]*$/

/** Whether the text is an Internet media type with or without parameters. */
export function isMediaType(text: string): boolean {
  return text.length <= 1000 && mediaType.test(text)
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: PostgreSQL's text cannot hold U+0000
const unstorable = /[\u0000\ud800-\udfff]/u

/** Whether PostgreSQL's text can hold the string: no U+0000 and no lone surrogate, which have no place in UTF-8 text. */
export function isStorable(text: string): boolean {
  return !unstorable.test(text)
}

/** Whether the text is a timestamp as 1.0.3 has it, with or without a zone; for parameters of requests. */
export function isTimestamp(text: string): boolean {
  return timestampFault(text, false) === null
}

/** A format: what it is called, where the standard has it, and its test. */
interface Format {
  readonly topic: Topic
  readonly name: string
  readonly called: string
  readonly test: (text: string) => boolean
}

function formatted(format: Format): Check {
  return (value, rules) => {
    if (typeof value !== 'string') return notString(value, rules)
    return format.test(value)
      ? null
      : broken(rules, format.topic, format.name, `Must be ${format.called}, not ${describe(value)}`)
  }
}

function notString(value: unknown, rules: VersionRules): Violation {
  return broken(rules, 'formatting', 'type', `Must be a string, not ${typeName(value)}`)
}

export const checkUuid = formatted({ topic: 'uuid', name: 'uuid', called: 'a UUID in its standard form', test: isUuid })

export const checkIri = formatted({
  topic: 'iri',
  name: 'iri',
  called: 'an IRI with a scheme and without spaces',
  test: isIri
})

export const checkMailto = formatted({
  topic: 'ifi',
  name: 'mbox',
  called: 'a mailto IRI with one address, mailto:someone@somewhere',
  test: isMailto
})

export const checkUri = formatted({ topic: 'ifi', name: 'openid', called: 'a URI with a scheme', test: isUri })

export const checkSha1 = formatted({
  topic: 'ifi',
  name: 'mbox_sha1sum',
  called: '40 hexadecimal digits',
  test: text => /^[0-9a-f]{40}$/i.test(text)
})

export const checkSha2 = formatted({
  topic: 'attachment',
  name: 'sha2',
  called: 'a SHA-2 hash of 56, 64, 96 or 128 hexadecimal digits',
  test: text => [56, 64, 96, 128].includes(text.length) && /^[0-9a-f]+$/i.test(text)
})

export const checkMediaType = formatted({
  topic: 'attachment',
  name: 'content-type',
  called: 'an Internet media type',
  test: isMediaType
})

export const checkLanguageTag = formatted({
  topic: 'language-map',
  name: 'language-tag',
  called: 'an RFC 5646 language tag',
  test: isLanguageTag
})

export const checkDuration = formatted({
  topic: 'duration',
  name: 'duration',
  called: 'an ISO 8601 duration, as PT1H30M or P4W',
  test: isDuration
})

/** An account's name: any text that identifies, so not empty and storable. */
export const checkAccountName = formatted({
  topic: 'account',
  name: 'name',
  called: 'a string that is not empty, without U+0000 and lone surrogates',
  test: text => text !== '' && isStorable(text)
})

export const checkString: Check = (value, rules) => (typeof value === 'string' ? null : notString(value, rules))

export const checkBoolean: Check = (value, rules) =>
  typeof value === 'boolean'
    ? null
    : broken(rules, 'formatting', 'type', `Must be true or false, not ${typeName(value)}`)

/** A finite number: 1e400 is JSON, but no value that a score can have. */
export const checkNumber: Check = (value, rules) => {
  if (typeof value !== 'number') {
    return broken(rules, 'formatting', 'type', `Must be a number, not ${typeName(value)}`)
  }
  return Number.isFinite(value) ? null : broken(rules, 'formatting', 'finite', 'The number is too large')
}

export const checkTimestamp: Check = (value, rules) => {
  if (typeof value !== 'string') return notString(value, rules)
  const fault = timestampFault(value, rules.requiresRfc3339)
  return fault === null ? null : broken(rules, 'time', 'timestamp', `${fault}: ${describe(value)}`)
}

export const checkLanguageMap: Check = (value, rules) => {
  if (!isObject(value)) {
    return broken(rules, 'language-map', 'object', `A language map must be an object, not ${typeName(value)}`)
  }
  for (const tag of Object.keys(value)) {
    const violation = checkLanguageTag(tag, rules) ?? checkString(value[tag], rules)
    if (violation !== null) return under(tag, violation)
  }
  return null
}

/** Keys are IRIs; the values may be anything, null and 1e400 included. */
export const checkExtensions: Check = (value, rules) => {
  if (!isObject(value)) {
    return broken(rules, 'extensions', 'object', `Extensions must be an object, not ${typeName(value)}`)
  }
  for (const key of Object.keys(value)) {
    if (!isIri(key)) return under(key, broken(rules, 'extensions', 'iri-keys', 'An extension key must be an IRI'))
  }
  return null
}
