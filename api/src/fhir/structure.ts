/**
 * The element tree of FHIR types, compiled from the extract: for each type and each element with children, what JSON
 * keys it may hold and what each of them is. `value[x]` becomes one property a type, so that a look-up is one map read.
 */
import type { ConstraintRow, ElementRow, StructureRow } from '@pujiang/fhir-profiles/extracts.ts'

/** An invariant that every instance of a type or of an element must keep. */
export interface Constraint {
  key: string
  severity: 'error' | 'warning'
  /** What it says, by HL7 in English. */
  human: string
  /** FHIRPath, true when kept. */
  expression: string
  /** Path of the element that declares it, such as `Period` or `Organization.telecom`. */
  path: string
}

/** One element as FHIR defines it; several properties share it when it is a choice. */
export interface Element {
  /** `value[x]` or `status`. */
  name: string
  min: number
  /** Infinity when there is no limit. */
  max: number
  choice: boolean
  /** JSON keys it may come under. */
  keys: string[]
}

/** What may stand under one JSON key. */
export interface Property {
  key: string
  /** Where it is declared, such as `HumanName.family`. */
  path: string
  element: Element
  /** FHIR type: `code`, `Quantity`, `BackboneElement`, `Resource`. */
  type: string
  primitive: boolean
  /** An array in JSON. */
  many: boolean
  /** Types a reference may point to; empty: any. */
  targets: readonly string[]
  /** Address of the value set of a required binding; null when codes are free. */
  required: string | null
  /** Elements below; null for primitives and for any resource. */
  content: Structure | null
  /** Invariants of this element, beside those of its type. */
  constraints: readonly Constraint[]
}

export interface Structure {
  /** Type name, or path of the element such as `Patient.contact`. */
  name: string
  /** Type it is made from, null for Element and Resource. */
  base: string | null
  kind: StructureRow['kind'] | 'backbone'
  abstract: boolean
  properties: ReadonlyMap<string, Property>
  elements: readonly Element[]
  /** Those that must be there. */
  mandatory: readonly Element[]
  /** Invariants, those of the base included. */
  constraints: readonly Constraint[]
}

export interface Structures {
  structures: Map<string, Structure>
  backbones: Map<string, Structure>
}

interface Draft extends Structure {
  properties: Map<string, Property>
  elements: Element[]
  mandatory: Element[]
  constraints: Constraint[]
}

export function buildStructures(rows: Record<string, StructureRow>, constraintRows: Record<string, ConstraintRow[]>): Structures {
  const constraintsOf = (path: string): Constraint[] =>
    (constraintRows[path] ?? []).map(([key, severity, human, expression]) => ({ key, severity, human, expression, path }))
  const types = new Map<string, Draft>()
  const backbones = new Map<string, Draft>()
  for (const [name, row] of Object.entries(rows)) {
    types.set(name, draft(name, row.kind, row.base, row.abstract))
    for (const element of row.elements) {
      if (!isBackbone(element)) continue
      const path = `${name}.${element.path}`
      backbones.set(path, draft(path, 'backbone', baseOfBackbone(element), false))
    }
  }
  const find = (path: string): Draft => {
    const found = types.get(path) ?? backbones.get(path)
    if (!found) throw new Error(`The definitions name ${path}, which they do not hold.`)
    return found
  }
  const filled = new Set<string>()
  const fill = (name: string): void => {
    const row = rows[name]
    if (!row || filled.has(name)) return
    filled.add(name)
    const target = find(name)
    if (row.base) {
      fill(row.base)
      inherit(target, find(row.base))
    }
    target.constraints.push(...constraintsOf(name))
    for (const element of row.elements) {
      const at = element.path.lastIndexOf('.')
      const parent = at < 0 ? target : find(`${name}.${element.path.slice(0, at)}`)
      const constraints = constraintsOf(`${name}.${element.path}`)
      addElement(parent, name, element, { name: element.path.slice(at + 1), constraints: isBackbone(element) ? [] : constraints }, find)
      if (!isBackbone(element)) continue
      const base = baseOfBackbone(element)
      fill(base)
      const backbone = find(`${name}.${element.path}`)
      inherit(backbone, find(base))
      backbone.constraints.push(...constraints)
    }
  }
  for (const name of Object.keys(rows)) fill(name)
  return { structures: types, backbones }
}

function draft(name: string, kind: Structure['kind'], base: string | null, abstract: boolean): Draft {
  return { name, base, kind, abstract, properties: new Map(), elements: [], mandatory: [], constraints: [] }
}

function baseOfBackbone(element: ElementRow): string {
  return element.types[0] === 'Element' ? 'Element' : 'BackboneElement'
}

function isBackbone(element: ElementRow): boolean {
  return element.types[0] === 'BackboneElement' || element.types[0] === 'Element'
}

function inherit(target: Draft, base: Draft): void {
  for (const [key, property] of base.properties) target.properties.set(key, property)
  target.elements.push(...base.elements)
  target.mandatory.push(...base.mandatory)
  target.constraints.push(...base.constraints)
}

function addElement(
  parent: Draft, owner: string, row: ElementRow, { name, constraints }: { name: string; constraints: Constraint[] }, find: (path: string) => Draft,
): void {
  const choice = name.endsWith('[x]')
  const stem = choice ? name.slice(0, -3) : name
  const element: Element = { name, min: row.min, max: row.max ?? Number.POSITIVE_INFINITY, choice, keys: [] }
  parent.elements.push(element)
  if (element.min > 0) parent.mandatory.push(element)
  const same = row.same ? find(row.same) : null
  for (const type of same ? ['BackboneElement'] : row.types) {
    const [given, targets] = typeof type === 'string' ? [type, []] : type
    // The definitions call a resource's id a string, its page calls it an id.
    const code = owner === 'Resource' && name === 'id' ? 'id' : given
    const primitive = /^[a-z]/.test(code)
    const key = choice ? stem + (code[0] as string).toUpperCase() + code.slice(1) : stem
    element.keys.push(key)
    parent.properties.set(key, {
      key,
      path: `${parent.name}.${name}`,
      element,
      type: code,
      primitive,
      many: element.max > 1,
      targets,
      required: row.binding?.[0] === 'required' ? row.binding[1] : null,
      content: same ?? (primitive || code === 'Resource' ? null : isBackbone(row) ? find(`${owner}.${row.path}`) : find(code)),
      // Each its own: what an expression means may depend on the type of a choice.
      constraints: constraints.map((each) => ({ ...each })),
    })
  }
}
