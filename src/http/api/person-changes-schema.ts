import { Type } from 'typebox'

// Control characters have no place in a name; PostgreSQL's text can't hold U+0000 at all.
const visible = '^[^\\u0000-\\u001f\\ud800-\\udfff]*$'

const personId = (description: string, example: string) =>
  Type.String({ minLength: 1, maxLength: 500, pattern: visible, description, examples: [example] })

// Checked by the standard's own rules, further in.
const SentAgent = Type.Unsafe<unknown>({
  type: 'object',
  description: 'An xAPI Agent',
  examples: [{ mbox: 'mailto:ada@example.org' }]
})

const Agent = Type.Unsafe<object>({
  type: 'object',
  additionalProperties: true,
  description: 'An xAPI Agent, by its identifier alone',
  examples: [{ mbox: 'mailto:ada@example.org' }]
})

const reason = Type.Optional(
  Type.String({
    minLength: 1,
    maxLength: 1000,
    pattern: '^[^\\u0000-\\u001f\\ud800-\\udfff]*$',
    description: 'Why, for the audit trail',
    examples: ['The same person under two e-mail addresses']
  })
)

const namedPerson = Type.Object(
  { personId: personId('A person of the roster', '4712') },
  { additionalProperties: false }
)

export const PersonParameter = Type.Object({ personId: personId('A person of the roster', '4711') })

export const ChangeParameter = Type.Object({
  id: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'The number of the change' })
})

export const DryRun = Type.Object(
  {
    dryRun: Type.Optional(
      Type.Boolean({ default: false, description: '`true`: tells what would come of it, and changes nothing' })
    )
  },
  { additionalProperties: false }
)

export const Merge = Type.Object(
  {
    from: Type.Union([namedPerson, Type.Object({ agent: SentAgent }, { additionalProperties: false })], {
      description: 'Who is merged: a person of the roster, or whoever has the agent'
    }),
    reason
  },
  {
    additionalProperties: false,
    examples: [
      { from: { personId: '4712' }, reason: 'Hired twice' },
      { from: { agent: { mbox: 'mailto:ada@example.org' } } }
    ]
  }
)

export const Split = Type.Object(
  {
    agents: Type.Array(SentAgent, { minItems: 1, maxItems: 1000, description: 'Agents of the person' }),
    into: Type.Object(
      { personId: personId('Who gets the agents; made when the roster knows no such person', '4713') },
      { additionalProperties: false }
    ),
    reason
  },
  {
    additionalProperties: false,
    examples: [{ agents: [{ mbox: 'mailto:ben@example.org' }], into: { personId: '4713' } }]
  }
)

/** A request without a body is one without a reason. */
export const Undo = Type.Union([Type.Object({ reason }, { additionalProperties: false }), Type.Null()], {
  examples: [{ reason: 'They are two people after all' }]
})

const nullable = <Schema extends ReturnType<typeof Type.Integer> | ReturnType<typeof Type.String>>(
  schema: Schema,
  description: string
) => Type.Union([schema, Type.Null()], { description })

const fromPersonId = nullable(Type.String(), 'Who had the agents; null for a provisional person')
const toPersonId = nullable(
  Type.String(),
  'Who got them; null for a provisional person, to whom only an undo gives one back'
)
const agents = Type.Immutable(Type.Array(Agent, { description: 'The agents that were moved' }))

export const Changed = Type.Object(
  {
    changeId: nullable(Type.Integer(), 'For the audit trail, and to undo it; null for a dry run'),
    fromPersonId,
    toPersonId,
    agents,
    learnerDays: Type.Integer({ description: 'How many days of the two persons are derived anew' })
  },
  {
    examples: [
      {
        changeId: 17,
        fromPersonId: '4712',
        toPersonId: '4711',
        agents: [{ mbox: 'mailto:ada@example.org' }],
        learnerDays: 84
      }
    ]
  }
)

const limit = Type.Optional(
  Type.Integer({ minimum: 1, maximum: 100, default: 25, description: 'Entries on a page at most' })
)
const cursor = Type.Optional(
  Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER, description: '`next` of the page before' })
)
const next = nullable(Type.Integer(), '`cursor` for the next page; null on the last one')

export const ChangesQuery = Type.Object(
  {
    personId: Type.Optional(personId('Only changes from or to this person', '4711')),
    limit,
    cursor
  },
  { additionalProperties: false }
)

const change = Type.Object({
  id: Type.Integer(),
  kind: Type.Enum(['merge', 'split', 'undo'], { type: 'string' }),
  fromPersonId,
  toPersonId,
  agents,
  changedBy: Type.String({ description: 'The key of the credential, or who the token was made for' }),
  changedAt: Type.String({ format: 'date-time' }),
  reason: nullable(Type.String(), 'As it was given; null for none'),
  undoes: nullable(Type.Integer(), 'The change that this one takes back; null for a merge or a split'),
  undoneBy: nullable(Type.Integer(), 'The change that took this one back; null while it holds')
})

export const ChangeList = Type.Object(
  { changes: Type.Immutable(Type.Array(change)), next },
  {
    examples: [
      {
        changes: [
          {
            id: 17,
            kind: 'merge',
            fromPersonId: '4712',
            toPersonId: '4711',
            agents: [{ mbox: 'mailto:ada@example.org' }],
            changedBy: 'd8f2bfc4849e1b7155a69674',
            changedAt: '2026-03-02T09:30:00.000Z',
            reason: 'Hired twice',
            undoes: null,
            undoneBy: null
          }
        ],
        next: null
      }
    ]
  }
)

export const ReconciliationQuery = Type.Object({ limit, cursor }, { additionalProperties: false })

const suggestion = Type.Object({
  personId: Type.String(),
  name: nullable(Type.String(), 'The name that the roster gives'),
  because: Type.Enum(['agent', 'personId', 'name'], {
    type: 'string',
    description:
      '`agent`: has an agent with the same e-mail address. `personId`: is called as the account, the address, what stands before the @, or the OpenID. `name`: has the name under which a statement has shown the agent'
  })
})

const unreconciled = Type.Object({
  agent: Agent,
  names: Type.Immutable(
    Type.Array(Type.String(), { description: 'Under which statements have shown it, the newest first, ten at most' })
  ),
  events: Type.Integer({ description: 'Learning events that count for it, done or received' }),
  firstDay: nullable(Type.String(), 'The first local day with one of them; null for none'),
  lastDay: nullable(Type.String(), 'The last local day with one of them; null for none'),
  suggestions: Type.Immutable(Type.Array(suggestion, { description: 'Who it may be, the surest first, five at most' }))
})

export const ReconciliationList = Type.Object(
  { agents: Type.Immutable(Type.Array(unreconciled)), next },
  {
    examples: [
      {
        agents: [
          {
            agent: { mbox: 'mailto:ada@example.org' },
            names: ['Ada'],
            events: 12,
            firstDay: '2026-03-02',
            lastDay: '2026-03-06',
            suggestions: [{ personId: 'ada', name: 'Ada Lovelace', because: 'personId' }]
          }
        ],
        next: null
      }
    ]
  }
)
