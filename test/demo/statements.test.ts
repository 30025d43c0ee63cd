import t from 'tap'
import { makeLearners } from '../../demo/learners.js'
import { makeStatements, vocabulary, voidedVerb } from '../../demo/statements.js'

const pilot = { seed: 7, lastDay: '2026-04-12', zone: 'Europe/Berlin' }
const learners = makeLearners()
const { punctual, late, voids } = makeStatements(pilot, learners)
const sent = [...punctual, ...late]

t.test('the same seed, last day and zone give the same statements; another seed gives others', async t => {
  t.strictSame(makeStatements(pilot, makeLearners()), { punctual, late, voids })
  const other = makeStatements({ ...pilot, seed: 8 }, learners)
  t.not(other.punctual.length, punctual.length)
  t.notOk(other.punctual.some(({ id }) => id === punctual[0]?.id))
})

t.test('the pilot has 200 learners, 10,000 to 20,000 statements, and 1 to 2 % of them are voided', async t => {
  t.equal(learners.length, 200)
  t.equal(new Set(learners.map(learner => learner.habit.cohort)).size, 4)
  t.ok(sent.length >= 10_000 && sent.length <= 20_000, `${sent.length} statements`)
  t.ok(voids.length / sent.length > 0.01 && voids.length / sent.length < 0.02, `${voids.length} voided`)
  t.ok(late.length > 100, `${late.length} late`)
  for (const kind of [
    'delivered',
    'opened',
    'completed-task',
    'repeated-session',
    'peer-feedback',
    'manager-check',
    'started',
    'assessed',
    'completed',
    'posted'
  ]) {
    t.ok(sent.filter(({ verb }) => verb.id === `${vocabulary}verbs/${kind}`).length > 100, kind)
  }
})

t.test('every void names a statement that is sent before it, each once', async t => {
  const ids = new Set(sent.map(({ id }) => id))
  const targets = voids.map(({ object }) =>
    'objectType' in object && object.objectType === 'StatementRef' ? object.id : ''
  )
  t.ok(voids.every(({ verb }) => verb.id === voidedVerb))
  t.equal(new Set(targets).size, targets.length)
  t.ok(targets.every(target => ids.has(target)))
})

t.test('punctual statements come by timestamp and late ones do not', async t => {
  const isOrdered = (list: typeof sent) =>
    list.every(
      (statement, index) =>
        Date.parse(list[index - 1]?.timestamp ?? statement.timestamp) <= Date.parse(statement.timestamp)
    )
  t.ok(isOrdered([...punctual]))
  t.notOk(isOrdered([...late]))
})

t.test('every statement lies in the eight weeks, has its own UUID, and looks valid', async t => {
  const all = [...sent, ...voids]
  const uuid = /^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
  t.equal(new Set(all.map(({ id }) => id)).size, all.length)
  const wrong = all.filter(statement => {
    const day = statement.timestamp.slice(0, 10)
    return (
      !uuid.test(statement.id) ||
      Number.isNaN(Date.parse(statement.timestamp)) ||
      day < '2026-02-15' ||
      day > '2026-04-13'
    )
  })
  t.strictSame(wrong, [])
  t.ok(sent.every(({ timestamp }) => timestamp.slice(0, 10) >= '2026-02-16' && timestamp.slice(0, 10) <= '2026-04-12'))
})

t.test('feedback and checks are about an Agent, with the module as parent; the rest is about the module', async t => {
  const wrong = sent.filter(({ verb, object, actor, context }) => {
    const isAbout = 'account' in object
    const ofPeople = verb.id.endsWith('/peer-feedback') || verb.id.endsWith('/manager-check')
    if (!ofPeople) return isAbout || !('id' in object) || context?.contextActivities?.parent !== undefined
    return (
      !isAbout ||
      !('account' in actor) ||
      object.account?.name === actor.account?.name ||
      context?.contextActivities?.parent?.length !== 1
    )
  })
  t.strictSame(wrong.slice(0, 3), [])
})

t.test('micro-lessons go out on Mondays and Thursdays at nine, and weekends are quiet', async t => {
  const delivered = sent.filter(({ verb }) => verb.id.endsWith('/delivered'))
  t.equal(delivered.length, 200 * 16)
  t.ok(delivered.every(({ timestamp }) => [1, 4].includes(weekday(timestamp)) && timestamp.slice(11, 16) === '09:00'))
  const opened = sent.filter(({ verb }) => verb.id.endsWith('/opened'))
  const weekend = opened.filter(({ timestamp }) => weekday(timestamp) % 6 === 0).length / 2
  t.ok(weekend < (0.5 * (opened.length - 2 * weekend)) / 5, `${weekend} opened on such a day of the week`)
})

/** The weekday of a timestamp's own local day, 0 for Sunday. */
function weekday(timestamp: string): number {
  return new Date(`${timestamp.slice(0, 10)}T12:00:00Z`).getUTCDay()
}
