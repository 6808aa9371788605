/**
 * `npm test`: every check of the project, in the order in which a fault is cheapest to find. Each step prints its name, its
 * result and its duration; the output of a step is shown when it fails. The last line counts checks and tests together.
 *   npm test -- --only lint,tidy     some steps        npm test -- --list     their names
 */
import { spawn } from 'node:child_process'
import { existsSync, globSync, mkdirSync, readFileSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

interface Result { passed: number; failed: number; skipped: number; output: string }
interface Step { name: string; why: string; run(): Promise<Result> }

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const modules = join(root, 'node_modules')
const cache = join(root, '.cache')
const outputCharactersMax = 40_000
/** A step that hangs ends here. A slow machine needs three times the seven minutes that the tests take on a quiet one with two cores. */
const stepMinutesMax = 30

const steps: readonly Step[] = [
  { name: 'types', why: 'TypeScript of every workspace', run: checkTypes },
  { name: 'lint', why: 'biome, oxlint with types, eslint on components', run: lint },
  { name: 'tidy', why: 'house rules', run: () => check(['.ci/tidy.ts']) },
  { name: 'unused', why: 'files, exports and packages nobody uses', run: () => check([join(modules, 'knip/bin/knip.js'), '--no-progress', '--no-config-hints']) },
  { name: 'docs', why: 'generated pages are current', run: () => check(['.ci/docs.ts', '--check']) },
  { name: 'tests', why: 'unit, HTTP, race and conformance tests', run: () => vitest('tests', []) },
  { name: 'build', why: 'the portal', run: () => check([join(modules, 'vite/bin/vite.js'), 'build', '--logLevel', 'warn'], 'web') },
  { name: 'journeys', why: 'people in a real browser', run: () => vitest('journeys', ['--config', 'e2e/vitest.config.ts']) },
]

async function checkTypes(): Promise<Result> {
  const projects = globSync('{.ci,*}/tsconfig.json', { cwd: root }).map(dirname).filter(hasSource).sort()
  const commands = projects.map((project) => project === 'web'
    ? [join(modules, 'vue-tsc/bin/vue-tsc.js'), '--noEmit', '-p', project]
    : [join(modules, 'typescript7/bin/tsc'), '-p', project])
  return all(commands)
}

function hasSource(project: string): boolean {
  return globSync(`${project}/{*.ts,{src,test}/**/*.{ts,vue}}`, { cwd: root }).length > 0
}

async function lint(): Promise<Result> {
  return all([
    [join(modules, '@biomejs/biome/bin/biome'), 'check', '--max-diagnostics=50', '--diagnostic-level=warn', '--error-on-warnings', '--colors=off'],
    [join(modules, 'oxlint/bin/oxlint'), '--type-aware', '.'],
    [join(modules, 'eslint/bin/eslint.js'), '--max-warnings', '0', 'web/src/**/*.vue'],
  ])
}

/** One program after the other, each a check of its own. */
async function all(commands: readonly string[][]): Promise<Result> {
  const results: Result[] = []
  for (const command of commands) results.push(await check(command))
  const sum = (of: (result: Result) => number) => results.reduce((total, result) => total + of(result), 0)
  return { passed: sum((each) => each.passed), failed: sum((each) => each.failed), skipped: 0, output: results.map((each) => each.output).join('') }
}

async function check(args: readonly string[], folder = '.'): Promise<Result> {
  const { code, output } = await runNode(args, folder)
  return code === 0 ? { passed: 1, failed: 0, skipped: 0, output } : { passed: 0, failed: 1, skipped: 0, output }
}

/** Runs vitest and reads its own count. A file that could not be loaded has no tests to count: it counts as one failure. */
async function vitest(name: string, args: readonly string[]): Promise<Result> {
  const report = join(cache, `${name}.json`)
  rmSync(report, { force: true })
  mkdirSync(cache, { recursive: true })
  const { code, output } = await runNode([join(modules, 'vitest/vitest.mjs'), 'run', ...args, '--reporter=dot', '--reporter=json', `--outputFile.json=${report}`], '.')
  if (!existsSync(report)) return { passed: 0, failed: 1, skipped: 0, output }
  const counts = JSON.parse(readFileSync(report, 'utf8')) as Report
  const unloaded = counts.testResults.filter((file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed')).length
  const failed = counts.numFailedTests + unloaded
  return { passed: counts.numPassedTests, failed: failed === 0 && code !== 0 ? 1 : failed, skipped: counts.numPendingTests + counts.numTodoTests, output }
}

interface Report {
  numPassedTests: number
  numFailedTests: number
  numPendingTests: number
  numTodoTests: number
  testResults: { status: string; assertionResults: { status: string }[] }[]
}

/** Runs a program with the Node that runs this file; `node` of the children is the same one. */
function runNode(args: readonly string[], folder: string): Promise<{ code: number; output: string }> {
  const path = [join(modules, '.bin'), dirname(process.execPath), process.env.PATH ?? ''].join(delimiter)
  return new Promise((done, failed) => {
    const child = spawn(process.execPath, args, {
      cwd: join(root, folder), stdio: ['ignore', 'pipe', 'pipe'], timeout: stepMinutesMax * 60_000,
      env: { ...process.env, PATH: path, NO_COLOR: '1', FORCE_COLOR: undefined, NODE_ENV: undefined },
    })
    let output = ''
    const take = (chunk: Buffer) => { output = (output + chunk.toString('utf8')).slice(-outputCharactersMax) }
    child.stdout.on('data', take)
    child.stderr.on('data', take)
    child.on('error', failed)
    child.on('close', (code, signal) => {
      if (signal !== null) output += `\nended by ${signal}\n`
      done({ code: code ?? 1, output })
    })
  })
}

function chosenSteps(only: string | undefined): readonly Step[] {
  if (only === undefined) return steps
  const names = only.split(',')
  const unknown = names.filter((name) => !steps.some((step) => step.name === name))
  if (unknown.length > 0) throw new Error(`There is no step ${unknown.join(', ')}; there are ${steps.map((step) => step.name).join(', ')}.`)
  return steps.filter((step) => names.includes(step.name))
}

async function main(): Promise<number> {
  const { values } = parseArgs({ options: { only: { type: 'string' }, list: { type: 'boolean', default: false } } })
  if (values.list) {
    process.stdout.write(steps.map((step) => `${step.name.padEnd(10)} ${step.why}\n`).join(''))
    return 0
  }
  const total = { passed: 0, failed: 0, skipped: 0 }
  for (const step of chosenSteps(values.only)) {
    process.stdout.write(`${step.name.padEnd(10)} ${step.why} …\n`)
    const started = performance.now()
    const result = await step.run()
    const seconds = ((performance.now() - started) / 1000).toFixed(1)
    if (result.failed > 0) process.stdout.write(`${result.output.trimEnd()}\n`)
    process.stdout.write(`${step.name.padEnd(10)} ${result.failed > 0 ? 'FAILED' : 'ok'}: ${counted(result)} in ${seconds} s\n`)
    total.passed += result.passed
    total.failed += result.failed
    total.skipped += result.skipped
  }
  process.stdout.write(`\n${counted(total)}\n`)
  return total.failed > 0 ? 1 : 0
}

function counted({ passed, failed, skipped }: Omit<Result, 'output'>): string {
  return `${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`
}

process.exitCode = await main()
