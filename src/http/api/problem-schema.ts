import { Type } from 'typebox'

/** Problem details, as every failure outside `/xapi` is answered. @see RFC 9457 */
const Problem = Type.Object(
  {
    type: Type.String({ format: 'uri', description: 'The code as an address' }),
    title: Type.String({ description: 'What the code means' }),
    status: Type.Integer({ description: 'The HTTP status' }),
    detail: Type.String({ description: 'What is wrong, where and why' }),
    code: Type.String({ description: 'Stable; docs/reference/errors.md lists them all' }),
    index: Type.Optional(Type.Integer({ description: 'Position of the record at fault, from 0' })),
    pointer: Type.Optional(Type.String({ description: 'JSON pointer to the value at fault' })),
    line: Type.Optional(Type.Integer({ description: 'Line of the body, from 1, on which the record at fault begins' })),
    column: Type.Optional(Type.String({ description: 'The column at fault, by its name in the header row' })),
    rule: Type.Optional(Type.String({ description: 'The rule that is broken' })),
    requestId: Type.String({ description: 'Finds the request in the log of the service' })
  },
  { title: 'Problem', description: 'Problem details (RFC 9457)' }
)

/** The responses of a route that can fail with these statuses. */
export function problemResponses<Status extends number>(...statuses: readonly Status[]) {
  const media = { content: { 'application/problem+json': { schema: Problem } } }
  return Object.fromEntries(statuses.map(status => [status, media])) as Record<Status, typeof media>
}
