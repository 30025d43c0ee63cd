import fc from 'fast-check'
import { DateTime, Settings } from 'luxon'
import t from 'tap'
import { addDays, daysBetween, previousPeriods, resolveWindow, type WindowRequest } from '../../src/metrics/window.js'

const noon = (day: string) => new Date(`${day}T12:00:00Z`)
const defaults = { timeZone: 'UTC', asOf: noon('2026-06-15'), lagDays: 0 }
const resolve = (request: WindowRequest, changed: Partial<typeof defaults> = {}) =>
  resolveWindow(request, { ...defaults, ...changed })
const brief = (request: WindowRequest, changed: Partial<typeof defaults> = {}) =>
  resolve(request, changed).periods.map(({ from, to, partial }) => `${from}/${to}${partial ? ' partial' : ''}`)
const hours = ({ fromInstant, toInstant }: { fromInstant: string; toInstant: string }) =>
  (Date.parse(toInstant) - Date.parse(fromInstant)) / 3_600_000

t.test('the default window is the last 7 complete local days', async t => {
  t.match(resolve({}), { from: '2026-06-08', to: '2026-06-15', timeZone: 'UTC', interval: null, today: '2026-06-15' })
  t.same(brief({}), ['2026-06-08/2026-06-15'])
  t.match(resolve({}, { lagDays: 7 }), { from: '2026-06-01', to: '2026-06-08' }, 'earlier by the lag')
  t.match(resolve({ to: '2026-05-10' }, { lagDays: 7 }), { from: '2026-05-03', to: '2026-05-10' })
  t.match(resolve({ from: '2026-06-13' }, { lagDays: 7 }), { from: '2026-06-13', to: '2026-06-15' })
})

t.test('today is the local day of asOf in the zone asked for', async t => {
  const asOf = new Date('2026-06-15T03:30:00Z')
  t.equal(resolve({ tz: 'America/New_York' }, { asOf }).today, '2026-06-14')
  t.equal(resolve({ tz: 'Asia/Tokyo' }, { asOf }).today, '2026-06-15')
  t.equal(resolve({}, { asOf, timeZone: 'America/Los_Angeles' }).today, '2026-06-14', "by default the tenant's zone")
})

t.test('a local day has 23 to 25 hours, and its bounds carry their offsets', async t => {
  const table = [
    ['Europe/Berlin', '2026-03-29', '2026-03-29T00:00:00+01:00', '2026-03-30T00:00:00+02:00', 23],
    ['Europe/Berlin', '2026-10-25', '2026-10-25T00:00:00+02:00', '2026-10-26T00:00:00+01:00', 25],
    ['America/New_York', '2026-03-08', '2026-03-08T00:00:00-05:00', '2026-03-09T00:00:00-04:00', 23],
    ['America/New_York', '2026-11-01', '2026-11-01T00:00:00-04:00', '2026-11-02T00:00:00-05:00', 25],
    ['Asia/Kolkata', '2026-03-29', '2026-03-29T00:00:00+05:30', '2026-03-30T00:00:00+05:30', 24],
    // Midnight falls into the gap, so the day begins at one o'clock.
    ['America/Sao_Paulo', '2018-11-04', '2018-11-04T01:00:00-02:00', '2018-11-05T00:00:00-02:00', 23]
  ] as const
  for (const [tz, day, from, to, length] of table) {
    const window = resolve({ tz, from: day, to: addDays(day, 1) })
    t.same([window.fromInstant, window.toInstant, hours(window)], [from, to, length], `${tz} ${day}`)
  }
  t.equal(hours(resolve({ tz: 'Europe/Berlin', from: '2026-03-23', to: '2026-03-30' })), 7 * 24 - 1)
})

t.test('of two midnights the first begins the day, whatever the season is now', async t => {
  t.teardown(() => {
    Settings.now = () => Date.now()
  })
  for (const now of ['2024-07-01T12:00:00Z', '2024-12-01T12:00:00Z']) {
    Settings.now = () => Date.parse(now)
    const window = resolve({ tz: 'America/Havana', from: '2024-11-03', to: '2024-11-04' })
    t.same([window.fromInstant, hours(window)], ['2024-11-03T00:00:00-04:00', 25])
  }
})

t.test('days include 29 February where there is one', async t => {
  t.same(brief({ from: '2024-02-28', to: '2024-03-02', interval: 'day' }), [
    '2024-02-28/2024-02-29',
    '2024-02-29/2024-03-01',
    '2024-03-01/2024-03-02'
  ])
  t.same(brief({ from: '2025-02-28', to: '2025-03-02', interval: 'day' }), [
    '2025-02-28/2025-03-01',
    '2025-03-01/2025-03-02'
  ])
})

t.test('weeks begin on Monday, through week 53, and clipped ones are partial', async t => {
  // 2020-12-28 is the Monday of week 53; 2021-01-04 that of week 1.
  t.same(brief({ from: '2020-12-23', to: '2021-01-06', interval: 'week' }), [
    '2020-12-23/2020-12-28 partial',
    '2020-12-28/2021-01-04',
    '2021-01-04/2021-01-06 partial'
  ])
  t.same(brief({ from: '2026-03-25', to: '2026-03-27', interval: 'week' }), ['2026-03-25/2026-03-27 partial'])
})

t.test('months follow the calendar', async t => {
  t.same(brief({ from: '2024-01-15', to: '2024-04-01', interval: 'month' }), [
    '2024-01-15/2024-02-01 partial',
    '2024-02-01/2024-03-01',
    '2024-03-01/2024-04-01'
  ])
})

t.test('a period that is not over at asOf is partial', async t => {
  t.same(brief({ from: '2026-06-01', to: '2026-06-22', interval: 'week' }), [
    '2026-06-01/2026-06-08',
    '2026-06-08/2026-06-15',
    '2026-06-15/2026-06-22 partial'
  ])
  t.same(brief({ from: '2026-06-14', to: '2026-06-16' }), ['2026-06-14/2026-06-16 partial'])
})

t.test('periods cover the window without gap or overlap', async () => {
  const window = fc.record({
    start: fc.integer({ min: 0, max: 20_000 }),
    length: fc.integer({ min: 1, max: 900 }),
    interval: fc.constantFrom('day', 'week', 'month')
  })
  fc.assert(
    fc.property(window, ({ start, length, interval }) => {
      const from = addDays('1990-01-01', start)
      const to = addDays(from, length)
      const periods = resolveWindow({ from, to, interval } as WindowRequest, defaults).periods
      const joined = periods.every(({ to: end }, at) => end === (periods[at + 1]?.from ?? to))
      const begins = periods.slice(1).every(({ from: begin }) => {
        const day = DateTime.fromISO(begin)
        return interval === 'day' || (interval === 'week' ? day.weekday === 1 : day.day === 1)
      })
      return periods[0]?.from === from && joined && begins && daysBetween(from, to) === length
    })
  )
})

t.test('the previous period has the same elapsed length', async t => {
  const previous = (request: WindowRequest) => previousPeriods(resolve(request)).map(({ from, to }) => `${from}/${to}`)
  t.same(previous({ from: '2026-06-01', to: '2026-06-08' }), ['2026-05-25/2026-06-01'])
  t.same(previous({ from: '2026-06-10', to: '2026-06-20' }), ['2026-05-31/2026-06-06'], 'six days have begun')
  t.same(previous({ from: '2026-07-01', to: '2026-07-08' }), ['2026-06-24/2026-06-25'], 'not begun')
  t.same(previous({ from: '2026-05-20', to: '2026-06-02', interval: 'week' }), [
    '2026-05-13/2026-05-18',
    '2026-05-18/2026-05-25',
    '2026-05-25/2026-05-26'
  ])
  t.same(
    previous({ from: '2026-02-01', to: '2026-04-01', interval: 'month' }),
    ['2026-01-01/2026-01-29', '2026-02-01/2026-03-01'],
    'a shorter month before ends where the month begins'
  )
})

t.test('a wrong parameter is refused, with what, where and why', async t => {
  const table: readonly (readonly [WindowRequest, RegExp])[] = [
    [{ from: '2026-02-30' }, /from \("2026-02-30"\) is not a day of the calendar/],
    [{ to: '2026-3-1' }, /to \("2026-3-1"\).*YYYY-MM-DD/],
    [{ from: '0000-01-01' }, /1900-01-01 to 2999-12-31/],
    [{ from: '2026-03-02', to: '2026-03-02' }, /from \(2026-03-02\) must be before to \(2026-03-02\)/],
    [{ from: '2026-06-15' }, /must be before to \(2026-06-15\)/],
    [{ tz: 'Mars/Olympus' }, /tz \("Mars\/Olympus"\) is not the IANA name/],
    [{ tz: 'CET' }, /tz/],
    [{ tz: '+02:00' }, /tz/],
    [{ from: '2020-01-01', to: '2026-01-01', interval: 'day' }, /interval \(day\).*more than 1000 periods/]
  ]
  for (const [request, message] of table) {
    t.throws(() => resolve(request), { name: 'LrsError', code: 'invalid-parameter', message }, JSON.stringify(request))
  }
  t.equal(resolve({ from: '2020-01-01', to: addDays('2020-01-01', 1000), interval: 'day' }).periods.length, 1000)
  t.equal(resolve({ tz: 'America/Argentina/Buenos_Aires' }).timeZone, 'America/Argentina/Buenos_Aires')
})
