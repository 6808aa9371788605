/**
 * Invariants of R4: each is evaluated at every element that declares it, by a function of its own (invariant-tests.ts), by
 * the walk (structuralInvariants), or by the FHIRPath engine. `howEvaluated` says which, and a test lists all of them.
 * Broken ones of severity `warning` are reported only when warnings are wanted.
 */
import type { Constraint } from '../../fhir/structure.ts'
import { report, type Run } from '../validate.ts'
import { type Evaluate, evaluator, isKept } from './fhirpath-engine.ts'
import { invariantSentence } from './invariant-sentences.ts'
import { invariantTests, structuralInvariants } from './invariant-tests.ts'

type Json = Record<string, unknown>

export function howEvaluated(constraint: Constraint): 'structure' | 'function' | 'engine' {
  if (structuralInvariants.has(constraint.key)) return 'structure'
  return invariantTests.has(`${constraint.path} ${constraint.key}`) || invariantTests.has(constraint.key) ? 'function' : 'engine'
}

const evaluates = new WeakMap<Constraint, Evaluate | null>()

/** Made at first use; null for what the walk itself keeps. `type` is what the engine must know of the value. */
export function evaluateOf(constraint: Constraint, type: string | null): Evaluate | null {
  const known = evaluates.get(constraint)
  if (known !== undefined) return known
  const own = invariantTests.get(`${constraint.path} ${constraint.key}`) ?? invariantTests.get(constraint.key)
  const made: Evaluate | null = howEvaluated(constraint) === 'structure' ? null : own
    ? (value, surroundings) => own(value as Json, surroundings) ?? evaluator(constraint.expression, type)(value, surroundings)
    : (value, surroundings) => evaluator(constraint.expression, type)(value, surroundings)
  evaluates.set(constraint, made)
  return made
}

/** `type`: data type or path of the element, null for a resource. */
export function checkInvariants(run: Run, value: unknown, constraints: readonly Constraint[], type: string | null): void {
  for (const constraint of constraints) {
    if (constraint.severity === 'warning' && !run.warnings) continue
    if (isKept(evaluateOf(constraint, type)?.(value, { resource: run.resource, rootResource: run.container }))) continue
    report(run, 'invariant-broken', invariantSentence(constraint), '', constraint.severity)
  }
}
