/**
 * Arithmetic that explains itself. Each step names its operation, what it was made of and its result in fen, so the whole
 * sum can be redone from the steps alone (`replayTrace`), by a clerk with a pencil or by a program. A step is never changed.
 */
import type { Sentence } from '../fhir/outcome.ts'
import { atLeastZero, shareOf, smaller } from '../fhir/money.ts'
import type { StepLabel } from './step-labels.ts'
import { type FilingKind, reducedParts, type Reduction, type Rounding } from './rules.ts'

/**
 * `given`: a fact; `sum` of all; `excess`: the first less the others, never below zero; `min`: the smallest;
 * `share`: `parts` of 10 000, rounded to the fen, half-up unless the step says `rounding`.
 */
export type TraceOperation = 'given' | 'sum' | 'excess' | 'min' | 'share'

export interface TraceStep {
  name: string
  operation: TraceOperation
  /** Names of earlier steps. */
  of: readonly string[]
  /** Of a share, parts of 10 000; null otherwise. */
  parts: number | null
  fen: bigint
  /** What people call the number (`step-labels`), where that is not what its name says. */
  label?: StepLabel
  /** The words themselves, of a trace that was written before labels were. */
  text?: Sentence
  /** Where the value or the ratio stands: policy, then its element. Absent for facts of the bill and the person. */
  rule?: string
  /** Of a share whose ratio was reduced because of treatment in another region: the ratio before, and what was done to it. */
  reduced?: Reduction & { from: number; filing: FilingKind }
  /** Of a share that is not rounded half-up. */
  rounding?: Rounding
}

/** What may be said of a step beside its sum. */
type More = Pick<TraceStep, 'rule' | 'reduced' | 'label'>

export class Trace {
  readonly steps: TraceStep[] = []
  readonly #values = new Map<string, bigint>()
  readonly #rounding: Rounding

  constructor(rounding: Rounding) {
    this.#rounding = rounding
  }

  given(name: string, fen: bigint, more: More = {}): bigint {
    return this.#add({ name, operation: 'given', of: [], parts: null, fen, ...more })
  }
  sum(name: string, of: readonly string[], more: More = {}): bigint {
    return this.#add({ ...this.#computed(name, 'sum', of), ...more })
  }
  excess(name: string, of: readonly [string, ...string[]]): bigint {
    return this.#add(this.#computed(name, 'excess', of))
  }
  min(name: string, of: readonly [string, ...string[]]): bigint {
    return this.#add(this.#computed(name, 'min', of))
  }
  share(name: string, of: string, parts: number, more: More = {}): bigint {
    const fen = shareOf(this.value(of), parts, this.#rounding)
    return this.#add({ name, operation: 'share', of: [of], parts, fen, ...more, ...(this.#rounding === 'half-up' ? {} : { rounding: this.#rounding }) })
  }
  value(name: string): bigint {
    const value = this.#values.get(name)
    if (value === undefined) throw new Error(`Step ${name} is not there yet.`)
    return value
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  #computed(name: string, operation: Combining, of: readonly string[]): TraceStep {
    return { name, operation, of, parts: null, fen: combined(operation, of.map((each) => this.value(each))) }
  }
  #add(step: TraceStep): bigint {
    if (this.#values.has(step.name)) throw new Error(`Step ${step.name} is there already.`)
    this.#values.set(step.name, step.fen)
    this.steps.push(step)
    return step.fen
  }
}

type Combining = Exclude<TraceOperation, 'given' | 'share'>

function combined(operation: Combining, values: readonly bigint[]): bigint {
  const [first = 0n, ...rest] = values
  switch (operation) {
    case 'sum': return values.reduce((sum, each) => sum + each, 0n)
    case 'excess': return atLeastZero(rest.reduce((left, each) => left - each, first))
    case 'min': return rest.reduce(smaller, first)
  }
}

function redone(step: TraceStep, values: readonly bigint[]): bigint {
  switch (step.operation) {
    case 'given': return step.fen
    case 'share': return shareOf(values[0] ?? 0n, step.parts ?? 0, step.rounding ?? 'half-up')
    default: return combined(step.operation, values)
  }
}

/** Redoes every sum. @returns the values by name. @throws Error naming the first step whose result is not what it says. */
export function replayTrace(steps: readonly TraceStep[]): Map<string, bigint> {
  const values = new Map<string, bigint>()
  for (const step of steps) {
    const of = step.of.map((name) => {
      const value = values.get(name)
      if (value === undefined) throw new Error(`Step ${step.name} uses ${name} before it is there.`)
      return value
    })
    if (step.reduced && reducedParts(step.reduced.from, step.reduced) !== step.parts) throw new Error(`Step ${step.name} says ${step.parts} parts; the reduction gives another ratio.`)
    const fen = redone(step, of)
    if (fen !== step.fen || fen < 0n) throw new Error(`Step ${step.name} says ${step.fen}, the sum is ${fen}.`)
    values.set(step.name, fen)
  }
  return values
}

/** A step as JSON: the amount as text of fen; all else only where there is something to say. */
type StepJson = Pick<TraceStep, 'name' | 'operation'> & { fen: string; text?: Sentence | null } & Partial<Omit<TraceStep, 'fen' | 'text'>>

export function traceJson(steps: readonly TraceStep[]): string {
  return JSON.stringify(steps.map(({ name, operation, of, parts, fen, rule, reduced, rounding, label, text }): StepJson => ({
    name, operation, of: of.length === 0 ? undefined : of, parts: parts ?? undefined, fen: fen.toString(), rule, reduced, rounding, label, text,
  })))
}

export function traceFromJson(json: string): TraceStep[] {
  return (JSON.parse(json) as StepJson[]).map(({ of = [], parts = null, text, ...step }) => ({ ...step, of, parts, fen: BigInt(step.fen), ...(text ? { text } : {}) }))
}
