/** Invariants that a profile adds. They are users' text: what may never end is not run, and says so as a warning. */
import type { Constraint } from '../../fhir/structure.ts'
import { report, type Run } from '../validate.ts'
import { evaluator, isDangerous, isKept } from './fhirpath-engine.ts'
import { evaluateOf } from './invariants.ts'
import { invariantSentence } from './invariant-sentences.ts'
import type { Item } from './items.ts'
import * as say from './profile-sentences.ts'

export function checkConstraints(run: Run, item: Item, constraints: readonly Constraint[]): void {
  for (const constraint of constraints) {
    if (constraint.severity === 'warning' && !run.warnings) continue
    if (isDangerous(constraint.expression)) {
      if (run.warnings) report(run, 'invariant-broken', say.notEvaluated(constraint.key), '', 'warning')
      continue
    }
    if (item.value === undefined || keeps(run, item, constraint)) continue
    report(run, 'invariant-broken', invariantSentence(constraint), '', constraint.severity)
  }
}

/** A snapshot repeats what R4 declares; that is evaluated as everywhere. */
function keeps(run: Run, { value, structure, type }: Item, constraint: Constraint): boolean {
  const surroundings = { resource: run.resource, rootResource: run.container }
  const base = structure?.kind === 'resource' ? null : structure ? structure.name : type
  if (published(run, constraint)) return isKept(evaluateOf(constraint, base)?.(value, surroundings))
  return isKept(evaluator(constraint.expression, base)(value, surroundings))
}

const publishedOf = new WeakMap<Run['model'], Set<string>>()

function published({ model }: Run, { key, expression }: Constraint): boolean {
  let known = publishedOf.get(model)
  if (!known) {
    const all = [...model.structures.values(), ...model.backbones.values()].flatMap((each) => each.constraints)
    known = new Set(all.map((each) => `${each.key} ${each.expression}`))
    publishedOf.set(model, known)
  }
  return known.has(`${key} ${expression}`)
}
