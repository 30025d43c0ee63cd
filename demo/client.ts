import createClient, { type Client } from 'openapi-fetch'
import type { paths } from '../openapi/paths.d.ts'
import type { Service } from './service.js'

/** The service's own API, with the types that its OpenAPI document gives; `GET`, `PUT` and so on take its paths. */
export function openClient({ url, key, secret }: Service): Client<paths, `application/${string}json`> {
  const authorization = `Basic ${Buffer.from(`${key}:${secret}`).toString('base64')}`
  return createClient<paths, `application/${string}json`>({ baseUrl: url, headers: { authorization } })
}

/** What a call of the client comes to. */
interface Outcome<Data> {
  readonly data?: Data
  readonly error?: unknown
  readonly response: Response
}

/**
 * The answer of a call, once it has come.
 *
 * @throws {Error} with the service's problem details when it is none
 */
export async function answered<Data>(call: Promise<Outcome<Data>>): Promise<Data> {
  const { data, error, response } = await call
  if (data !== undefined) return data
  throw new Error(`${response.url} was answered with ${response.status}: ${JSON.stringify(error)}`)
}
