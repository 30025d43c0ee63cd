import fc from 'fast-check'
import t from 'tap'
import { durationMs, isDuration, sameDuration } from '../../src/xapi/duration.js'
import { compareInstants, timestampFault, toUtc, truncateFraction } from '../../src/xapi/timestamp.js'

t.test(
  'xAPI 1.0.3 Data 4.5: a timestamp is an ISO 8601 date and time; it is returned in UTC with every digit',
  async t => {
    const cases: [sent: string, utc: string][] = [
      ['2015-11-18T12:17:00Z', '2015-11-18T12:17:00Z'],
      ['2015-11-18T12:17:00.123456789012Z', '2015-11-18T12:17:00.123456789012Z'],
      ['2008-09-15T15:53:00.601+00:00', '2008-09-15T15:53:00.601Z'],
      ['2015-11-18T01:17:00.10+02:00', '2015-11-17T23:17:00.10Z'],
      ['2015-12-31T23:59:59.999999999-00:30', '2016-01-01T00:29:59.999999999Z'],
      ['2015-11-18t12:17:00z', '2015-11-18T12:17:00Z'],
      ['2015-11-18T12:17Z', '2015-11-18T12:17:00Z'],
      ['2015-11-18T12:17:00,5+05', '2015-11-18T07:17:00.5Z'],
      ['20151118T121700.5+0530', '2015-11-18T06:47:00.5Z'],
      ['20151118T1217Z', '2015-11-18T12:17:00Z'],
      ['2015-11-18T12:17:00', '2015-11-18T12:17:00Z'],
      ['2016-02-29T00:00:00Z', '2016-02-29T00:00:00Z'],
      ['2000-02-29T00:00:00Z', '2000-02-29T00:00:00Z'],
      ['0099-12-31T23:00:00-02:00', '0100-01-01T01:00:00Z'],
      ['9999-12-31T23:59:59.9Z', '9999-12-31T23:59:59.9Z']
    ]
    for (const [sent, utc] of cases) {
      t.equal(timestampFault(sent, false), null, sent)
      t.equal(toUtc(sent), utc, sent)
    }
  }
)

t.test('xAPI 1.0.3 Data 4.5: what is no timestamp is refused', async t => {
  const cases: [text: string, fault: RegExp][] = [
    ['', /ISO 8601/],
    ['should fail', /ISO 8601/],
    ['01/011/2015', /ISO 8601/],
    ['2015-11-18', /ISO 8601/],
    ['2015-11-18 12:17:00Z', /ISO 8601/],
    ['2015-11-18T12Z', /ISO 8601/],
    ['2015-1118T12:17:00Z', /ISO 8601/],
    ['2015-11-18T121700Z', /ISO 8601/],
    ['20151118T12:17:00Z', /ISO 8601/],
    ['2015-11-18T12:17:00.Z', /ISO 8601/],
    ['2015-11-18T12:17:00Z\n', /ISO 8601/],
    ['+12015-11-18T12:17:00Z', /ISO 8601/],
    ['2008-09-15T15:53:00.601-00', /-00:00/],
    ['2008-09-15T15:53:00.601-0000', /-00:00/],
    ['2008-09-15T15:53:00.601-00:00', /-00:00/],
    ['2015-11-18T12:17:00+24:00', /offset/],
    ['2015-11-18T12:17:00+01:60', /offset/],
    ['2015-02-29T12:17:00Z', /date/],
    ['1900-02-29T12:17:00Z', /date/],
    ['2015-13-01T12:17:00Z', /date/],
    ['2015-00-01T12:17:00Z', /date/],
    ['2015-04-31T12:17:00Z', /date/],
    ['2015-04-00T12:17:00Z', /date/],
    ['2016-12-31T23:59:60Z', /leap/],
    ['2015-11-18T24:00:00Z', /time of day/],
    ['2015-11-18T12:60:00Z', /time of day/],
    ['2015-11-18T12:00:61Z', /time of day/],
    ['0000-01-01T00:00:00Z', /years/],
    ['0001-01-01T00:00:00+01:00', /years/],
    ['9999-12-31T23:59:59-01:00', /years/]
  ]
  for (const [text, fault] of cases) t.match(timestampFault(text, false), fault, JSON.stringify(text))
  t.throws(() => toUtc('yesterday'), RangeError)
})

t.test('xAPI 2.0 4.2.7: a timestamp follows RFC 3339, whatever its offset', async t => {
  for (const text of ['2015-11-18T12:17:00Z', '2015-11-18T12:17:00.1-05:00', '2015-11-18t12:17:00z']) {
    t.equal(timestampFault(text, true), null, text)
  }
  for (const text of ['2015-11-18T12:17Z', '2015-11-18T12:17:00', '20151118T121700Z', '2015-11-18T12:17:00,5Z']) {
    t.match(timestampFault(text, true), /RFC 3339/, text)
  }
})

const offsets = fc.tuple(fc.constantFrom('+', '-'), fc.nat(23), fc.nat(59)).map(([sign, hours, minutes]) => {
  const digits = `${String(hours).padStart(2, '0')}:${String(minutes).padStart(2, '0')}`
  return digits === '00:00' ? 'Z' : `${sign}${digits}`
})
const dates = fc.date({ min: new Date('0002-01-01'), max: new Date('9998-12-31'), noInvalidDate: true })

t.test('the UTC form is the same instant', async t => {
  fc.assert(
    fc.property(dates, offsets, (date, offset) => {
      const text = date.toISOString().replace('Z', offset)
      t.equal(timestampFault(text, true), null)
      t.equal(Date.parse(toUtc(text)), Date.parse(text))
      t.equal(compareInstants(text, toUtc(text)), 0)
      t.equal(toUtc(toUtc(text)), toUtc(text))
    }),
    { numRuns: 200 }
  )
})

t.test('instants are ordered to the last digit', async t => {
  t.equal(compareInstants('2015-11-18T12:00:00Z', '2015-11-18T13:00:00.000+01:00'), 0)
  t.ok(compareInstants('2015-11-18T12:00:00.1Z', '2015-11-18T12:00:00.10000000001Z') < 0)
  const zeros = '0'.repeat(1_000_000)
  t.ok(compareInstants('2015-11-18T12:00:00Z', `2015-11-18T12:00:00.${zeros}1Z`) < 0, 'in linear time')
  t.ok(compareInstants('2015-11-18T12:00:01Z', '2015-11-18T12:00:00.9Z') > 0)
  t.equal(truncateFraction('2015-11-18T12:00:00.123456789Z', 6), '2015-11-18T12:00:00.123456Z')
  t.equal(truncateFraction('2015-11-18T12:00:00.9Z', 0), '2015-11-18T12:00:00Z')
  t.equal(truncateFraction('2015-11-18T12:00:00Z', 6), '2015-11-18T12:00:00Z')
})

t.test(
  'xAPI 1.0.3 Data 4.6: a duration has designators, its weeks stand alone, its last part may have a fraction',
  async t => {
    for (const text of [
      'PT4H35M59.14S',
      'P3Y1M29DT4H35M59.14S',
      'P3Y',
      'P4W',
      'P0.5W',
      'PT0S',
      'P1DT12H36M0,12567S',
      'P1M'
    ]) {
      t.equal(isDuration(text), true, text)
    }
    const wrong = [
      '',
      'P',
      'PT',
      'P1DT',
      'P4W1D',
      'P1.5DT1H',
      'PT1.S',
      'PA1H0M0S',
      '-PT1S',
      'pt1s',
      'P0003-01-01T00:00:00',
      'PT1S '
    ]
    for (const text of wrong) t.equal(isDuration(text), false, text)
  }
)

t.test('a duration is as long as its parts, exactly; years and months have no length', async t => {
  const cases: [text: string, ms: number | null][] = [
    ['PT4H35M59.14S', 16_559_140],
    ['P4W', 2_419_200_000],
    ['P1DT12H36M0.12567S', 131_760_125],
    ['PT0.29S', 290],
    ['PT1,5M', 90_000],
    ['P0.5D', 43_200_000],
    ['P0Y0M1DT0H0M0S', 86_400_000],
    ['P1Y', null],
    ['P1M', null],
    ['P0.5M', null],
    ['P99999999999999999D', null],
    ['an hour', null]
  ]
  for (const [text, ms] of cases) t.equal(durationMs(text), ms, text)
})

t.test('xAPI 1.0.3 Data 4.6: durations are compared as strings, without what is finer than 0.01 s', async t => {
  t.equal(sameDuration('P1DT12H36M0.1237S', 'P1DT12H36M0.12S'), true)
  t.equal(sameDuration('PT1.001S', 'PT1S'), true)
  t.equal(sameDuration('PT1.10S', 'PT1,1S'), true)
  t.equal(sameDuration('PT1.13S', 'PT1.12S'), false)
  t.equal(sameDuration('PT60S', 'PT1M'), false)
})
