import type { Kysely } from 'kysely'
import type { Database } from '../database/schema.js'
import type { Difference } from '../rollup/difference.js'
import { type Verification, verifyTenant } from '../rollup/verify.js'
import { type Answer, type Given, noWords, type Screen, tenantsOf } from './command.js'

/**
 * `momentum verify`: compares the derived tables with a recomputation, a tenant after the other, and prints every
 * difference as it is found. The exit code is 1 when there is one.
 */
export async function verify(db: Kysely<Database>, given: Given, screen: Screen): Promise<Answer> {
  noWords(given)
  const print = (json: object, text: string) => screen.print(given.asJson ? JSON.stringify(json) : text)
  let differences = 0
  for (const { id, name: tenant } of await tenantsOf(db, given)) {
    const found = await verifyTenant(db, id, difference =>
      print({ tenant, ...difference }, `${tenant}: ${describe(difference)}`)
    )
    print({ tenant, ...found }, `${tenant}: ${sum(found)}`)
    differences += found.differences
  }
  if (differences > 0) screen.exitWith(1)
  return { text: '', json: undefined }
}

function describe({ table, key, column, stored, recomputed }: Difference): string {
  const row = Object.entries(key).map(([name, value]) => `${name} ${value}`)
  return `${table} ${row.join(', ')}: ${column} is ${stored ?? 'null'}, recomputed ${recomputed ?? 'null'}`
}

function sum({ statements, learnerDays, learnerActivities, differences, pending }: Verification): string {
  const compared = `${statements} statements, ${learnerDays} learner-days, ${learnerActivities} activities of learners`
  return `${compared} compared: ${differences} differences, and ${pending} that wait to be recomputed`
}
