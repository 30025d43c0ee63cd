/**
 * Holds what the tests covered of `src` against the house's least: `node scripts/check-coverage.mjs`, after `npm test`.
 *
 * A file that no test has loaded is missing in tap's report: here its lines count as not covered, unless it holds
 * nothing but types.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve } from 'node:path'
import ts from 'typescript'

const least = { lines: 95, branches: 95 }
const report = '.tap/report/coverage-summary.json'

/** @typedef {{ total: number, covered: number }} Count */
/** @typedef {{ file: string, lines: Count, branches: Count }} FileCoverage */

const files = readFiles()
for (const file of files) {
  if (shareOf(file.lines) < least.lines || shareOf(file.branches) < least.branches) print(file)
}
const sum = { file: 'src', lines: sumOf('lines'), branches: sumOf('branches') }
print(sum)
if (shareOf(sum.lines) < least.lines || shareOf(sum.branches) < least.branches) {
  process.stdout.write(`Less than ${least.lines} % of lines or ${least.branches} % of branches are covered\n`)
  process.exitCode = 1
}

/** @returns {FileCoverage[]} */
function readFiles() {
  const summary = JSON.parse(readFileSync(report, 'utf8'))
  return readdirSync('src', { recursive: true, encoding: 'utf8' })
    .filter(name => name.endsWith('.ts'))
    .map(name => join('src', name))
    .sort()
    .map(file => {
      const { lines, branches } = summary[resolve(file)] ?? neverLoaded(file)
      return { file: relative('.', file), lines, branches }
    })
}

/** @param {string} file */
function neverLoaded(file) {
  const text = readFileSync(file, 'utf8')
  const options = { module: ts.ModuleKind.ESNext, target: ts.ScriptTarget.ESNext, verbatimModuleSyntax: true }
  const { outputText } = ts.transpileModule(text, { compilerOptions: options })
  const isTypesOnly = /^\s*(export \{\};?)?\s*$/.test(outputText.replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, ''))
  const total = isTypesOnly ? 0 : text.split('\n').length - 1
  return { lines: { total, covered: 0 }, branches: { total: isTypesOnly ? 0 : 1, covered: 0 } }
}

/** @param {'lines' | 'branches'} kind */
function sumOf(kind) {
  return files.reduce(
    (sum, file) => ({ total: sum.total + file[kind].total, covered: sum.covered + file[kind].covered }),
    { total: 0, covered: 0 }
  )
}

/** @param {Count} count */
function shareOf({ total, covered }) {
  return total === 0 ? 100 : (100 * covered) / total
}

/** @param {FileCoverage} coverage */
function print({ file, lines, branches }) {
  const percent = (/** @type {Count} */ count) => `${shareOf(count).toFixed(2).padStart(6)} %`
  process.stdout.write(`${file.padEnd(40)} lines ${percent(lines)}   branches ${percent(branches)}\n`)
}
