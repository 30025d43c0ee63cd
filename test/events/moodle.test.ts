import { readFile } from 'node:fs/promises'
import { sql } from 'kysely'
import t from 'tap'
import { defaultRules } from '../../src/events/default-mapping.js'
import { learningEventKinds, type MappingRule } from '../../src/events/mapping-rule.js'
import { testApp } from '../support/app.js'

const app = await testApp(t)

interface EventRow {
  readonly kind: string
  readonly module: string
  readonly score: string | null
  readonly ms: number | null
  readonly success: boolean | null
}

/** Posts statements in one batch and reads the event that was written for each. */
async function eventsOf(statements: readonly object[]): Promise<readonly (EventRow | undefined)[]> {
  const response = await app.post(statements)
  if (response.statusCode !== 200) throw new Error(response.body)
  const { rows } = await sql<EventRow & { id: string }>`
    select statement_id as id, kind, module.iri as module, score_scaled as score, duration_ms as ms, success
    from learning_event as event join activity as module on module.id = event.module_id`.execute(app.db)
  return response.json<string[]>().map(id => rows.find(row => row.id === id))
}

const learner = { name: 'Ada', account: { homePage: 'https://moodle.example', name: '7' } }
const teacher = { name: 'Grace', account: { homePage: 'https://moodle.example', name: '8' } }
const edlm = 'https://xapi.edlm/profiles/edlm-lms/concepts/activity-types/'
const activity = (path: string, type: string) => ({
  id: `https://moodle.example/${path}`,
  definition: { name: { en: path }, ...(type === '' ? {} : { type }) }
})
const course = activity('course/view.php?id=2', 'https://w3id.org/xapi/cmi5/activitytype/course')
const section = activity('course/section.php?id=3', 'http://id.tincanapi.com/activitytype/section')

/** The context in which the plug-in puts a statement: the site as a category, the course above all. */
const within = (...parent: object[]) => ({
  platform: 'Moodle',
  language: 'en',
  contextActivities: {
    parent,
    category: [activity('', 'http://id.tincanapi.com/activitytype/source')]
  }
})

/** The rows of the page's tables: the words set as code in each cell. */
async function rowsOfPage(): Promise<readonly (readonly (readonly string[])[])[]> {
  const text = await readFile('docs/reference/moodle-events.md', 'utf8')
  const rows = text.split('\n').filter(line => /^\| .*`https?:/.test(line))
  return rows.map(row =>
    row
      .slice(2, -2)
      .split(' | ')
      .map(cell => [...cell.matchAll(/`([^`]+)`/g)].map(([, word = '']) => word))
  )
}

const rows = await rowsOfPage()

t.test('each statement that Moodle sends stands for the kind in the table, or for none', async t => {
  const statements = rows.map(([, [verb = ''] = [], [type = ''] = []], index) => ({
    actor: learner,
    verb: { id: verb },
    object: activity(`mod/view.php?id=${index}`, type),
    context: within(section, course)
  }))
  const events = await eventsOf(statements)
  for (const [index, [names = [], [verb] = [], [type] = [], [kind] = []]] of rows.entries()) {
    const expected = learningEventKinds.find(known => known === kind)
    t.equal(events[index]?.kind, expected, `${names.join()}: ${verb} ${type ?? 'without a type'}`)
  }
  const mapped = events.filter(event => event !== undefined)
  t.equal(mapped.length, 64)
  t.equal(rows.length - mapped.length, 57)
  t.equal(new Set(rows.flatMap(([names = []]) => names)).size, 134, 'every event that the plug-in’s tests have')
})

t.test('a row says why its statements stand for nothing', async t => {
  const text = await readFile('docs/reference/moodle-events.md', 'utf8')
  const [, nothing = ''] = text.split('## What maps to nothing')
  const reasons = [...nothing.matchAll(/^\| `.+ \| (.+) \|$/gm)].map(([, reason = '']) => reason)
  t.equal(reasons.length, 57)
  t.same(
    reasons.filter(reason => reason.length < 9),
    []
  )
})

t.test('a quiz, an assignment, a forum and a course, as Moodle tells of them, give their events', async t => {
  const quiz = activity('mod/quiz/view.php?id=4', 'http://adlnet.gov/expapi/activities/assessment')
  const attempt = activity('mod/quiz/attempt.php?attempt=5', 'http://adlnet.gov/expapi/activities/attempt')
  const question = activity('question/question.php?id=6', 'http://adlnet.gov/expapi/activities/cmi.interaction')
  const assignment = activity('mod/assign/view.php?id=9', `${edlm}assignment`)
  const submission = activity('mod/assign/submission?id=1', `${edlm}submission`)
  const forum = activity('mod/forum/view.php?id=10', `${edlm}forum`)
  const discussion = activity('mod/forum/discuss.php?d=1', 'http://id.tincanapi.com/activitytype/discussion')
  const reply = activity('mod/forum/discuss.php?d=1#p2', 'http://id.tincanapi.com/activitytype/forum-reply')
  const score = { raw: 5, min: 0, max: 10, scaled: 0.5 }
  const table: [verb: string, object: object, context: object, result: object | undefined, expected: object | null][] =
    [
      ['http://id.tincanapi.com/verb/viewed', course, within(), undefined, { kind: 'visited', module: course.id }],
      ['http://id.tincanapi.com/verb/viewed', quiz, within(section, course), undefined, { kind: 'opened' }],
      [
        'http://activitystrea.ms/schema/1.0/start',
        attempt,
        within(quiz, section, course),
        undefined,
        { kind: 'started' }
      ],
      [
        'http://adlnet.gov/expapi/verbs/answered',
        question,
        within(attempt, quiz, section, course),
        { response: '42', completion: true, success: true },
        { kind: 'assessed', score: null, success: true, module: attempt.id }
      ],
      [
        'http://adlnet.gov/expapi/verbs/completed',
        attempt,
        within(quiz, section, course),
        { score, completion: true, success: false, duration: 'PT2M' },
        { kind: 'assessed', score: '0.5', success: false, ms: 120_000, module: quiz.id }
      ],
      [
        'http://adlnet.gov/expapi/verbs/completed',
        quiz,
        within(section, course),
        { completion: true },
        { kind: 'completed', module: section.id }
      ],
      [
        'http://activitystrea.ms/schema/1.0/submit',
        submission,
        within(assignment, section, course),
        undefined,
        { kind: 'completed-task', module: assignment.id }
      ],
      [
        'https://w3id.org/xapi/tla/verbs/scored',
        submission,
        { ...within(assignment, section, course), instructor: teacher },
        { score, success: true, response: 'Well done' },
        { kind: 'assessed', score: '0.5', module: assignment.id }
      ],
      ['http://activitystrea.ms/create', discussion, within(forum, section, course), undefined, { kind: 'posted' }],
      [
        'http://id.tincanapi.com/verb/replied',
        reply,
        within(discussion, forum, section, course),
        undefined,
        { kind: 'replied', module: discussion.id }
      ],
      ['http://activitystrea.ms/create', course, within(), undefined, null],
      ['https://w3id.org/xapi/tla/verbs/suspended', course, within(), undefined, null]
    ]
  const events = await eventsOf(
    table.map(([id, object, context, result]) => ({
      actor: learner,
      verb: { id },
      object,
      context,
      ...(result && { result })
    }))
  )
  for (const [index, [verb, , , , expected]] of table.entries()) {
    if (expected === null) t.equal(events[index], undefined, verb)
    else t.match(events[index], expected, verb)
  }
})

t.test('the page of default verbs has every rule with its kind, in their order, and no other', async t => {
  const text = await readFile('docs/reference/default-verbs.md', 'utf8')
  const lines = text.split('\n').filter(line => line.startsWith('| `http'))
  const cell = (word: string | null | undefined, absent: string) => (word == null ? absent : `\`${word}\``)
  t.same(
    lines,
    defaultRules.map(
      ({ verb, activityType, kind }) => `| \`${verb}\` | ${cell(activityType, 'any')} | ${cell(kind, '–')} |`
    )
  )
})

t.test('a rule is not given twice, and one for a type stands before the one for its verb alone', async t => {
  const keyOf = ({ verb, activityType, category }: MappingRule) => JSON.stringify([verb, activityType, category])
  t.equal(new Set(defaultRules.map(keyOf)).size, defaultRules.length)
  for (const [index, { verb, activityType }] of defaultRules.entries()) {
    if (activityType === undefined) continue
    const plain = defaultRules.findIndex(rule => rule.verb === verb && rule.activityType === undefined)
    t.ok(plain > index, `${verb} ${activityType}`)
  }
  const used = new Set(defaultRules.map(({ kind }) => kind))
  t.same(
    learningEventKinds.filter(kind => !used.has(kind)),
    []
  )
})

t.test(
  'a verb with a rule for a type has another kind, or none, with an object of another type or of none',
  async t => {
    const statement = (verb: string, type?: string) => ({
      actor: learner,
      verb: { id: verb },
      object: type === undefined ? { id: 'https://example.org/thing' } : activity('thing', type)
    })
    const typed = defaultRules.filter(({ activityType }) => activityType !== undefined)
    const events = await eventsOf(typed.map(({ verb, activityType }) => statement(verb, activityType)))
    const others = await eventsOf(
      typed.flatMap(({ verb }) => [statement(verb), statement(verb, 'https://example.org/types/other')])
    )
    for (const [index, { verb, activityType, kind }] of typed.entries()) {
      const plain = defaultRules.find(rule => rule.verb === verb && rule.activityType === undefined)
      t.equal(events[index]?.kind ?? null, kind, `${verb} ${activityType}`)
      for (const at of [index * 2, index * 2 + 1]) t.equal(others[at]?.kind ?? null, plain?.kind, `${verb} alone`)
      t.not(plain?.kind, kind, `${verb} ${activityType} is worth a rule`)
    }
  }
)
