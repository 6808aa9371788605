/**
 * `npm run mutation [-- FILE…]`: how many changes of the rules the tests notice (Stryker). Its packages are not ours: they are
 * installed into a scratch folder beside copies of the insurer's pure files and their tests, and leave with it. Values of policies
 * and tables are static, so each mutant of them runs all tests: allow an hour for everything, minutes for one file.
 */
import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const stryker = '10.1.1'
const repository = join(import.meta.dirname, '..', '..')
const insurer = 'api/src/insurer'
const everything = ['rules.ts', 'adjudicate.ts', 'trace.ts', 'transitions.ts', 'categories.ts', 'policies.ts', 'policies/*.ts']
const least = 90

const { devDependencies: root } = JSON.parse(readFileSync(join(repository, 'package.json'), 'utf8')) as { devDependencies: Record<string, string> }
const { devDependencies: api } = JSON.parse(readFileSync(join(repository, 'api/package.json'), 'utf8')) as { devDependencies: Record<string, string> }
const chosen = process.argv.slice(2)
const folder = mkdtempSync(join(tmpdir(), 'pujiang-mutation-'))
try {
  for (const part of ['insurer', 'fhir', 'access']) cpSync(join(repository, 'api/src', part), join(folder, 'api/src', part), { recursive: true })
  mkdirSync(folder, { recursive: true })
  writeFileSync(join(folder, 'package.json'), JSON.stringify({
    private: true, type: 'module',
    devDependencies: { '@stryker-mutator/core': stryker, '@stryker-mutator/vitest-runner': stryker, 'vitest': root['vitest'], 'fast-check': api['fast-check'] },
  }))
  writeFileSync(join(folder, 'vitest.config.js'), `export default { test: { include: ['${insurer}/{adjudicate,adjudicate-steps,policies,policies-golden,categories,trace,transitions}.test.ts'] } }`)
  writeFileSync(join(folder, 'stryker.config.json'), JSON.stringify({
    testRunner: 'vitest', coverageAnalysis: 'perTest', timeoutMS: 20_000, reporters: ['clear-text'], vitest: { configFile: 'vitest.config.js' },
    mutate: (chosen.length > 0 ? chosen : everything).map((file) => `${insurer}/${file}`), thresholds: { high: 95, low: least, break: least },
  }))
  run('npm', ['install', '--no-audit', '--no-fund', '--loglevel', 'error'])
  run(process.execPath, ['node_modules/@stryker-mutator/core/bin/stryker.js', 'run'])
} finally {
  rmSync(folder, { recursive: true, force: true })
}

function run(program: string, args: readonly string[]): void {
  const done = spawnSync(program, args, { cwd: folder, stdio: 'inherit' })
  if (done.status !== 0) process.exitCode = 1
}
