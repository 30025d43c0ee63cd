import { Type } from 'typebox'
import { dimensionNames } from '../../metrics/dimension.js'
import type { ComparedBy } from '../../scores/answer-score.js'
import type { ScoreDescription } from '../../scores/score.js'
import { defaultEntries, maxEntries } from './learners-schema.js'
import { commonParameters, metaSchema, period } from './metrics-schema.js'
import { instant, nullable, words } from './schema.js'
import { catalogueExample, coachingExample, personScoreExample, scoreExample, teamsExample } from './scores-examples.js'

const { interval: _interval, compare: _compare, limit: _limit, breakdown, cursor, ...shared } = commonParameters

const from = (description: string) =>
  Type.Optional(Type.String({ description, format: 'date', examples: ['2026-03-02'] }))

const to = Type.Optional(
  Type.String({
    description:
      'The local day after the last (half-open). Default: today, which is not complete and so not in the window.',
    format: 'date',
    examples: ['2026-03-30']
  })
)

const definitionVersion = Type.Optional(
  Type.Integer({
    description: 'Which version of the definition, to have an older answer again. Default: the one in force.',
    minimum: 1,
    maximum: 2_147_483_647
  })
)

const comparable = [...dimensionNames.filter(name => name !== 'cohort'), 'none'] as ComparedBy[]

const by = (standard: ComparedBy | null) =>
  Type.Optional(
    words(comparable, {
      description: `Whom learners are compared with: those who have this in common with them, or all who are asked for (\`none\`). Default: ${standard === null ? 'as the score has it, `role` but for the energize score' : `\`${standard}\``}.`
    })
  )

const limit = Type.Optional(
  Type.Integer({ description: `Learners on a page. Default: ${defaultEntries}.`, minimum: 1, maximum: maxEntries })
)

/** The parameters of a score of learners, one person's or the heatmap's; a fixed window refuses `from` by its own words. */
const learnerParameters = {
  ...shared,
  from: from(
    'First local day. Default: as many days before `to` as the score looks at, 28; refused where that is fixed.'
  ),
  to,
  definitionVersion
}

/** The parameters of a list of learners with their scores. */
export const scoreQuery = (standard: ComparedBy) =>
  Type.Object({ ...learnerParameters, by: by(standard), limit, cursor }, { additionalProperties: false })

export const PersonScoreQuery = Type.Object({ ...learnerParameters, by: by(null) }, { additionalProperties: false })

export const CoachingQuery = Type.Object(
  { ...shared, from: from('First local day. Default: 28 days before `to`.'), to, breakdown, definitionVersion },
  { additionalProperties: false }
)

const scoreId = Type.String({ description: 'The id of a score.', maxLength: 100, examples: ['leadership-index'] })

export const ScoreParameter = Type.Object({ scoreId })

export const PersonScoreParameter = Type.Object({
  scoreId,
  personId: Type.String({ description: "The roster's id of the person.", minLength: 1, maxLength: 500 })
})

const definition = Type.Unsafe<object>({
  type: 'object',
  description: 'Weights, thresholds and coverage; its `version` is that of the tenant.',
  additionalProperties: true
})

const savedDefinition = {
  version: Type.Integer({ description: 'Raised with each change; 1 is the program’s own. Repeated by every answer.' }),
  definition,
  createdBy: nullable(Type.String({ description: 'The key of the credential that put it; null of version 1.' })),
  createdAt: nullable(instant('When it was put; null of version 1.', '2026-03-02T08:00:00.000Z'))
}

const flagDefinition = { version: 2, assessmentAbove: 1.5, forumAbove: 1.5 }

/** A version of a definition. */
export const SavedDefinitionBody = Type.Object(
  { score: Type.String({ description: 'The id of the score.' }), ...savedDefinition },
  {
    title: 'ScoreDefinition',
    description: 'A version of a score’s definition.',
    examples: [
      {
        score: 'leadership-flag',
        version: 2,
        definition: flagDefinition,
        createdBy: 'admin',
        createdAt: '2026-03-02T08:00:00.000Z'
      }
    ]
  }
)

/** What is put: the parts that differ from the program's own. */
export const NewDefinitionBody = Type.Unsafe<object>({
  type: 'object',
  description:
    'The definition, as `GET /scores/{scoreId}/definition` shows it; what is left out takes the program’s own, and `version` is of no account. Weights that are given name every component.',
  examples: [{ assessmentAbove: 1.5, forumAbove: 1.5 }]
})

export const DefinitionQuery = Type.Object(
  {
    version: Type.Optional(
      Type.Integer({ description: 'Default: the one in force.', minimum: 1, maximum: 2_147_483_647 })
    )
  },
  { additionalProperties: false }
)

/** The list of scores. */
export const ScoreCatalogue = Type.Object(
  {
    scores: Type.Array(
      Type.Object(
        {
          id: Type.String({ description: 'The last part of its address.' }),
          name: Type.String({ description: 'For people to read.' }),
          question: Type.String({ description: 'The question it answers.' }),
          meaning: Type.String({ description: 'What it is, in one sentence.' }),
          unit: Type.String({ description: 'What its values are in.' }),
          of: words(['group', 'learner'], { description: 'Whether a group has it, or a learner.' }),
          components: Type.Array(Type.String(), { description: 'What it is made of.' }),
          windowDays: Type.Integer({ description: 'How many local days its window has when nobody says.' }),
          hasFixedWindow: Type.Boolean({ description: 'Whether it always has as many.' }),
          ...savedDefinition
        },
        { title: 'ScoreDescription', description: 'A score: what it means, and its definition in force.' }
      )
    )
  },
  {
    title: 'ScoreCatalogue',
    description: 'Every score, in the order in which a reader should meet them.',
    examples: [catalogueExample]
  }
)

const normaliseReason = nullable(
  words(['missing', 'cohort_too_small', 'zero_variance'], {
    description: 'Why `normalised` is null: no value, fewer than five of the group have one, or all have the same.'
  })
)

const orNumber = (description: string) => Type.Optional(nullable(Type.Number({ description })))
const orBoolean = (description: string) => Type.Optional(nullable(Type.Boolean({ description })))

/** What weighted scores say of a component. */
const weighted = {
  id: Type.String({ description: 'The id of a metric, or a part of the score’s own.' }),
  raw: nullable(Type.Number({ description: 'In its own unit.' })),
  normalised: nullable(
    Type.Number({
      description: 'On the scale on which it is compared: a z-score, a percentile rank, a part of success.'
    })
  ),
  isMissing: Type.Boolean({ description: 'It adds nothing, and its weight is left out.' })
}

const component = Type.Object(
  {
    ...weighted,
    nullReason: Type.Optional(normaliseReason),
    weight: orNumber('As the definition has it.'),
    share: orNumber('The weight’s part of all weights that are present; 0 when missing.'),
    contribution: orNumber('What it adds to the value.'),
    above: orNumber('Leadership flag: what `normalised` must be above.'),
    isAbove: orBoolean('Leadership flag: whether it is.'),
    previous: orNumber('Momentum: the 28 days before, in its own unit.'),
    previousNormalised: orNumber('Momentum: the z-score among the values of those 28 days.'),
    change: orNumber('Momentum: `normalised - previousNormalised`.'),
    slope: orNumber('Momentum: the rise per week over 12 weeks, in its own unit.'),
    isRising: orBoolean('Momentum: change and slope are both enough.'),
    gainShare: orNumber('Momentum: its part of all gains.')
  },
  { title: 'ScoreComponent', description: 'What a score is made of. Which members there are depends on the score.' }
)

const coverage = Type.Object(
  {
    present: Type.Integer({ description: 'Components that are there.' }),
    of: Type.Integer({ description: 'Components that have a weight.' }),
    needs: Type.Integer({ description: 'How many must be there.' })
  },
  { title: 'Coverage', description: 'How much of a score is known.' }
)

const value = Type.Union([Type.Number(), Type.Boolean(), Type.Null()], {
  description: 'In the unit of the score: a number, or true or false. Null with a `nullReason`.'
})

const nullReason = (more: string) => nullable(Type.String({ description: `Why \`value\` is null: ${more}.` }))

const learner = Type.Object(
  {
    personId: Type.String({ description: "The roster's id of the person." }),
    name: nullable(Type.String({ description: 'The name, where the roster has one.' })),
    group: nullable(Type.String({ description: 'What the learners compared have in common.' })),
    value,
    nullReason: nullReason('`low_coverage`, or of the flag the reason of the z-score that is missing'),
    components: Type.Immutable(Type.Array(component)),
    coverage: nullable(coverage),
    details: nullable(
      Type.Record(Type.String(), Type.Unknown(), {
        description: 'Momentum: `rising` and `singleSpike`; otherwise null.'
      })
    )
  },
  { title: 'ScoredLearner', description: 'A learner’s score with everything that it is made of.' }
)

const score = Type.String({ description: 'The id of the score.' })

/** A page of learners with their scores. */
export const scoreAnswer = ({ id, name }: Pick<ScoreDescription, 'id' | 'name'>) =>
  Type.Object(
    {
      score,
      period,
      by: Type.String({ description: 'Whom learners are compared with.' }),
      learners: Type.Immutable(
        Type.Array(learner, { description: `${name}: the highest first, those without a value last.` })
      ),
      meta: metaSchema
    },
    { description: 'Every learner of the target population, also those who did nothing.', examples: [scoreExample(id)] }
  )

export const PersonScoreAnswerBody = Type.Object(
  {
    score,
    personId: Type.String({ description: "The roster's id of the person." }),
    by: Type.String({ description: 'Whom learners are compared with.' }),
    current: nullable(learner),
    history: Type.Immutable(
      Type.Array(
        Type.Object(
          {
            period,
            group: nullable(Type.String({ description: 'What those compared then had in common.' })),
            value,
            nullReason: nullReason('as above, or `not_in_population`')
          },
          { title: 'PastScore', description: 'The score as of the end of a week.' }
        ),
        { description: 'As of the ends of the last 12 weeks, the oldest first; the last is `current`.' }
      )
    ),
    meta: metaSchema
  },
  {
    title: 'PersonScore',
    description: 'One learner’s score now and in the weeks before.',
    examples: [personScoreExample]
  }
)

const teamMean = {
  mean: nullable(
    Type.Number({ description: 'The mean over the learners with a value; of true and false the share of true.' })
  ),
  n: nullable(Type.Integer({ description: 'How many learners it rests on; null when hidden.' })),
  suppressed: Type.Boolean({ description: 'Hidden: too few learners, or it would give such a team away.' })
}

export const TeamScoresBody = Type.Object(
  {
    score,
    period,
    by: Type.String({ description: 'Whom learners are compared with, before they are gathered by team.' }),
    teams: Type.Immutable(
      Type.Array(
        Type.Object(
          {
            team: nullable(Type.String({ description: 'Null for those without a team.' })),
            n: nullable(Type.Integer({ description: 'The learners of the team; null when hidden.' })),
            suppressed: Type.Boolean({ description: 'The whole team is hidden.' }),
            value: Type.Object(teamMean, { title: 'TeamMean', description: 'The team’s mean score.' }),
            components: Type.Immutable(
              Type.Array(
                Type.Object(
                  { id: Type.String({ description: 'The component.' }), ...teamMean },
                  { title: 'TeamComponent', description: 'The mean of a component’s `normalised`.' }
                )
              )
            )
          },
          { title: 'TeamScores', description: 'A row of the heatmap.' }
        ),
        { description: 'By the teams’ names.' }
      )
    ),
    meta: metaSchema
  },
  {
    title: 'TeamScoresAnswer',
    description: 'How the learners of each team stand on average.',
    examples: [teamsExample]
  }
)

const kpiInterval = nullable(
  Type.Object(
    { low: Type.Number(), high: Type.Number(), method: words(['wilson', 't']) },
    { title: 'WeeklyInterval', description: 'The 95 % confidence interval, with learners as the sampling unit.' }
  )
)

/** What a weekly measure says of its source. */
export const kpiSource = {
  ci: kpiInterval,
  n: nullable(Type.Integer({ description: 'How many learners the measure rests on; null when hidden.' })),
  suppressed: Type.Boolean({ description: 'Hidden: too few learners, or it would give such a group away.' })
}

export const CoachingAnswerBody = Type.Object(
  {
    score,
    period,
    weeks: Type.Integer({ description: 'The full weeks of the period that it rests on.' }),
    groups: Type.Immutable(
      Type.Array(
        Type.Object(
          {
            dimensions: Type.Record(Type.String(), nullable(Type.String()), {
              description: 'The values of what the answer is broken down by; null where the roster has none.'
            }),
            value: nullable(Type.Number({ description: '0 to 100.' })),
            nullReason: nullable(words(['low_coverage', 'small_group'], { description: 'Why `value` is null.' })),
            components: Type.Immutable(
              Type.Array(
                Type.Object(
                  {
                    ...weighted,
                    nullReason: normaliseReason,
                    weight: Type.Number({ description: 'As the definition has it.' }),
                    share: Type.Number({ description: 'The weight’s part of all that are present.' }),
                    contribution: nullable(Type.Number({ description: 'What it adds to the value.' })),
                    ...kpiSource
                  },
                  { title: 'CoachingComponent', description: 'One of the five measures.' }
                )
              )
            ),
            coverage,
            compoundSignal: Type.Object(
              {
                reached: nullable(
                  Type.Integer({ description: 'How many reach their minimum; null when none is known.' })
                ),
                of: Type.Integer({ description: 'How many are known.' }),
                metrics: Type.Immutable(Type.Array(Type.String(), { description: 'Which reach it.' }))
              },
              { title: 'CompoundSignal', description: 'How many of the five measures reach their minimum.' }
            ),
            n: nullable(Type.Integer({ description: 'The learners of the group; null when hidden.' })),
            suppressed: Type.Boolean({ description: 'The whole group is hidden.' })
          },
          { title: 'GroupScore', description: 'The coaching index of one group.' }
        ),
        { description: 'One, or one for each group of the breakdown; none where nobody is asked for.' }
      )
    ),
    meta: metaSchema
  },
  { title: 'CoachingAnswer', description: 'How far coaching has come towards success.', examples: [coachingExample] }
)
