import { clockSetBack } from './clock-set-back.js'
import { cluster } from './cluster.js'
import { cutConnections } from './cut-connections.js'
import { exhaustedPool } from './exhausted-pool.js'
import { fullDisk } from './full-disk.js'
import { gracefulStop } from './graceful-stop.js'
import { killedBackends } from './killed-backends.js'
import { killedEmbedded } from './killed-embedded.js'
import { killedServices } from './killed-services.js'
import type { Check, Scenario } from './scenario.js'
import { slowClients } from './slow-clients.js'
import { twoVersions } from './two-versions.js'

// Runs the scenarios that are named, or all of them, one after another, each on a database of its own, prints what held,
// and at the end a table. Ends with 1 when something acknowledged was lost, kept twice, or counted wrongly.

const scenarios: readonly Scenario[] = [
  killedServices,
  killedBackends,
  killedEmbedded,
  cutConnections,
  exhaustedPool,
  fullDisk,
  slowClients,
  clockSetBack,
  gracefulStop,
  twoVersions
]
const wanted = process.argv.slice(2)
const unknown = wanted.filter(name => !scenarios.some(scenario => scenario.name === name))
if (unknown.length > 0) {
  process.stderr.write(`There is no scenario ${unknown.join(', ')}: ${scenarios.map(({ name }) => name).join(', ')}\n`)
  process.exitCode = 2
} else {
  const rows: string[] = []
  for (const scenario of scenarios) {
    if (wanted.length === 0 || wanted.includes(scenario.name)) rows.push(await playOne(scenario))
  }
  process.stdout.write(
    `\n| scenario | seconds | what was seen | held |\n| --- | ---: | --- | --- |\n${rows.join('\n')}\n`
  )
}

/** Plays one, and tells it as a row of the table. */
async function playOne({ name, what, play, prepare }: Scenario): Promise<string> {
  process.stdout.write(`\n${name}: ${what}\n`)
  const began = performance.now()
  const checks: readonly Check[] = await cluster(play, prepare).catch(({ message }: Error) => [
    { claim: 'it can be played here', held: message.startsWith('Skipped: '), seen: message }
  ])
  for (const { claim, held, seen } of checks) {
    process.stdout.write(`  ${held ? 'holds' : 'FAILS'}  ${claim}: ${seen}\n`)
    if (!held) process.exitCode = 1
  }
  const seconds = Math.round((performance.now() - began) / 1000)
  const seen = checks.slice(0, 2).map(check => check.seen)
  const held = checks.filter(check => check.held).length
  return `| \`${name}\` | ${seconds} | ${seen.join('; ')} | ${held} of ${checks.length} |`
}
