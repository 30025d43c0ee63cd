import { isDeepStrictEqual } from 'node:util'

/** A part of an OpenAPI document: plain JSON. */
export type Json = null | boolean | number | string | readonly Json[] | JsonObject
/** An object of such a document. */
export interface JsonObject {
  readonly [key: string]: Json
}

/** Values that look like schemas but are data, whose own titles name nothing. */
const dataKeywords: ReadonlySet<string> = new Set(['example', 'examples', 'default', 'enum', 'const'])

/**
 * Moves every schema with a one-word title to the document's components, under that title, and refers to it instead.
 * So clients that are generated from the document have types with names, and each schema stands in it once.
 *
 * @throws {Error} when two different schemas have the same title.
 * @see OpenAPI 3.1 section 4.8.7
 */
export function nameSchemas(document: JsonObject): JsonObject {
  const components = asObject(document.components)
  const named = new Map<string, JsonObject>()
  // A component that has a name already keeps it; only what is in it moves.
  const given = mapObject(asObject(components.schemas), schema => withParts(asObject(schema), named))
  const paths = moveNamed(document.paths ?? {}, named)
  const schemas = Object.entries({ ...given, ...Object.fromEntries(named) }).sort(([one], [other]) =>
    one < other ? -1 : 1
  )
  return { ...document, components: { ...components, schemas: Object.fromEntries(schemas) }, paths }
}

function moveNamed(value: Json, named: Map<string, JsonObject>): Json {
  if (isList(value)) return value.map(part => moveNamed(part, named))
  if (!isObject(value)) return value
  const moved = withParts(value, named)
  const { title, ...schema } = moved
  if (typeof title !== 'string' || !/^[A-Z][A-Za-z0-9]*$/.test(title)) return moved
  const known = named.get(title)
  if (known !== undefined && !isDeepStrictEqual(withoutExamples(known), withoutExamples(schema))) {
    throw new Error(`Two different schemas of the OpenAPI document have the title ${title}`)
  }
  if (known?.examples === undefined) named.set(title, schema)
  return { $ref: `#/components/schemas/${title}` }
}

function withParts(value: JsonObject, named: Map<string, JsonObject>): JsonObject {
  return mapObject(value, (part, key) => (dataKeywords.has(key) ? part : moveNamed(part, named)))
}

/** The examples of a whole answer stand beside its schema, and each metric has one of its own. */
function withoutExamples({ examples: _, ...schema }: JsonObject): JsonObject {
  return schema
}

/** The same keys with other values. */
export function mapObject(value: JsonObject, change: (part: Json, key: string) => Json): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, change(part, key)]))
}

/** The value where it is an object, and an empty one where it is anything else. */
export function asObject(value: Json | undefined): JsonObject {
  return value !== undefined && isObject(value) ? value : {}
}

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !isList(value)
}

function isList(value: Json): value is readonly Json[] {
  return Array.isArray(value)
}
