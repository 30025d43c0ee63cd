import { parse } from 'csv-parse/sync'
import t from 'tap'
import { toCsv, wantsCsv } from '../../src/http/api/csv.js'

const table = (text: string): readonly Record<string, string>[] => parse(text, { columns: true })

t.test('CSV is chosen where it is wanted more than JSON, or named before it', async t => {
  const table: readonly (readonly [string | undefined, boolean])[] = [
    [undefined, false],
    ['*/*', false],
    ['text/csv', true],
    ['text/*', true],
    ['TEXT/CSV; charset=utf-8', true],
    ['text/csv;q=0', false],
    ['application/json', false],
    ['application/json, text/csv', false],
    ['text/csv, application/json', true],
    ['text/csv, */*', true],
    ['text/csv;q=0.5, application/json', false],
    ['application/json;q=0.2, text/csv;q=0.3', true],
    ['text/csv;q=many, */*;q=0.1', false],
    ['image/png', false]
  ]
  for (const [accept, wanted] of table) t.equal(wantsCsv({ headers: { accept }, query: {} }), wanted, String(accept))
  t.equal(wantsCsv({ headers: { accept: 'text/csv' }, query: { format: 'json' } }), false)
  t.equal(wantsCsv({ headers: {}, query: { format: 'csv' } }), true)
})

t.test('a text that a spreadsheet would run is written as text, and numbers as numbers', async t => {
  const texts = ['=1+1', '+1', '-1', '@sum(a1)', '\tx', '\rx', 'plain', 'a,"b"\nc', '']
  const csv = toCsv(
    ['text', 'number', 'flag'],
    texts.map(text => ({ text, number: -0.5, flag: text === 'plain' }))
  )
  t.ok(csv.startsWith("text,number,flag\r\n'=1+1,-0.5,false\r\n"))
  t.same(
    table(csv).map(({ text }) => text),
    ["'=1+1", "'+1", "'-1", "'@sum(a1)", "'\tx", "'\rx", 'plain', 'a,"b"\nc', '']
  )
  t.equal(toCsv(['a', 'b'], [{ a: 1e-7, b: null }]), 'a,b\r\n1e-7,\r\n')
})
