import { randomBytes } from 'node:crypto'
import { sql } from 'kysely'
import t from 'tap'
import { readAttachment } from '../../src/store/find-attachments.js'
import { type Caller, testApp } from '../support/app.js'
import { attachment, dataPart, jsonPart, multipart, multipartType, partsOf, sha2 } from '../support/multipart.js'
import { opened } from '../support/statements.js'

const app = await testApp(t, { config: { maxAttachments: 3000, maxAttachmentBytes: 10_000_000 }, poolSize: 8 })
const { db } = app

const attached = (...attachments: readonly object[]) => ({ ...opened, attachments })

const send = (caller: Caller, statements: unknown, ...contents: readonly (Buffer | string)[]) =>
  caller.call({
    method: 'POST',
    url: '/xapi/statements',
    headers: { 'content-type': multipartType },
    payload: multipart([jsonPart(statements), ...contents.map(content => dataPart(content))])
  })

const rowsOf = async (content: Buffer | string) => {
  const { rows } = await sql<{ attachments: number; chunks: number; owners: number }>`
    select (select count(*) from attachment where sha2 = ${Buffer.from(sha2(content), 'hex')}) as attachments,
      (select count(*) from attachment_chunk where sha2 = ${Buffer.from(sha2(content), 'hex')}) as chunks,
      (select count(*) from statement_attachment where sha2 = ${Buffer.from(sha2(content), 'hex')}) as owners`.execute(
    db
  )
  return rows[0]
}

t.test('the same data are stored once in a tenant, and apart in another, which sees only its own', async t => {
  const content = randomBytes(600_000)
  const other = await app.addCaller('second')
  for (const caller of [app, app, other]) {
    t.equal((await send(caller, attached(attachment(content)), content)).statusCode, 200)
  }
  t.same(await rowsOf(content), { attachments: 2, chunks: 6, owners: 3 })
  const [statementId] = (await send(other, attached(attachment('theirs')), 'theirs')).json<[string]>()
  const mine = { ...attached(attachment('theirs', { fileUrl: 'https://example.org/theirs' })), id: statementId }
  t.equal((await app.post(mine)).statusCode, 200)
  t.equal(partsOf(await app.get({ statementId, attachments: 'true' })).length, 1)
  t.equal(partsOf(await other.get({ statementId, attachments: 'true' })).length, 2)
})

t.test('writers of the same data at once all succeed, and store them once', async t => {
  const content = randomBytes(2_000_000)
  const answers = await Promise.all(
    Array.from({ length: 8 }, () => send(app, [attached(attachment(content)), opened], content))
  )
  t.same(new Set(answers.map(({ statusCode }) => statusCode)), new Set([200]))
  t.same(await rowsOf(content), { attachments: 1, chunks: 8, owners: 8 })
})

t.test('a statement that is stored already brings no data', async t => {
  const fileUrl = 'https://example.org/late'
  const [id] = (await app.post(attached(attachment('late', { fileUrl })))).json<[string]>()
  t.equal((await send(app, { ...attached(attachment('late', { fileUrl })), id }, 'late')).statusCode, 200)
  t.same(await rowsOf('late'), { attachments: 0, chunks: 0, owners: 0 })
})

t.test('many small attachments are many rows of few queries', async t => {
  const contents = Array.from({ length: 2500 }, (_, index) => `small ${index}`)
  const answer = await send(app, attached(...contents.map(content => attachment(content))), ...contents)
  t.equal(answer.statusCode, 200, answer.body)
  const found = partsOf(await app.get({ statementId: answer.json<string[]>()[0] ?? '', attachments: 'true' })).slice(1)
  t.same(
    found.map(({ content }) => content.toString()),
    contents
  )
})

t.test('an answer whose data are deleted meanwhile breaks off, and does not look whole', async t => {
  const content = randomBytes(600_000)
  const answer = await send(app, attached(attachment(content)), content)
  await sql`delete from attachment_chunk where sha2 = ${Buffer.from(sha2(content), 'hex')} and position = 1`.execute(db)
  await t.rejects(async () => {
    const found = { sha2: sha2(content), length: content.length }
    for await (const piece of readAttachment(db, app.tenantId, found)) t.equal(piece.length, 262_144)
  }, RangeError)
  const url = `${await app.listen()}/xapi/statements?statementId=${answer.json()[0]}&attachments=true`
  const headers = { authorization: app.authorization, 'x-experience-api-version': '1.0.3' }
  await t.rejects(fetch(url, { headers }).then(response => response.arrayBuffer()))
})
