import t from 'tap'
import { nameSchemas } from '../../src/http/openapi-components.js'
import { completeFailures } from '../../src/http/openapi-failures.js'

const document = (schema: object, components: object = {}) =>
  nameSchemas({ components, paths: { '/a': schema } } as never)

t.test('a schema with a one-word title becomes a component, once, and what is in it too', t => {
  const inner = { title: 'Inner', type: 'string' }
  const outer = { title: 'Outer', type: 'object', properties: { one: inner, two: inner, title: { type: 'string' } } }
  t.same(document({ schema: outer, list: [outer] }), {
    components: {
      schemas: {
        Inner: { type: 'string' },
        Outer: {
          type: 'object',
          properties: {
            one: { $ref: '#/components/schemas/Inner' },
            two: { $ref: '#/components/schemas/Inner' },
            title: { type: 'string' }
          }
        }
      }
    },
    paths: { '/a': { schema: { $ref: '#/components/schemas/Outer' }, list: [{ $ref: '#/components/schemas/Outer' }] } }
  })
  t.end()
})

t.test('titles of several words, and those of examples, name nothing', t => {
  const schema = { title: 'Two words', type: 'object', examples: [{ title: 'Name' }], example: { title: 'Name' } }
  t.same(document(schema), { components: { schemas: {} }, paths: { '/a': schema } })
  t.end()
})

t.test('a component that has its name already keeps it, and what is in it is named', t => {
  const given = { Filter: { title: 'Filter', anyOf: [{ title: 'Leaf', type: 'string' }] } }
  const { components } = document({}, { schemas: given, securitySchemes: {} })
  t.same(components, {
    securitySchemes: {},
    schemas: { Filter: { title: 'Filter', anyOf: [{ $ref: '#/components/schemas/Leaf' }] }, Leaf: { type: 'string' } }
  })
  t.end()
})

t.test('examples alone make no difference; anything else between two of one title is refused', t => {
  const plain = { title: 'Name', type: 'string' }
  const shown = { ...plain, examples: ['Ada'] }
  t.match(document({ one: plain, two: shown }), { components: { schemas: { Name: { examples: ['Ada'] } } } })
  t.match(document({ one: shown, two: plain }), { components: { schemas: { Name: { examples: ['Ada'] } } } })
  t.throws(() => document({ one: plain, two: { ...plain, maxLength: 5 } }), {
    message: 'Two different schemas of the OpenAPI document have the title Name'
  })
  t.end()
})

t.test('an operation gets the failures that any can meet, and a guarded one those of strangers', t => {
  const guarded = { responses: { 204: { description: 'Default Response' }, 409: {} } }
  const open = { security: [], responses: { 200: { description: 'Said' } } }
  const paths = { '/api/v1/a': { put: guarded }, '/health/b': { get: open }, '/xapi/c': { put: guarded } }
  const completed = completeFailures({ paths })
  const statuses = (path: string, method: string) =>
    Object.keys(
      (completed as never as Record<'paths', Record<string, Record<string, { responses: object }>>>).paths[path]?.[
        method
      ]?.responses ?? {}
    )
  t.same(statuses('/api/v1/a', 'put'), ['204', '400', '401', '403', '408', '409', '413', '415', '429', '500', '503'])
  t.same(statuses('/health/b', 'get'), ['200', '500', '503'])
  t.match(completed, {
    paths: {
      '/api/v1/a': { put: { responses: { 204: { description: /nothing to tell/ } } } },
      '/health/b': { get: { responses: { 200: { description: 'Said' } } } },
      '/xapi/c': { put: { responses: { 409: { $ref: '#/components/responses/XapiConflict' } } } }
    },
    components: {
      responses: {
        Conflict: {
          description: /people-conflict/,
          content: { 'application/problem+json': { example: { status: 409 } } }
        },
        XapiConflict: {
          description: /^`statement-conflict`.*`document-conflict`/,
          content: { 'application/json': { example: { code: 'statement-conflict' } } }
        },
        RateLimited: { headers: { 'Retry-After': {} } }
      }
    }
  })
  t.end()
})

t.test('a status that no code has is refused', t => {
  const paths = { '/api/v1/a': { get: { responses: { 418: {} } } } }
  t.throws(() => completeFailures({ paths }), { message: /status 418/ })
  t.end()
})
