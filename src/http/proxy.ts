import type { IncomingMessage } from 'node:http'
import { BlockList, isIPv6 } from 'node:net'
import type { FastifyReply, FastifyRequest, HookHandlerDoneFunction } from 'fastify'
import { isPathPrefix } from '../config/values.js'
import type { Config } from '../config.js'

/** Says whether the proxy headers of who has this address are believed. */
export type IsTrusted = (address: string) => boolean

/** Makes the check of addresses against the setting TRUST_PROXY. */
export function trustOf({ trustProxy }: Config): IsTrusted {
  const trusted = new BlockList()
  for (const entry of (trustProxy ?? []).flatMap(item => (item === 'loopback' ? ['127.0.0.0/8', '::1'] : item))) {
    const [address = '', bits] = entry.split('/')
    const type = isIPv6(address) ? 'ipv6' : 'ipv4'
    trusted.addSubnet(address, bits === undefined ? (type === 'ipv6' ? 128 : 32) : Number(bits), type)
  }
  // An IPv4 address reaches a socket that listens on IPv6 as `::ffff:127.0.0.1`, which the list sees through.
  return address => trusted.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

/**
 * Makes what takes PATH_PREFIX off the address of a request, if the proxy has left it on.
 *
 * @returns undefined where there is no such setting.
 */
export function prefixRemover({ pathPrefix }: Config): ((request: Pick<IncomingMessage, 'url'>) => string) | undefined {
  if (pathPrefix === null) return undefined
  return ({ url = '/' }) => {
    const rest = url.startsWith(pathPrefix) ? url.slice(pathPrefix.length) : null
    if (rest === null || !/^([/?]|$)/.test(rest)) return url
    return rest.startsWith('/') ? rest : `/${rest}`
  }
}

/**
 * Makes the hook that finds what the outside puts in front of our paths: what a trusted proxy says in
 * X-Forwarded-Prefix, or else PATH_PREFIX.
 */
export function findPathPrefix({ pathPrefix }: Config, isTrusted: IsTrusted) {
  return (request: FastifyRequest, _reply: FastifyReply, done: HookHandlerDoneFunction): void => {
    const said = request.headers['x-forwarded-prefix']
    const given = typeof said === 'string' ? said.replace(/\/$/, '') : ''
    const isBelieved = isPathPrefix(given) && isTrusted(request.socket.remoteAddress ?? '')
    request.pathPrefix = isBelieved ? given : (pathPrefix ?? '')
    done()
  }
}
