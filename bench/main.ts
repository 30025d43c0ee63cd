import { execFileSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { benchEndpoint } from './endpoint.js'
import { benchEndpoints } from './endpoints.js'
import { benchGroups } from './groups.js'
import { benchGrowth } from './growth.js'
import { benchIngest, type Measurement } from './ingest.js'
import { benchMemory } from './memory.js'
import { benchMetrics } from './metrics.js'
import { benchQueries } from './queries.js'
import { benchRollups } from './rollups.js'
import { benchRowLevelSecurity } from './row-level-security.js'
import { mild, zipf } from './statements.js'

const benches: Readonly<Record<string, () => Promise<readonly Measurement[]>>> = {
  ingest: benchIngest,
  endpoint: () =>
    benchEndpoint(process.argv.slice(3)).catch((error: Error) => {
      process.stderr.write(`${error.message}\n`)
      process.exit(2)
    }),
  'row-level-security': benchRowLevelSecurity,
  queries: () => benchQueries(Number(process.argv[3] ?? 100_000)),
  growth: () => benchGrowth(Number(process.argv[3] ?? 10_000_000)),
  memory: () => benchMemory(Number(process.argv[3] ?? 120)),
  groups: () => benchGroups(Number(process.argv[3] ?? 20_000)),
  metrics: () => benchMetrics(Number(process.argv[3] ?? 10_000_000)),
  endpoints: () => benchEndpoints(Number(process.argv[3] ?? 10_000_000)),
  rollups: () => benchRollups(Number(process.argv[3] ?? 1_000_000), mild),
  'rollups-unequal': () => benchRollups(Number(process.argv[3] ?? 1_000_000), zipf)
}

const name = process.argv[2] ?? ''
const bench = benches[name]
if (bench === undefined) {
  process.stderr.write(`Usage: npm run bench -- ${Object.keys(benches).join('|')} [statements]\n`)
  process.exitCode = 2
} else {
  const table = tableOf(await bench())
  process.stdout.write(`${table}\n`)
  // What another LRS does is no result of ours.
  if (bench !== benches.endpoint) writeSection(name, table)
}

function tableOf(measurements: readonly Measurement[]): string {
  const lines = measurements.map(({ what, value, ratio }) => `| ${what} | ${value} | ${ratio} |`)
  return ['| what | measured | ratio within the run |', '| --- | --- | --- |', ...lines].join('\n')
}

/** Puts a bench's section into RESULTS.md in the place of the one before. */
function writeSection(title: string, table: string): void {
  const file = new URL('../../bench/RESULTS.md', import.meta.url)
  const before = readFileSync(file, 'utf8')
  const commit = execFileSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).trim()
  const machine = `${cpus().length} cores (${cpus()[0]?.model.trim()}), ${Math.round(totalmem() / 2 ** 30)} GiB`
  const section = `## ${title}\n\nCommit ${commit}, Node ${process.version}, ${machine}.\n\n${table}\n`
  const pattern = new RegExp(`## ${title}\\n[\\s\\S]*?(?=\\n## |$)`)
  writeFileSync(file, pattern.test(before) ? before.replace(pattern, section) : `${before.trimEnd()}\n\n${section}`)
}
