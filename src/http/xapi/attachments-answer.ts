import { Readable } from 'node:stream'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { findAttachments, readAttachment, type StoredAttachment } from '../../store/find-attachments.js'
import { attachmentsOf } from '../../xapi/attachments.js'
import { isMediaType } from '../../xapi/formats.js'
import type { Attachment, Statement } from '../../xapi/statement.js'
import type { HttpContext } from '../context.js'

/** An attachment as a part of the answer. */
interface AnswerPart extends Pick<StoredAttachment, 'sha2' | 'length'> {
  /** Everything in front of the data: the boundary and the part's headers. */
  readonly head: string
}

/**
 * Answers with statements and the attachments that came with them: multipart/mixed, even where there are none.
 *
 * Each attachment is there once, by its hash, in the order in which the statements first name it, and is read from the
 * database as fast as the client takes it. HEAD gets the headers without reading any.
 *
 * @param json the answer's first part: a statement, or an object with the list `statements`.
 * @see xAPI 1.0.3 Communication 1.5.2 and 2.1.3
 */
export async function sendWithAttachments(
  { db, makeId }: HttpContext,
  { method, principal: { tenantId } }: FastifyRequest,
  reply: FastifyReply,
  json: string
): Promise<FastifyReply> {
  const boundary = `momentum-${makeId()}`
  const statements = statementsOf(json)
  const stored = await findAttachments(
    db,
    tenantId,
    statements.map(({ id }) => id)
  )
  const parts = partsOf(statements, stored, boundary)
  const first = `--${boundary}\r\nContent-Type: application/json; charset=utf-8\r\n\r\n${json}`
  const last = `\r\n--${boundary}--\r\n`
  const length = parts.reduce((sum, part) => sum + part.head.length + part.length, Buffer.byteLength(first))
  reply.type(`multipart/mixed; boundary=${boundary}`).header('Content-Length', length + last.length)
  if (method === 'HEAD') return reply.send(Readable.from([]))
  async function* write() {
    yield Buffer.from(first)
    for (const part of parts) {
      yield Buffer.from(part.head, 'latin1')
      yield* readAttachment(db, tenantId, part)
    }
    yield Buffer.from(last)
  }
  return reply.send(Readable.from(write(), { objectMode: false }))
}

type NamedStatement = Statement & { readonly id: string }

function statementsOf(json: string): readonly NamedStatement[] {
  const value = JSON.parse(json) as NamedStatement | { readonly statements: readonly NamedStatement[] }
  return 'statements' in value ? value.statements : [value]
}

function partsOf(
  statements: readonly NamedStatement[],
  stored: readonly StoredAttachment[],
  boundary: string
): readonly AnswerPart[] {
  const lengths = new Map(stored.map(({ statementId, sha2, length }) => [`${statementId} ${sha2}`, length]))
  const parts = new Map<string, AnswerPart>()
  for (const statement of statements) {
    for (const { attachment, sha2 } of attachmentsOf(statement)) {
      const length = lengths.get(`${statement.id} ${sha2}`)
      if (length === undefined || parts.has(sha2)) continue
      parts.set(sha2, { sha2, length, head: headOf(attachment, boundary) })
    }
  }
  return [...parts.values()]
}

/** The content type was checked when the statement came, and is checked again: a line break in it would be a header. */
function headOf({ contentType, sha2 }: Attachment, boundary: string): string {
  const headers = [
    `Content-Type: ${isMediaType(contentType) ? contentType : 'application/octet-stream'}`,
    'Content-Transfer-Encoding: binary',
    `X-Experience-API-Hash: ${sha2}`
  ]
  return `\r\n--${boundary}\r\n${headers.join('\r\n')}\r\n\r\n`
}
