/**
 * The values of an element in a resource, with all that a profile asks about them: key, type, place. Values whose JSON kind
 * is wrong are left out; the walk over the base type has reported them.
 */
import type { FhirModel } from '../../fhir/model.ts'
import type { Property, Structure } from '../../fhir/structure.ts'

type Json = Record<string, unknown>

export interface Item {
  /** Undefined when there is only an extension beside an absent primitive. */
  value: unknown
  /** What stands under `_key` of a primitive. */
  beside: Json | null
  /** Null for a whole resource at the root. */
  property: Property | null
  /** FHIR type: `Quantity`, `BackboneElement`, and of a resource its own. */
  type: string
  /** Structure of its elements; null for a primitive. */
  structure: Structure | null
  /** FHIRPath steps from its parent, `.name`, `[0]`. */
  steps: readonly string[]
}

export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

export function objects(value: unknown): Json[] {
  return (Array.isArray(value) ? value : []).filter(isJson)
}

/** `name` may be `value[x]`, which finds every type, or `valueQuantity`, which finds one. */
export function itemsOf(model: FhirModel, value: Json, name: string, structure: Structure): Item[] {
  if (!name.endsWith('[x]')) {
    const property = structure.properties.get(name)
    return property ? itemsOfProperty(model, value, property) : []
  }
  const stem = name.slice(0, -3)
  const keys = new Set(Object.keys(value).map((key) => (key.charCodeAt(0) === 95 ? key.slice(1) : key)).filter((key) => key.startsWith(stem)))
  return [...keys].flatMap((key) => {
    const property = structure.properties.get(key)
    return property?.element.name === name ? itemsOfProperty(model, value, property) : []
  })
}

function itemsOfProperty(model: FhirModel, holder: Json, property: Property): Item[] {
  const value = holder[property.key]
  const beside = property.primitive ? holder[`_${property.key}`] : undefined
  if (value === undefined && beside === undefined) return []
  const step = `.${stepName(property)}`
  if (!property.many) return itemOf(model, value, beside, property, [step])
  const values: unknown[] = Array.isArray(value) ? value : []
  const siblings: unknown[] = Array.isArray(beside) ? beside : []
  return Array.from({ length: Math.max(values.length, siblings.length) })
    .flatMap((_, index) => itemOf(model, values[index], siblings[index], property, [step, `[${index}]`]))
}

function itemOf(model: FhirModel, value: unknown, beside: unknown, property: Property, steps: string[]): Item[] {
  const sibling = isJson(beside) ? beside : null
  if (property.primitive) {
    if (typeof value === 'object' && value !== null) return []
    const given = value ?? undefined
    return given === undefined && !sibling ? [] : [{ value: given, beside: sibling, property, type: property.type, structure: null, steps }]
  }
  if (!isJson(value)) return []
  if (property.content) return [{ value, beside: null, property, type: property.type, structure: property.content, steps }]
  const own = typeof value.resourceType === 'string' ? model.structures.get(value.resourceType) : undefined
  return own ? [{ value, beside: null, property, type: own.name, structure: own, steps }] : []
}

/** FHIRPath writes a choice without its type. */
export function stepName(property: Property): string {
  return property.element.choice ? property.element.name.slice(0, -3) : property.key
}
