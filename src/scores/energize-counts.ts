import { type Kysely, sql } from 'kysely'
import type { Database } from '../database/schema.js'
import { isActiveDay } from '../metrics/activity.js'
import type { Counted } from '../metrics/answer-memory.js'
import type { Snapshot } from '../metrics/measurement.js'
import type { Counting } from '../metrics/metric.js'
import { recall } from '../metrics/recall.js'
import { type SharesRequest, shares } from '../metrics/shares.js'
import { readSnapshot, type SnapshotRow, snapshotColumns } from '../metrics/snapshot.js'
import type { EnergizeCounts } from './energize-score.js'
import type { Learner } from './learner-metrics.js'

/** A learner of one period, with what is counted of them. */
export interface CountedLearner extends Learner {
  /** Position of the period, from 0. */
  readonly period: number
  readonly counts: EnergizeCounts
}

/**
 * What the energize score counts. A learner hired within the period has no eight weeks to be judged by: their weeks and
 * their trend are not known. A claim counts once the 7 days after it lie in the period, so that an answer about a past
 * period never changes by what came after it.
 */
const counting: Counting = {
  deeds: sql`
    select person_id, day, reward_claimed, posted + replied + endorsed + peer_feedback > 0 as is_community,
      lead(day) over (partition by person_id order by day) as next_day
    from population_day where ${isActiveDay}`,
  perLearner: [
    sql`count(distinct (day - starts) / 7) as weeks`,
    sql`count(*) filter (where day >= ends - 28) as recent`,
    sql`count(*) filter (where day < ends - 28) as earlier`,
    sql`sum(reward_claimed) filter (where day + 7 < ends) as claims`,
    sql`sum(reward_claimed) filter (where day + 7 < ends and next_day <= day + 7) as returned`,
    sql`count(*) filter (where is_community) as community`
  ],
  flags: { is_new: sql<boolean>`(roster.hired_on > period.starts) is true` },
  x: sql`coalesce(weeks, 0)`,
  y: sql`1`,
  extra: {
    weeks: sql`case when not is_new then coalesce(weeks, 0) end`,
    recent: sql`case when not is_new then coalesce(recent, 0) end`,
    earlier: sql`case when not is_new then coalesce(earlier, 0) end`,
    claims: sql`coalesce(claims, 0)`,
    returned: sql`coalesce(returned, 0)`,
    community: sql`coalesce(community, 0)`
  }
}

type Row = readonly [
  personId: string,
  name: string | null,
  ordinal: number,
  ...counts: readonly [
    weeks: number | null,
    recent: number | null,
    earlier: number | null,
    claims: number,
    returned: number,
    community: number
  ],
  ...dimensions: string[]
]

/**
 * Counts what the energize score of every learner of P rests on, in one round trip; periods are of 8 weeks. In the order
 * of periods, and of personIds as code points go.
 */
export async function findEnergizeCounts(
  db: Kysely<Database>,
  request: SharesRequest
): Promise<{ readonly learners: readonly CountedLearner[]; readonly snapshot: Snapshot }> {
  const asked = { request, what: 'energize counts' }
  const { value: learners, snapshot } = await recall(db, asked, () => count(db, request))
  return { learners, snapshot }
}

async function count(db: Kysely<Database>, request: SharesRequest): Promise<Counted<readonly CountedLearner[]>> {
  const { tenantId, breakdown } = request
  const values = [
    ...['external_id', 'name', 'ordinal', ...Object.keys(counting.extra ?? {})],
    ...breakdown.map((_dimension, at) => `dimension_${at + 1}`)
  ].map(name => sql.ref(name))
  const { rows } = await sql<SnapshotRow & { readonly learners: readonly Row[] | null }>`
    with recursive ${shares(request, counting)}
    select (
      select json_agg(json_build_array(${sql.join(values)}) order by ordinal, external_id collate "C")
      from share join person on person.tenant_id = ${tenantId} and person.id = share.person_id
    ) as learners, ${snapshotColumns(request)}
    from excluded`.execute(db)
  return {
    value: rows.flatMap(({ learners }) => (learners ?? []).map(toCounted)),
    snapshot: readSnapshot(rows[0] as SnapshotRow)
  }
}

function toCounted([personId, name, ordinal, ...rest]: Row): CountedLearner {
  const [activeWeeks, recentActivity, earlierActivity, claims, claimsReturned, communityDays, ...dimensions] = rest
  return {
    personId,
    name,
    period: ordinal - 1,
    dimensions: dimensions.map(text => text || null),
    counts: { key: personId, activeWeeks, recentActivity, earlierActivity, claims, claimsReturned, communityDays }
  }
}
