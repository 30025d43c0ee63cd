import { LrsError } from '../../errors.js'
import { attachmentsOf, checkAttachmentData } from '../../xapi/attachments.js'
import type { PreparedStatement } from '../../xapi/prepare.js'
import type { XapiVersion } from '../../xapi/version.js'
import { refuseMultipart } from './multipart.js'
import type { ReceivedAttachment } from './receive-statements.js'
import { verifySignatures } from './verify-signatures.js'

/** By what attachments are checked. */
export interface AttachmentRules {
  readonly version: XapiVersion
  readonly maxJsonDepth: number
  /** Of all signatures together, counted by statement: one may be named by many, and each time it is checked. */
  readonly maxSignatureBytes: number
}

/**
 * Checks that each statement's attachments came with it, that nothing came which no statement names, and that
 * signatures are those of their statements.
 *
 * @throws {LrsError} `invalid-statement` with index, pointer and rule; `invalid-multipart` for a part that is named by
 * none; `body-too-large` for signatures beyond the limit.
 * @see xAPI 1.0.3 Communication 1.5.1 and 1.5.2, Data 2.6
 */
export async function checkAttachments(
  statements: readonly PreparedStatement[],
  attachments: readonly ReceivedAttachment[],
  { version, maxJsonDepth, maxSignatureBytes }: AttachmentRules
): Promise<void> {
  const bySha2 = groupBySha2(attachments)
  const unnamed = new Set(bySha2.keys())
  for (const [index, { value }] of statements.entries()) {
    const violation = checkAttachmentData(value, bySha2, version)
    if (violation !== null) {
      const { message, ...place } = violation
      throw new LrsError('invalid-statement', `Statement ${index}: ${message}`, { index, ...place })
    }
    for (const { sha2 } of attachmentsOf(value)) unnamed.delete(sha2)
  }
  for (const sha2 of unnamed) refuseMultipart('named-parts', `No statement has an attachment with the hash ${sha2}`)
  const read = textReader(maxSignatureBytes)
  await verifySignatures(statements, {
    version,
    maxJsonDepth,
    read: async sha2 => {
      const [attachment] = bySha2.get(sha2) ?? []
      return attachment === undefined ? null : read(attachment)
    }
  })
}

function groupBySha2(attachments: readonly ReceivedAttachment[]): ReadonlyMap<string, readonly ReceivedAttachment[]> {
  const groups = new Map<string, ReceivedAttachment[]>()
  for (const attachment of attachments) {
    const group = groups.get(attachment.sha2)
    if (group === undefined) groups.set(attachment.sha2, [attachment])
    else group.push(attachment)
  }
  return groups
}

/** Makes a reader of attachments as text, which gives no more than so many bytes, however often one is asked for. */
function textReader(maxBytes: number): (attachment: ReceivedAttachment) => Promise<string> {
  let left = maxBytes
  return async ({ length, read }) => {
    left -= length
    if (left < 0) {
      throw new LrsError('body-too-large', `The signatures to check have more than ${maxBytes} bytes (MAX_BODY_BYTES)`)
    }
    let text = ''
    // A JWS is ASCII; bytes beyond that become letters that it may not have.
    for await (const piece of read(maxBytes)) text += piece.toString('latin1')
    return text
  }
}
