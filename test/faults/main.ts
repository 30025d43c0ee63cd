import { cluster } from './cluster.js'
import { killedServices } from './killed-services.js'
import type { Scenario } from './scenario.js'

// Runs the scenarios that are named, or all of them, one after another, each on a database of its own, and prints what
// held. Ends with 1 when something acknowledged was lost, kept twice, or counted wrongly.

const scenarios: readonly Scenario[] = [killedServices]
const wanted = process.argv.slice(2)
const unknown = wanted.filter(name => !scenarios.some(scenario => scenario.name === name))
if (unknown.length > 0) {
  process.stderr.write(`There is no scenario ${unknown.join(', ')}: ${scenarios.map(({ name }) => name).join(', ')}\n`)
  process.exitCode = 2
} else {
  for (const scenario of scenarios) {
    if (wanted.length > 0 && !wanted.includes(scenario.name)) continue
    process.stdout.write(`\n${scenario.name}: ${scenario.what}\n`)
    const checks = await cluster(scenario.play)
    for (const { claim, held, seen } of checks) {
      process.stdout.write(`  ${held ? 'holds' : 'FAILS'}  ${claim}: ${seen}\n`)
      if (!held) process.exitCode = 1
    }
  }
}
