import { randomUUID } from 'node:crypto'
import { createRequire } from 'node:module'
import xapi, { type Agent, type Statement, type StatementsResponse } from '@xapi/xapi'
import t from 'tap'
import { testApp } from '../support/app.js'

// The clients that people use, as npm has them, against the listening service.

const app = await testApp(t)
const endpoint = `${await app.listen()}/xapi/`

const verb = (name: string) => `https://example.org/verbs/${name}`
const agent = (name: string): Agent => ({ objectType: 'Agent', name, mbox: `mailto:${name}@example.org` })
const statement = (parts: Partial<Statement> = {}): Statement => ({
  actor: agent('ada'),
  verb: { id: verb('opened'), display: { 'en-GB': 'opened' } },
  object: { objectType: 'Activity', id: 'https://example.org/modules/feedback' },
  ...parts
})

t.test('@xapi/xapi', async t => {
  const client = new xapi.default({
    endpoint,
    auth: xapi.default.toBasicAuth(app.key, app.secret),
    version: '1.0.3',
    adapter: 'fetch'
  })
  const ids = (answer: { data: StatementsResponse }) => answer.data.statements.map(({ id }) => id)

  t.test('asks About', async t => {
    t.ok((await client.getAbout()).data.version.includes('1.0.3'))
  })

  t.test('sends a statement and gets it', async t => {
    const { data } = await client.sendStatement({ statement: statement() })
    const [statementId = ''] = data
    const { data: found } = await client.getStatement({ statementId })
    t.match(found, { ...statement(), id: statementId, version: '1.0.0', authority: { account: { name: app.key } } })
  })

  t.test('sends batches, queries by every filter and follows more', async t => {
    const registration = randomUUID()
    const { data: sent } = await client.sendStatements({
      statements: Array.from({ length: 5 }, (_, at) =>
        statement({ actor: agent(`client-${at % 2}`), verb: { id: verb('queried') }, context: { registration } })
      )
    })
    t.same(ids(await client.getStatements({ verb: verb('queried'), ascending: true })), sent)
    t.same(ids(await client.getStatements({ registration })), sent.toReversed())
    t.same(ids(await client.getStatements({ agent: agent('client-1') })), [sent[3], sent[1]])
    t.same(
      ids(await client.getStatements({ activity: 'https://example.org/modules/feedback', registration, limit: 1 })),
      sent.slice(4)
    )
    const first = await client.getStatements({ verb: verb('queried'), limit: 2, agent: agent('client-0') })
    t.same(ids(first), [sent[4], sent[2]])
    const second = (await client.getMoreStatements({ more: first.data.more })).data as StatementsResponse
    t.same(ids({ data: second }), [sent[0]])
    t.equal(second.more, '')
    const { data } = await client.getStatement({ statementId: sent[2] ?? '' })
    t.same(ids(await client.getStatements({ registration, since: data.stored ?? '' })), [])
    t.same(ids(await client.getStatements({ registration, until: data.stored ?? '' })), sent.toReversed())
  })

  t.test('voids statements and gets the voided', async t => {
    const { data: sent } = await client.sendStatements({
      statements: [statement(), statement(), statement()].map(one => ({ ...one, verb: { id: verb('regretted') } }))
    })
    const [one = '', two = '', three = ''] = sent
    await client.voidStatement({ actor: agent('admin'), statementId: one })
    await client.voidStatements({ actor: agent('admin'), statementIds: [two] })
    const [, , ...left] = ids(await client.getStatements({ verb: verb('regretted') }))
    t.same(left, [three], 'behind the two that void and so refer to the others')
    t.equal((await client.getVoidedStatement({ voidedStatementId: one })).data.id, one)
    await t.rejects(client.getStatement({ statementId: one }))
  })

  t.test('hears what is wrong with a statement', async t => {
    const wrong = { ...statement(), actor: { mbox: 'ada' } } as unknown as Statement
    await t.rejects(client.sendStatement({ statement: wrong }), /mbox/)
  })
})

interface TinCanStatement {
  readonly id: string
  readonly stored: string
}

interface TinCanResult {
  readonly statements: readonly TinCanStatement[]
  readonly more: string
}

type Callback = (error: number | Error | null, result: unknown) => void

interface TinCanLrs {
  saveStatement(statement: object, options: { callback: Callback }): void
  saveStatements(statements: readonly object[], options: { callback: Callback }): void
  retrieveStatement(id: string, options: { callback: Callback }): void
  retrieveVoidedStatement(id: string, options: { callback: Callback }): void
  queryStatements(options: { params: object; callback: Callback }): void
  moreStatements(options: { url: string; callback: Callback }): void
}

interface TinCan {
  LRS: new (options: object) => TinCanLrs
  Agent: new (agent: object) => object
  Verb: new (verb: object) => object
  Activity: new (activity: object) => object
  Statement: new (statement: object) => TinCanStatement
}

t.test('tincanjs', async t => {
  const require = createRequire(import.meta.url)
  const tinCan = require('tincanjs') as TinCan
  const lrs = new tinCan.LRS({ endpoint, username: app.key, password: app.secret, allowFail: false })
  const call = <Result>(start: (callback: Callback) => void) =>
    new Promise<Result>((resolve, reject) =>
      start((error, result) => (error === null ? resolve(result as Result) : reject(new Error(String(error)))))
    )
  const make = (name: string) => new tinCan.Statement(statement({ verb: { id: verb(name) } }))

  t.test('saves a statement and retrieves it', async t => {
    const saved = make('saved')
    await call(callback => lrs.saveStatement(saved, { callback }))
    t.match(await call(callback => lrs.retrieveStatement(saved.id, { callback })), {
      id: saved.id,
      verb: { id: verb('saved') },
      actor: { mbox: 'mailto:ada@example.org' }
    })
  })

  t.test('saves batches, queries by filters and follows more', async t => {
    const statements = Array.from({ length: 5 }, () => make('batched'))
    await call(callback => lrs.saveStatements(statements, { callback }))
    const params = {
      verb: new tinCan.Verb({ id: verb('batched') }),
      agent: new tinCan.Agent(agent('ada')),
      activity: new tinCan.Activity({ id: 'https://example.org/modules/feedback' }),
      since: '2020-01-01T00:00:00Z',
      limit: 3,
      ascending: true
    }
    const first = await call<TinCanResult>(callback => lrs.queryStatements({ params, callback }))
    const second = await call<TinCanResult>(callback => lrs.moreStatements({ url: first.more, callback }))
    t.same(
      [first, second].map(result => result.statements.map(({ id }) => id)),
      [statements.slice(0, 3), statements.slice(3)].map(some => some.map(({ id }) => id))
    )
    t.notOk(second.more)
  })

  t.test('voids a statement and retrieves it as voided', async t => {
    const regretted = make('regretted-too')
    await call(callback => lrs.saveStatement(regretted, { callback }))
    const voiding = new tinCan.Statement({
      actor: agent('admin'),
      verb: { id: 'http://adlnet.gov/expapi/verbs/voided' },
      target: { objectType: 'StatementRef', id: regretted.id }
    })
    await call(callback => lrs.saveStatement(voiding, { callback }))
    await t.rejects(
      call(callback => lrs.retrieveStatement(regretted.id, { callback })),
      /404/
    )
    t.match(await call(callback => lrs.retrieveVoidedStatement(regretted.id, { callback })), { id: regretted.id })
  })
})
