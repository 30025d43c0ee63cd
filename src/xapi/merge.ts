import { memberSpans, skipSpace } from './scan.js'

/**
 * Merges two JSON objects: each property of the posted one replaces that of the existing one, or is added.
 *
 * Only the top level is merged. Values are taken over as text, so that numbers keep their digits.
 *
 * @param existing JSON text, already known to parse
 * @param posted JSON text, already known to parse
 * @returns null when one of them is not an object
 * @see xAPI 1.0.3 Communication 2.2, JSON Procedure
 */
export function mergeObjects(existing: string, posted: string): string | null {
  if (!isObjectText(existing) || !isObjectText(posted)) return null
  const members = new Map<string, string>()
  for (const text of [existing, posted]) {
    for (const { key, start, end } of memberSpans(text, skipSpace(text, 0))) members.set(key, text.slice(start, end))
  }
  return `{${[...members].map(([key, value]) => `${JSON.stringify(key)}:${value}`).join(',')}}`
}

function isObjectText(text: string): boolean {
  return text.charAt(skipSpace(text, 0)) === '{'
}
