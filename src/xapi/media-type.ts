/** The type and the parameters of a media type, in the form in which equal ones are alike. */
interface MediaType {
  /** `type/subtype` in lower case. */
  readonly type: string
  /** Values by their names in lower case, without quotes and escapes. */
  readonly parameters: ReadonlyMap<string, string>
}

const parameter = /;[ \t]*([^\s=;]+)=(?:"((?:[^"\\]|\\.)*)"|([^\s;]*))/g

/** Takes apart a media type that `isMediaType` accepts. */
export function parseMediaType(text: string): MediaType {
  const [type = ''] = text.split(';')
  const parameters = new Map<string, string>()
  for (const [, name = '', quoted, plain = ''] of text.matchAll(parameter)) {
    parameters.set(name.toLowerCase(), quoted?.replaceAll(/\\(.)/g, '$1') ?? plain)
  }
  return { type: type.trim().toLowerCase(), parameters }
}

/**
 * Whether two media types are the same: case counts in values of parameters only, and there not in that of `charset`;
 * quotes and the order of parameters never do.
 *
 * @see RFC 2045 section 5.1
 */
export function sameMediaType(a: string, b: string): boolean {
  return a === b || canonical(a) === canonical(b)
}

function canonical(text: string): string {
  const { type, parameters } = parseMediaType(text)
  const entries = [...parameters].map(([name, value]) => [name, name === 'charset' ? value.toLowerCase() : value])
  return JSON.stringify([type, entries.sort(([a = ''], [b = '']) => (a < b ? -1 : 1))])
}
