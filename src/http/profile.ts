import type { FastifyInstance } from 'fastify'
import { Type } from 'typebox'
import { profile } from '../events/profile.js'
import { problemResponses } from './api/problem-schema.js'
import { answerTagged, jsonRepresentation } from './xapi/tagged.js'

const representation = { ...jsonRepresentation(JSON.stringify(profile)), contentType: 'application/ld+json' }

const daySeconds = 86_400

const things = (description: string) =>
  Type.Array(Type.Object({ id: Type.String(), type: Type.String() }, { additionalProperties: true }), { description })

const Profile = Type.Object(
  {
    '@context': Type.String(),
    id: Type.String({ description: 'The IRI of the profile' }),
    type: Type.Literal('Profile'),
    conformsTo: Type.String({ description: 'The version of the xAPI Profiles specification' }),
    versions: Type.Array(Type.Object({ id: Type.String(), generatedAtTime: Type.String() })),
    concepts: things('Verbs, activity types and extensions'),
    templates: things('The canonical form of the six kinds of statements'),
    patterns: things('What comes after what')
  },
  { title: 'Profile', additionalProperties: true, description: 'An xAPI Profile' }
)

/** The profile with the first of each list. */
const example = {
  ...profile,
  concepts: profile.concepts.slice(0, 1),
  templates: profile.templates.slice(0, 1),
  patterns: profile.patterns.slice(0, 1)
}

/** The xAPI Profile: open to everybody, the same for all tenants, and kept for a day by whoever asked. */
export function profileRoutes(app: FastifyInstance): void {
  app.get('/profile', {
    schema: {
      operationId: 'getProfile',
      tags: ['xAPI'],
      summary: 'The xAPI Profile',
      description:
        'Our verbs, activity types and extensions, templates of the statements that need no mapping, and the pattern of the practice loop, as JSON-LD. `docs/reference/xapi-profile.md` explains them.',
      security: [],
      response: {
        200: {
          description: 'The profile',
          headers: { ETag: Type.String(), 'Cache-Control': Type.String() },
          content: { 'application/ld+json': { schema: Profile, example } }
        },
        304: Type.Null({ description: 'It is as the tag in If-None-Match says' }),
        ...problemResponses(412)
      }
    },
    handler: async (request, reply) => {
      reply.header('Cache-Control', `public, max-age=${daySeconds}`)
      return answerTagged(request, reply, representation)
    }
  })
}
