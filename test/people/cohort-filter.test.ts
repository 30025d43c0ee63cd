import t from 'tap'
import { type CohortFilter, filterLimits, parseCohortFilter } from '../../src/people/cohort-filter.js'

const deep = (levels: number): unknown => (levels === 1 ? { role: ['a'] } : { not: deep(levels - 1) })
const repeated = <Part>(count: number, part: Part) => Array.from({ length: count }, () => part)

t.test('every condition and combination is understood as it was sent', async t => {
  const table: readonly CohortFilter[] = [
    { role: ['engineer'] },
    { team: ['red', 'blue'] },
    { manager: ['4711'] },
    { line: ['4711'] },
    { region: ['north'] },
    { jobFamily: ['tech'] },
    { assignmentType: ['people manager'] },
    { cohort: ['pilot'] },
    { person: ['4711'] },
    { demographic: { key: 'age', values: ['young'] } },
    { tenureBand: ['0-12', '12-36', '36+'] },
    { and: [{ or: [{ role: ['a'] }, { not: { team: ['b'] } }] }, { region: ['c'] }] }
  ]
  for (const filter of table) t.same(parseCohortFilter(JSON.parse(JSON.stringify(filter))), filter)
})

t.test('a fault is refused with the pointer to it', async t => {
  const table: readonly (readonly [unknown, string, RegExp])[] = [
    [null, '', /not an object/],
    [[], '', /not an object/],
    ['role', '', /not an object/],
    [{}, '', /0 members/],
    [{ role: ['a'], team: ['b'] }, '', /2 members/],
    [{ rôle: ['a'] }, '/rôle', /not known/],
    [{ 'a/b~c': 1 }, '/a~1b~0c', /not known/],
    [{ constructor: ['a'] }, '/constructor', /not known/],
    [{ and: [] }, '/and', /one filter or more/],
    [{ and: { role: ['a'] } }, '/and', /one filter or more/],
    [{ and: repeated(filterLimits.leaves + 1, { role: ['a'] }) }, '/and', /more than 50 filters/],
    [{ or: [{ role: ['a'] }, { team: 'b' }] }, '/or/1/team', /one text or more/],
    [{ not: [{ role: ['a'] }] }, '/not', /not an object/],
    [{ role: [] }, '/role', /one text or more/],
    [{ role: [1] }, '/role/0', /1 to 500 characters/],
    [{ role: ['a', ''] }, '/role/1', /1 to 500 characters/],
    [{ role: ['x'.repeat(501)] }, '/role/0', /1 to 500 characters/],
    [{ role: ['a\u0000'] }, '/role/0', /control characters/],
    [{ role: ['\ud800'] }, '/role/0', /control characters/],
    [{ role: repeated(filterLimits.values + 1, 'a') }, '/role', /more than 1000 values/],
    [{ tenureBand: ['0-12', '12'] }, '/tenureBand/1', /one of 0-12, 12-36, 36\+/],
    [{ demographic: ['a'] }, '/demographic', /key and values/],
    [{ demographic: { key: 'age', values: ['a'], value: 'a' } }, '/demographic/value', /not known/],
    [{ demographic: { values: ['a'] } }, '/demographic/key', /1 to 500 characters/],
    [{ demographic: { key: 'age' } }, '/demographic/values', /one text or more/]
  ]
  for (const [filter, pointer, message] of table) {
    const expected = { code: 'invalid-body', message, place: { pointer: `/filter${pointer}` } }
    t.throws(() => parseCohortFilter(filter, '/filter'), expected, JSON.stringify(filter).slice(0, 80))
  }
})

t.test('a filter may be 8 levels deep and have 50 conditions, and no more', async t => {
  t.doesNotThrow(() => parseCohortFilter(deep(8)))
  t.throws(() => parseCohortFilter(deep(9)), { code: 'invalid-body', place: { pointer: '/not'.repeat(8) } })
  const ten = { or: repeated(10, { role: ['a'] }) }
  t.doesNotThrow(() => parseCohortFilter({ and: repeated(5, ten) }))
  t.throws(() => parseCohortFilter({ and: [...repeated(5, ten), { role: ['a'] }] }), { message: /51 conditions/ })
  t.throws(() => parseCohortFilter(JSON.parse(`${'{"not":'.repeat(5000)}1${'}'.repeat(5000)}`)), { message: /deeper/ })
})
