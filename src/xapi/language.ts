interface Range {
  /** Lower case; `*` for any language. */
  readonly tag: string
  readonly quality: number
}

const rangeForm = /^([a-z]{1,8}(?:-[a-z\d]{1,8})*|\*)$/i
const qualityForm = /^q=(0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/i

function readRange(part: string): Range | null {
  const [tag = '', ...parameters] = part.split(';').map(piece => piece.trim())
  const quality = parameters.length === 0 ? '1' : qualityForm.exec(parameters[0] ?? '')?.[1]
  if (!rangeForm.test(tag) || quality === undefined) return null
  return { tag: tag.toLowerCase(), quality: Number(quality) }
}

/**
 * Reads an `Accept-Language` header into its ranges, the most wanted first; what is malformed is left out.
 *
 * @see RFC 9110 section 12.5.4
 */
export function parseAcceptLanguage(header: string): readonly Range[] {
  const ranges = header.split(',', 100).map(readRange)
  return ranges.filter(range => range !== null).sort((a, b) => b.quality - a.quality)
}

function covers(range: string, tag: string): boolean {
  return range === '*' || tag === range || tag.startsWith(`${range}-`)
}

function isExcluded(tag: string, ranges: readonly Range[]): boolean {
  // The most specific range that covers the tag decides, so that `en-GB, en;q=0` still takes en-GB.
  const covering = ranges.filter(range => covers(range.tag, tag)).sort((a, b) => specificity(b) - specificity(a))
  return covering[0]?.quality === 0
}

function specificity(range: Range): number {
  return range.tag === '*' ? 0 : range.tag.length
}

/**
 * Chooses the one language of a language map that a reader wants most; null only for an empty map.
 *
 * For each range in the order of preference: the same tag, then the first tag that it begins (`en` takes `en-GB`), then
 * what is left of the range when its subtags are cut one by one (`en-GB` takes `en`). A language with `q=0` is not
 * chosen while there is another. Without a header, or when nothing fits, it is the map's first language.
 *
 * @see xAPI 1.0.3 Communication 2.1.3, language filtering; RFC 4647 sections 3.3.1 and 3.4
 */
export function chooseLanguage(tags: readonly string[], acceptLanguage: string | null): string | null {
  const ranges = parseAcceptLanguage(acceptLanguage ?? '')
  const allowed = tags.filter(tag => !isExcluded(tag.toLowerCase(), ranges))
  for (const range of ranges) {
    const found = range.quality > 0 ? lookUp(range.tag, allowed) : undefined
    if (found !== undefined) return found
  }
  return allowed[0] ?? tags[0] ?? null
}

function lookUp(range: string, tags: readonly string[]): string | undefined {
  let wanted = range
  while (wanted !== '') {
    const found = tags.find(tag => tag.toLowerCase() === wanted) ?? tags.find(tag => covers(wanted, tag.toLowerCase()))
    if (found !== undefined) return found
    wanted = wanted.slice(0, Math.max(0, wanted.lastIndexOf('-')))
  }
  return undefined
}
