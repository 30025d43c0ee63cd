import { readFile } from 'node:fs/promises'
import { sql } from 'kysely'
import t from 'tap'
import ts from 'typescript'
import { testDatabase } from '../support/database.js'

/** Table → column → its type as a text such as `Generated<number>` or `string | null`. */
type Schema = Record<string, Record<string, string>>

/** What the driver makes of a column's type. */
const driverTypes: Readonly<Record<string, string>> = {
  int4: 'number',
  int8: 'number',
  text: 'string',
  uuid: 'string',
  bool: 'boolean',
  bytea: 'Buffer',
  numeric: 'string',
  date: 'string',
  timestamptz: 'string',
  daterange: 'string',
  jsonb: 'unknown',
  _text: 'string[]',
  _int4: 'number[]',
  _timestamptz: 'string[]',
  _int8: 'number[]'
}

t.test('the interfaces of schema.ts are the tables of the database', async t => {
  const { db } = await testDatabase(t)
  const { rows } = await sql<{
    table: string
    column: string
    type: string
    isNullable: boolean
    isGenerated: boolean
    isEnum: boolean
  }>`
    select relname as table, attname as column, typname as type, not attnotnull as "isNullable",
      (atthasdef or attidentity <> '') as "isGenerated", typtype = 'e' as "isEnum"
    from pg_attribute join pg_class on pg_class.oid = attrelid join pg_type on pg_type.oid = atttypid
    where relnamespace = 'public'::regnamespace and relkind in ('r', 'p') and attnum > 0 and not attisdropped
      and relname not like 'schema_migration%'
    order by relname, attnum`.execute(db)
  const live: Schema = {}
  for (const row of rows) {
    const type = row.isEnum ? typeName(row.type) : (driverTypes[row.type] ?? `unknown to the test: ${row.type}`)
    const columns = live[row.table] ?? {}
    live[row.table] = columns
    columns[row.column] = row.isGenerated ? `Generated<${type}>` : row.isNullable ? `${type} | null` : type
  }
  t.strictSame(sorted(await readInterfaces()), sorted(live))
})

t.test('the unions of schema.ts are the enumerations of the database', async t => {
  const { db } = await testDatabase(t)
  const { rows } = await sql<{ name: string; members: string[] }>`
    select typname as name, array_agg(enumlabel::text order by enumsortorder) as members
    from pg_enum join pg_type on pg_type.oid = enumtypid group by typname`.execute(db)
  const aliases = (await parseSchema()).statements.filter(ts.isTypeAliasDeclaration)
  for (const { name, members } of rows) {
    const union = aliases.find(alias => alias.name.text === typeName(name))?.type
    const types = union && ts.isUnionTypeNode(union) ? union.types : []
    t.strictSame(
      types.map(type => type.getText().slice(1, -1)),
      members,
      name
    )
  }
})

/** `learning_event_kind` → `LearningEventKind` */
function typeName(name: string): string {
  return name.replace(/(?:^|_)(.)/g, (_, letter: string) => letter.toUpperCase())
}

async function parseSchema(): Promise<ts.SourceFile> {
  const texts = ['schema.ts', 'schema-activities.ts', 'schema-people.ts', 'schema-scores.ts', 'schema-weeks.ts'].map(
    name => readFile(new URL(`../../src/database/${name}`, import.meta.url), 'utf8')
  )
  return ts.createSourceFile('schema.ts', (await Promise.all(texts)).join('\n'), ts.ScriptTarget.Latest, true)
}

async function readInterfaces(): Promise<Schema> {
  const declarations = (await parseSchema()).statements.filter(ts.isInterfaceDeclaration)
  const byName = new Map(declarations.map(declaration => [declaration.name.text, declaration]))
  const tables = Object.entries(readProperties(byName, 'Database'))
  return Object.fromEntries(tables.map(([table, name]) => [table, readProperties(byName, name)]))
}

/** The properties of an interface and of those that it extends. */
function readProperties(byName: ReadonlyMap<string, ts.InterfaceDeclaration>, name: string): Record<string, string> {
  const declaration = byName.get(name)
  if (declaration === undefined) throw new Error(`schema.ts has no interface ${name}`)
  const parents =
    declaration.heritageClauses?.flatMap(clause => clause.types.map(type => type.expression.getText())) ?? []
  const inherited = parents.map(parent => readProperties(byName, parent))
  const own = declaration.members.filter(ts.isPropertySignature)
  return Object.assign(
    {},
    ...inherited,
    Object.fromEntries(own.map(member => [member.name.getText(), member.type?.getText() ?? 'none']))
  )
}

function sorted(schema: Schema): [string, [string, string][]][] {
  return Object.entries(schema)
    .map(([table, columns]): [string, [string, string][]] => [table, Object.entries(columns).sort()])
    .sort(([a], [b]) => (a < b ? -1 : 1))
}
