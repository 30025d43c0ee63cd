import { sameMediaType } from './media-type.js'
import type { Attachment, Statement } from './statement.js'
import { rulesOf, type VersionRules, type XapiVersion } from './version.js'
import { broken, under, type Violation } from './violation.js'

/** What the part of a request that holds an attachment's data says of it. */
export interface AttachmentPart {
  /** Hexadecimal, in lower case; verified against the data. */
  readonly sha2: string
  /** Its Content-Type, null without. */
  readonly contentType: string | null
  /** Its Content-Length in octets, null without. */
  readonly contentLength: number | null
}

/** An attachment of a statement or of its SubStatement. */
export interface PlacedAttachment {
  readonly attachment: Attachment
  /** `sha2` in lower case. */
  readonly sha2: string
  /** JSON pointer within the statement. */
  readonly pointer: string
}

/** The attachments of a statement, those of its SubStatement included. */
export function attachmentsOf({ attachments, object }: Statement): readonly PlacedAttachment[] {
  const inner = object.objectType === 'SubStatement' ? object.attachments : undefined
  if (attachments === undefined && inner === undefined) return []
  return [...placed(attachments, '/attachments'), ...placed(inner, '/object/attachments')]
}

function placed(attachments: readonly Attachment[] | undefined, pointer: string): readonly PlacedAttachment[] {
  return (attachments ?? []).map((attachment, index) => ({
    attachment,
    sha2: attachment.sha2.toLowerCase(),
    pointer: `${pointer}/${index}`
  }))
}

/**
 * Checks that the data of a valid statement's attachments came with it, or can be had from a `fileUrl`, and that the
 * parts say the same of them as the statement; null when all is well.
 *
 * A part belongs to an attachment by the hash alone. A `length` that the data don't have is let through, because the
 * hash already tells which data are meant: the standard compares it with the part's Content-Length only.
 *
 * @param parts those of the request by their hashes; none in a request of JSON alone.
 * @see xAPI 1.0.3 Communication 1.5.1 and 1.5.2
 */
export function checkAttachmentData(
  statement: Statement,
  parts: ReadonlyMap<string, readonly AttachmentPart[]>,
  version: XapiVersion
): Violation | null {
  for (const { attachment, sha2, pointer } of attachmentsOf(statement)) {
    const violation = checkOne(attachment, parts.get(sha2) ?? [], rulesOf(version))
    if (violation !== null) return { ...violation, pointer: `${pointer}${violation.pointer}` }
  }
  return null
}

function checkOne(
  { contentType, length, fileUrl }: Attachment,
  data: readonly AttachmentPart[],
  rules: VersionRules
): Violation | null {
  if (data.length === 0 && fileUrl === undefined) {
    const message = 'An attachment needs a fileUrl, or a part of a multipart/mixed request whose hash is its sha2'
    return broken(rules, 'attachment', 'data', message)
  }
  for (const part of data) {
    if (part.contentType !== null && !sameMediaType(part.contentType, contentType)) {
      const message = `The part with this attachment has the Content-Type "${part.contentType}", not "${contentType}"`
      return under('contentType', broken(rules, 'attachment', 'same-content-type', message))
    }
    if (part.contentLength !== null && part.contentLength !== length) {
      const message = `The part with this attachment has the Content-Length ${part.contentLength}, not ${length}`
      return under('length', broken(rules, 'attachment', 'same-length', message))
    }
  }
  return null
}
