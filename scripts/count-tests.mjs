/**
 * Prints `N passed, N failed` for a run of tests: `node scripts/count-tests.mjs <TAP> [<exit code> [<failed checks>]]`.
 *
 * What is counted are the tests that a file names (`t.test('…')`), not their assertions; a file that fails beside
 * them, for it broke off or took too long, counts as one failed test, and so does a run that tells of no failure but
 * ended with an exit code other than 0, or of no test at all. Each failed check that is told counts as one more.
 * Skipped and unfinished (todo) tests are neither. The exit code is 1 where anything failed.
 */
import { readFileSync } from 'node:fs'

const [file = '', exitCode = '0', failedChecks = '0'] = process.argv.slice(2)

const { passed, failed, left } = count(read(file))
const isBroken = failed === 0 && (exitCode !== '0' || passed === 0)
const total = failed + (isBroken ? 1 : 0) + Number(failedChecks)
if (left > 0) process.stdout.write(`${left} skipped or to do\n`)
process.stdout.write(`${passed} passed, ${total} failed\n`)
process.exitCode = total > 0 ? 1 : 0

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

/**
 * Files stand at the margin, each after its tests, which stand four spaces in, and those after what they assert.
 *
 * @param {string} tap
 */
function count(tap) {
  const counts = { passed: 0, failed: 0, left: 0 }
  let failedInFile = 0
  for (const line of tap.split('\n')) {
    if (/^ {4}(not )?ok \d/.test(line)) {
      const outcome = outcomeOf(line)
      counts[outcome]++
      if (outcome === 'failed') failedInFile++
    } else if (/^(not ok \d|ok \d|Bail out!)/.test(line)) {
      if (!line.startsWith('ok') && failedInFile === 0) counts.failed++
      failedInFile = 0
    }
  }
  return counts
}

/** @param {string} line */
function outcomeOf(line) {
  if (/ # (SKIP|TODO)\b/i.test(line)) return 'left'
  return line.startsWith('    not ok') ? 'failed' : 'passed'
}
