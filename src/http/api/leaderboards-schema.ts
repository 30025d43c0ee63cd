import { Type } from 'typebox'
import { forumInfluence } from '../../metrics/forum-influence.js'
import { commonParameters, exampleAnswer, metaSchema, period } from './metrics-schema.js'
import { PersonParameter } from './people-schema.js'
import { problemResponses } from './problem-schema.js'
import { nullable } from './schema.js'

const {
  interval: _interval,
  compare: _compare,
  breakdown: _breakdown,
  minGroupSize: _minGroupSize,
  limit: _limit,
  cursor: _cursor,
  ...shared
} = commonParameters

export const defaultPlaces = 10

/** The names of the parameters of a leaderboard that are the metric's. */
export const leaderboardNames: readonly string[] = Object.keys(shared)

const standing = Type.Object(
  {
    rank: Type.Integer({ description: 'From 1; those who tie share it, and the next ranks are skipped.' }),
    isTied: Type.Boolean({ description: 'Somebody else on the list has the same value.' }),
    personId: Type.String({ description: "The roster's id of the person." }),
    name: nullable(Type.String({ description: 'The name, where the roster has one.' })),
    value: Type.Number({ description: 'people ÷ others.' }),
    people: Type.Integer({ description: 'How many others of the target population replied to or endorsed them.' }),
    others: Type.Integer({ description: 'N − 1: how many others there are, also those who have opted out.' })
  },
  { title: 'Standing', description: 'The place of a learner.' }
)

const LeaderboardAnswer = Type.Object(
  {
    metric: Type.String({ description: 'The id of the metric that learners are ranked by.' }),
    period,
    learners: Type.Immutable(Type.Array(standing, { description: 'By rank, and within one by personId.' })),
    omitted: Type.Integer({ description: 'How many more learners follow after `limit`.' }),
    meta: metaSchema
  },
  {
    title: 'LeaderboardAnswer',
    description: 'Who moves most of the others, without those who opted out.',
    examples: [
      {
        metric: forumInfluence.id,
        period: { from: '2026-03-02', to: '2026-03-09' },
        learners: [
          { rank: 1, isTied: false, personId: '4711', name: 'Ada', value: 0.3, people: 3, others: 10 },
          { rank: 2, isTied: false, personId: '4712', name: null, value: 0.1, people: 1, others: 10 }
        ],
        omitted: 0,
        meta: exampleAnswer(forumInfluence).meta
      }
    ]
  }
)

export const leaderboardSchema = {
  operationId: 'getForumInfluenceLeaderboard',
  tags: ['Metrics'],
  summary: 'Who moves most of the others to answer',
  description:
    'The learners of the target population by the share of the others who replied to them or endorsed them, the highest first; whom nobody answered isn’t listed. Who opted out is not named and has no rank, but counts among the others. Wants the scope `people/read`.',
  querystring: Type.Object(
    {
      ...shared,
      limit: Type.Optional(
        Type.Integer({
          description: `How many learners are listed. Default: ${defaultPlaces}.`,
          minimum: 1,
          maximum: 1000
        })
      )
    },
    { additionalProperties: false }
  ),
  response: { 200: LeaderboardAnswer, ...problemResponses(400, 401, 403) }
}

const OptOut = Type.Object(
  { optOut: Type.Boolean({ description: 'Whether the person is on no leaderboard.' }) },
  { additionalProperties: false, title: 'LeaderboardOptOut', examples: [{ optOut: true }] }
)

const tags = ['people']

export const getOptOutSchema = {
  operationId: 'getLeaderboardOptOut',
  tags,
  summary: 'Whether a person has opted out of leaderboards',
  description:
    'What was put for the person themself; on leaderboards it holds also where somebody merged into them has opted out. Wants the scope `people/read`.',
  params: PersonParameter,
  response: { 200: OptOut, ...problemResponses(400, 401, 403, 404) }
}

export const putOptOutSchema = {
  operationId: 'putLeaderboardOptOut',
  tags,
  summary: 'Take a person off every leaderboard, or put them on again',
  description:
    'It is the person’s and not the roster’s: no sync and no correction of the history changes it, and it goes when the person is erased. Wants the scope `people/write`.',
  params: PersonParameter,
  body: OptOut,
  response: { 200: OptOut, ...problemResponses(400, 401, 403, 404, 413) }
}
