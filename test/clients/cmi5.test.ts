import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type cmi5 from '@xapi/cmi5'
import type { LaunchData } from '@xapi/cmi5'
import t, { type Test } from 'tap'
import { testApp } from '../support/app.js'
import { xmlHttpRequest } from '../support/xml-http-request.js'

// A whole cmi5 launch with the client library that content uses: the test plays the LMS. The section numbers are those
// of the cmi5 specification, Quartz, 1st edition.

const lms = await testApp(t)
const endpoint = `${await lms.listen()}/xapi/`
// What a content's token may: nothing that other learners have done.
const content = await lms.addCaller('first', ['statements/write', 'statements/read/mine', 'state', 'profile'])

/** The package's module for browsers, since it has none for Node. */
Object.assign(globalThis, { XMLHttpRequest: xmlHttpRequest })
t.teardown(() => Object.assign(globalThis, { XMLHttpRequest: undefined }))
const require = createRequire(import.meta.url)
const AssignableUnit = require('@xapi/cmi5/dist/Cmi5.umd.js') as typeof cmi5.default

const cmi5Category = 'https://w3id.org/xapi/cmi5/context/categories/cmi5'
const moveOnCategory = 'https://w3id.org/xapi/cmi5/context/categories/moveon'
const sessionExtension = 'https://w3id.org/xapi/cmi5/context/extensions/sessionid'
const publisherId = 'https://example.org/courses/feedback/unit-1'
const verb = (name: string) => `http://adlnet.gov/expapi/verbs/${name}`

/** The LMS's fetch URL: gives its token once (section 8.2). */
async function startFetchUrl(t: Test): Promise<string> {
  let isTaken = false
  const server = createServer((_request, response) => {
    const answer = isTaken
      ? { 'error-code': '1', 'error-text': 'The token was fetched already' }
      : { 'auth-token': content.authorization.replace('Basic ', '') }
    isTaken = true
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(answer))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  t.teardown(() => server.close())
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/fetch`
}

/** What the LMS does before it launches (sections 10.2 and 11). */
async function prepareLaunch(launch: Launch, launchData: LaunchData) {
  const agent = JSON.stringify(launch.actor)
  const { activityId, registration } = launch
  const json = { 'content-type': 'application/json' }
  const state = new URLSearchParams({ activityId, agent, registration, stateId: 'LMS.LaunchData' })
  const profile = new URLSearchParams({ agent, profileId: 'cmi5LearnerPreferences' })
  const written = await Promise.all([
    lms.call({
      method: 'PUT',
      url: `/xapi/activities/state?${state}`,
      headers: json,
      payload: JSON.stringify(launchData)
    }),
    lms.call({
      method: 'PUT',
      url: `/xapi/agents/profile?${profile}`,
      headers: { ...json, 'if-none-match': '*' },
      payload: JSON.stringify({ languagePreference: 'en-GB,de', audioPreference: 'off' })
    }),
    lms.post({
      actor: launch.actor,
      verb: { id: verb('launched'), display: { en: 'launched' } },
      object: { id: activityId },
      context: { ...launchData.contextTemplate, registration, contextActivities: { category: [{ id: cmi5Category }] } }
    })
  ])
  return written.map(({ statusCode }) => statusCode)
}

function newLaunch(fetchUrl: string) {
  return {
    endpoint,
    fetch: fetchUrl,
    actor: { objectType: 'Agent' as const, account: { homePage: 'https://lms.example', name: randomUUID() } },
    registration: randomUUID(),
    activityId: `https://lms.example/units/${randomUUID()}`
  }
}
type Launch = ReturnType<typeof newLaunch>

const launchData: LaunchData = {
  contextTemplate: {
    contextActivities: { grouping: [{ objectType: 'Activity', id: publisherId }] },
    extensions: { [sessionExtension]: randomUUID() }
  },
  launchMode: 'Normal',
  launchMethod: 'AnyWindow',
  masteryScore: 0.75,
  moveOn: 'CompletedAndPassed',
  returnURL: 'https://lms.example/return'
}

t.test('a launch: token, launch data, preferences, initialized, completed, passed, terminated', async t => {
  const launch = newLaunch(await startFetchUrl(t))
  t.same(await prepareLaunch(launch, launchData), [204, 204, 200])
  const unit = new AssignableUnit(launch)
  await unit.initialize()
  t.same(unit.launchData, launchData, 'the LMS.LaunchData document as the LMS wrote it')
  t.same(unit.getLearnerPreferences(), { languagePreference: 'en-GB,de', audioPreference: 'off' })
  await unit.progress(50)
  await unit.interactionChoice('test', 'question', ['a'], ['a'], [{ id: 'a', description: { en: 'A' } }], {
    en: 'Which?'
  })
  await unit.complete()
  await unit.pass({ scaled: 0.9, raw: 90, min: 0, max: 100 })
  await unit.terminate()

  const { statements } = (await lms.get({ registration: launch.registration, ascending: 'true' })).json()
  const verbs = ['launched', 'initialized', 'progressed', 'answered', 'completed', 'passed', 'terminated']
  t.same(
    statements.map((statement: { verb: { id: string } }) => statement.verb.id),
    verbs.map(verb)
  )
  const [, initialized, , , completed, passed, terminated] = statements
  for (const statement of [initialized, completed, passed, terminated]) {
    t.match(statement, {
      actor: launch.actor,
      object: { id: launch.activityId },
      context: {
        registration: launch.registration,
        contextActivities: { grouping: [{ id: publisherId }], category: [{ id: cmi5Category }] },
        extensions: launchData.contextTemplate.extensions
      },
      authority: { account: { name: content.key } }
    })
  }
  t.match(completed, { result: { completion: true, duration: /^PT/ } })
  t.match(completed.context.contextActivities.category, [{ id: cmi5Category }, { id: moveOnCategory }])
  t.match(passed, { result: { success: true, score: { scaled: 0.9, raw: 90, min: 0, max: 100 }, duration: /^PT/ } })
  t.match(passed.context.extensions, { 'https://w3id.org/xapi/cmi5/context/extensions/masteryscore': 0.75 })
  t.match(terminated, { result: { duration: /^PT/ } })
})

t.test('content keeps a bookmark of its own in the registration, and finds it in the next session', async t => {
  const launch = newLaunch(await startFetchUrl(t))
  await prepareLaunch(launch, launchData)
  const unit = new AssignableUnit(launch)
  await unit.initialize()
  const { actor: agent, activityId, registration } = launch
  await unit.xapi?.setState({ agent, activityId, registration, stateId: 'bookmark', state: { page: 3 } })
  const again = new AssignableUnit(launch)
  await again.initialize({ authToken: unit.getAuthToken(), initializedDate: unit.initializedDate })
  const found = await again.xapi?.getState({ agent, activityId, registration, stateId: 'bookmark' })
  t.same(found?.data, { page: 3 })
  const { data } = (await again.xapi?.getStates({ agent, activityId, registration })) ?? {}
  t.same(data?.toSorted(), ['LMS.LaunchData', 'bookmark'])
})

t.test('a learner without preferences, and a token that was fetched already', async t => {
  const fetchUrl = await startFetchUrl(t)
  const launch = newLaunch(fetchUrl)
  await prepareLaunch(launch, launchData)
  const agent = JSON.stringify(launch.actor)
  const profile = new URLSearchParams({ agent, profileId: 'cmi5LearnerPreferences' })
  await lms.call({ method: 'DELETE', url: `/xapi/agents/profile?${profile}` })
  const unit = new AssignableUnit(launch)
  await unit.initialize()
  t.same(unit.getLearnerPreferences(), {})
  await t.rejects(new AssignableUnit(launch).initialize(), /401/)
})
