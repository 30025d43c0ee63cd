import { type RawBuilder, sql } from 'kysely'
import { deedKinds } from '../events/deed-kinds.js'
import { eventDeeds } from './event-deeds.js'
import type { Counting, Evidence, MeasureRequest, Metric } from './metric.js'

interface OutcomeTagsOptions extends Record<string, string | number> {
  readonly tag: 'confident' | 'needs-practice'
  readonly by: 'self' | 'others'
}

const aboutOthers = ['peer-feedback', 'manager-check'] as const

/**
 * The share of each outcome tag.
 *
 * What is counted is distinct learner and module (no module is one more) with tags in the period: of each, the tags of the last event that has
 * any, by its timestamp, and of two at one instant by the one stored later. Tags are those of what the learner did
 * (`self`), or of the peer feedback and manager checks that others gave them (`others`). Denominator: these pairs.
 * Numerator: those with the `tag`. Details: `tags`, a list of every `tag` that occurs with its `pairs` and its `share` of
 * the denominator, the most frequent first; an event may have several tags, so the shares may add up to more than 1.
 * With `at_event` only events on days on which the learner belongs to P are looked at. Window: each period, in whole
 * local days of the query's time zone. Null: `empty_denominator` when nobody in P has a tag.
 */
export const outcomeTags: Metric<OutcomeTagsOptions> = {
  id: 'outcome-tags',
  name: 'Outcome tags',
  question: 'How did it go, in the words of those who were there?',
  definition:
    'Distinct learners and modules whose last outcome tags in the period include the tag ÷ distinct learners and modules with outcome tags in it.',
  unit: 'proportion',
  calculation: 'ratio',
  indicator: 'leading',
  thresholds: null,
  definitionVersion: 1,
  options: {
    tag: {
      description: 'Whose share is the value; `details.tags` has the shares of all.',
      values: ['confident', 'needs-practice'],
      default: 'confident'
    },
    by: {
      description:
        'Tags of what the learner did (`self`), or of peer feedback and manager checks about them (`others`).',
      values: ['self', 'others'],
      default: 'self'
    }
  },
  lagDays: () => 0,
  counting,
  evidence
}

function evidence({ by }: OutcomeTagsOptions): Evidence {
  return by === 'others'
    ? { kinds: aboutOthers, side: 'subject' }
    : { kinds: deedKinds.filter(kind => !aboutOthers.some(other => other === kind)), side: 'doer' }
}

function counting(request: MeasureRequest<OutcomeTagsOptions>): Counting {
  const { tag } = request.options
  return {
    deeds: eventDeeds(request, {
      ...evidence(request.options),
      columns: [
        sql`coalesce(event.module_id, 0) as module_id`,
        sql`to_jsonb(event.outcome_tags) as tags`,
        sql`event."timestamp" as happened`,
        sql`event.statement_seq`
      ],
      where: sql`event.outcome_tags <> '{}'`
    }),
    // Of equal keys an object keeps the last value.
    perLearner: [sql`jsonb_object_agg(module_id, tags order by happened, statement_seq) as last_tags`],
    x: sql`(select count(*) from jsonb_each(last_tags) as pair where pair.value ? ${tag})`,
    y: sql`(select count(*) from jsonb_object_keys(last_tags))`,
    extra: { last_tags: sql`last_tags` },
    details: { tags: sharesOfTags }
  }
}

/** Over all learners of a cell: the innermost aggregate is the cell's, the others are over what it gives. */
const sharesOfTags: RawBuilder<unknown> = sql`(
  select json_agg(json_build_object('tag', tag, 'pairs', pairs, 'share', pairs::float8 / total)
    order by pairs desc, tag collate "C")
  from (
    select tag, count(*) as pairs, total
    from (
      select pair.value, count(*) over () as total
      from jsonb_array_elements(jsonb_agg(last_tags) filter (where last_tags is not null)) as learner(last_tags)
      cross join jsonb_each(learner.last_tags) as pair
    ) as pair
    cross join lateral (select distinct jsonb_array_elements_text(pair.value) as tag) as tagged
    group by tag, total
  ) as shares)`
