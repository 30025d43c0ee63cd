import { LrsError } from '../../errors.js'
import type { ResolvedCohort } from '../cohort-query.js'

/**
 * Refuses several values of one attribute. With them anyone could make groups of their own choice, of which one is easily
 * had from two others, and there are too many to hold each against all.
 *
 * @throws {LrsError} `forbidden`, with the pointer to the parameter
 */
export function refuseLists({ cohort, filters }: Pick<ResolvedCohort, 'cohort' | 'filters'>): void {
  const lists = Object.entries({ ...filters, cohort: [...new Set(cohort?.split(','))] })
  const name = lists.find(([, values]) => values.length > 1)?.[0]
  if (name === undefined) return
  throw new LrsError(
    'forbidden',
    `Several values of ${name} at once want the scope people/read, because groups that are put together freely can be taken from each other until one person is left; ask for one value, break the answer down by it, or ask for a saved cohort`,
    { pointer: `/${name}` }
  )
}
