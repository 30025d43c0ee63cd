import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import t from 'tap'
import { settings } from '../src/config.js'
import { errorCodes } from '../src/errors.js'
import { catalogue } from '../src/metrics/catalogue.js'

const read = (path: string) => readFile(path, 'utf8')

/** The files under a folder whose names end so, by their paths from the root. */
async function filesUnder(folder: string, end: string): Promise<readonly string[]> {
  const names = await readdir(folder, { recursive: true })
  return names.filter(name => name.endsWith(end)).map(name => join(folder, name))
}

/** The cells of each row, in any of the text's tables, that begins with a word set as code; the words bare. */
function tableRows(text: string): readonly (readonly string[])[] {
  const rows = text.split('\n').filter(line => line.startsWith('| `'))
  return rows.map(row => row.split(' | ').map(cell => cell.replace(/^\| | \|$/g, '')))
}

t.test("README's table has every setting, with its default and meaning, and no other", async t => {
  const rows = tableRows(await read('README.md'))
  const expected = Object.values(settings).map(({ name, default: standard, meaning }) => [
    `\`${name}\``,
    standard === null ? '–' : `\`${standard}\``,
    meaning
  ])
  t.same(rows, expected)
})

t.test('the reference has a section for every setting, with its default, and no other', async t => {
  const text = await read('docs/reference/configuration.md')
  const sections = [...text.matchAll(/^### `([A-Z_]+)`\n\nDefault: (?:none|`(.*?)`)\./gm)]
  const found = sections.map(([, name, standard = null]) => [name, standard]).sort()
  t.same(
    found,
    Object.values(settings)
      .map(({ name, default: standard }) => [name, standard])
      .sort()
  )
  t.equal(sections.length, [...text.matchAll(/^### /gm)].length, 'each section begins with its default')
})

t.test('the reference has every error code, with its status and meaning, and no other', async t => {
  const rows = tableRows(await read('docs/reference/errors.md'))
    .map(row => row.slice(0, 3))
    .sort()
  const expected = Object.entries(errorCodes).map(([code, { status, title }]) => [`\`${code}\``, `${status}`, title])
  t.same(rows, expected.sort())
})

t.test('the reference names every table that a migration makes', async t => {
  const files = await filesUnder('migrations', '.sql')
  const reference = await read('docs/reference/schema.md')
  for (const file of files) {
    const sql = await read(file)
    for (const [, table] of sql.matchAll(/^create table (?:if not exists )?(\w+)/gm)) {
      t.match(reference, `\`${table}\``, `${table} of ${file}`)
    }
  }
})

t.test("a migration's header says what it is, why, which locks it takes and how old rows are filled", async t => {
  for (const file of await filesUnder('migrations', '.sql')) {
    const number = /(\d{4})_/.exec(file)?.[1] ?? ''
    t.match(
      await read(file),
      new RegExp(`^-- ${number} .+\\n(-- .*\\n)*-- Why: .*\\n(-- .*\\n)*-- Locks: .*\\n(-- .*\\n)*-- Backfill: `)
    )
  }
})

t.test('a metric has its module, test and page under its own name, and its operation too', async t => {
  const { paths } = JSON.parse(await read('openapi/openapi.json')) as {
    paths: Record<string, { get?: { operationId: string } }>
  }
  for (const { id } of catalogue) {
    for (const path of [`src/metrics/${id}.ts`, `test/metrics/${id}.test.ts`, `docs/reference/metrics/${id}.md`]) {
      t.ok(existsSync(path), path)
    }
    const name = id.split('-').map(word => word.charAt(0).toUpperCase() + word.slice(1))
    t.equal(paths[`/api/v1/metrics/${id}`]?.get?.operationId, `get${name.join('')}`)
  }
})

t.test('every relative link in the papers leads somewhere', async t => {
  const papers = ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', ...(await filesUnder('docs', '.md'))]
  for (const paper of papers) {
    for (const [, link = ''] of (await read(paper)).matchAll(/\]\(([^)\s]+)\)/g)) {
      if (/^[a-z]+:|^#/.test(link)) continue
      t.ok(existsSync(join(dirname(paper), link.split('#')[0] ?? '')), `${link} in ${paper}`)
    }
  }
})

t.test('the checklist has all its 65 requirements, and the tests and files that it names exist', async t => {
  const text = await read('docs/reference/xapi-checklist.md')
  const numbers = [...text.matchAll(/^\| (\d+) \|/gm)].map(([, number]) => Number(number))
  t.same(
    numbers,
    Array.from({ length: 65 }, (_, at) => at + 1)
  )
  for (const [, path = ''] of text.matchAll(/`(src\/[^`]+)`/g)) t.ok(existsSync(path), path)
  for (const [, path = '', names = ''] of text.matchAll(/`(\S+\.test\.ts)`: ((?:“[^”]+”(?:, )?)+)/g)) {
    const tests = await read(join('test', path))
    for (const [, name = ''] of names.matchAll(/“([^”]+)”/g)) t.ok(tests.includes(name), `${name} in ${path}`)
  }
})

t.test('every command that README and CONTRIBUTING give for npm exists', async t => {
  const { scripts } = JSON.parse(await read('package.json')) as { scripts: Record<string, string> }
  for (const paper of ['README.md', 'CONTRIBUTING.md']) {
    for (const [, name = ''] of (await read(paper)).matchAll(/npm run ([a-z]+)/g)) t.ok(scripts[name], name)
  }
})

t.test('no file of src is longer than 400 lines, no test than 500, and none hides from coverage', async t => {
  const files = await filesUnder('src', '.ts')
  for (const file of [...files, ...(await filesUnder('test', '.ts'))]) {
    const text = await read(file)
    t.ok(text.split('\n').length - 1 <= (file.startsWith('src') ? 400 : 500), file)
    if (file.startsWith('src')) t.notMatch(text, /\b(?:c8|v8|istanbul) ignore\b/, file)
  }
})
