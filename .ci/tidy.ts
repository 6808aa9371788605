/**
 * `tidy`: the house rules that a program can judge (docs/architecture.md). It reads the syntax tree, not the text, so words in
 * comments and strings are free. Faults fail the build; the longest files are only listed, for the reader who looks for what
 * to simplify next.
 */
import { globSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'
import { type Import, importFault, isUnplaced } from './tidy-layers.ts'

export interface Fault { path: string; line: number; message: string }

/** A word that belongs to few places. `where` are the files the rule looks at, `allowed` those it belongs to. */
interface PlaceRule { word: RegExp; where: RegExp; allowed: readonly { files: RegExp; why: string }[]; message: string }

const product = /^(api|seeds)\/(src\/|[^/]+\.ts$)/
const tests = { files: /\.test\.ts$|^api\/test\//, why: 'tests' }

/** Compared with the text of calls, `new` expressions and property accesses, spaces removed. */
const placeRules: readonly PlaceRule[] = [
  {
    word: /^process\.env$/, where: /./, message: 'the environment is read in api/src/config.ts only',
    allowed: [
      { files: /^api\/src\/config\.ts$/, why: 'its place' },
      { files: /^api\/test\//, why: 'tests' },
      { files: /^api\/src\/start\.ts$/, why: 'hands the environment on to the processes it starts' },
      { files: /^(\.ci|e2e|bench)\//, why: 'hands the environment on to the processes it starts' },
    ],
  },
  {
    word: /\.transaction\(/, where: product, message: 'transactions are opened in storage/transaction.ts only',
    allowed: [{ files: /^api\/src\/storage\/transaction\.ts$/, why: 'its place' }, tests],
  },
  {
    word: /^(newDate\(\)|Date\.now\(|performance\.now\()/, where: product, message: 'the clock is read in ctx.ts only; take ctx.now',
    allowed: [
      { files: /^api\/src\/ctx\.ts$/, why: 'its place' },
      { files: /^api\/src\/fhir\/id\.ts$/, why: 'an id opens with the time it was made' },
      tests,
    ],
  },
  {
    word: /^((crypto|globalThis\.crypto)\.)?(randomUUID|randomBytes|randomInt|getRandomValues|randomFillSync)\(|^Math\.random\(/, where: product,
    message: 'random ids come from ctx.newId, secrets from crypto.ts',
    allowed: [
      { files: /^api\/src\/(ctx|crypto|fhir\/id)\.ts$/, why: 'its place' },
      { files: /^api\/src\/storage\/postgres-server\.ts$/, why: 'the password of a cluster, made before anything else exists' },
      { files: /^api\/src\/storage\/transaction\.ts$/, why: 'the pause before a retry, so that two losers do not meet again' },
      tests,
    ],
  },
  {
    word: /^console\./, where: /^(api|web|seeds)\/src\//, message: 'write through the logger; command-line programs use process.stdout.write', allowed: [],
  },
  {
    word: /^(it|test|describe|suite)(\.\w+)*\.(skip|only|todo|skipIf|fails)$/, where: /\.test\.ts$/, message: 'no skipped, exclusive or empty tests', allowed: [],
  },
]

/** Every fault of one file. `path` is relative to the repository, with forward slashes. */
export function faultsOf(path: string, text: string): Fault[] {
  const code = path.endsWith('.vue') ? scriptOf(text) : text
  const source = ts.createSourceFile(path, code, ts.ScriptTarget.Latest, true, ts.ScriptKind.TS)
  const faults: Fault[] = []
  const fault = (node: ts.Node, message: string) => faults.push({ path, line: source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1, message })

  const visit = (node: ts.Node): void => {
    for (const rule of placeRules) {
      if (!rule.where.test(path) || rule.allowed.some((each) => each.files.test(path))) continue
      if (isPlaceable(node) && rule.word.test(wordOf(node, source))) fault(node, rule.message)
    }
    if (product.test(path) && !path.endsWith('.test.ts')) {
      const old = madeOld(node)
      if (old) fault(node, `${old}: V8 makes it among the old objects, and what it leads to lives as long (docs/decisions/0054-garbage-dies-young.md)`)
    }
    const imported = importOf(node)
    if (imported) {
      const target = repositoryPath(path, imported.path)
      const wrong = target === null ? packageFault(path, imported) : importFault(path, { path: target, typeOnly: imported.typeOnly })
      if (wrong) fault(node, `${imported.path}: ${wrong}`)
    }
    if (ts.isStringLiteral(node) && node.getText(source).startsWith('"') && !node.text.includes("'")) fault(node, 'strings stand in single quotes')
    if (isStatementWithSemicolon(node, source)) fault(node, 'no semicolon at the end of a statement')
    ts.forEachChild(node, visit)
  }
  visit(source)
  const found = [...faults, ...nameFaults(path, source), ...textFaults(path, text)]
  return [...new Map(found.map((each) => [`${each.line} ${each.message}`, each])).values()]
}

function isPlaceable(node: ts.Node): boolean {
  return ts.isCallExpression(node) || ts.isNewExpression(node) || ts.isPropertyAccessExpression(node)
}

/** A call without its arguments (`a.b(`), a `new` with an empty list as `newX()`, a property access as it stands. */
function wordOf(node: ts.Node, source: ts.SourceFile): string {
  const bare = (each: ts.Node) => each.getText(source).replace(/\s+/g, '')
  if (ts.isCallExpression(node)) return `${bare(node.expression)}(`
  if (ts.isNewExpression(node)) return `new${bare(node.expression)}${(node.arguments?.length ?? 0) === 0 ? '()' : '(…'}`
  return bare(node)
}

/** What looks as if it were gone with the call that made it, and is not. */
function madeOld(node: ts.Node): string | null {
  if (ts.isBinaryExpression(node) && isAssignment(node.operatorToken.kind) && (ts.isPropertyAccessExpression(node.left) || ts.isElementAccessExpression(node.left))
    && (ts.isArrowFunction(node.right) || ts.isFunctionExpression(node.right))) return 'name the function before it is put on an object'
  if ((ts.isGetAccessor(node) || ts.isSetAccessor(node)) && ts.isObjectLiteralExpression(node.parent)) return 'an accessor belongs to a class, not to an object literal'
  return null
}

function isAssignment(kind: ts.SyntaxKind): boolean {
  return kind >= ts.SyntaxKind.FirstAssignment && kind <= ts.SyntaxKind.LastAssignment
}

function importOf(node: ts.Node): Import | null {
  if (ts.isImportDeclaration(node) && ts.isStringLiteral(node.moduleSpecifier)) {
    const clause = node.importClause
    const named = clause?.namedBindings && ts.isNamedImports(clause.namedBindings) ? clause.namedBindings.elements : []
    const eachIsType = named.length > 0 && !clause?.name && named.every((element) => element.isTypeOnly)
    return { path: node.moduleSpecifier.text, typeOnly: clause?.isTypeOnly === true || eachIsType }
  }
  if (ts.isExportDeclaration(node) && node.moduleSpecifier && ts.isStringLiteral(node.moduleSpecifier)) return { path: node.moduleSpecifier.text, typeOnly: node.isTypeOnly }
  const argument = ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword ? node.arguments[0] : undefined
  return argument && ts.isStringLiteral(argument) ? { path: argument.text, typeOnly: false } : null
}

/** Path in the repository that an import names, null when it names a package of others. */
function repositoryPath(from: string, specifier: string): string | null {
  if (specifier.startsWith('.')) return normalize(join(dirname(from), specifier)).replaceAll('\\', '/')
  const own = /^@pujiang\/([\w-]+)\/(.+)$/.exec(specifier)
  return own ? `${own[1]}/${own[1] === 'api' ? 'src/' : ''}${own[2]}` : null
}

function packageFault(from: string, imported: Import): string | null {
  const isEdge = /^api\/src\/(http\/|[^/]+\.ts$)/.test(from) || !from.startsWith('api/src/') || from.endsWith('.test.ts')
  if (/^(hono|@hono\/)/.test(imported.path) && !isEdge && !/^api\/src\/insurer\/http/.test(from)) return 'only http/ and app.ts import hono'
  return null
}

function isStatementWithSemicolon(node: ts.Node, source: ts.SourceFile): boolean {
  const ends = ts.isExpressionStatement(node) || ts.isVariableStatement(node) || ts.isReturnStatement(node) || ts.isImportDeclaration(node) || ts.isThrowStatement(node)
  if (!ends || !node.getText(source).endsWith(';')) return false
  const rest = source.text.slice(node.getEnd())
  return /^[ \t]*(\/\/.*)?(\r?\n|$)/.test(rest)
}

function nameFaults(path: string, source: ts.SourceFile): Fault[] {
  const faults: Fault[] = []
  if (/(^|[/.-])(utils?|helpers?|common|misc)([/.-]|$)/i.test(path)) faults.push({ path, line: 1, message: 'a file is named after what it holds; its place is the lowest folder whose subject it is' })
  const stem = path.split('/').at(-1) ?? ''
  if (stem.endsWith('.ts') && !/^[a-z0-9]+([.-][a-z0-9]+)*\.ts$/.test(stem)) faults.push({ path, line: 1, message: 'file names are kebab-case' })
  const onlyForwards = source.statements.length > 0 && source.statements.every((each) => ts.isExportDeclaration(each) && each.moduleSpecifier !== undefined)
  if (stem === 'index.ts' && onlyForwards) faults.push({ path, line: 1, message: 'no index.ts that re-exports' })
  if (isUnplaced(path)) faults.push({ path, line: 1, message: 'the table in .ci/tidy-layers.ts has no line for this file' })
  return faults
}

/** What stands in comments and in layout, which the tree does not show. */
function textFaults(path: string, text: string): Fault[] {
  const isOwnRule = /^\.ci\/tidy/.test(path)
  return text.split('\n').flatMap((content, index) => {
    const messages = [
      !isOwnRule && /\b(TODO|FIXME|XXX|HACK)\b/.test(content) && !/#\d+/.test(content) ? 'a loose end names its issue number' : null,
      /[ \t]$/.test(content) ? 'space at the end of the line' : null,
      /^ *\t/.test(content) ? 'indent with spaces' : null,
    ]
    return messages.flatMap((message) => (message === null ? [] : [{ path, line: index + 1, message }]))
  })
}

/** The script blocks of a component, with all other lines left empty so that line numbers stay. */
function scriptOf(component: string): string {
  let inside = false
  return component.split('\n').map((content) => {
    if (/^<script\b/.test(content)) { inside = true; return '' }
    if (content.startsWith('</script>')) inside = false
    return inside ? content : ''
  }).join('\n')
}

/** Every source file of the repository, relative to its root. */
export function sourceFiles(root: string): string[] {
  const found = globSync('{.ci,api,bench,e2e,fhir-profiles,migrations,seeds,web}/**/*.{ts,vue}', { cwd: root, exclude: (name) => name.includes('node_modules') || name.includes('/dist') })
  return [...found, 'vitest.config.ts'].map((path) => path.replaceAll('\\', '/')).filter((path) => !path.endsWith('.d.ts')).sort()
}

if (import.meta.main) {
  const root = join(dirname(fileURLToPath(import.meta.url)), '..')
  const files = sourceFiles(root).map((path) => ({ path, text: readFileSync(join(root, path), 'utf8') }))
  const faults = files.flatMap(({ path, text }) => faultsOf(path, text))
  for (const { path, line, message } of faults) process.stdout.write(`${path}:${line} ${message}\n`)
  const lengths = files.filter(({ path }) => !path.endsWith('.test.ts')).map(({ path, text }) => ({ path, lines: text.split('\n').length - 1 }))
  const longest = lengths.sort((one, other) => other.lines - one.lines).slice(0, 8)
  process.stdout.write(`${files.length} files, ${faults.length} faults. Longest: ${longest.map(({ path, lines }) => `${path} ${lines}`).join(', ')}\n`)
  if (faults.length > 0) process.exitCode = 1
}
