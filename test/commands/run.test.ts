import { execFile } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import t, { type Test } from 'tap'
import { isGroup, runCommand, usage } from '../../src/commands/run.js'
import { formatTable } from '../../src/commands/table.js'
import { readConfig } from '../../src/config.js'
import { findRunningServer } from '../../src/database/embedded-running.js'
import { startEmbeddedServer } from '../../src/database/embedded-server.js'
import { findCredential, verifySecret } from '../../src/store/credential.js'
import { ensureTenant } from '../../src/store/tenant.js'
import { testDatabase } from '../support/database.js'
import { openFolder } from '../support/folder.js'

const ignore = () => undefined

async function start(t: Test) {
  const { db, url } = await testDatabase(t)
  await ensureTenant(db, 'default', 'UTC')
  const config = readConfig({ DATABASE_URL: url })
  const run = (command: string) => runCommand(command.split(' '), { config, log: ignore })
  const json = async (command: string) => JSON.parse(await run(`${command} --json`))
  return { db, run, json }
}

t.test('momentum credential: made, listed, rotated and revoked', async t => {
  const { db, run, json } = await start(t)
  const made = await run('credential create --name LMS --scope statements/write,state --scope all/read')
  const [, key = '', secret = ''] =
    /^key {5}(\w+)\nsecret {2}(\w+)\n\nThe secret is shown this once\.\n$/.exec(made) ?? []
  const found = await findCredential(db, key)
  t.match(found, { scopes: ['statements/write', 'state', 'all/read'], mayAssertAuthority: false })
  t.equal(await verifySecret(secret, found?.secretHash ?? ''), true)
  const other = await json('credential create --name Forwarder --scope all --may-assert-authority')
  t.match(await json('credential list'), {
    credentials: [
      { key, name: 'LMS', revokedAt: null },
      { key: other.key, mayAssertAuthority: true }
    ]
  })
  const rotated = await json(`credential rotate ${key}`)
  t.equal(rotated.key, key)
  t.equal(await verifySecret(rotated.secret, (await findCredential(db, key))?.secretHash ?? ''), true)
  t.match(await run(`credential revoke ${key}`), new RegExp(`^${key} is revoked`))
  const list = await run('credential list')
  t.match(list, /^KEY +NAME +SCOPES +PERSON +CREATED +STATE\n/)
  t.match(list, new RegExp(`${key} +LMS +statements/write state all/read +– +\\S+Z +revoked \\S+Z\n`))
  t.match(list, new RegExp(`${other.key} +Forwarder +all \\(asserts authority\\) +– +\\S+Z +valid\n`))
  t.notMatch(list, new RegExp(secret))
})

t.test('momentum credential: for a person, to whom line/read and self/read are limited', async t => {
  const { db, run, json } = await start(t)
  const { key } = await json('credential create --name Ada --scope line/read --person 4711')
  t.match(await findCredential(db, key), { scopes: ['line/read'], personId: '4711' })
  t.match(await run('credential list'), new RegExp(`${key} +Ada +line/read +4711 +\\S+Z +valid\n`))
  t.equal(await run(`credential set-person ${key} --person 4712`), `${key} stands for 4712 within a second.\n`)
  t.match(await findCredential(db, key), { personId: '4712' })
  const plain = await json('credential create --name LMS --scope all --person 4711')
  t.same(await json(`credential set-person ${plain.key}`), { key: plain.key, personId: null })
  const none = { name: 'UsageError', message: 'Give the --person to whom line/read are limited' }
  await t.rejects(run(`credential set-person ${key}`), none)
})

t.test('momentum tenant: made with a first credential, and listed', async t => {
  const { db, run, json } = await start(t)
  t.match(
    await run('tenant create north --time-zone Europe/Berlin'),
    /^tenant {2}north \(Europe\/Berlin\)\nkey {5}\w+\n/
  )
  t.match(await run('tenant list'), /^NAME +TIME ZONE +CREATED\ndefault +UTC +\S+\nnorth +Europe\/Berlin +\S+Z\n$/)
  const { credential, id } = await json('tenant create south')
  t.match(await findCredential(db, credential.key), { tenantId: id, scopes: ['all', 'metrics/read'] })
  t.match(await json('credential list --tenant south'), { credentials: [{ key: credential.key }] })
  t.equal((await json('credential list --tenant north')).credentials.length, 1)
  await t.rejects(run(`credential revoke ${credential.key}`), { code: 'not-found' }, 'of another tenant')
})

t.test('momentum tenant set-time-zone: asks the service to cut the days anew', async t => {
  const { db, run, json } = await start(t)
  t.equal(
    await run('tenant set-time-zone default Europe/Berlin'),
    'tenant  default (Europe/Berlin): the service cuts its days anew while it runs\n'
  )
  t.match(await db.selectFrom('derivation').selectAll().execute(), [{ reason: 'time-zone', verb_ids: null }])
  t.match(await run('tenant list'), /\ndefault +Europe\/Berlin /)
  t.equal(await run('tenant set-time-zone default Europe/Berlin'), 'tenant  default (Europe/Berlin): was so before\n')
  t.match(await json('tenant set-time-zone default UTC'), { name: 'default', timeZone: 'UTC', derivationId: Number })
})

t.test('what makes no sense is refused, with what would', async t => {
  const { run } = await start(t)
  for (const [command, message] of [
    ['credential', 'There is no command "credential"'],
    ['credential delete', 'There is no command "credential delete"'],
    ['credential constructor', 'There is no command "credential constructor"'],
    ['credential list extra', '"extra" is one word too many'],
    ['credential create --scope all', 'Give the credential a --name'],
    ['credential create --name LMS', 'Give the credential a --scope or more'],
    ['credential create --name LMS --scope everything', /^There is no scope everything; there are statements\/write/],
    ['credential create --name A --scope self/read', 'Give the --person to whom self/read are limited'],
    ['credential create --name A --scope all --person=', '"" can\'t be the personId of anybody'],
    ['credential set-person', 'Give the key of the credential'],
    ['credential rotate', 'Give the key of the credential'],
    ['credential revoke a b', 'Give the key of the credential, and nothing after it ("b")'],
    ['tenant create', 'Give the name of the tenant'],
    ['tenant create north --time-zone Mars', '"Mars" is not an IANA time zone such as Europe/Berlin'],
    ['tenant set-time-zone default', 'Give the name of the tenant and its new time zone'],
    ['tenant set-time-zone a UTC b', 'Give the name of the tenant and its new time zone, and nothing after it ("b")'],
    ['tenant set-time-zone default Mars', '"Mars" is not an IANA time zone such as Europe/Berlin'],
    ['tenant list --unknown', /Unknown option/]
  ] as const) {
    await t.rejects(run(command), { name: 'UsageError', message }, command)
  }
  for (const [command, code] of [
    ['credential list --tenant nowhere', 'not-found'],
    ['credential rotate unknown', 'not-found'],
    ['credential set-person unknown --person 4711', 'not-found'],
    ['credential revoke unknown', 'not-found'],
    ['tenant create default', 'tenant-conflict'],
    ['tenant set-time-zone nowhere UTC', 'not-found']
  ] as const) {
    await t.rejects(run(command), { code }, command)
  }
  t.equal(isGroup('tenant'), true)
  t.equal(isGroup('start'), false)
  t.match(usage, /credential rotate KEY/)
})

t.test('a table is as wide as its cells', async t => {
  t.equal(formatTable(['A', 'LONG'], []), 'A  LONG\n')
  t.equal(formatTable(['A', 'LONG'], [['wide', 'x'], ['y']]), 'A     LONG\nwide  x\ny\n')
})

t.test('the embedded server is entered where it runs, and started for the while where not', async t => {
  const folder = await openFolder(t)
  const dataDir = join(folder, 'data')
  const config = readConfig({ DATA_DIR: dataDir })
  t.equal(await findRunningServer(dataDir), null)
  const sharedFolder = join(folder, 'shared')
  const server = await startEmbeddedServer({ dataDir, sharedFolder, log: ignore, settings: { fsync: 'off' } })
  t.teardown(() => server.stop())
  t.strictSame(await findRunningServer(dataDir), server.connection)
  const lines: string[] = []
  const list = await runCommand(['tenant', 'create', 'north'], { config, log: line => lines.push(line) })
  t.match(list, /^tenant {2}north/)
  t.same(lines, [])

  const password = join(dataDir, 'postgres/momentum.password')
  await t.rejects(runCommand(['tenant', 'create', 'north'], { config, log: ignore }), { code: 'tenant-conflict' })
  await rm(password)
  await t.rejects(findRunningServer(dataDir), { code: 'ENOENT' })
  await server.stop()
  t.equal(await findRunningServer(dataDir), null)
})

t.test('where no embedded server runs, one is started for the while', async t => {
  const folder = await openFolder(t)
  const dataDir = join(folder, 'data')
  const place = { config: readConfig({ DATA_DIR: dataDir }), log: ignore, sharedFolder: join(folder, 'shared') }
  t.match(await runCommand(['tenant', 'create', 'north'], place), /^tenant {2}north/)
  t.equal(await findRunningServer(dataDir), null, 'it is stopped again')
  t.match(await runCommand(['tenant', 'list'], place), /\nnorth +UTC/)
})

t.test('the program prints the answer, or what is wrong and how it is used', async t => {
  const { url } = await testDatabase(t)
  const env = { ...process.env, DATABASE_URL: url }
  const momentum = async (...args: readonly string[]) => {
    const node = promisify(execFile)(process.execPath, [...process.execArgv, 'src/main.ts', ...args], { env })
    return node.catch(error => error as { code: number; stdout: string; stderr: string })
  }
  t.match(await momentum('tenant', 'create', 'north'), { stdout: /^tenant {2}north \(UTC\)\nkey/ })
  t.match(await momentum('tenant', 'create'), { code: 2, stderr: /^Give the name of the tenant\n\nUsage: momentum/ })
  t.match(await momentum('tenant', 'create', 'north'), { code: 1, stderr: /tenant-conflict: There is a tenant/ })
})
