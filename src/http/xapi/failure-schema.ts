import { Type } from 'typebox'

/** Every failure under `/xapi`. */
export const Failure = Type.Object(
  {
    code: Type.String(),
    message: Type.String(),
    index: Type.Optional(Type.Integer({ description: 'Position of the statement at fault, from 0' })),
    pointer: Type.Optional(Type.String({ description: 'JSON pointer to the value at fault, or /parameter' })),
    rule: Type.Optional(Type.String({ description: "Section of the standard and the rule's name" })),
    requestId: Type.String()
  },
  { description: 'What failed, where and why' }
)

/** The failures that any request can meet. */
export const failures = { 400: Failure, 401: Failure, 403: Failure, 413: Failure }
/** The header that every request but About's has. */
export const versionHeader = Type.Object({ 'x-experience-api-version': Type.String({ examples: ['1.0.3', '2.0.0'] }) })
