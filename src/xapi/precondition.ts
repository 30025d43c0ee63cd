/** What a writer asks of the document that it is about to change. @see RFC 9110 section 13.1 */
export interface Preconditions {
  /** Entity tags without `W/` and quotes, `*` for any; null when the header was not sent. */
  readonly ifMatch: readonly string[] | null
  readonly ifNoneMatch: readonly string[] | null
}

const tag = /^\s*(?:W\/)?(?:"([^"]*)"|([^\s",]+))\s*$/

/**
 * Reads the entity tags of an If-Match or If-None-Match header: a list, `*`, weak ones with `W/`.
 *
 * A tag without quotes is taken too, and a star with them: clients of the 1.0 line send both.
 *
 * @returns null when the header is absent.
 */
export function parseEntityTags(header: string | undefined): readonly string[] | null {
  if (header === undefined) return null
  return header.split(',').flatMap(part => {
    const [, quoted, bare] = tag.exec(part) ?? []
    return quoted ?? bare ?? []
  })
}

/** Says whether tags name that of a document, or any; weak and strong ones are compared alike. */
export function isNamed(tags: readonly string[], etag: string): boolean {
  return tags.includes('*') || tags.includes(etag)
}

/**
 * Says whether a document may be written.
 *
 * @param etag that of the document as it is, without quotes, or null when there is none.
 */
export function meetsPreconditions({ ifMatch, ifNoneMatch }: Preconditions, etag: string | null): boolean {
  const names = (tags: readonly string[]) => etag !== null && isNamed(tags, etag)
  return (ifMatch === null || names(ifMatch)) && (ifNoneMatch === null || !names(ifNoneMatch))
}
