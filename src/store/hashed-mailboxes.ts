import { createHash } from 'node:crypto'

/**
 * Adds to identifiers in the form of `ifiOf` those that follow from them: the SHA-1 of each `mbox`, which names the
 * same person. The other way there is none.
 *
 * @see xAPI 1.0.3 Data 2.4.2.3
 */
export function withHashedMailboxes(identifiers: readonly string[]): readonly string[] {
  const hashed = identifiers.flatMap(identifier => {
    const [kind, value = ''] = JSON.parse(identifier) as readonly string[]
    return kind === 'mbox' ? [JSON.stringify(['mbox_sha1sum', createHash('sha1').update(value).digest('hex')])] : []
  })
  return [...new Set([...identifiers, ...hashed])]
}
