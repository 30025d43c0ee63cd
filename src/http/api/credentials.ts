import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import type { FastifyRequest } from 'fastify'
import { Type } from 'typebox'
import { LrsError } from '../../errors.js'
import {
  findListedCredential,
  issueCredential,
  type ListedCredential,
  listCredentials,
  revokeCredential,
  rotateCredential,
  setCredentialPerson
} from '../../store/manage-credentials.js'
import type { HttpContext } from '../context.js'
import { access, isPersonal, scopesBeyond } from '../scopes.js'
import {
  Credential,
  CredentialChange,
  CredentialList,
  IssuedCredential,
  KeyParameter,
  NewCredential
} from './access-schema.js'
import { problemResponses } from './problem-schema.js'

const tags = ['access']
const config = { scopes: access.credentials.write }

/**
 * The credentials of the caller's own tenant. Nobody gets more rights through them than the caller has: not by making
 * a credential, and not by taking over another one with a new secret.
 */
export function credentialRoutes({ db }: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.get('/credentials', {
      schema: {
        operationId: 'listCredentials',
        tags,
        summary: 'List the credentials of the tenant, revoked ones too',
        description: 'Wants the scope `admin`. Secrets are never shown again: only their hashes are kept.',
        response: { 200: CredentialList, ...problemResponses(401, 403) }
      },
      config,
      handler: async ({ principal }) => ({ credentials: await listCredentials(db, principal.tenantId) })
    })
    app.post('/credentials', {
      schema: {
        operationId: 'createCredential',
        tags,
        summary: 'Make a credential; its secret is shown this once',
        description:
          'Wants the scope `admin`. The new credential belongs to the tenant of the caller, who can hand on only what they have themselves. `line/read` and `self/read` want a `personId`; who may read everyone hands them on for anybody, and who has one themselves for their own person.',
        body: NewCredential,
        response: { 201: IssuedCredential, ...problemResponses(400, 401, 403) }
      },
      config,
      handler: async (request, reply) => {
        const { scopes, personId = null } = request.body
        refuseNobody(scopes, personId)
        refuseMore(request, { ...request.body, personId })
        const issued = await issueCredential(db, { ...request.body, tenantId: request.principal.tenantId })
        return reply.code(201).header('Cache-Control', 'no-store').send(issued)
      }
    })
    app.patch('/credentials/:key', {
      schema: {
        operationId: 'changeCredential',
        tags,
        summary: 'Say for whom a credential stands, within a second',
        description:
          'Wants the scope `admin`. A credential that opens more than the caller’s own is refused, and so is one that would with the new person.',
        params: KeyParameter,
        body: CredentialChange,
        response: { 200: Credential, ...problemResponses(400, 401, 403, 404) }
      },
      config,
      handler: async request => {
        const { tenantId } = request.principal
        const { key } = request.params
        const { personId } = request.body
        const credential = await findListedCredential(db, tenantId, key)
        if (credential === null) throw unknownCredential(key)
        refuseNobody(credential.scopes, personId)
        refuseMore(request, { ...credential, personId })
        if (!(await setCredentialPerson(db, tenantId, key, personId))) throw unknownCredential(key)
        return { ...credential, personId }
      }
    })
    app.post('/credentials/:key/rotate', {
      schema: {
        operationId: 'rotateCredential',
        tags,
        summary: 'Give a credential a new secret; the old one stops within a second',
        description: 'Wants the scope `admin`. A credential that opens more than the caller’s own is refused.',
        params: KeyParameter,
        response: { 200: IssuedCredential, ...problemResponses(400, 401, 403, 404) }
      },
      config,
      handler: async (request, reply) => {
        const { tenantId } = request.principal
        const { key } = request.params
        const credential = await findListedCredential(db, tenantId, key)
        if (credential !== null) refuseMore(request, credential)
        const issued = await rotateCredential(db, tenantId, key)
        if (issued === null) throw unknownCredential(key)
        return reply.header('Cache-Control', 'no-store').send(issued)
      }
    })
    app.delete('/credentials/:key', {
      schema: {
        operationId: 'revokeCredential',
        tags,
        summary: 'Revoke a credential for good; it stops within a second',
        description: 'Wants the scope `admin`. It stays in the list, and what it has stored stays in the record.',
        params: KeyParameter,
        response: { 204: Type.Null(), ...problemResponses(400, 401, 403, 404) }
      },
      config,
      handler: async ({ principal, params }, reply) => {
        const isKnown = await revokeCredential(db, principal.tenantId, params.key)
        if (!isKnown) throw new LrsError('not-found', `There is no credential ${params.key}`)
        return reply.code(204).send(null)
      }
    })
  }
}

function refuseMore(
  { principal }: FastifyRequest,
  {
    scopes,
    personId,
    mayAssertAuthority
  }: Pick<ListedCredential, 'scopes' | 'personId'> & { readonly mayAssertAuthority?: boolean }
): void {
  const isSamePerson = personId !== null && personId === principal.personId
  const beyond = [...scopesBeyond(principal.scopes, scopes, isSamePerson)]
  if (mayAssertAuthority === true && !principal.mayAssertAuthority) beyond.push('mayAssertAuthority')
  if (beyond.length === 0) return
  throw new LrsError('forbidden', `Nobody can hand on what they lack themselves: ${beyond.join(', ')}`)
}

/** Refuses scopes that are limited to a person where there is none: they would open nothing. */
function refuseNobody(scopes: readonly string[], personId: string | null): void {
  const limited = scopes.filter(isPersonal)
  if (limited.length === 0 || personId !== null) return
  throw new LrsError('invalid-body', `${limited.join(' and ')} want the personId to whom they are limited`, {
    pointer: '/personId'
  })
}

function unknownCredential(key: string): LrsError {
  return new LrsError('not-found', `There is no valid credential ${key}`)
}
