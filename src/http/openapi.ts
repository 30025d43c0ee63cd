import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { pageSecurityPolicy } from './response-headers.js'

/** Collects the routes' schemas into an OpenAPI document, serves it, and shows it at `/docs`. */
export async function openapi(app: FastifyInstance, version: string): Promise<void> {
  await app.register(swagger, {
    // A schema that routes share goes by its own name.
    refResolver: { buildLocalReference: ({ $id }, _base, _fragment, position) => String($id ?? `def-${position}`) },
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Momentum LRS',
        version,
        description: 'A Learning Record Store (xAPI) with an API of metrics that anyone can check.',
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' }
      },
      tags: [
        { name: 'xAPI', description: 'The record: the resources of the xAPI standard' },
        { name: 'access', description: 'Credentials and tenants' },
        { name: 'people', description: 'The roster' },
        { name: 'erasures', description: 'Persons who are erased from the record' },
        { name: 'cohorts', description: 'Groups of learners: the roster’s own, and saved filters' },
        { name: 'events', description: 'What statements stand for' },
        { name: 'Metrics', description: 'What the record means' },
        { name: 'health', description: 'Whether the service runs' }
      ],
      components: {
        securitySchemes: {
          basic: { type: 'http', scheme: 'basic', description: 'A credential: key and secret' },
          bearer: {
            type: 'http',
            scheme: 'bearer',
            bearerFormat: 'JWT',
            description: 'A token of the OpenID Connect provider that OIDC_ISSUER names'
          }
        }
      },
      security: [{ basic: [] }, { bearer: [] }]
    }
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { docExpansion: 'list', deepLinking: true },
    staticCSP: pageSecurityPolicy,
    transformSpecification: (document, request) => ({ ...document, ...serversOf(request) })
  })
  app.get('/openapi.json', { schema: { hide: true } }, async request => ({ ...app.swagger(), ...serversOf(request) }))
}

/** Where the paths of the document begin, when that is not at the root. */
function serversOf({ pathPrefix }: FastifyRequest) {
  return pathPrefix === '' ? {} : { servers: [{ url: pathPrefix }] }
}
