import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { type JsonObject, nameSchemas } from './openapi-components.js'
import { completeFailures } from './openapi-failures.js'
import { pageSecurityPolicy } from './response-headers.js'

const description = `A Learning Record Store: it keeps what learners do as xAPI statements, and turns them into metrics
that anyone can check.

**Two faces.** Under \`/xapi\` are the resources of the xAPI standard, 1.0.3 and 2.0.0, for the systems that record
learning. Under \`/api/v1\` are the metrics, the roster and the administration, for those that read and manage.

**Who asks.** HTTP Basic with the key and secret of a credential, or a bearer token of the OpenID Connect provider that
the operator has set. What a credential may do is said by its scopes.

**Failures.** Each has a stable \`code\`. Under \`/xapi\` it is JSON with \`code\` and \`message\`; everywhere else
problem details (RFC 9457) with \`code\` and \`detail\`. \`requestId\` finds it in the service's log.

**Changes.** Within \`v1\`, what is there stays: members, codes and operations are added, never taken away. A client
ignores members that it doesn't know.`

/** What the operations are grouped by, in the order of the reference page. */
const tags = [
  { name: 'xAPI', description: 'The record: the resources of the xAPI standard' },
  { name: 'Metrics', description: 'What the record means: each metric with its definition, and its values' },
  { name: 'Scores', description: 'Several metrics in one number, with all that it is made of' },
  { name: 'Pilots', description: 'Whether to scale, change or end a pilot' },
  { name: 'people', description: 'The roster: who the learners are, and which agents they act under' },
  { name: 'assignments', description: 'What learners were given to do, and which manager checks are due' },
  { name: 'cohorts', description: 'Groups of learners: the roster’s own, and saved filters' },
  { name: 'events', description: 'What statements stand for' },
  { name: 'erasures', description: 'Persons who are erased from the record' },
  { name: 'access', description: 'Credentials and tenants: who may ask, and for what' },
  { name: 'health', description: 'Whether the service runs; open to everybody' }
]

const securitySchemes = {
  basic: {
    type: 'http',
    scheme: 'basic',
    description:
      'The key and the secret of a credential. Its scopes say what it opens; an operation names those it wants.'
  },
  bearer: {
    type: 'http',
    scheme: 'bearer',
    bearerFormat: 'JWT',
    description:
      'An access token of the OpenID Connect provider that OIDC_ISSUER names. Its claims give scopes and tenant. Refused where no provider is set.'
  }
} as const

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
        summary: 'A Learning Record Store that turns xAPI statements into metrics anyone can check',
        description,
        license: { name: 'Apache-2.0', identifier: 'Apache-2.0' }
      },
      servers: [{ url: '/', description: 'The service that this document comes from' }],
      tags,
      components: { securitySchemes },
      security: [{ basic: [] }, { bearer: [] }]
    },
    transformObject: document => complete(document)
  })
  await app.register(swaggerUi, {
    routePrefix: '/docs',
    uiConfig: { docExpansion: 'list', deepLinking: true },
    staticCSP: pageSecurityPolicy,
    transformSpecification: (document, request) => ({ ...document, ...serversOf(request) })
  })
  app.get('/openapi.json', { schema: { hide: true } }, async request => ({ ...app.swagger(), ...serversOf(request) }))
}

function complete(document: object): object {
  const { openapiObject } = document as { readonly openapiObject: JsonObject }
  return completeFailures(nameSchemas(openapiObject))
}

/** Where the paths of the document begin, when that is not at the root. */
function serversOf({ pathPrefix }: FastifyRequest) {
  return pathPrefix === '' ? {} : { servers: [{ url: pathPrefix }] }
}
