/**
 * Who may import whom, made from one ordered list: a layer is a folder or a file of `src`, and imports only what stands
 * before it. `npx depcruise src demo test` checks it.
 */
const layers = [
  'errors',
  'config',
  'xapi',
  'database',
  'store',
  'people',
  'events',
  'rollup',
  'metrics',
  'scores',
  'http',
  'app',
  'service',
  'workers',
  'commands',
  'main'
]

/** A pattern for the files of the layers, whether they are folders or files. */
const filesOf = names => `^src/(${names.join('|')})(/|\\.ts$)`

const from = name => layers.slice(layers.indexOf(name))
const between = (first, last) => layers.slice(layers.indexOf(first), layers.indexOf(last) + 1)

const direction = layers.slice(0, -1).map((name, position) => ({
  name: `${name}-imports-leftwards`,
  comment: `${name} stands before these in the order of layers`,
  severity: 'error',
  from: { path: filesOf([name]) },
  to: { path: filesOf(layers.slice(position + 1)) }
}))

module.exports = {
  forbidden: [
    ...direction,
    {
      name: 'every-layer-is-listed',
      comment: 'A new folder of src gets its place in the list of layers',
      severity: 'error',
      from: { path: '^src/', pathNot: filesOf(layers) },
      to: {}
    },
    {
      name: 'no-cycles',
      severity: 'error',
      from: {},
      to: { circular: true }
    },
    {
      name: 'fastify-in-http-only',
      comment: 'What the service means does not depend on how it is asked',
      severity: 'error',
      from: { path: '^src/', pathNot: filesOf(from('http')) },
      to: { path: '^node_modules/(fastify|@fastify/[^/]+)/' }
    },
    {
      name: 'queries-in-database-to-scores-only',
      comment: 'Elsewhere a Kysely is handed on and so known as a type only',
      severity: 'error',
      // The readiness check asks the database for nothing but an answer.
      from: { path: '^src/', pathNot: [filesOf(between('database', 'scores')), '^src/http/health\\.ts$'] },
      to: { path: '^node_modules/kysely/', dependencyTypesNot: ['type-only'] }
    },
    {
      name: 'kysely-not-before-database',
      severity: 'error',
      from: { path: filesOf(between('errors', 'xapi')) },
      to: { path: '^node_modules/kysely/' }
    },
    {
      name: 'driver-in-database-only',
      severity: 'error',
      from: { path: '^src/', pathNot: filesOf(['database']) },
      to: { path: '^node_modules/pg/' }
    },
    {
      name: 'standard-is-pure',
      comment: 'xapi knows the standard and does no input or output',
      severity: 'error',
      from: { path: filesOf(['xapi']) },
      to: { dependencyTypes: ['core'] }
    },
    {
      name: 'process-in-main-only',
      comment: 'The embedded server, which is a process of its own, may; Biome forbids the global of the same name',
      severity: 'error',
      from: { path: '^src/', pathNot: ['^src/main\\.ts$', '^src/database/embedded-[a-z]+\\.ts$'] },
      to: { path: '^(node:)?process$', dependencyTypes: ['core'] }
    },
    {
      name: 'src-stands-alone',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|demo|bench|scripts)/' }
    },
    {
      name: 'src-needs-no-tools',
      comment: 'A package that is installed for development only is missing in production',
      severity: 'error',
      from: { path: '^src/' },
      to: { dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'], dependencyTypesNot: ['type-only'] }
    },
    {
      name: 'demo-is-a-client',
      comment: 'The demo knows the service by HTTP alone',
      severity: 'error',
      from: { path: '^demo/' },
      to: { path: '^(src|test|scripts)/' }
    },
    {
      name: 'everything-resolves',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true }
    }
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    // Imports of types have a direction too.
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default', 'types'],
      // @xapi/cmi5 has a module for bundlers and no main.
      mainFields: ['main', 'module', 'types']
    }
  }
}
