/** What a run says: a table for the terminal, the same as Markdown for docs/bench.md, and bench/results/<day>.json. */
import { mkdirSync, writeFileSync } from 'node:fs'
import { cpus, totalmem } from 'node:os'
import { join } from 'node:path'
import type { Window } from './measure.ts'
import type { MemoryOutcome } from './memory.ts'
import type { StageOutcome } from './stages.ts'

export interface Outcome { name: string; what: string; resources: number; connections: number; platform: Window; bare: Window; ratio: number }

export interface Run {
  benchmarks: Outcome[]
  memory: MemoryOutcome | null
  stages: StageOutcome[]
  startSeconds: number
  postgresVersion: string
  settings: object
}

const heads = ['benchmark', 'side', 'connections', 'per second', 'p50 ms', 'p99 ms', 'Node µs', 'PostgreSQL µs', 'per CPU second', 'of the limit']

export function lines(run: Run): string[] {
  return [
    ...(run.benchmarks.length > 0 ? [...table(heads, run.benchmarks.flatMap(rowsOf)), ''] : []),
    ...run.benchmarks.filter(({ resources }) => resources > 1)
      .map((each) => `${each.name}: ${Math.round(each.resources)} resources a request, ${rate(each.platform.perSecond * each.resources)} resources a second stored and indexed`),
    ...memoryLines(run),
    ...(run.stages.length > 0 ? ['', ...table(['CPU µs a resource', 'parse', 'validate', 'index', 'print', 'write, Node', 'write, PostgreSQL'], run.stages.map(stageRow))] : []),
  ]
}

function rowsOf(each: Outcome): string[][] {
  return [
    [each.what, 'limit', String(each.connections), ...columns(each.bare), ''],
    ['', 'platform', String(each.connections), ...columns(each.platform), `${(each.ratio * 100).toFixed(0)} %`],
  ]
}

function columns(window: Window): string[] {
  const { nodeMicros, postgresMicros } = window
  const perCpu = nodeMicros === null || postgresMicros === null ? '' : rate(1_000_000 / (nodeMicros + postgresMicros))
  return [rate(window.perSecond), String(window.p50), String(window.p99), micros(nodeMicros), micros(postgresMicros), perCpu]
}

function memoryLines({ memory, startSeconds }: Run): string[] {
  const start = `start: the platform's process answers ${startSeconds.toFixed(1)} s after it was started`
  if (memory === null) return [start]
  const part = memory.thirds.map(({ resident, heap }) => `${Math.round(resident)} MB (heap ${Math.round(heap)})`).join(', ')
  return [
    start, `memory at rest: ${Math.round(memory.idle)} MB`,
    `memory over ${memory.resources.toLocaleString('en')} resources in transactions, ${rate(memory.perSecond)} a second, highest of each third: ${part}`,
  ]
}

function stageRow(each: StageOutcome): string[] {
  return [each.name, ...[each.parse, each.validate, each.index, each.print, each.writeNode, each.writePostgres].map((value) => (value === null ? '' : value.toFixed(0)))]
}

/** A Markdown table that is also readable as it is. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((name, column) => Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)))
  const line = (row: readonly string[]) => `| ${row.map((cell, column) => (column < 2 ? cell.padEnd(widths[column] ?? 0) : cell.padStart(widths[column] ?? 0))).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)]
}

export function rate(value: number): string {
  return value >= 100 ? Math.round(value).toLocaleString('en') : value.toFixed(1)
}

export function micros(value: number | null): string {
  return value === null ? '' : value.toLocaleString('en')
}

/** @returns the path of the file. */
export function writeResults(run: Run): string {
  const { benchmarks, memory, stages, startSeconds, settings, postgresVersion } = run
  return writePart('', { settings, startSeconds, benchmarks, memory, stages }, postgresVersion)
}

/** What a part of its own found. @param name empty for the comparison with the bare server. @returns the path of the file. */
export function writePart(name: string, found: object, postgresVersion: string): string {
  const folder = join(import.meta.dirname, '..', 'results')
  mkdirSync(folder, { recursive: true })
  const at = new Date().toISOString()
  const machine = { processor: cpus()[0]?.model ?? '', cores: cpus().length, memoryGigabytes: Math.round(totalmem() / 2 ** 30), node: process.version, postgres: postgresVersion }
  const file = `${at.slice(0, 10)}${name === '' ? '' : `-${name}`}.json`
  writeFileSync(join(folder, file), `${JSON.stringify({ at, machine, ...found }, null, 2)}\n`)
  return `bench/results/${file}`
}
