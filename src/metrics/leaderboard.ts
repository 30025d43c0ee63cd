import { type Kysely, type RawBuilder, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import type { Snapshot } from './measurement.js'
import type { MeasureRequest, Metric, MetricOptions } from './metric.js'
import { shares } from './shares.js'
import { readSnapshot, type SnapshotRow, snapshotColumns } from './snapshot.js'

/** A learner's place. */
export interface Standing {
  /** From 1, the highest value first; those of the same value share it, and the next ranks are skipped. */
  readonly rank: number
  readonly isTied: boolean
  readonly personId: string
  readonly name: string | null
  /** The learner's own x, y and x ÷ y. */
  readonly x: number
  readonly y: number
  readonly value: number
}

/** Who stands where, and the moment at which it was counted. */
export interface Leaderboard {
  readonly standings: readonly Standing[]
  /** How many learners follow after these. */
  readonly omitted: number
  readonly snapshot: Snapshot
}

/**
 * Ranks the learners of P by their own value of a metric in the only period of the request; who has none, or 0, isn't
 * listed. Who has opted out is not named and has no rank, so that no gap gives them away, but counts in P like everybody
 * else: also when somebody merged into them has.
 *
 * @param limit how many are listed at most.
 */
export async function findLeaderboard<Options extends MetricOptions>(
  db: Kysely<Database>,
  metric: Metric<Options>,
  request: MeasureRequest<Options>,
  limit: number
): Promise<Leaderboard> {
  const { rows } = await sql<SnapshotRow & { readonly standings: readonly Standing[] | null; readonly listed: number }>`
    with recursive ${shares(request, metric.counting(request))},
    standing as (
      select rank() over (order by share.x::numeric / share.y desc) as rank,
        count(*) over (partition by share.x::numeric / share.y) > 1 as is_tied,
        person.external_id, person.name, share.x::float8, share.y::float8
      from share
      join person on person.tenant_id = ${request.tenantId} and person.id = share.person_id
      where share.x > 0 and share.y > 0 and not ${hasOptedOut(request.tenantId)}
    )
    select (
      select json_agg(json_build_object('rank', rank, 'isTied', is_tied, 'personId', external_id, 'name', name,
        'x', x, 'y', y, 'value', x / y) order by rank, external_id collate "C")
      from (select * from standing order by rank, external_id collate "C" limit ${limit}) as first
    ) as standings, (select count(*) from standing)::integer as listed, ${snapshotColumns(request)}
    from excluded`.execute(db)
  const [row] = rows as [(typeof rows)[number]]
  const standings = row.standings ?? []
  return { standings, omitted: row.listed - standings.length, snapshot: readSnapshot(row) }
}

/** SQL over `person`: that they, or somebody merged into them, have opted out. */
function hasOptedOut(tenantId: number): RawBuilder<boolean> {
  return sql<boolean>`(person.leaderboard_opt_out or exists (
    select from person as merged
    where merged.tenant_id = ${tenantId} and merged.merged_into = person.id and merged.leaderboard_opt_out))`
}
