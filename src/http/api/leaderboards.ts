import type { FastifyPluginAsyncTypebox } from '@fastify/type-provider-typebox'
import { forumInfluence } from '../../metrics/forum-influence.js'
import { findLeaderboard } from '../../metrics/leaderboard.js'
import { toMeta } from '../../metrics/meta.js'
import { resolveQuery, toRequest } from '../../metrics/resolve-query.js'
import { findLeaderboardOptOut, putLeaderboardOptOut } from '../../people/leaderboard-opt-out.js'
import type { HttpContext, Principal } from '../context.js'
import { access } from '../scopes.js'
import {
  defaultPlaces,
  getOptOutSchema,
  leaderboardNames,
  leaderboardSchema,
  putOptOutSchema
} from './leaderboards-schema.js'
import { askerOf, toMetricQuery } from './metric-query.js'

/** Leaderboards, and who is not to be named in them. */
export function leaderboardRoutes(context: HttpContext): FastifyPluginAsyncTypebox {
  const { db } = context
  return async app => {
    app.get('/leaderboards/forum-influence', {
      schema: leaderboardSchema,
      config: { scopes: access.people.read },
      handler: async ({ query: { limit = defaultPlaces, ...query }, principal }) => {
        const metric = forumInfluence
        const asked = toMetricQuery(metric, query, leaderboardNames)
        const resolved = await resolveQuery(db, metric, asked, askerOf(context, principal, 'names'))
        const { standings, omitted, snapshot } = await findLeaderboard(db, metric, toRequest(resolved), limit)
        return {
          metric: metric.id,
          period: { from: resolved.window.from, to: resolved.window.to },
          learners: standings.map(({ x, y, ...standing }) => ({ ...standing, people: x, others: y })),
          omitted,
          meta: { ...toMeta(metric, resolved, { snapshot, cells: [] }), nextCursor: null }
        }
      }
    })
    app.get('/people/:personId/leaderboard-opt-out', {
      schema: getOptOutSchema,
      config: { scopes: access.people.read },
      handler: async request => ({ optOut: await findLeaderboardOptOut(db, personOf(request)) })
    })
    app.put('/people/:personId/leaderboard-opt-out', {
      schema: putOptOutSchema,
      config: { scopes: access.people.write },
      handler: async request => {
        const { optOut } = request.body
        await putLeaderboardOptOut(db, personOf(request), optOut)
        return { optOut }
      }
    })
  }
}

function personOf({
  principal,
  params
}: {
  readonly principal: Principal
  readonly params: { readonly personId: string }
}) {
  return { tenantId: principal.tenantId, personId: params.personId }
}
