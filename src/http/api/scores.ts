import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { answerCoachingIndex } from '../../scores/answer-coaching-index.js'
import { answerPersonScore } from '../../scores/answer-person-score.js'
import { answerScore } from '../../scores/answer-score.js'
import { findDefinitions, standardDefinition } from '../../scores/find-definition.js'
import { coachingScore } from '../../scores/read-coaching-index.js'
import type { LearnerScore, ScoreDescription } from '../../scores/score.js'
import { findLearnerScore, learnerScores, scoreCatalogue } from '../../scores/score-catalogue.js'
import { answerTeamScores } from '../../scores/team-scores.js'
import type { HttpContext } from '../context.js'
import { access } from '../scopes.js'
import { defaultEntries } from './learners-schema.js'
import { askerOf } from './metric-query.js'
import { problemResponses } from './problem-schema.js'
import { requireKnown } from './require-known.js'
import {
  CoachingAnswerBody,
  CoachingQuery,
  PersonScoreAnswerBody,
  PersonScoreParameter,
  PersonScoreQuery,
  ScoreCatalogue,
  ScoreParameter,
  scoreAnswer,
  scoreQuery,
  TeamScoresBody
} from './scores-schema.js'

const tags = ['Scores']
const named =
  'Wants the scope `people/read`; or `line/read` or `self/read`, which see and compare the own line, or oneself, alone.'
const aggregated =
  'Small groups are hidden. Wants the scope `metrics/read`, or `line/read`, which speaks of the own line alone.'

/** The scores: what they are, the learners' own, a group's, and a heatmap of teams. */
export function scoreRoutes(context: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    await app.register(listRoute(context))
    await app.register(coachingRoute(context))
    for (const score of learnerScores) await app.register(learnerRoute(context, score))
    await app.register(personRoute(context))
    await app.register(teamRoute(context))
  }
}

function listRoute({ db }: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.get('/scores', {
      schema: {
        operationId: 'listScores',
        tags,
        summary: 'List the scores',
        description:
          'Every score with what it means, what it is made of, and its definition in force. Wants one of the scopes `metrics/read`, `people/read`, `line/read` and `self/read`.',
        response: { 200: ScoreCatalogue, ...problemResponses(401, 403) }
      },
      config: { scopes: access.catalogue.read },
      handler: async ({ principal }) => {
        const changed = await findDefinitions(db, principal.tenantId)
        return {
          scores: scoreCatalogue.map(score => ({
            ...describe(score),
            ...(changed.get(score.id) ?? standardDefinition(score))
          }))
        }
      }
    })
  }
}

function describe({ standard: _, parse: __, definition: meaning, components, ...score }: ScoreDescription) {
  const of = score.id === coachingScore.id ? ('group' as const) : ('learner' as const)
  return { ...score, meaning, components: [...components], of }
}

function coachingRoute(context: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.get(`/scores/${coachingScore.id}`, {
      schema: {
        operationId: 'getCoachingIndex',
        tags,
        summary: coachingScore.name,
        description: `${coachingScore.question}\n\n${coachingScore.definition}\n\n${aggregated}`,
        querystring: CoachingQuery,
        response: { 200: CoachingAnswerBody, ...problemResponses(400, 401, 403, 404) }
      },
      config: { scopes: access.aggregates.read },
      handler: async ({ query, principal }) =>
        answerCoachingIndex(context.db, query, askerOf(context, principal, 'aggregates'))
    })
  }
}

function learnerRoute(context: HttpContext, score: LearnerScore): FastifyPluginAsyncTypebox {
  return async app => {
    app.get(`/scores/${score.id}`, {
      schema: {
        operationId: `get${score.id.replace(/(?:^|-)([a-z])/g, (_match, letter: string) => letter.toUpperCase())}`,
        tags,
        summary: score.name,
        description: `${score.question}\n\n${score.definition}\n\n${named}`,
        querystring: scoreQuery(score.comparedBy),
        response: { 200: scoreAnswer(score), ...problemResponses(400, 401, 403, 404) }
      },
      config: { scopes: access.names.read },
      handler: async ({ query, principal }) =>
        answerScore(
          context.db,
          score,
          { ...query, limit: query.limit ?? defaultEntries },
          askerOf(context, principal, 'names')
        )
    })
  }
}

function personRoute(context: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.get('/scores/:scoreId/people/:personId', {
      schema: {
        operationId: 'getPersonScore',
        tags,
        summary: 'One learner’s score, now and in the last 12 weeks',
        description: `As of the end of the window and of each of the 11 weeks before it, each time among those who were compared then. ${named}`,
        params: PersonScoreParameter,
        querystring: PersonScoreQuery,
        response: { 200: PersonScoreAnswerBody, ...problemResponses(400, 401, 403, 404) }
      },
      config: { scopes: access.names.read },
      handler: async ({ params: { scoreId, personId }, query, principal }) => {
        const score = findLearnerScore(scoreId)
        await requireKnown(context, principal, personId)
        return answerPersonScore(context.db, score, { ...query, personId }, askerOf(context, principal, 'names'))
      }
    })
  }
}

function teamRoute(context: HttpContext): FastifyPluginAsyncTypebox {
  return async app => {
    app.get('/scores/:scoreId/teams', {
      schema: {
        operationId: 'getTeamScores',
        tags,
        summary: 'How the learners of each team stand, as a heatmap',
        description: `Team by component: the mean of what the learners of the team have on the scale on which they are compared. ${aggregated}`,
        params: ScoreParameter,
        querystring: PersonScoreQuery,
        response: { 200: TeamScoresBody, ...problemResponses(400, 401, 403, 404) }
      },
      config: { scopes: access.aggregates.read },
      handler: async ({ params, query, principal }) =>
        answerTeamScores(context.db, findLearnerScore(params.scoreId), query, askerOf(context, principal, 'aggregates'))
    })
  }
}
