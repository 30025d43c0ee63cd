import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, generateKeyPair, type JWTPayload, SignJWT } from 'jose'
import Provider, { type JWK } from 'oidc-provider'
import type { Test } from 'tap'

/** A local OpenID Connect provider. */
export interface IdentityProvider {
  readonly issuer: string
  /** A token for a client itself, from the provider's own token endpoint; `client` is one of {@link clients}. */
  readonly fetchToken: (client: string, scope: string) => Promise<string>
  /** A token as the provider would sign it, with other claims or header. */
  readonly sign: (claims: JWTPayload, header?: Readonly<Record<string, unknown>>) => Promise<string>
  /** Signs with a new key from now on and publishes only that one. */
  readonly rotate: () => Promise<void>
  /** Which addresses were asked, in order. */
  readonly asked: string[]
  /** Answers every request with 500 while it is set. */
  broken: boolean
}

export const audience = 'https://lrs.example.org'

const clients: Readonly<Record<string, JWTPayload>> = {
  lms: {},
  teacher: { realm_access: { roles: ['teacher', 'other'] }, tenant: 'north' },
  lost: { tenant: 'nowhere' }
}

const scope = 'statements/read statements/write state all tenants'

/** Starts a provider that lasts as long as the test. */
export async function startIdentityProvider(t: Test): Promise<IdentityProvider> {
  const asked: string[] = []
  const server = createServer((request, response) => {
    asked.push(request.url ?? '')
    if (provider.broken) response.writeHead(500).end()
    else handle(request, response)
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  let current = await makeKey()
  let handle = makeProvider(issuer, current.jwk)
  const provider: IdentityProvider = {
    issuer,
    asked,
    broken: false,
    fetchToken: (client, wanted) => fetchToken(issuer, client, wanted),
    sign: (claims, header = {}) =>
      new SignJWT({ iss: issuer, aud: audience, exp: Math.floor(Date.now() / 1000) + 60, ...claims })
        .setProtectedHeader({ alg: 'ES256', kid: current.jwk.kid as string, ...header })
        .sign(current.privateKey),
    rotate: async () => {
      current = await makeKey()
      handle = makeProvider(issuer, current.jwk)
    }
  }
  return provider
}

async function makeKey() {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true })
  const jwk = { ...(await exportJWK(privateKey)), alg: 'ES256', use: 'sig', kid: crypto.randomUUID() } as JWK
  return { privateKey, jwk }
}

function makeProvider(issuer: string, key: JWK) {
  return new Provider(issuer, {
    jwks: { keys: [key] },
    clients: Object.keys(clients).map(id => ({
      client_id: id,
      client_secret: 'secret',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: []
    })),
    clientDefaults: { id_token_signed_response_alg: 'ES256' },
    scopes: scope.split(' '),
    extraTokenClaims: (_context, token) => clients[token.clientId ?? ''] ?? {},
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        getResourceServerInfo: () => ({
          scope,
          audience,
          accessTokenTTL: 60,
          accessTokenFormat: 'jwt',
          jwt: { sign: { alg: 'ES256' } }
        })
      }
    }
  }).callback()
}

async function fetchToken(issuer: string, client: string, scope: string): Promise<string> {
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${Buffer.from(`${client}:secret`).toString('base64')}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', scope })
  })
  const answer = (await response.json()) as { access_token?: string }
  if (answer.access_token === undefined) throw new Error(`no token: ${JSON.stringify(answer)}`)
  return answer.access_token
}
