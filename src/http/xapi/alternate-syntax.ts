import { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { LrsError } from '../../errors.js'
import { negotiateVersion, rulesOf } from '../../xapi/version.js'
import type { HttpContext } from '../context.js'
import { isStatements } from './consistency.js'
import { type Form, parseForm, readForm } from './form.js'
import { refuseParameter } from './parameters.js'
import { sayVersion } from './version.js'

const methods = ['GET', 'PUT', 'POST', 'DELETE']

/** A request that a form stands for. */
interface Meant {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly content: Buffer
}

/**
 * Makes the hook for the alternate request syntax: a POST with `?method=`, whose form holds the headers, parameters and
 * content of the request that is meant.
 *
 * That request goes through the whole app anew, from its routing on, so that authentication, version, limits and
 * methods are checked as those of any other. The form is read before anybody is authenticated, for it holds the
 * credential; it is bounded like any body.
 *
 * @throws {LrsError} 400 for anything that the syntax does not allow, and under 2.0, which has none.
 * @see xAPI 1.0.3 Communication 1.3
 */
export function alternateSyntax(app: FastifyInstance, context: HttpContext) {
  return async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    const query = request.query as Readonly<Record<string, unknown>>
    if (request.method !== 'POST' || query.method === undefined) return undefined
    const meant = await translate(request, reply, context)
    reply.hijack()
    app.routing(toMessage(request.raw, meant), reply.raw)
    return reply
  }
}

async function translate(request: FastifyRequest, reply: FastifyReply, { config }: HttpContext): Promise<Meant> {
  const form = parseForm(await readForm(request, reply, config.maxBodyBytes))
  const headers = { ...withoutBody(request.headers), ...form.headers }
  const asked = negotiateVersion(String(headers['x-experience-api-version']))
  sayVersion(request, reply, asked ?? config.defaultXapiVersion)
  if (asked !== null && !rulesOf(asked).allowsAlternateSyntax) {
    refuseParameter('method', `is of the alternate request syntax, which xAPI ${asked} does not have`)
  }
  const method = readMethod(request)
  const [path = ''] = request.originalUrl.split('?')
  const url = form.parameters.size === 0 ? path : `${path}?${form.parameters}`
  if (method === 'GET' || method === 'DELETE') {
    return { method, url, headers: withoutBody(headers), content: Buffer.alloc(0) }
  }
  return { method, url, ...contentOf(form, headers, isStatements(request)) }
}

function readMethod({ query }: FastifyRequest): string {
  const { method, ...others } = query as Readonly<Record<string, unknown>>
  for (const name of Object.keys(others)) refuseParameter(name, 'belongs into the form: the URL takes method alone')
  return typeof method === 'string' && methods.includes(method)
    ? method
    : refuseParameter('method', `must be one of ${methods.join(', ')}`)
}

/** The content is text; without a type it is what requests of the standard normally are (Communication 1.5). */
function contentOf(form: Form, headers: IncomingMessage['headers'], forStatements: boolean) {
  if (form.content === null) throw new LrsError('invalid-body', 'The form has no field "content"')
  const contentType = headers['content-type'] ?? 'application/json'
  if (forStatements && /^\s*multipart\//i.test(contentType)) {
    throw new LrsError('invalid-header', 'Attachments cannot be sent in a form: send the multipart body itself')
  }
  const content = Buffer.from(form.content)
  return { headers: { ...headers, 'content-type': contentType, 'content-length': String(content.length) }, content }
}

/** Headers without those of the form itself; `Content-Length` of the content is counted and not believed. */
function withoutBody({
  'content-type': _type,
  'content-length': _length,
  'transfer-encoding': _encoding,
  ...headers
}: IncomingMessage['headers']): IncomingMessage['headers'] {
  return headers
}

function toMessage({ socket, httpVersion }: IncomingMessage, { method, url, headers, content }: Meant) {
  const message = new IncomingMessage(socket)
  Object.assign(message, {
    httpVersion,
    httpVersionMajor: 1,
    httpVersionMinor: 1,
    method,
    url,
    headers,
    complete: true
  })
  message.push(content)
  message.push(null)
  return message
}
