import { readFileSync } from 'node:fs'

/** An operation of the OpenAPI document, with what a valid request of it looks like. */
export interface Operation {
  readonly method: string
  /** With `{name}` for each parameter in it. */
  readonly path: string
  readonly parameters: readonly Parameter[]
  /** An example by its content type. */
  readonly bodies: Readonly<Record<string, unknown>>
  /** The statuses that the document tells of. */
  readonly statuses: ReadonlySet<number>
  /** How often it is asked, beside the others. */
  readonly weight: number
}

export interface Parameter {
  readonly name: string
  readonly in: 'path' | 'query' | 'header'
  readonly required: boolean
  /** Values that are valid, as text. */
  readonly values: readonly [string, ...string[]]
}

interface Schema {
  readonly $ref?: string
  readonly type?: string
  readonly enum?: readonly unknown[]
  readonly examples?: readonly unknown[]
}

interface Described {
  readonly parameters?: readonly {
    readonly name: string
    readonly in: Parameter['in']
    readonly required?: boolean
    readonly example?: unknown
    readonly schema: Schema
  }[]
  readonly requestBody?: { readonly content: Record<string, { readonly example?: unknown; readonly schema: Schema }> }
  readonly responses: Record<string, unknown>
}

interface Document {
  readonly paths: Record<string, Record<string, Described>>
  readonly components: { readonly schemas: Record<string, Schema> }
}

const agent = JSON.stringify({ mbox: 'mailto:ada@example.org' })

/** Valid values of parameters that the document gives no example for. */
const known: Readonly<Record<string, readonly [string, ...string[]]>> = {
  activityId: ['https://example.org/modules/feedback', 'https://example.org/modules/0'],
  agent: [agent, JSON.stringify({ account: { homePage: 'https://lms.example.org', name: 'ada' } })],
  registration: ['0197f3a2-5b1c-7d4e-9a60-2f8c1e7b3d90'],
  stateId: ['bookmark', 'other'],
  profileId: ['preferences', 'other'],
  statementId: ['0197f3a2-5b1c-7d4e-9a60-2f8c1e7b3d91'],
  voidedStatementId: ['0197f3a2-5b1c-7d4e-9a60-2f8c1e7b3d91'],
  verb: ['https://w3id.org/momentum-lrs/verbs/opened'],
  activity: ['https://example.org/modules/feedback'],
  since: ['2026-01-01T00:00:00Z'],
  until: ['2027-01-01T00:00:00.123456+02:00'],
  at: ['2026-03-02'],
  dueFrom: ['2026-03-02'],
  dueBefore: ['2026-04-02'],
  'if-match': ['*', '"x"', 'W/"x"'],
  'if-none-match': ['*', '"x"'],
  'x-experience-api-version': ['1.0.3', '2.0.0', '1.0.0'],
  personId: ['4711', 'person-1', 'person-2'],
  metricId: ['active-users', 'assessment-score'],
  scoreId: ['momentum', 'energize-score', 'coaching-index'],
  id: ['1', '2'],
  key: ['some-key'],
  name: ['default', 'other'],
  version: ['1', '2'],
  definitionVersion: ['1'],
  before: ['5'],
  minGroupSize: ['10', '12'],
  limit: ['1', '10'],
  steps: ['delivered,opened'],
  percentiles: ['50,90']
}

/** Every operation of the document that is in the repository. */
export function readOperations(): readonly Operation[] {
  const document = JSON.parse(readFileSync('openapi/openapi.json', 'utf8')) as Document
  return Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, described]) => ({
      method: method.toUpperCase(),
      path,
      parameters: (described.parameters ?? []).map(({ name, in: where, required, example, schema }) => ({
        name,
        in: where,
        required: required === true,
        values: valuesOf(name, schema, example)
      })),
      bodies: bodiesOf(document, described),
      statuses: new Set(Object.keys(described.responses).map(Number)),
      weight: weightOf(method, path)
    }))
  )
}

function valuesOf(name: string, schema: Schema, example: unknown): readonly [string, ...string[]] {
  const told = [example, ...(schema.examples ?? []), ...(schema.enum ?? [])].filter(value => value !== undefined)
  const standard: Readonly<Record<string, string>> = { boolean: 'true', integer: '1', number: '1' }
  const fallback = known[name] ?? [standard[schema.type ?? ''] ?? 'x']
  return [...fallback, ...told.map(String)] as [string, ...string[]]
}

function bodiesOf({ components }: Document, { requestBody }: Described): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(requestBody?.content ?? {}).map(([type, { example, schema }]) => {
      const named = components.schemas[schema.$ref?.split('/').at(-1) ?? ''] ?? schema
      return [type, example ?? named.examples?.[0] ?? {}]
    })
  )
}

/** Writing statements is asked most, for it has most to lose; a metric's read costs most and has least. */
function weightOf(method: string, path: string): number {
  if (path === '/xapi/statements') return method === 'get' ? 10 : 30
  if (path.startsWith('/xapi/')) return 3
  if (/^\/api\/v1\/(metrics|benchmarks|leaderboards|scores|pilots|funnels|sequences|retention|lifecycle)/.test(path)) {
    return method === 'get' ? 0.25 : 1
  }
  return 1.5
}
