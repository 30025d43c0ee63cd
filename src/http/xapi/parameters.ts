import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { LrsError } from '../../errors.js'
import { isIri, isUuid } from '../../xapi/formats.js'
import { ifiOf } from '../../xapi/ifi.js'
import type { Actor, Agent } from '../../xapi/statement.js'
import { timestampFault, toUtc } from '../../xapi/timestamp.js'
import { validateAgent } from '../../xapi/validate.js'
import type { XapiVersion } from '../../xapi/version.js'

/** The query parameters of a request as they came: one that is repeated is a list. */
export type Parameters = Readonly<Record<string, unknown>>

/** Reads one parameter's text, or refuses it by its name. */
export type ReadParameter<Value> = (text: string, name: string) => Value

/** Refuses a request for one of its parameters. */
export function refuseParameter(name: string, why: string): never {
  throw new LrsError('invalid-parameter', `The parameter ${name} ${why}`, { pointer: `/${name}` })
}

/** Refuses a query string that is not UTF-8 in percent-encoding: its parameters would be taken for others. */
export function refuseMalformedQuery(
  { url }: FastifyRequest,
  _reply: FastifyReply,
  done: HookHandlerDoneFunction
): void {
  const search = url.slice(url.indexOf('?') + 1)
  try {
    decodeURIComponent(search)
  } catch (cause) {
    throw new LrsError('invalid-parameter', 'The query string is not UTF-8 in percent-encoding', {}, { cause })
  }
  done()
}

/**
 * Refuses parameters that a resource does not know: also those that it knows in another case.
 *
 * @see xAPI 1.0.3 Communication 3.2
 */
export function refuseUnknown(given: Parameters, known: readonly string[]): void {
  for (const name of Object.keys(given)) {
    if (!known.includes(name)) {
      refuseParameter(name, `is not known here; this takes ${known.length === 0 ? 'none' : known.join(', ')}`)
    }
  }
}

/** Reads a parameter; undefined when it is absent. */
export function readParameter<Value>(given: Parameters, name: string, read: ReadParameter<Value>): Value | undefined {
  const text = given[name]
  if (text === undefined) return undefined
  return typeof text === 'string' ? read(text, name) : refuseParameter(name, 'is given more than once')
}

/** Reads a parameter that must be there. */
export function requireParameter<Value>(given: Parameters, name: string, read: ReadParameter<Value>): Value {
  return readParameter(given, name, read) ?? refuseParameter(name, 'is missing')
}

export const readText: ReadParameter<string> = (text, name) =>
  text.includes('\0') || text === '' ? refuseParameter(name, 'is empty or holds U+0000') : text

export const readUuid: ReadParameter<string> = (text, name) =>
  isUuid(text) ? text.toLowerCase() : refuseParameter(name, `"${text}" is not a UUID`)

export const readIri: ReadParameter<string> = (text, name) =>
  isIri(text) ? text : refuseParameter(name, `"${text}" is not an IRI`)

export const readInstant: ReadParameter<string> = (text, name) => {
  const fault = timestampFault(text, false)
  return fault === null ? toUtc(text) : refuseParameter(name, `"${text}" is not a timestamp: ${fault}`)
}

export const readCount: ReadParameter<number> = (text, name) =>
  /^\d{1,9}$/.test(text) ? Number(text) : refuseParameter(name, `"${text}" is not a whole number of 0 or more`)

export const readBoolean: ReadParameter<boolean> = (text, name) =>
  text === 'true' || text === 'false' ? text === 'true' : refuseParameter(name, `"${text}" is neither true nor false`)

/** Makes the reader of an Agent or identified Group in JSON. */
export function readActor(version: XapiVersion): ReadParameter<Actor> {
  return (text, name) => {
    const actor = parseJson(text, name)
    const violation = validateAgent(actor, version)
    if (violation === null) return actor as Actor
    return refuseParameter(name, `is no Agent or identified Group: ${violation.message} (at "${violation.pointer}")`)
  }
}

/** Makes the reader of an Agent in JSON; a Group is refused. */
export function readAgent(version: XapiVersion): ReadParameter<Agent> {
  return (text, name) => {
    const actor = readActor(version)(text, name)
    return actor.objectType === 'Group' ? refuseParameter(name, 'is a Group, not an Agent') : actor
  }
}

/** Makes the reader of an Agent in JSON, as the identifier that `ifiOf` gives; a Group is refused. */
export function readAgentIdentifier(version: XapiVersion): ReadParameter<string> {
  return (text, name) => identifierOf(readAgent(version)(text, name), name)
}

/** The identifier of an actor that was validated to have one. */
export function identifierOf(actor: Actor, name: string): string {
  return ifiOf(actor) ?? refuseParameter(name, 'has no identifier')
}

function parseJson(text: string, name: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return refuseParameter(name, 'is not JSON')
  }
}
