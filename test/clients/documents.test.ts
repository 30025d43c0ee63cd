import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import xapi from '@xapi/xapi'
import t from 'tap'
import { testApp } from '../support/app.js'
import { opened } from '../support/statements.js'

// The documents, activities and agents as the clients that people use ask for them.

const { listen, key, secret, post } = await testApp(t)
const endpoint = `${await listen()}/xapi/`

for (const version of ['1.0.3', '2.0.0'] as const) {
  t.test(`@xapi/xapi ${version}: documents, activities and agents`, async t => {
    // The library's type knows no 2.0, but its code sends what it is given.
    const auth = xapi.default.toBasicAuth(key, secret)
    const client = new xapi.default({ endpoint, auth, version: version as '1.0.3', adapter: 'fetch' })
    const agent = { objectType: 'Agent' as const, mbox: `mailto:${randomUUID()}@example.org` }
    const activityId = `https://example.org/${randomUUID()}`
    const profile = { activityId, profileId: 'settings' }

    await client.createState({ agent, activityId, stateId: 'bookmark', state: { page: 1 } })
    await client.createState({ agent, activityId, stateId: 'bookmark', state: { note: 'ü' } })
    const state = await client.getState({ agent, activityId, stateId: 'bookmark' })
    t.same(state.data, { page: 1, note: 'ü' }, 'POST merges')
    t.same((await client.getStates({ agent, activityId })).data, ['bookmark'])
    await client.deleteStates({ agent, activityId })
    t.same((await client.getStates({ agent, activityId })).data, [])

    await client.setActivityProfile({ ...profile, profile: { a: 1 }, etag: '*', matchHeader: 'If-None-Match' })
    const { etag } = Object.fromEntries(Object.entries((await client.getActivityProfile(profile)).headers ?? {}))
    await client.setActivityProfile({ ...profile, profile: { a: 2 }, etag: String(etag), matchHeader: 'If-Match' })
    t.same((await client.getActivityProfile(profile)).data, { a: 2 })
    t.same((await client.getActivityProfiles({ activityId })).data, ['settings'])
    await client.deleteActivityProfile(profile)

    await client.createAgentProfile({ agent, profileId: 'preferences', profile: { language: 'de' } })
    t.same((await client.getAgentProfile({ agent, profileId: 'preferences' })).data, { language: 'de' })
    t.same((await client.getAgentProfiles({ agent })).data, ['preferences'])
    await client.deleteAgentProfile({ agent, profileId: 'preferences' })
    t.same((await client.getAgentProfiles({ agent })).data, [])

    const definition = { name: { en: 'Feedback' } }
    await post({ ...opened, actor: { ...agent, name: 'Ada' }, object: { id: activityId, definition } })
    t.same((await client.getActivity({ activityId })).data, { objectType: 'Activity', id: activityId, definition })
    t.same((await client.getAgent({ agent })).data, { objectType: 'Person', name: ['Ada'], mbox: [agent.mbox] })
  })
}

interface Found {
  readonly state?: { readonly contents: unknown; readonly etag?: string }
  readonly profile?: { readonly contents: unknown; readonly etag: string; readonly contentType: string }
  readonly profileIds?: readonly string[]
  readonly activity?: { readonly definition: { readonly name: unknown } }
}
interface Outcome extends Found {
  readonly err: unknown
}
type Configuration = Readonly<Record<string, unknown>>
type Call = (...args: readonly [...unknown[], Configuration]) => void
type Lrs = Readonly<Record<string, Call>>

const require = createRequire(import.meta.url)
const { LRS, Agent, Activity } = require('tincanjs') as Readonly<
  Record<'LRS' | 'Agent' | 'Activity', new (given: Configuration) => unknown>
>

t.test('tincanjs: documents and activities', async t => {
  const lrs = new LRS({ endpoint, username: key, password: secret, version: '1.0.2' }) as Lrs
  const agent = new Agent({ mbox: `mailto:${randomUUID()}@example.org` })
  const activityId = `https://example.org/${randomUUID()}`
  const activity = new Activity({ id: activityId })
  const call = (name: string, args: readonly unknown[], given: Configuration = {}) =>
    new Promise<Outcome>(resolve => {
      const callback = (err: unknown, found: object) => resolve({ err, ...pick(found) })
      lrs[name]?.(...args, { agent, activity, ...given, callback })
    })
  const pick = (found: unknown) => ({ state: found, profile: found, profileIds: found, activity: found }) as Found
  const json = { contentType: 'application/json' }

  t.equal((await call('saveState', ['bookmark', { page: 1 }], json)).err, null)
  t.equal((await call('saveState', ['bookmark', { note: 'ü' }], { ...json, method: 'POST' })).err, null)
  t.same((await call('retrieveState', ['bookmark'])).state?.contents, { page: 1, note: 'ü' })
  t.same((await call('retrieveStateIds', [])).profileIds, ['bookmark'])
  t.equal((await call('dropState', ['bookmark'])).err, null)
  t.equal((await call('retrieveState', ['bookmark'])).state, null)

  for (const [save, retrieve, ids, drop] of [
    ['saveActivityProfile', 'retrieveActivityProfile', 'retrieveActivityProfileIds', 'dropActivityProfile'],
    ['saveAgentProfile', 'retrieveAgentProfile', 'retrieveAgentProfileIds', 'dropAgentProfile']
  ] as const) {
    t.equal((await call(save, ['settings', { a: 1 }], json)).err, null, save)
    const { profile } = await call(retrieve, ['settings'])
    t.match(profile, { contents: { a: 1 }, contentType: 'application/json' })
    t.equal((await call(save, ['settings', { a: 2 }], { ...json, lastSHA1: 'other' })).err, 412)
    const etag = profile?.etag.replaceAll('"', '')
    t.equal((await call(save, ['settings', { a: 2 }], { ...json, lastSHA1: etag })).err, null)
    t.same((await call(retrieve, ['settings'])).profile?.contents, { a: 2 })
    t.same((await call(ids, [])).profileIds, ['settings'])
    t.equal((await call(drop, ['settings'])).err, null)
  }

  await post({ ...opened, object: { id: activityId, definition: { name: { en: 'Feedback' } } } })
  t.same((await call('retrieveActivity', [activityId])).activity?.definition.name, { en: 'Feedback' })
})
