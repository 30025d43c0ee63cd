import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { readdir, readlink } from 'node:fs/promises'
import { Agent, type ClientRequest, type IncomingMessage, request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import xapi, { type Statement } from '@xapi/xapi'
import { sql } from 'kysely'
import pg from 'pg'
import t, { type Test } from 'tap'
import { testApp } from '../support/app.js'
import { attachment, dataPart, jsonPart, multipart, multipartType } from '../support/multipart.js'
import { opened } from '../support/statements.js'

// How attachments travel: over a real connection, in chunks, as slowly or as badly as a client likes.

const limits = { maxBodyBytes: 4096, maxAttachmentBytes: 33_554_432, maxAttachments: 3, maxMultipartBytes: 34_000_000 }
const app = await testApp(t, { config: limits })
const { db, authorization } = app
const base = await app.listen()
const agent = new Agent({ keepAlive: true, maxSockets: 1 })
t.teardown(() => agent.destroy())

const attached = (...attachments: readonly object[]) => ({ ...opened, attachments })

/** Begins a POST whose body comes in chunks of unknown total length. */
function begin(type = multipartType): { readonly sending: ClientRequest; readonly answer: Promise<Answer> } {
  const sending = request(`${base}/xapi/statements`, {
    method: 'POST',
    agent,
    headers: { authorization, 'x-experience-api-version': '1.0.3', 'content-type': type }
  })
  const answer = once(sending, 'response').then(async ([response]) => read(response as IncomingMessage))
  answer.catch(() => undefined)
  return { sending, answer }
}

interface Answer {
  readonly status: number | undefined
  readonly body: string
}

async function read(response: IncomingMessage): Promise<Answer> {
  let body = ''
  for await (const chunk of response) body += chunk
  return { status: response.statusCode, body }
}

async function post(body: Buffer | string, type?: string): Promise<Answer> {
  const { sending, answer } = begin(type)
  sending.write(body.slice(0, 100))
  sending.end(body.slice(100))
  return answer
}

/** Temporary files of the service: those with a name, and those that are open without one. */
async function temporaryFiles() {
  const named = (await readdir(tmpdir())).filter(name => /^momentum-[0-9a-f]{8}-/.test(name))
  const open = await Promise.all(
    (await readdir('/proc/self/fd').catch(() => [])).map(fd => readlink(join('/proc/self/fd', fd)).catch(() => ''))
  )
  return { named, open: open.filter(path => path.startsWith(join(tmpdir(), 'momentum-'))) }
}

async function until(condition: () => Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 400 && !(await condition()); tries++) await wait(10)
}

const rowsOf = async (table: 'statement' | 'attachment' | 'attachment_chunk' | 'statement_attachment') =>
  (await sql<{ count: number }>`select count(*) from ${sql.table(table)}`.execute(db)).rows[0]?.count

t.test('each limit is 413 with its name, for bodies of unknown length too, and the connection lives on', async t => {
  const large = 'x'.repeat(5000)
  const contents = ['1', '2', '3', '4']
  const table: readonly (readonly [string, Buffer | string, string?])[] = [
    ['MAX_BODY_BYTES', multipart([jsonPart({ ...opened, result: { response: large } })])],
    ['MAX_ATTACHMENTS', multipart([jsonPart([]), ...contents.map(content => dataPart(content))])],
    ['MAX_ATTACHMENT_BYTES', multipart([jsonPart([]), dataPart(Buffer.alloc(limits.maxAttachmentBytes + 1))])],
    ['MAX_MULTIPART_BYTES', Buffer.alloc(limits.maxMultipartBytes + 1)],
    ['too large', JSON.stringify({ ...opened, result: { response: large } }), 'application/json']
  ]
  for (const [name, body, type] of table) {
    const { status, body: problem } = await post(body, type)
    t.equal(status, 413, name)
    t.match(JSON.parse(problem), { code: 'body-too-large', message: new RegExp(name) })
    t.equal((await post(multipart([jsonPart([])]))).status, 200, 'the next request is answered')
  }
  t.equal(await rowsOf('attachment'), 0)
})

t.test('the limits themselves are let through', async t => {
  const contents = ['1', '2', '3']
  const body = attached(...contents.map(content => attachment(content)))
  const parts = [jsonPart(body), ...contents.map(content => dataPart(content))]
  t.equal((await post(multipart(parts))).status, 200)
})

t.test('what stands behind the last boundary is let go by', async t => {
  const epilogue = Buffer.concat([multipart([jsonPart([])]), Buffer.alloc(3_000_000)])
  t.equal((await post(epilogue)).status, 200)
  t.equal((await post(multipart([jsonPart([])]))).status, 200)
})

t.test('statements that are refused are so before their attachments are waited for', async t => {
  const { sending, answer } = begin()
  const body = multipart([jsonPart({ ...opened, verb: {} }), dataPart('never sent')])
  sending.write(body.subarray(0, body.indexOf('never')))
  t.equal((await answer).status, 400)
  sending.end(body.subarray(body.indexOf('never')))
})

t.test(
  'a slow upload holds no transaction, its temporary file has no name, and is gone when it breaks off',
  async t => {
    const before = await rowsOf('statement')
    const content = randomBytes(300_000)
    const body = multipart([jsonPart(attached(attachment(content))), dataPart(content)])
    const { sending, answer } = begin()
    sending.write(body.subarray(0, 200_000))
    if (process.platform === 'linux') {
      await until(async () => (await temporaryFiles()).open.length === 1)
      t.equal((await temporaryFiles()).open.length, 1, 'the data lie in a file')
    }
    t.same((await temporaryFiles()).named, [])
    const { rows } = await sql`
    select from pg_stat_activity where datname = current_database() and state like 'idle in transaction%'`.execute(db)
    t.same(rows, [])
    sending.destroy()
    await t.rejects(answer)
    await until(async () => (await temporaryFiles()).open.length === 0)
    t.same(await temporaryFiles(), { named: [], open: [] })
    t.equal(await rowsOf('statement'), before)
    t.equal((await post(body)).status, 200, 'and all of it is taken later')
    t.same(await temporaryFiles(), { named: [], open: [] })
  }
)

t.test('a refused batch leaves nothing of its attachments', async t => {
  const counts = async () =>
    Promise.all((['statement', 'attachment', 'attachment_chunk', 'statement_attachment'] as const).map(rowsOf))
  const [id] = JSON.parse((await post(JSON.stringify(opened), 'application/json')).body)
  const before = await counts()
  const batch = [attached(attachment('left')), { ...opened, id, result: { success: false } }]
  t.equal((await post(multipart([jsonPart(batch), dataPart('left')]))).status, 409)
  t.same(await counts(), before)
})

t.test('what @xapi/xapi sends is taken, and what it gets it understands', async t => {
  const client = new xapi.default({ endpoint: `${base}/xapi`, auth: authorization, adapter: 'fetch' })
  const content = new TextEncoder().encode('from a client')
  const sent = await client.sendStatement({
    statement: attached(attachment('from a client')) as Statement,
    attachments: [content.buffer as ArrayBuffer]
  })
  const [statementId = ''] = sent.data
  const { data } = await client.getStatement({ statementId, attachments: true })
  t.match(data, [{ id: statementId }, 'from a client'])
})

t.test('an attachment is never in memory whole, neither on its way in nor on its way out', async t => {
  const content = randomBytes(limits.maxAttachmentBytes)
  const sizes = chunksOf(t)
  const { status, body } = await post(multipart([jsonPart(attached(attachment(content))), dataPart(content)]))
  t.equal(status, 200, body)
  const { written, read } = sizes
  t.equal(
    written.reduce((sum, size) => sum + size, 0),
    content.length
  )
  t.ok(written.length >= 32 && Math.max(...written) <= 1_048_576, 'it goes to the database by the megabyte')
  const url = `${base}/xapi/statements?statementId=${JSON.parse(body)[0]}&attachments=true`
  const headers = { authorization, 'x-experience-api-version': '1.0.3' }
  const [response] = (await once(request(url, { headers }).end(), 'response')) as [IncomingMessage]
  let before = -1
  await until(async () => {
    await wait(100)
    const isStill = read.length === before
    before = read.length
    return isStill
  })
  t.ok(read.length < 100, `${read.length} of 128 pieces are read for a client that takes none`)
  let received = 0
  for await (const chunk of response) received += (chunk as Buffer).length
  t.equal(String(received), response.headers['content-length'])
  t.equal(read.length, 128)
})

/** Notes what goes to the table of chunks, in bytes by query, and which queries read from it. */
function chunksOf(t: Test) {
  const written: number[] = []
  const read: string[] = []
  const { query } = pg.Client.prototype
  pg.Client.prototype.query = function (this: pg.Client, text: unknown, values: unknown, ...others: unknown[]) {
    if (String(text).includes('insert into "attachment_chunk"')) written.push(bytesOf(values))
    if (String(text).includes('from "attachment_chunk"')) read.push(String(text))
    return Reflect.apply(query, this, [text, values, ...others])
  } as typeof query
  t.teardown(() => {
    pg.Client.prototype.query = query
  })
  return { written, read }
}

/** The bytes of the contents among the values of a query; a hash is a buffer too, but a short one. */
function bytesOf(values: unknown): number {
  const buffers = (values as readonly unknown[]).filter(value => Buffer.isBuffer(value) && value.length > 64)
  return buffers.reduce<number>((sum, buffer) => sum + (buffer as Buffer).length, 0)
}
