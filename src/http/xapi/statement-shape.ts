import { type TProperties, Type } from 'typebox'

/**
 * The shape of a statement as the OpenAPI document tells it, so that generated clients have types for it. It neither
 * checks nor writes anything: `validateStatement` knows all the rules, and statements leave as they came.
 *
 * @see xAPI 1.0.3 Data 2.0
 */

const optional = <Properties extends TProperties>(properties: Properties) => Type.Partial(Type.Object(properties))

const languageMap = (description: string) => Type.Record(Type.String(), Type.String(), { description })

const extensions = Type.Record(Type.String(), Type.Unknown(), { description: 'Values of any shape by IRI' })

const identifiers = {
  name: Type.String(),
  mbox: Type.String({ description: 'mailto: and an address' }),
  mbox_sha1sum: Type.String({ description: 'Hexadecimal SHA-1 of an mbox' }),
  openid: Type.String({ format: 'uri' }),
  account: Type.Object({ homePage: Type.String({ format: 'iri' }), name: Type.String() })
}

/** An agent as it stands in a parameter or a statement. */
const Agent = Type.Object(optional({ objectType: Type.Literal('Agent'), ...identifiers }).properties, {
  title: 'Agent',
  description: 'A person or a system, known by exactly one of mbox, mbox_sha1sum, openid and account'
})

const Group = Type.Object(
  {
    objectType: Type.Literal('Group'),
    ...optional({ ...identifiers, member: Type.Array(Agent) }).properties
  },
  { title: 'Group', description: 'A group: known by one identifier, or anonymous with its members listed' }
)

const Actor = Type.Union([Agent, Group], { title: 'Actor', description: 'Who acts: an agent or a group' })

const Activity = Type.Object(
  {
    objectType: Type.Optional(Type.Literal('Activity')),
    id: Type.String({ format: 'iri' }),
    definition: Type.Optional(
      Type.Object(
        optional({
          name: languageMap('By language tag'),
          description: languageMap('By language tag'),
          type: Type.String({ format: 'iri' }),
          moreInfo: Type.String({ format: 'iri' }),
          interactionType: Type.String(),
          extensions
        }).properties,
        { additionalProperties: true, description: 'What the activity is; interactions have more members' }
      )
    )
  },
  { title: 'Activity', description: 'Something that is done, such as a course or a task' }
)

const StatementRef = Type.Object(
  { objectType: Type.Literal('StatementRef'), id: Type.String({ format: 'uuid' }) },
  { title: 'StatementRef', description: 'Another statement, which need not be stored here' }
)

const SubStatement = Type.Object(
  { objectType: Type.Literal('SubStatement') },
  { title: 'SubStatement', additionalProperties: true, description: 'A statement within a statement' }
)

const Result = Type.Object(
  optional({
    score: optional({ scaled: Type.Number(), raw: Type.Number(), min: Type.Number(), max: Type.Number() }),
    success: Type.Boolean(),
    completion: Type.Boolean(),
    response: Type.String(),
    duration: Type.String({ description: 'ISO 8601' }),
    extensions
  }).properties,
  { title: 'Result', description: 'What came of it' }
)

const activities = Type.Union([Activity, Type.Array(Activity)])

const Context = Type.Object(
  optional({
    registration: Type.String({ format: 'uuid' }),
    instructor: Actor,
    team: Group,
    contextActivities: optional({ parent: activities, grouping: activities, category: activities, other: activities }),
    revision: Type.String(),
    platform: Type.String(),
    language: Type.String({ description: 'RFC 5646' }),
    statement: StatementRef,
    extensions
  }).properties,
  { title: 'Context', additionalProperties: true, description: 'In what it happened; xAPI 2.0 has more members' }
)

const Attachment = Type.Object(
  {
    usageType: Type.String({ format: 'iri' }),
    display: languageMap('By language tag'),
    description: Type.Optional(languageMap('By language tag')),
    contentType: Type.String(),
    length: Type.Integer({ description: 'Octets' }),
    sha2: Type.String({ description: 'Hexadecimal' }),
    fileUrl: Type.Optional(Type.String({ format: 'iri' }))
  },
  { title: 'Attachment', description: 'Data that belongs to the statement' }
)

/** What a statement shows in the document. */
export const exampleStatement = {
  id: '0197f3a2-0000-7000-8000-000000000001',
  actor: { mbox: 'mailto:ada@example.org' },
  verb: { id: 'https://w3id.org/momentum-lrs/verbs/opened' },
  object: { id: 'https://example.org/modules/feedback' },
  timestamp: '2026-03-02T09:15:00.000Z'
}

/** A statement. What the service sets when it is absent is optional here, though every statement comes back with it. */
export const Statement = Type.Object(
  {
    id: Type.Optional(Type.String({ format: 'uuid', description: 'Made by the service when absent' })),
    actor: Actor,
    verb: Type.Object(
      { id: Type.String({ format: 'iri' }), display: Type.Optional(languageMap('By language tag')) },
      { title: 'Verb', description: 'What was done' }
    ),
    object: Type.Union([Activity, Agent, Group, StatementRef, SubStatement], { description: 'To what it was done' }),
    result: Type.Optional(Result),
    context: Type.Optional(Context),
    timestamp: Type.Optional(Type.String({ format: 'date-time', description: 'When it happened' })),
    stored: Type.Optional(Type.String({ format: 'date-time', description: 'When it was stored; set by the service' })),
    authority: Type.Optional(Actor),
    version: Type.Optional(Type.String()),
    attachments: Type.Optional(Type.Array(Attachment))
  },
  { title: 'Statement', description: 'An xAPI statement: who did what', examples: [exampleStatement] }
)
