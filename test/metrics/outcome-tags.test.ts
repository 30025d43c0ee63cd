import fc from 'fast-check'
import { type Kysely, sql } from 'kysely'
import t from 'tap'
import type { Database } from '../../src/database/schema.js'
import { answerMetric } from '../../src/metrics/answer.js'
import { outcomeTags } from '../../src/metrics/outcome-tags.js'
import { testDatabase } from '../support/database.js'
import { agree, type Stage } from './agreement.js'
import {
  type Deed,
  type EventWorld,
  eventStage,
  fivefold,
  iriOf,
  liveDeeds,
  rootOf,
  seedEventWorld
} from './event-world.js'
import type { Person } from './world.js'

const { db } = await testDatabase(t)

const asker = { timeZone: 'UTC', minGroupSize: 5, within: null, asOf: new Date('2026-03-30T10:00:00Z') }
const week = { from: '2026-03-02', to: '2026-03-09' }

const learner: Person = { known: true, roster: [{ from: null, to: null, cohorts: [] }], days: [] }
const people = Array.from({ length: 4 }, () => learner)

interface TaggedDeed extends Deed {
  readonly tags?: readonly string[] | null
}

interface TaggedWorld extends EventWorld {
  readonly deeds: readonly TaggedDeed[]
}

async function seedTagged(db: Kysely<Database>, world: TaggedWorld): Promise<number> {
  const tenantId = await seedEventWorld(db, world)
  const tags = world.deeds.map(({ tags }) => (tags ? JSON.stringify(tags) : null))
  await sql`
    update learning_event
    set outcome_tags = array(select jsonb_array_elements_text(given.tags))
    from unnest(${tags}::jsonb[]) with ordinality as given(tags, seq)
    where tenant_id = ${tenantId} and statement_seq = seq and given.tags is not null`.execute(db)
  return tenantId
}

const task = (by: number, module: number, day: number, tags: readonly string[] | null, more: Partial<Deed> = {}) => ({
  ...{ kind: 'completed-task' as const, by, module, activity: module, day, tags },
  ...more
})
const about = (kind: 'peer-feedback' | 'manager-check', about: number, day: number, tags: readonly string[]) => ({
  ...{ kind, by: 3, about, module: null, activity: null, day, tags }
})

/** The example of docs/reference/metrics/outcome-tags.md. */
const deeds: readonly TaggedDeed[] = [
  ...[task(0, 0, 0, ['needs-practice']), task(0, 0, 2, ['confident', 'quick', 'quick']), task(0, 0, 3, null)],
  ...[task(0, 1, 1, ['needs-practice']), task(0, 1, 7, ['confident'])],
  ...[task(1, 0, 3, ['confident']), task(1, 0, 3, ['needs-practice']), task(1, 1, 4, ['confident'])],
  ...[about('manager-check', 2, 2, ['needs-practice']), about('peer-feedback', 2, 1, ['confident'])]
]

const ask = async (tenantId: number, query: object = {}) => {
  const { results } = await answerMetric(db, outcomeTags, { ...week, ...query }, { ...asker, tenantId })
  return results[0]
}

t.test('the worked example: 10 of 20 modules are tagged confident in the end', async t => {
  const tenantId = await seedTagged(db, fivefold({ people, deeds }))
  for (const consistency of ['eventual', 'strong']) {
    t.match(await ask(tenantId, { consistency }), { value: 0.5, numerator: 10, denominator: 20, n: 10 })
  }
  t.same((await ask(tenantId))?.details, {
    tags: [
      { tag: 'confident', pairs: 10, share: 0.5 },
      { tag: 'needs-practice', pairs: 10, share: 0.5 },
      { tag: 'quick', pairs: 5, share: 0.25 }
    ]
  })
  t.match(await ask(tenantId, { options: { tag: 'needs-practice', by: 'others' } }), {
    ...{ value: 1, numerator: 5, denominator: 5, n: 5 },
    details: { tags: [{ tag: 'needs-practice', pairs: 5, share: 1 }] }
  })
  t.match(await ask(tenantId, { module: iriOf(1) }), { value: 0.5, denominator: 10 })
})

t.test('without a tag there is no value, and not 0', async t => {
  const none = [task(0, 0, 0, null), task(1, 0, 0, []), task(2, 0, 0, ['confident'], { voided: true })]
  const tenantId = await seedTagged(db, fivefold({ people, deeds: none }))
  t.match(await ask(tenantId), { value: null, denominator: 0, details: null, nullReason: 'empty_denominator' })
})

/** The position of the person whom a deed's tags are of; null when it has none that count. */
function whoseTags({ kind, by: doer, about, tags }: TaggedDeed, by: 'self' | 'others'): number | null {
  if (!tags?.length || kind === 'delivered') return null
  const isAbout = kind === 'peer-feedback' || kind === 'manager-check'
  if (isAbout !== (by === 'others')) return null
  return isAbout ? (about ?? null) : doer
}

t.test('any world: the same numbers as counting one learner after another', async () => {
  const { worlds } = eventStage('completed-task', 'posted', 'peer-feedback', 'manager-check', 'delivered')
  const tags = fc.option(fc.subarray(['confident', 'needs-practice', 'other']), { freq: 6 })
  const stage: Stage<TaggedWorld> = {
    worlds: fc
      .record({ world: worlds, tags: fc.array(tags, { minLength: 60, maxLength: 60 }) })
      .map(({ world, tags }) => ({
        ...world,
        deeds: world.deeds.map((deed, at) => ({ ...deed, tags: tags[at] ?? null }))
      })),
    sources: ['rollup', 'events'],
    seed: seedTagged
  }
  const options = fc.record({
    tag: fc.constantFrom('confident' as const, 'needs-practice' as const),
    by: fc.constantFrom('self' as const, 'others' as const)
  })
  await agree(db, outcomeTags, {
    stage,
    options,
    share: ({ at, countedDays }, { today }, { tag, by }, world) => {
      const last = new Map<number, { instant: number; tags: readonly string[] }>()
      for (const deed of liveDeeds(world, today) as readonly TaggedDeed[]) {
        const whose = whoseTags(deed, by)
        if (whose === null || rootOf(world, whose) !== at || !countedDays.includes(deed.day)) continue
        const instant = deed.day * 1440 + (deed.minute ?? 0)
        const module = deed.module ?? -1
        // In the order in which they were stored.
        if (instant >= (last.get(module)?.instant ?? instant)) last.set(module, { instant, tags: deed.tags ?? [] })
      }
      return { x: [...last.values()].filter(({ tags }) => tags.includes(tag)).length, y: last.size }
    }
  })
})
