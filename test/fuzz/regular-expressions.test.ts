import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { checkSync } from 'recheck'
import t from 'tap'
import ts from 'typescript'

interface Found {
  readonly source: string
  readonly flags: string
  readonly place: string
}

/** The regular expressions that a file holds: literals, and the patterns of schemas, which become ones. */
function expressionsOf(path: string): readonly Found[] {
  const file = ts.createSourceFile(path, readFileSync(path, 'utf8'), ts.ScriptTarget.Latest, true)
  const found: Found[] = []
  const visit = (node: ts.Node) => {
    const place = `${path}:${file.getLineAndCharacterOfPosition(node.getStart()).line + 1}`
    if (ts.isRegularExpressionLiteral(node)) {
      const end = node.text.lastIndexOf('/')
      found.push({ source: node.text.slice(1, end), flags: node.text.slice(end + 1), place })
    } else if (
      ts.isPropertyAssignment(node) &&
      node.name.getText() === 'pattern' &&
      ts.isStringLiteral(node.initializer)
    ) {
      found.push({ source: node.initializer.text, flags: 'u', place })
    }
    ts.forEachChild(node, visit)
  }
  visit(file)
  return found
}

const files = readdirSync('src', { recursive: true }).map(String)
const expressions = files.filter(name => name.endsWith('.ts')).flatMap(name => expressionsOf(join('src', name)))

t.test('no regular expression takes longer than a text is long', t => {
  t.ok(expressions.length > 100, `${expressions.length} are checked`)
  for (const { source, flags, place } of expressions) {
    const { status, ...why } = checkSync(source, flags, { timeout: 10_000 })
    t.equal(status, 'safe', `/${source}/${flags} in ${place}`, { why })
  }
  t.end()
})

t.test('the check tells what takes longer', t => {
  for (const source of ['^(a+)+$', '^(a|a)*$', '(x+x+)+y', '^a*a*$']) {
    t.equal(checkSync(source, '').status, 'vulnerable', source)
  }
  t.end()
})
