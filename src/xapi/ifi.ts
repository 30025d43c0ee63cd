import type { Actor, Agent } from './statement.js'

/**
 * The key of an actor's identity: its inverse functional identifier as JSON text, e.g. `["mbox","mailto:a@x.org"]` or
 * `["account","https://lms.example","42"]`; null for an anonymous group.
 *
 * Values are compared as strings, except that the hex of `mbox_sha1sum` is lower-cased. An Agent and an identified
 * Group with the same IFI share the key. JSON keeps an account's two parts apart whatever characters they have.
 *
 * @see xAPI 1.0.3 Data 2.4.2.3
 */
export function ifiOf(actor: Actor): string | null {
  if (actor.mbox !== undefined) return JSON.stringify(['mbox', actor.mbox])
  if (actor.mbox_sha1sum !== undefined) return JSON.stringify(['mbox_sha1sum', actor.mbox_sha1sum.toLowerCase()])
  if (actor.openid !== undefined) return JSON.stringify(['openid', actor.openid])
  if (actor.account === undefined) return null
  return JSON.stringify(['account', actor.account.homePage, actor.account.name])
}

/** The Agent that a key of `ifiOf` identifies, with nothing but its identifier. */
export function agentOf(ifi: string): Agent {
  const [property, value = '', name = ''] = JSON.parse(ifi) as readonly string[]
  if (property === 'account') return { account: { homePage: value, name } }
  return { [property as 'mbox' | 'mbox_sha1sum' | 'openid']: value }
}
