import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import type { Meta } from '../metrics/cell.js'
import { type Guard, guardFor } from '../metrics/disclosure/guard.js'
import { keyOf } from '../metrics/disclosure/partition.js'
import { toMeta } from '../metrics/meta.js'
import type { MetricAsker } from '../metrics/resolve-query.js'
import { hiddenParts } from '../metrics/suppression.js'
import { type ComparedBy, type LearnerScoreQuery, readScores } from './answer-score.js'
import type { LearnerScore, ScoredLearner, ScoreWindow } from './score.js'
import { meanOf } from './values.js'

/** The mean over the learners of a team who have a value. */
export interface TeamMean {
  /** Of what is true or false, the share of true. Null when hidden, or when nobody has a value. */
  readonly mean: number | null
  /** How many learners it rests on; null when hidden. */
  readonly n: number | null
  readonly suppressed: boolean
}

/** One row of the heatmap. */
export interface TeamScores {
  /** Null for those without a team. */
  readonly team: string | null
  /** The learners of P; null when hidden. */
  readonly n: number | null
  readonly suppressed: boolean
  readonly value: TeamMean
  /** The means of the components' `normalised`. */
  readonly components: readonly (TeamMean & { readonly id: string })[]
}

export interface TeamScoresAnswer {
  readonly score: string
  readonly period: ScoreWindow
  readonly by: ComparedBy
  readonly teams: readonly TeamScores[]
  readonly meta: Meta
}

/**
 * Answers a query for the heatmap of teams: how the learners of each team stand on average, score and components. The
 * learners are compared as `by` says, and then gathered by team.
 *
 * @throws {LrsError} `invalid-parameter` as for a metric; `not-found` for a version of the definition that there is not
 */
export async function answerTeamScores(
  db: Kysely<Database>,
  score: LearnerScore,
  query: LearnerScoreQuery,
  asker: MetricAsker
): Promise<TeamScoresAnswer> {
  const asking = { query, asker, alsoBy: 'team' } as const
  const read = await readScores(db, score, asking, ({ window }) => [window])
  const { by, resolved, definition, windows, snapshot } = read
  // The team is the last thing that learners are told apart by.
  const at = resolved.breakdown.length - 1
  const guard = await guardFor(db, { ...resolved, breakdown: ['team'] })
  return {
    score: score.id,
    period: { from: resolved.window.from, to: resolved.window.to },
    by,
    teams: toTeams(windows[0] ?? [], { ids: score.components, at, minGroupSize: resolved.minGroupSize, guard }),
    meta: {
      ...toMeta({ id: score.id, definitionVersion: definition.version }, resolved, { snapshot, cells: [] }),
      nextCursor: null
    }
  }
}

interface Frame {
  readonly ids: readonly string[]
  /** The position of the team among the dimensions. */
  readonly at: number
  readonly minGroupSize: number
  readonly guard: Guard | null
}

interface Team {
  readonly name: string
  readonly learners: ScoredLearner[]
}

/** Each column is a whole of which teams are parts: what is hidden in it can't be had by taking the others from it. */
function toTeams(learners: readonly ScoredLearner[], { ids, at, ...hiding }: Frame): readonly TeamScores[] {
  const byName = new Map<string, Team>()
  for (const learner of learners) {
    const name = learner.dimensions[at] ?? ''
    const team = byName.get(name) ?? { name, learners: [] }
    byName.set(name, team)
    team.learners.push(learner)
  }
  const teams = [...byName.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
  const hidden = hiddenTeams(teams, team => sizeOf(team.learners), hiding)
  const column = (numberOf: (learner: ScoredLearner) => number | null) => {
    const valued = new Map(teams.map(team => [team, team.learners.filter(learner => numberOf(learner) !== null)]))
    const hiddenHere = hiddenTeams(teams, team => sizeOf(valued.get(team) ?? []), hiding)
    return (team: Team): TeamMean => {
      if (hidden.has(team) || hiddenHere.has(team)) return { mean: null, n: null, suppressed: true }
      const learners = valued.get(team) ?? []
      const values = Float64Array.from(learners.flatMap(learner => numberOf(learner) ?? [])).sort()
      return { mean: meanOf(values), n: sizeOf(learners), suppressed: false }
    }
  }
  const value = column(learner => (learner.value === null ? null : Number(learner.value)))
  const columns = ids.map(id => ({
    id,
    of: column(({ components }) => components.find(component => component.id === id)?.normalised ?? null)
  }))
  return teams.map(team => ({
    team: team.name || null,
    n: hidden.has(team) ? null : sizeOf(team.learners),
    suppressed: hidden.has(team),
    value: value(team),
    components: columns.map(({ id, of }) => ({ id, ...of(team) }))
  }))
}

function hiddenTeams(
  teams: readonly Team[],
  sizeOf: (team: Team) => number,
  { minGroupSize, guard }: Pick<Frame, 'minGroupSize' | 'guard'>
): ReadonlySet<Team> {
  if (guard === null) return hiddenParts(teams, sizeOf, minGroupSize)
  const parts = teams.map(team => ({ team, n: sizeOf(team), key: keyOf([team.name || null]) }))
  return new Set([...guard.hide(0, parts)].map(({ team }) => team))
}

/** How many people they are: who changed groups within the window has a score in each. */
function sizeOf(learners: readonly ScoredLearner[]): number {
  return new Set(learners.map(({ personId }) => personId)).size
}
