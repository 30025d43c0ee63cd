import { isIP } from 'node:net'
import { resolve } from 'node:path'
import { IANAZone } from 'luxon'

/** Reads the text of a setting, or returns a few words that say what it should be. */
export type SettingReader = (text: string) => { readonly value: unknown } | { readonly expected: string }

export function text(value: string) {
  return { value }
}

export function folder(value: string) {
  return { value: resolve(value) }
}

export function integer(least: number, most: number): SettingReader {
  return value => {
    const number = /^\d{1,15}$/.test(value) ? Number(value) : Number.NaN
    return number >= least && number <= most
      ? { value: number }
      : { expected: `a whole number from ${least} to ${most}` }
  }
}

export function oneOf(words: readonly string[]): SettingReader {
  return value => (words.includes(value) ? { value } : { expected: `one of ${words.join(', ')}` })
}

/**
 * Says whether a text is the IANA name of a time zone: `Area/Location`, `UTC` or `GMT`.
 *
 * Offsets (`+02:00`) and abbreviations (`CET`) are none: PostgreSQL and JavaScript read them differently.
 */
export function isTimeZone(name: string): boolean {
  return /^(UTC|GMT|[A-Za-z_]+(\/[A-Za-z0-9_+-]+){1,2})$/.test(name) && IANAZone.isValidZone(name)
}

export function timeZone(value: string) {
  return isTimeZone(value) ? { value } : { expected: 'an IANA time zone such as Europe/Berlin' }
}

export function postgresUrl(value: string) {
  const valid = URL.canParse(value) && /^postgres(ql)?:$/.test(new URL(value).protocol)
  return valid ? { value } : { expected: 'a URL of the form postgres://user:password@host:5432/database' }
}

export function credentialKey(value: string) {
  // A colon would end the key in the Authorization header (RFC 7617 section 2).
  return /^[!-9;-~]{1,200}$/.test(value) ? { value } : { expected: '1 to 200 visible ASCII characters without a colon' }
}

export function credentialSecret(value: string) {
  // Control characters can't be sent in the Authorization header (RFC 7617 section 2).
  return /^[^\p{Cc}]{16,1000}$/u.test(value) ? { value } : { expected: '16 to 1000 characters, none of them a control' }
}

export function webUrl(value: string) {
  const valid = URL.canParse(value) && /^https?:$/.test(new URL(value).protocol)
  return valid ? { value } : { expected: 'a URL that begins with https:// or http://' }
}

export function origins(value: string) {
  const list = words(value, ',')
  if (value === 'none') return { value: [] }
  const valid = value === '*' || list.every(item => URL.canParse(item) && new URL(item).origin === item)
  return valid ? { value: list } : { expected: '*, none, or origins such as https://lms.example.org, comma-separated' }
}

export function pathPrefix(value: string) {
  return isPathPrefix(value) ? { value } : { expected: 'a path such as /lrs, without a slash at its end' }
}

/** Says whether a text can stand in front of a path in an address just as it is. */
export function isPathPrefix(text: string): boolean {
  return /^(\/[A-Za-z0-9._~-]+)+$/.test(text) && text.length <= 200
}

export function networks(value: string) {
  const list = words(value, ',')
  const valid = list.every(item => item === 'loopback' || isIP(item) > 0 || isNetwork(item))
  return valid ? { value: list } : { expected: 'addresses, networks such as 10.0.0.0/8, or loopback, comma-separated' }
}

function isNetwork(text: string): boolean {
  const [, address = '', bits] = /^(.*)\/(\d{1,3})$/.exec(text) ?? []
  const version = isIP(address)
  return version > 0 && Number(bits) <= (version === 4 ? 32 : 128)
}

export function roleScopes(value: string) {
  const roles = words(value, ';').map(entry => entry.split('='))
  const valid = roles.every(parts => parts.length === 2 && parts.every(part => part.trim() !== ''))
  if (!valid) return { expected: 'of the form "role=scope scope; role=scope"' }
  return { value: Object.fromEntries(roles.map(([role = '', list = '']) => [role.trim(), words(list, /[\s,]+/)])) }
}

function words(value: string, separator: string | RegExp): readonly string[] {
  const list = value.split(separator).map(word => word.trim())
  return list.filter(word => word !== '')
}
