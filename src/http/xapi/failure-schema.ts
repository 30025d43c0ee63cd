import { Type } from 'typebox'

/** Every failure under `/xapi`. */
export const Failure = Type.Object(
  {
    code: Type.String({ description: 'Stable; docs/reference/errors.md lists them all' }),
    message: Type.String({ description: 'What is wrong, where and why' }),
    index: Type.Optional(Type.Integer({ description: 'Position of the statement at fault, from 0' })),
    pointer: Type.Optional(Type.String({ description: 'JSON pointer to the value at fault, or /parameter' })),
    rule: Type.Optional(Type.String({ description: "Section of the standard and the rule's name" })),
    requestId: Type.String({ description: 'Finds the request in the log of the service' })
  },
  { title: 'Failure', description: 'What failed, where and why, under /xapi' }
)

/** The failures that any request can meet. */
export const failures = { 400: Failure, 401: Failure, 403: Failure, 413: Failure }

/** The header that every request but About's has. */
export const versionHeader = Type.Object({
  'x-experience-api-version': Type.String({
    description: 'The version of xAPI that the request follows: 1.0.0 to 1.0.3, or 2.0.0',
    examples: ['1.0.3']
  })
})
