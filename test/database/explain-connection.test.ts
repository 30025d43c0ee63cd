import t from 'tap'
import { explainConnection } from '../../src/database/explain-connection.js'
import { openDatabase } from '../../src/database/open.js'
import { testDatabase } from '../support/database.js'

const address = 'postgres://ada:a-secret@db.example.org:6543/learning'
const place = 'host "db.example.org", port 6543, database "learning", user "ada"'

/** What the driver fails with at an address. */
async function failureAt(url: string): Promise<unknown> {
  const { db, pool } = openDatabase({ connection: { connectionString: url }, poolSize: 1, onError: () => undefined })
  return pool
    .query('select 1')
    .then(
      () => null,
      error => error
    )
    .finally(() => db.destroy())
}

t.test(
  'each reason for which PostgreSQL cannot be reached is a sentence, with the place and without the password',
  t => {
    const table = [
      [{ code: 'ECONNREFUSED' }, /nothing listens there/],
      [{ code: 'ENOTFOUND' }, /its host has no address/],
      [{ code: 'ETIMEDOUT' }, /does not answer in time/],
      [{ message: 'timeout exceeded when trying to connect' }, /does not answer in time/],
      [{ code: '28P01' }, /does not take the password/],
      [{ code: '28000' }, /pg_hba\.conf/],
      [{ code: '3D000' }, /no database of that name/],
      [{ code: '53300' }, /no connection left/],
      [{ message: 'The server does not support SSL connections' }, /does not speak TLS/],
      [{ message: 'SASL: client password must be a string' }, /wants a password/],
      [{ message: 'Connection terminated unexpectedly' }, /breaks the connection off/]
    ] as const
    for (const [failure, reason] of table) {
      const sentence = explainConnection(address, { message: '', ...failure })
      t.match(sentence, reason)
      t.match(sentence, `cannot be reached (${place})`)
      t.notMatch(sentence, 'a-secret')
    }
    t.end()
  }
)

t.test('what is left out of an address is told as it is taken, and another failure is not explained', t => {
  const failure = { code: 'ECONNREFUSED', message: '' }
  t.match(explainConnection('postgres:///learning', failure), '(host "localhost", port 5432, database "learning")')
  const socket = 'postgres://ada@localhost/learning?host=/run/postgresql&port=5433'
  t.match(explainConnection(socket, failure), 'host "/run/postgresql", port 5433')
  t.equal(explainConnection(address, new Error('the schema is odd')), null)
  t.end()
})

t.test('what a real server and a missing one answer is explained', async t => {
  const { url } = await testDatabase(t)
  const nameless = url.replace(/\/test_\w+/, '/nowhere')
  t.match(explainConnection(nameless, await failureAt(nameless)), 'no database of that name')
  const lost = 'postgres://ada@127.0.0.1:1/none'
  t.match(explainConnection(lost, await failureAt(lost)), 'nothing listens there')
  const unknown = 'postgres://ada@nowhere.invalid/none'
  t.match(explainConnection(unknown, await failureAt(unknown)), /its host has no address/)
})
