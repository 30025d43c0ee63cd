import { Type } from 'typebox'

/** Whom to erase: by agents, or by the roster's name for the person. */
export const NewErasure = Type.Object(
  {
    agents: Type.Optional(
      Type.Array(Type.Unsafe<unknown>({ type: 'object', additionalProperties: true }), {
        minItems: 1,
        maxItems: 100,
        description: 'xAPI Agents, all of the same person or of several; the SHA-1 of an `mbox` is erased with it'
      })
    ),
    personId: Type.Optional(
      Type.String({
        minLength: 1,
        maxLength: 500,
        pattern: '^[^\\u0000-\\u001f\\ud800-\\udfff]*$',
        description:
          'The roster’s name for the person: all their agents, those of everyone merged with them, and the roster itself'
      })
    ),
    dryRun: Type.Optional(
      Type.Boolean({ default: false, description: 'Tell what would be erased, and leave everything as it is' })
    )
  },
  {
    additionalProperties: false,
    description: 'Either `agents` or `personId`',
    examples: [{ agents: [{ mbox: 'mailto:ada@example.org' }], dryRun: true }, { personId: '4711' }]
  }
)

const counts = {
  statements: Type.Integer({ description: 'Statements that are gone' }),
  voids: Type.Integer({
    description: 'Voiding statements that stay, without anybody in them, because what they void stays'
  }),
  authorities: Type.Integer({
    description: 'Statements that named the person as their authority alone, and have another authority now'
  }),
  attachments: Type.Integer({ description: 'Attachments that no other statement came with' }),
  attachmentBytes: Type.Integer({ description: 'Their octets' }),
  learningEvents: Type.Integer(),
  documents: Type.Integer({ description: 'State and Agent Profile documents' }),
  names: Type.Integer({ description: 'Names under which statements had shown the agents' }),
  agents: Type.Integer({ description: 'Identifiers of agents' }),
  persons: Type.Integer({ description: 'Persons, with their roster, assignments and learner-days' })
}

const example = {
  statements: 212,
  voids: 1,
  authorities: 0,
  attachments: 3,
  attachmentBytes: 48_213,
  learningEvents: 198,
  documents: 9,
  names: 2,
  agents: 2,
  persons: 1
}

/** What an erasure did, or would do. */
export const ErasureOutcome = Type.Object(
  {
    id: Type.Union([Type.Integer(), Type.Null()], { description: 'Of the erasure in the list; null for a dry run' }),
    ...counts
  },
  { examples: [{ id: 7, ...example }] }
)

/** Which erasures are listed. */
export const ErasureQuery = Type.Object(
  {
    before: Type.Optional(
      Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'The last id of the page before' })
    ),
    limit: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 1000, default: 100, description: 'Entries on a page at most' })
    )
  },
  { additionalProperties: false }
)

/** The erasures of a tenant, which tell nothing of whom it was. */
export const ErasureList = Type.Object(
  {
    erasures: Type.Immutable(
      Type.Array(
        Type.Object({
          id: Type.Integer(),
          requestedBy: Type.String({ description: 'Key of the credential, or whom the token was made for' }),
          startedAt: Type.String({ format: 'date-time' }),
          finishedAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
            description: 'Null while it goes on, or where it broke off: ask for it again then'
          }),
          ...counts
        })
      )
    )
  },
  {
    examples: [
      {
        erasures: [
          {
            id: 7,
            requestedBy: 'd8f2bfc4849e1b7155a69674',
            startedAt: '2026-04-09T08:00:00.000Z',
            finishedAt: '2026-04-09T08:00:00.210Z',
            ...example
          }
        ]
      }
    ]
  }
)
