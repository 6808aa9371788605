/**
 * Compiles the FHIRPath of search parameters into plain steps. Types are worked out once, at compile time, from the
 * structure: a choice such as `value` becomes one branch a type, `ofType(T)` drops the others. What runs for each resource
 * is property reads alone.
 * The subset is what the search parameters of R4 use: paths, `|`, brackets, `[n]`, `where(…)`, `ofType(T)`, `as(T)`,
 * `as T`, `extension(url)`, `exists()`, `resolve() is T`, `=`, `!=`, `and`, `or`. Anything else throws at compile time.
 */
import type { Structure } from './structure.ts'
import { parseExpression, type Expression } from './search-expression-parser.ts'
import { referencedType } from './references.ts'

/** Called for every value that a branch finds; holder and key give the digits of a decimal. */
export type Visit = (value: unknown, holder: object, key: string, resource: object) => void

/** One way from the resource to values of one type. */
export interface Branch {
  /** FHIR type of the values: `CodeableConcept`, `dateTime`, `Resource`. */
  type: string
  /** Address of the value set of a required binding; null when there is none. */
  required: string | null
  /** What the values hold; null for primitives. */
  structure: Structure | null
  run(resource: object, visit: Visit): void
}

type Test = (value: unknown, resource: object) => boolean
type Step = { op: 'get'; key: string } | { op: 'at'; index: number } | { op: 'where'; test: Test } | { op: 'test'; test: Test }

interface Draft { type: string; structure: Structure | null; required: string | null; steps: readonly Step[] }

export function compileSearchExpression(text: string, root: Structure, structures: ReadonlyMap<string, Structure>): Branch[] {
  const start: Draft = { type: root.name, structure: root, required: null, steps: [] }
  const drafts = compile(parseExpression(text), start, root.name, structures)
  return drafts.map((draft) => ({
    type: draft.type,
    required: draft.required,
    structure: draft.structure,
    run: (resource, visit) => walk(resource, resource, '', resource, draft.steps, 0, visit),
  }))
}

function compile(expression: Expression, from: Draft, rootType: string, structures: ReadonlyMap<string, Structure>): Draft[] {
  const deeper = (inner: Expression): Draft[] => compile(inner, from, rootType, structures)
  switch (expression.kind) {
    case 'union': return expression.branches.flatMap(deeper)
    case 'name':
      if (from.steps.length === 0 && isTypeName(expression.name, rootType)) return [from]
      return member(from, expression.name)
    case 'member': return deeper(expression.of).flatMap((draft) => member(draft, expression.name))
    case 'index': return deeper(expression.of).map((draft) => ({ ...draft, steps: [...draft.steps, { op: 'at' as const, index: expression.index }] }))
    case 'type': return deeper(expression.of).filter((draft) => draft.type === expression.type)
    case 'where': return deeper(expression.of).map((draft) => {
      const test = condition(expression.condition, { ...draft, steps: [] }, structures)
      return { ...draft, steps: [...draft.steps, { op: 'where' as const, test }] }
    })
    case 'extension': return deeper(expression.of).map((draft) => {
      const test: Test = (value) => (value as { url?: unknown }).url === expression.url
      return { ...draft, type: 'Extension', structure: structures.get('Extension') ?? null, steps: [...draft.steps, { op: 'get' as const, key: 'extension' }, { op: 'where' as const, test }] }
    })
    default: {
      const test = condition(expression, from, structures)
      return [{ type: 'boolean', structure: null, required: null, steps: [...from.steps, { op: 'test', test }] }]
    }
  }
}

function isTypeName(name: string, rootType: string): boolean {
  return name === rootType || name === 'Resource' || name === 'DomainResource'
}

function member(from: Draft, name: string): Draft[] {
  const { structure } = from
  if (!structure) return []
  const keys = structure.properties.has(name) ? [name] : structure.elements.find((each) => each.choice && each.name === `${name}[x]`)?.keys ?? []
  if (!keys.length) throw new Error(`${structure.name} has no element ${name}.`)
  return keys.flatMap((key) => {
    const property = structure.properties.get(key)
    return property ? [{ type: property.type, structure: property.content, required: property.required, steps: [...from.steps, { op: 'get' as const, key }] }] : []
  })
}

/** A boolean expression about one value, relative to it. */
function condition(expression: Expression, from: Draft, structures: ReadonlyMap<string, Structure>): Test {
  switch (expression.kind) {
    case 'and': case 'or': {
      const left = condition(expression.left, from, structures)
      const right = condition(expression.right, from, structures)
      return expression.kind === 'and' ? (value, resource) => left(value, resource) && right(value, resource)
        : (value, resource) => left(value, resource) || right(value, resource)
    }
    case 'resolves': {
      const { type } = expression
      return (value, resource) => typeof value === 'object' && value !== null && referencedType(value, resource) === type
    }
    case 'exists': {
      const paths = relative(expression.of, from, structures)
      return (value, resource) => paths.some((steps) => any(value, resource, steps, () => true))
    }
    case 'compare': {
      const paths = relative(expression.left, from, structures)
      const { literal, equal } = expression
      return (value, resource) => paths.some((steps) => any(value, resource, steps, (found) => (found === literal) === equal))
    }
    default: throw new Error(`A search expression has a condition that is not understood: ${expression.kind}.`)
  }
}

function relative(expression: Expression, from: Draft, structures: ReadonlyMap<string, Structure>): (readonly Step[])[] {
  return compile(expression, from, from.type, structures).map((draft) => draft.steps.slice(from.steps.length))
}

function any(value: unknown, resource: object, steps: readonly Step[], test: (found: unknown) => boolean): boolean {
  let result = false
  if (typeof value === 'object' && value !== null) walk(value, value, '', resource, steps, 0, (found) => { result ||= test(found) })
  else if (steps.length === 0) result = test(value)
  return result
}

function walk(value: unknown, holder: object, key: string, resource: object, steps: readonly Step[], at: number, visit: Visit): void {
  const step = steps[at]
  if (step === undefined) {
    visit(value, holder, key, resource)
    return
  }
  switch (step.op) {
    case 'get': {
      if (typeof value !== 'object' || value === null) return
      const child = (value as Record<string, unknown>)[step.key]
      if (child === undefined || child === null) return
      if (!Array.isArray(child)) walk(child, value, step.key, resource, steps, at + 1, visit)
      else if (steps[at + 1]?.op === 'at') {
        const { index } = steps[at + 1] as { index: number }
        if (child[index] !== undefined && child[index] !== null) walk(child[index], child, String(index), resource, steps, at + 2, visit)
      } else for (let index = 0; index < child.length; index++) {
        const item: unknown = child[index]
        if (item !== undefined && item !== null) walk(item, child, String(index), resource, steps, at + 1, visit)
      }
      return
    }
    case 'where':
      if (step.test(value, resource)) walk(value, holder, key, resource, steps, at + 1, visit)
      return
    case 'test': {
      visit(step.test(value, resource), holder, key, resource)
      return
    }
    case 'at':
      if (step.index === 0) walk(value, holder, key, resource, steps, at + 1, visit)
  }
}
