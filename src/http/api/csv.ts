import { stringify } from 'csv-stringify/sync'
import type { FastifyReply, FastifyRequest } from 'fastify'
import { type TSchema, Type } from 'typebox'
import type { ConfidenceInterval } from '../../metrics/cell.js'

/** The media type of a table whose first row has the names of its columns. */
const csvType = 'text/csv; charset=utf-8; header=present'

/**
 * The answer of a route in both its forms, for its schema.
 *
 * @param examples the same answer as JSON and as a table.
 */
export function bothForms<Answer extends TSchema>(
  schema: Answer,
  examples: { readonly json: unknown; readonly csv: string }
) {
  return {
    description: 'The answer, as JSON or as a table',
    content: {
      'application/json': { schema, example: examples.json },
      'text/csv': { schema: Type.String({ description: 'With a header row.' }), example: examples.csv }
    }
  }
}

/** Sends an answer in the form that is wanted. It differs by `Accept`, which caches have to know. */
export function sendForm<Answer>(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: Answer,
  asCsv: (answer: Answer) => string
) {
  const vary = [reply.getHeader('Vary') ?? []].flat().map(String)
  if (!vary.some(names => names.includes('Accept'))) reply.header('Vary', [...vary, 'Accept'].join(', '))
  return wantsCsv(request)
    ? reply.type(csvType).send(asCsv(answer))
    : reply.type('application/json; charset=utf-8').send(answer)
}

/** A row of a table: values by the names of their columns; null is an empty cell. */
export type CsvRow = Readonly<Record<string, string | number | boolean | null>>

/** What a request says of the form in which it wants its answer. */
interface Wish {
  readonly headers: { readonly accept?: string | undefined }
  readonly query: unknown
}

/**
 * Says whether a request wants its answer as CSV: by the parameter `format`, or, where that says nothing, by `Accept`.
 * JSON is the default, so `text/csv` must be wanted more, or be named before JSON.
 *
 * @see RFC 9110 section 12.5.1
 */
export function wantsCsv({ headers, query }: Wish): boolean {
  const { format } = query as { readonly format?: unknown }
  if (format !== undefined) return format === 'csv'
  const ranges = (headers.accept ?? '').toLowerCase().split(',').map(toRange)
  const csv = qualityOf(ranges, 'text', 'csv')
  const json = qualityOf(ranges, 'application', 'json')
  if (csv !== json) return csv > json
  const named = ranges.find(({ type }) => type === 'text/csv' || type === 'application/json')
  return csv > 0 && named?.type === 'text/csv'
}

interface Range {
  readonly type: string
  readonly quality: number
}

function toRange(text: string): Range {
  const [type = '', ...parameters] = text.split(';').map(part => part.trim())
  const quality = parameters.find(parameter => parameter.startsWith('q='))?.slice(2)
  return { type, quality: quality === undefined ? 1 : Number(quality) || 0 }
}

/** The quality that the most specific range gives to a type; 0 where none speaks of it. */
function qualityOf(ranges: readonly Range[], type: string, subtype: string): number {
  const names = [`${type}/${subtype}`, `${type}/*`, '*/*']
  const found = names.flatMap(name => ranges.find(range => range.type === name) ?? [])
  return found[0]?.quality ?? 0
}

/**
 * Writes a table with a header row, by RFC 4180. Numbers are written as in JSON. A text that a spreadsheet would take
 * for a formula, because it begins with `=`, `+`, `-`, `@`, a tab or a carriage return, gets an apostrophe before it.
 */
export function toCsv(columns: readonly string[], rows: readonly CsvRow[]): string {
  return stringify([...rows], {
    header: true,
    columns: [...columns],
    record_delimiter: '\r\n',
    escape_formulas: true,
    cast: { boolean: value => String(value), number: value => ({ value: String(value), escape_formulas: false }) }
  })
}

/** The cells of a confidence interval, whose columns begin with the name of what it belongs to. */
export function ciCells(ci: ConfidenceInterval | null, prefix = ''): CsvRow {
  return {
    [`${prefix}ci_low`]: ci?.low ?? null,
    [`${prefix}ci_high`]: ci?.high ?? null,
    [`${prefix}ci_method`]: ci?.method ?? null
  }
}
