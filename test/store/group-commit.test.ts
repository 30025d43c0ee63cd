import fc from 'fast-check'
import t from 'tap'
import { groupCommit } from '../../src/store/group-commit.js'

interface Request {
  readonly lane: string
  readonly ids: readonly string[]
}

/** Commits when told to, and keeps what was committed in which transactions. */
function gatedStore(isRefused: (requests: readonly Request[]) => boolean = () => false) {
  const transactions: string[][] = []
  const gates: (() => void)[] = []
  return {
    transactions,
    openAll: async () => {
      for (let idle = 0; idle < 3; ) {
        const gate = gates.shift()
        if (gate === undefined) idle++
        else gate()
        await new Promise(setImmediate)
      }
    },
    commit: async (requests: readonly Request[]) => {
      await new Promise<void>(resolve => gates.push(resolve))
      if (isRefused(requests)) throw new Error(`refused: ${requests.map(({ ids }) => ids.join()).join()}`)
      transactions.push(requests.flatMap(({ ids }) => ids))
    }
  }
}

const request = (...ids: string[]): Request => ({ lane: 'one', ids })

t.test('requests that come while the writers are busy are stored together, in their order', async t => {
  const { commit, transactions, openAll } = gatedStore()
  const door = groupCommit({ commit, maxStatements: 4, maxWaiting: 100, writers: 1 })
  const stored = ['a', 'b', 'c', 'd', 'e', 'f'].map(id => door.submit(request(id)))
  await openAll()
  await Promise.all(stored)
  t.strictSame(transactions, [['a'], ['b', 'c', 'd', 'e'], ['f']])
})

t.test('a second writer takes over as soon as as much waits as is under way', async t => {
  const { commit, transactions, openAll } = gatedStore()
  const door = groupCommit({ commit, maxStatements: 10, maxWaiting: 100, writers: 2 })
  const stored = [['a', 'b', 'c'], ['d'], ['e'], ['f'], ['g'], ['h', 'i']].map(ids => door.submit(request(...ids)))
  await openAll()
  await Promise.all(stored)
  t.strictSame(transactions, [
    ['a', 'b', 'c'],
    ['d', 'e', 'f'],
    ['g', 'h', 'i']
  ])
})

t.test('lanes are never in one transaction', async t => {
  const { commit, transactions, openAll } = gatedStore()
  const door = groupCommit({ commit, maxStatements: 10, maxWaiting: 100, writers: 1 })
  const stored = [1, 2, 1, 2, 1].map((tenant, n) => door.submit({ lane: `${tenant}`, ids: [`${tenant}-${n}`] }))
  await openAll()
  await Promise.all(stored)
  t.strictSame(transactions, [['1-0'], ['2-1'], ['1-2', '1-4'], ['2-3']])
})

t.test('two requests with one id are never in one transaction', async t => {
  const { commit, transactions, openAll } = gatedStore()
  const door = groupCommit({ commit, maxStatements: 10, maxWaiting: 100, writers: 1 })
  const stored = [['x'], ['a'], ['b', 'a'], ['c']].map(ids => door.submit(request(...ids)))
  await openAll()
  await Promise.all(stored)
  t.strictSame(transactions, [['x'], ['a'], ['b', 'a', 'c']])
})

t.test("a request that fails fails alone: each request's outcome is its own", async t => {
  const { commit, transactions, openAll } = gatedStore(requests => requests.some(({ ids }) => ids.includes('bad')))
  const door = groupCommit({ commit, maxStatements: 10, maxWaiting: 100, writers: 1 })
  const outcomes = Promise.allSettled(['x', 'a', 'bad', 'b'].map(id => door.submit(request(id))))
  await openAll()
  t.strictSame(
    (await outcomes).map(({ status }) => status),
    ['fulfilled', 'fulfilled', 'rejected', 'fulfilled']
  )
  t.strictSame(transactions.flat().sort(), ['a', 'b', 'x'])
})

t.test('what would wait beyond the bound is refused at once, but a single request never', async t => {
  const { commit, openAll } = gatedStore()
  const door = groupCommit({ commit, maxStatements: 10, maxWaiting: 3, writers: 1 })
  const stored = [door.submit(request('a', 'b', 'c', 'd')), door.submit(request('e', 'f'))]
  await t.rejects(
    door.submit({ ...request('g', 'h'), lane: 'two' }).then(() => door.submit({ ...request('i', 'j'), lane: 'two' })),
    { code: 'overloaded' }
  )
  await openAll()
  await Promise.all(stored)
})

t.test('whatever comes in whatever order, each request is stored once and in one piece', async t => {
  const property = fc.asyncProperty(
    fc.array(fc.tuple(fc.nat({ max: 1 }), fc.uniqueArray(fc.nat({ max: 6 }), { minLength: 1, maxLength: 4 })), {
      maxLength: 20
    }),
    fc.integer({ min: 1, max: 6 }),
    fc.integer({ min: 1, max: 3 }),
    async (requests, maxStatements, writers) => {
      const seen: string[] = []
      const commit = async (group: readonly Request[]) => {
        await new Promise(setImmediate)
        const ids = group.flatMap(({ ids }) => ids)
        if (new Set(ids).size < ids.length) throw new Error('an id twice in one transaction')
        for (const { lane, ids } of group) seen.push(`${lane}:${ids.join()}`)
      }
      const door = groupCommit({ commit, maxStatements, maxWaiting: 1000, writers })
      await Promise.all(requests.map(([tenant, ids]) => door.submit({ lane: String(tenant), ids: ids.map(String) })))
      t.strictSame(seen.sort(), requests.map(([tenant, ids]) => `${tenant}:${ids.join()}`).sort())
    }
  )
  await fc.assert(property, { numRuns: 100 })
})
