import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { isTimeZone } from '../../config/values.js'
import { LrsError } from '../../errors.js'
import { setTimeZone } from '../../events/set-time-zone.js'
import { issueCredential } from '../../store/manage-credentials.js'
import { createTenant, listTenants } from '../../store/tenant.js'
import type { HttpContext } from '../context.js'
import { access, tenantScopes } from '../scopes.js'
import { ChangedTenant, MadeTenant, NameParameter, NewTenant, TenantChange, TenantList } from './access-schema.js'
import { problemResponses } from './problem-schema.js'

const tags = ['access']

/** The tenants: for the operator alone, who sees their names and makes new ones, but reads nothing of theirs. */
export function tenantRoutes({ db }: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.get('/tenants', {
      schema: {
        operationId: 'listTenants',
        tags,
        summary: 'List the tenants',
        description:
          'Wants the scope `tenants`, which the first credential of the first tenant has. It reads nothing of what is theirs.',
        response: { 200: TenantList, ...problemResponses(401, 403) }
      },
      config: { scopes: access.tenants.read },
      handler: async () => ({ tenants: await listTenants(db) })
    })
    app.post('/tenants', {
      schema: {
        operationId: 'createTenant',
        tags,
        summary: 'Make a tenant and its first credential, whose secret is shown this once',
        description:
          'Wants the scope `tenants`. The credential may do everything within the new tenant, and nothing outside it.',
        body: NewTenant,
        response: { 201: MadeTenant, ...problemResponses(400, 401, 403, 409) }
      },
      config: { scopes: access.tenants.write },
      handler: async (request, reply) => {
        const { name, timeZone = 'UTC' } = request.body
        checkTimeZone(timeZone)
        const made = await db.transaction().execute(async trx => {
          const tenant = await createTenant(trx, name, timeZone)
          if (tenant === null) throw new LrsError('tenant-conflict', `There is a tenant "${name}" already`)
          const first = { tenantId: tenant.id, name: 'administrator', scopes: tenantScopes }
          return { ...tenant, credential: await issueCredential(trx, first) }
        })
        return reply.code(201).header('Cache-Control', 'no-store').send(made)
      }
    })
    app.patch('/tenants/:name', {
      schema: {
        operationId: 'changeTenant',
        tags,
        summary: 'Change the time zone of a tenant; its local days are cut anew in the background',
        description: 'Wants the scope `tenants`. Until the derivation that it starts is done, metrics warn of it.',
        params: NameParameter,
        body: TenantChange,
        response: { 200: ChangedTenant, ...problemResponses(400, 401, 403, 404) }
      },
      config: { scopes: access.tenants.write },
      handler: async ({ principal, params: { name }, body: { timeZone } }) => {
        checkTimeZone(timeZone)
        const changed = await setTimeZone(db, name, { timeZone, setBy: principal.key })
        if (changed === null) throw new LrsError('not-found', `There is no tenant "${name}"`)
        return { ...changed.tenant, derivationId: changed.derivationId }
      }
    })
  }
}

function checkTimeZone(name: string): void {
  if (isTimeZone(name)) return
  throw new LrsError('invalid-body', `"${name}" is not an IANA time zone`, { pointer: '/timeZone' })
}
