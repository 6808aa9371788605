/**
 * `npm run load -- PATH… [--direct] [--url URL] [--token TOKEN]`: imports FHIR R4 files or folders of them into the running platform, or
 * with --direct straight into the database. A file that was loaded before is skipped; a broken one is reported and the rest
 * goes on; the exit code is 1 when any failed. Each file, or each part of a large one, is one transaction.
 */
import { parseArgs } from 'node:util'
import type { Resource } from '@medplum/fhirtypes'
import cliProgress from 'cli-progress'
import { platform } from './access/principal.ts'
import { resourceEntries } from './catalogue/resource-types.ts'
import { type Config, readConfig } from './config.ts'
import { makeCtx, monotonicMs } from './ctx.ts'
import { leave, prepareDatabases } from './databases.ts'
import { parseJson } from './fhir/json.ts'
import { loadModel } from './fhir/model.ts'
import { OutcomeError } from './fhir/outcome.ts'
import { findFiles, type LoadFile, type LoadUnit, sentenceOf, unitsOf } from './load-units.ts'
import { mintDemoToken } from './mint-token.ts'
import { bundleEntries, entryOf } from './records/bundle-entries.ts'
import { claimFile } from './records/loaded-files.ts'
import type { Store } from './records/store.ts'
import { writeBundle } from './records/write-bundle.ts'
import { openDb } from './storage/pool.ts'
import { inTransaction } from './storage/transaction.ts'

/** Stores a unit; false when it was loaded before. Throws Error with the reason when it is refused. */
type Sink = (unit: LoadUnit) => Promise<boolean>

const unitsUnderWay = 4

interface Report { stored: Map<string, number>; skippedFiles: number; failures: { name: string; reason: string }[] }

interface LoadOptions { paths: string[]; direct: boolean; url: string; token: string | null }

function readOptions(args: string[]): LoadOptions {
  const { values, positionals } = parseArgs({
    args, allowPositionals: true, options: { direct: { type: 'boolean', default: false }, url: { type: 'string' }, token: { type: 'string' } },
  })
  if (positionals.length === 0) throw new Error('Usage: npm run load -- PATH… [--direct] [--url http://127.0.0.1:8080] [--token TOKEN]')
  return { paths: positionals, direct: values.direct, url: (values.url ?? '').replace(/\/$/, ''), token: values.token ?? null }
}

/** @returns the exit code. */
async function load(options: LoadOptions): Promise<number> {
  const config = readConfig()
  const files = findFiles(options.paths)
  const started = monotonicMs()
  const { sink, close } = options.direct ? await directSink(config) : await httpSink(config, options)
  const report: Report = { stored: new Map(), skippedFiles: 0, failures: [] }
  try {
    await loadFiles(files, sink, report)
  } finally {
    await close()
  }
  printReport(report, files.length, (monotonicMs() - started) / 1000)
  return report.failures.length > 0 ? 1 : 0
}

async function loadFiles(files: readonly LoadFile[], sink: Sink, report: Report): Promise<void> {
  const bar = new cliProgress.SingleBar({
    format: '{bar} {percentage}% | {file}/{files} files | {resources} resources | {rate}/s | {eta_formatted} left', noTTYOutput: true, hideCursor: true,
  }, cliProgress.Presets.shades_classic)
  const started = monotonicMs()
  let file = 0
  let resources = 0
  const shown = () => ({ file, files: files.length, resources, rate: Math.round(resources / Math.max(0.001, (monotonicMs() - started) / 1000)) })
  bar.start(files.reduce((sum, each) => sum + each.bytes, 0), 0, shown())
  const waiting = [...files]
  const run = async (): Promise<void> => {
    for (let next = waiting.shift(); next; next = waiting.shift()) {
      await loadFile(next, sink, report, (count) => {
        resources += count
        bar.update(shown())
      })
      file++
      bar.increment(next.bytes, shown())
    }
  }
  try {
    await Promise.all(Array.from({ length: unitsUnderWay }, run))
  } finally {
    bar.stop()
  }
}

/** The units of one file, in order; the first that fails ends the file. */
async function loadFile(file: LoadFile, sink: Sink, report: Report, stored: (count: number) => void): Promise<void> {
  let skipped = 0
  let units = 0
  let name = file.path
  try {
    for await (const unit of unitsOf(file)) {
      units++
      name = unit.name
      if (!(await sink(unit))) {
        skipped++
        continue
      }
      let count = 0
      for (const [type, number] of unit.types) {
        report.stored.set(type, (report.stored.get(type) ?? 0) + number)
        count += number
      }
      stored(count)
    }
    if (units > 0 && skipped === units) report.skippedFiles++
  } catch (error) {
    if (isFaultOfNetwork(error)) throw new Error('The platform does not answer. Is it running (npm start)? Otherwise use --direct.', { cause: error })
    report.failures.push({ name, reason: error instanceof OutcomeError ? sentenceOf(error) : (error as Error).message })
  }
}

function isFaultOfNetwork(error: unknown): boolean {
  return error instanceof TypeError && error.message === 'fetch failed'
}

async function httpSink(config: Config, options: LoadOptions): Promise<{ sink: Sink; close: () => Promise<void> }> {
  const url = `${options.url || config.publicUrl}/fhir`
  const token = options.token ?? await mintDemoToken(config, { client: 'bench', user: null, scope: null })
  const sink: Sink = async (unit) => {
    const reply = await fetch(url, {
      method: 'POST', body: unit.text,
      headers: {
        Authorization: `Bearer ${token}`, 'Content-Type': 'application/fhir+json', Prefer: 'return=minimal', 'Accept-Language': 'en',
        'X-Load-Sha256': unit.sha256, 'X-Load-Name': encodeURIComponent(unit.name),
      },
      signal: AbortSignal.timeout(600_000),
    })
    const text = await reply.text()
    if (!reply.ok) throw new Error(reasonOf(reply.status, text))
    return reply.headers.get('X-Load-Skipped') === null
  }
  return { sink, close: async () => {} }
}

/** What an OperationOutcome says, in one line. */
function reasonOf(status: number, text: string): string {
  try {
    const { issue } = JSON.parse(text) as { issue: { details: { text: string }; expression?: string[] }[] }
    const [first] = issue
    return `${status}: ${first?.details.text}${first?.expression ? ` (${first.expression[0]})` : ''}${issue.length > 1 ? ` and ${issue.length - 1} more` : ''}`
  } catch {
    return `${status}: ${text.slice(0, 200)}`
  }
}

async function directSink(config: Config): Promise<{ sink: Sink; close: () => Promise<void> }> {
  const databases = await prepareDatabases(config)
  const db = openDb(databases.platform, { max: unitsUnderWay, name: 'load', statementTimeoutMs: 0 })
  const base = `${config.publicUrl}/fhir`
  const store: Store = { base, model: loadModel(), entries: resourceEntries }
  const sink: Sink = async (unit) => {
    const entries = bundleEntries(parseJson(unit.text) as Resource).map((value, index) => ({ ...entryOf(value, index, base), ifMatchVersion: null }))
    const writes = entries.filter((entry) => entry.method !== 'GET')
    const ctx = makeCtx(platform)
    return inTransaction(db, async (trx) => {
      if (!(await claimFile(trx, ctx, { sha256: unit.sha256, name: unit.name, resources: writes.length }))) return false
      await writeBundle(trx, ctx, store, writes, 'import', base)
      return true
    })
  }
  return { sink, close: async () => { await db.destroy(); await leave(databases) } }
}

function printReport({ stored, skippedFiles, failures }: Report, files: number, seconds: number): void {
  const say = (line: string) => process.stdout.write(`${line}\n`)
  const total = [...stored.values()].reduce((sum, each) => sum + each, 0)
  const width = Math.max(5, ...[...stored.keys()].map((type) => type.length))
  for (const [type, count] of [...stored].sort((a, b) => b[1] - a[1])) say(`  ${type.padEnd(width)}  ${String(count).padStart(9)}`)
  say(`  ${'total'.padEnd(width)}  ${String(total).padStart(9)}`)
  say(`${files} files: ${files - skippedFiles - failures.length} loaded, ${skippedFiles} skipped (loaded before), ${failures.length} failed; ${seconds.toFixed(1)} s, ${Math.round(total / seconds)} resources/s`)
  for (const { name, reason } of failures) process.stderr.write(`✗ ${name}: ${reason}\n`)
}

try {
  process.exitCode = await load(readOptions(process.argv.slice(2)))
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = 1
}
