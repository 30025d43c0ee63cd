import { Type } from 'typebox'
import { learningEventKinds } from '../../events/mapping-rule.js'

const iri = (description: string, example: string) =>
  Type.String({ minLength: 1, maxLength: 2000, description, examples: [example] })

const instant = (description: string) => Type.String({ format: 'date-time', description })

const kind = (description: string) =>
  Type.Union([Type.Enum([...learningEventKinds], { type: 'string' }), Type.Null()], { description })

const Rule = Type.Object(
  {
    verb: iri("The statement's verb, an IRI", 'https://lms.example/verbs/handed-in'),
    activityType: Type.Optional(
      iri('Only where the statement gives its object this type, an IRI', 'http://adlnet.gov/expapi/activities/course')
    ),
    category: Type.Optional(
      iri(
        'Only where `context.contextActivities.category` has this id, an IRI',
        'https://w3id.org/xapi/cmi5/context/categories/cmi5'
      )
    ),
    kind: kind('The kind of learning event that these statements stand for; null for none')
  },
  {
    title: 'MappingRule',
    additionalProperties: false,
    description: 'Which statements a rule meets, and what they mean',
    examples: [{ verb: 'https://lms.example/verbs/handed-in', kind: 'completed-task' }]
  }
)

const Rules = (description: string) => Type.Immutable(Type.Array(Rule, { maxItems: 1000, description }))

/** What is put: the tenant's rules, all of them. */
export const NewMappingBody = Type.Object(
  {
    rules: Rules(
      'The rules upon the defaults. One with the verb, activity type and category of a default replaces it. The most specific rule that a statement meets decides: verb with activity type and category, then with activity type, then with category, then the verb alone; of two alike the earlier.'
    )
  },
  {
    additionalProperties: false,
    examples: [
      {
        rules: [
          { verb: 'https://lms.example/verbs/handed-in', kind: 'completed-task' },
          { verb: 'http://adlnet.gov/expapi/verbs/experienced', kind: null }
        ]
      }
    ]
  }
)

const version = Type.Integer({ description: 'Raised with each change; 0 is the defaults alone. Also the ETag' })

const rule = { verb: 'https://lms.example/verbs/handed-in', kind: 'completed-task' }

/** A version of the mapping. */
export const Mapping = Type.Object(
  {
    version,
    rules: Rules('What the tenant wrote'),
    effectiveRules: Type.Immutable(
      Type.Array(Rule, {
        description: 'What that comes to: these rules, and behind them the defaults that none replaces'
      })
    )
  },
  { title: 'Mapping', description: 'The mapping', examples: [{ version: 1, rules: [rule], effectiveRules: [rule] }] }
)

const derivationId = Type.Union([Type.Integer(), Type.Null()], {
  description: 'The derivation that brings stored statements to it, see `/api/v1/derivations`; null where none needs to'
})

const Preview = Type.Object({
  statements: Type.Integer({ description: 'Statements that were read: those of the verbs whose rules would change' }),
  changed: Type.Integer({ description: 'How many of them would have another kind' }),
  isComplete: Type.Boolean({
    description: 'False when 250,000 statements, or half of REQUEST_TIMEOUT_MS, were reached before all were read'
  }),
  changes: Type.Immutable(
    Type.Array(
      Type.Object({
        verb: Type.String(),
        from: kind('The kind now; null for no learning event'),
        to: kind('The kind that it would be'),
        statements: Type.Integer(),
        examples: Type.Immutable(
          Type.Array(Type.String(), { description: 'The ids of the first of them, five at most' })
        )
      }),
      { description: 'By verb, and kind before and after; the most frequent first' }
    )
  )
})

const Put = Type.Object(
  {
    version,
    rules: Rules('What the tenant wrote'),
    effectiveRules: Mapping.properties.effectiveRules,
    derivationId: Type.Optional(derivationId),
    dryRun: Type.Optional(Preview)
  },
  {
    title: 'MappingOutcome',
    description: 'The mapping in force, and what follows',
    examples: [{ version: 2, rules: [rule], effectiveRules: [rule], derivationId: 3 }]
  }
)

/** What a PUT answers: the mapping in force after it, and with `dryRun` what would change. */
export const MappingOutcome = Put

export const MappingList = Type.Object(
  {
    versions: Type.Immutable(
      Type.Array(
        Type.Object({
          version,
          rules: Type.Integer({ description: 'How many rules the tenant wrote' }),
          createdBy: Type.String({ description: 'The key of the credential that put it' }),
          createdAt: instant('When it came into force')
        })
      )
    )
  },
  {
    title: 'MappingList',
    description: 'The versions, the newest first; 0, the defaults, is not among them',
    examples: [{ versions: [{ version: 1, rules: 1, createdBy: 'b9bb2a4e', createdAt: '2026-03-02T08:00:00.000Z' }] }]
  }
)

export const VersionQuery = Type.Object(
  {
    version: Type.Optional(
      Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: 'Default: the one in force' })
    )
  },
  { additionalProperties: false }
)

export const VersionsQuery = Type.Object(
  {
    before: Type.Optional(
      Type.Integer({ minimum: 1, maximum: 2_147_483_647, description: 'Only versions before this one' })
    )
  },
  { additionalProperties: false }
)

export const PutQuery = Type.Object(
  {
    dryRun: Type.Optional(
      Type.Boolean({ description: 'Change nothing, and say which stored statements would change their kind' })
    )
  },
  { additionalProperties: false }
)

/** Derivations, the newest first. */
export const DerivationList = Type.Object(
  {
    derivations: Type.Immutable(
      Type.Array(
        Type.Object({
          id: Type.Integer(),
          reason: Type.Enum(['mapping', 'time-zone', 'rebuild'], {
            type: 'string',
            description: 'What made it necessary'
          }),
          phase: Type.Enum(['events', 'rollups', 'done'], {
            type: 'string',
            description: '`events`: statements are read anew. `rollups`: what is counted is made anew. `done`'
          }),
          total: Type.Union([Type.Integer(), Type.Null()], {
            description: 'How many statements there are to read; null until it has begun'
          }),
          derived: Type.Integer({ description: 'How many of them were read' }),
          changed: Type.Integer({ description: 'How many learning events were added, changed or removed' }),
          requestedBy: Type.String(),
          requestedAt: instant('When it was asked for'),
          startedAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()]),
          finishedAt: Type.Union([Type.String({ format: 'date-time' }), Type.Null()])
        })
      )
    )
  },
  {
    title: 'DerivationList',
    description: 'Derivations, the newest first',
    examples: [
      {
        derivations: [
          {
            id: 3,
            reason: 'mapping',
            phase: 'done',
            total: 1200,
            derived: 1200,
            changed: 87,
            requestedBy: 'b9bb2a4e',
            requestedAt: '2026-03-02T08:00:00.000Z',
            startedAt: '2026-03-02T08:00:00.250Z',
            finishedAt: '2026-03-02T08:00:01.500Z'
          }
        ]
      }
    ]
  }
)
