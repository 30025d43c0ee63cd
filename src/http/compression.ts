import { Readable, Transform, type TransformCallback } from 'node:stream'
import { promisify } from 'node:util'
import { createGunzip, createGzip, createInflate, gzip } from 'node:zlib'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { LrsError } from '../errors.js'

const decoders = { gzip: createGunzip, 'x-gzip': createGunzip, deflate: createInflate } as const

/** What is sent compressed: text. Attachments and most documents of other types are compressed already. */
const compressible =
  /^(application\/(?:[\w.-]+\+)?(?:json|javascript|yaml|x-yaml)|text\/(?!event-stream)[\w.+-]+|image\/svg\+xml)\s*(?:;|$)/i

// Below this the headers and the work cost more than the bytes saved.
const leastBytes = 1024

// Level 3 takes half of level 6's time on a page of statements, which comes out a tenth larger.
const settings = { level: 3 }

/**
 * Decompresses a body, up to as many bytes as the route takes: a few bytes may stand for gigabytes.
 *
 * @throws {LrsError} `unsupported-media-type` for an encoding that is not gzip or deflate; while it is read,
 *   `body-too-large`, or `invalid-body` for one that is broken.
 * @see RFC 9110 section 8.4
 */
export async function decompressRequest(
  request: FastifyRequest,
  reply: FastifyReply,
  payload: NodeJS.ReadableStream
): Promise<NodeJS.ReadableStream> {
  const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
  if (encoding === 'identity' || encoding === '' || !hasBody(request)) return payload
  if (encoding !== 'gzip' && encoding !== 'x-gzip' && encoding !== 'deflate') {
    reply.header('Accept-Encoding', 'gzip, deflate')
    throw new LrsError('unsupported-media-type', `The Content-Encoding "${encoding}" is neither gzip nor deflate`)
  }
  const decoder = decoders[encoding]()
  const limited = Object.assign(limit(request.routeOptions.bodyLimit ?? Number.POSITIVE_INFINITY), {
    // Fastify compares this with Content-Length.
    receivedEncodedLength: 0
  })
  payload.on('data', (chunk: Buffer) => {
    limited.receivedEncodedLength += chunk.length
  })
  // Who refuses a request before reading its body, or has no use for one, listens to nothing; without a listener the
  // error of a broken body would end the process.
  limited.on('error', () => undefined)
  payload.on('error', error => decoder.destroy(error))
  decoder.on('error', cause => {
    limited.destroy(new LrsError('invalid-body', `The body is not whole ${encoding}: ${cause.message}`, {}, { cause }))
  })
  // Whoever reads the body on has it as it was meant.
  delete request.headers['content-encoding']
  return payload.pipe(decoder).pipe(limited)
}

/** A body of GET or HEAD means nothing and is not read. @see RFC 9112 section 6.3, RFC 9110 section 9.3.1 */
function hasBody({ method, headers }: FastifyRequest): boolean {
  if (method === 'GET' || method === 'HEAD') return false
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0
}

function limit(maxBytes: number): Transform {
  let bytes = 0
  return new Transform({
    transform(chunk: Buffer, _encoding: BufferEncoding, done: TransformCallback) {
      bytes += chunk.length
      if (bytes <= maxBytes) done(null, chunk)
      else done(new LrsError('body-too-large', `The body is decompressed more than ${maxBytes} bytes`))
    }
  })
}

/**
 * Compresses an answer for whom takes gzip. One with a strong ETag stays as it is, because the same tag must not name
 * two different sequences of bytes.
 *
 * @see RFC 9110 sections 8.8.1 and 12.5.3
 */
export async function compressAnswer(request: FastifyRequest, reply: FastifyReply, payload: unknown): Promise<unknown> {
  if (!isWorthwhile(reply, payload)) return payload
  const vary = reply.getHeader('Vary')
  reply.header('Vary', vary === undefined ? 'Accept-Encoding' : `${String(vary)}, Accept-Encoding`)
  if (!takesGzip(request.headers['accept-encoding'])) return payload
  reply.header('Content-Encoding', 'gzip').removeHeader('Content-Length')
  if (!(payload instanceof Readable)) return promisify(gzip)(payload as string | Buffer, settings)
  const compressor = createGzip(settings)
  payload.on('error', error => compressor.destroy(error))
  compressor.on('close', () => payload.destroy())
  return payload.pipe(compressor)
}

function isWorthwhile(reply: FastifyReply, payload: unknown): boolean {
  const tag = reply.getHeader('ETag')
  if (reply.hasHeader('Content-Encoding') || (typeof tag === 'string' && !tag.startsWith('W/'))) return false
  if (!compressible.test(String(reply.getHeader('Content-Type')))) return false
  if (typeof payload === 'string' || Buffer.isBuffer(payload)) return payload.length >= leastBytes
  return payload instanceof Readable
}

/** Whether an Accept-Encoding header takes gzip: by its name or by `*`, and not with a quality of 0. */
function takesGzip(accepted: string | string[] | undefined): boolean {
  const qualities = new Map(
    String(accepted ?? '')
      .split(',')
      .map(item => /^\s*([\w*-]+)\s*(?:;\s*q=([\d.]+)\s*)?$/i.exec(item))
      .map(match => [match?.[1]?.toLowerCase(), Number(match?.[2] ?? 1)])
  )
  return (qualities.get('gzip') ?? qualities.get('*') ?? 0) > 0
}
