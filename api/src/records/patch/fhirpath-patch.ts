/**
 * FHIRPath Patch over a parsed resource: add, insert, delete, replace, move, in order, all or none. The path of each operation is asked of
 * the resource as the operations before it left it. What the result may be is not judged here: it is validated like any update.
 * Source: FHIR R4 § fhirpatch.html: delete of what is absent is no error, every other operation needs what its path names. Tried with HL7's own cases
 * (fhir-test-cases, r4/patch).
 */
import { copyJson, placeValue } from '../../fhir/json.ts'
import type { FhirModel } from '../../fhir/model.ts'
import type { Property, Structure } from '../../fhir/structure.ts'
import { failed, type PatchPlace } from './fault.ts'
import { locate, type Way } from './locate.ts'
import { type PatchValue, type PathOperation, placeTyped } from './parameters-patch.ts'

type Json = Record<string, unknown>
type Fault = (zh: string, en: string) => Error

interface Place {
  /** Object that holds the element. */
  holder: Json
  key: string
  /** Index in a list; null for an element that stands alone. */
  index: number | null
}

/** Throws patch-failed with the number of the operation that does not fit. */
export function applyPathPatch<T extends object>(model: FhirModel, resource: T, patch: readonly PathOperation[], place: PatchPlace): T {
  const copy = copyJson(resource) as Json
  for (const operation of patch) {
    const fault: Fault = (zh, en) => failed(place, operation.index, { zh, en })
    applyOne(model, copy, operation, fault)
  }
  return copy as T
}

function applyOne(model: FhirModel, root: Json, operation: PathOperation, fault: Fault): void {
  const ways = locate(root, operation.path)
  const shown = operation.path.slice(0, 200)
  if (ways === null) throw fault(`路径 ${shown} 不是资源中元素的 FHIRPath。`, `the path ${shown} is no FHIRPath of elements of the resource.`)
  if (operation.type === 'insert' || operation.type === 'move') return inList(model, root, ways, operation, fault)
  if (operation.type === 'delete' && ways.length === 0) return
  const way = ways[0]
  if (way === undefined) throw fault(`资源中没有 ${shown}。`, `there is nothing at ${shown} in the resource.`)
  if (ways.length > 1) throw fault(`${shown} 指向 ${ways.length} 个元素，应只指向一个。`, `${shown} points to ${ways.length} elements; it must point to one.`)
  if (operation.type === 'add') return add(model, root, way, operation, fault)
  const place = placeOf(root, way)
  if (place === null) throw fault('不能对整个资源这样操作。', 'this cannot be done to the whole resource.')
  if (operation.type === 'delete') {
    remove(place)
    return removeEmptied(root, way)
  }
  replace(model, root, way, place, operation.value as PatchValue, fault)
}

function add(model: FhirModel, root: Json, way: Way, { name, value }: PathOperation, fault: Fault): void {
  const target = valueAt(root, way)
  const structure = structureAt(model, root, way)
  if (typeof target !== 'object' || target === null || Array.isArray(target) || structure === null) {
    throw fault('path 应指向一个有下级元素的元素。', 'path must point to an element that has elements.')
  }
  put(model, target as Json, structure, name as string, value as PatchValue, fault)
}

/** A new element of an object: appended to a list, or set where nothing stands yet. */
function put(model: FhirModel, target: Json, structure: Structure, name: string, value: PatchValue, fault: Fault): void {
  const property = propertyOf(structure, name, value)
  if (!property) throw fault(`${structure.name} 没有元素 ${name}。`, `${structure.name} has no element ${name}.`)
  if (property.many) {
    const list = listOf(target, property.key)
    return splice({ holder: target, key: property.key, index: list.length }, made(model, property, value, fault))
  }
  const taken = property.element.keys.find((key) => Object.hasOwn(target, key) || Object.hasOwn(target, `_${key}`))
  if (taken !== undefined) {
    throw fault(`${taken} 已有值，应使用 replace。`, `${taken} is there already; use replace.`)
  }
  place(target, property.key, made(model, property, value, fault))
}

function replace(model: FhirModel, root: Json, way: Way, at: Place, value: PatchValue, fault: Fault): void {
  const parent = structureAt(model, root, way.slice(0, at.index === null ? -1 : -2))
  const stem = parent?.properties.get(at.key)?.element.name.replace('[x]', '') ?? at.key
  const property = parent ? propertyOf(parent, stem, value) : undefined
  if (!property) throw fault(`${at.key} 不能取这种类型的值。`, `${at.key} cannot have a value of this type.`)
  const one = made(model, property, value, fault)
  if (at.index === null) {
    for (const key of property.element.keys) dropKey(at.holder, key)
    return place(at.holder, property.key, one)
  }
  cut(at)
  splice(at, one)
}

function inList(model: FhirModel, root: Json, ways: readonly Way[], operation: PathOperation, fault: Fault): void {
  const places = ways.map((way) => placeOf(root, way))
  const first = places[0]
  const one = first && places.every((each) => each?.holder === first.holder && each.key === first.key && each.index !== null)
  if (!first || !one) throw fault('path 应指向一个列表中的元素。', 'path must point to the elements of one list.')
  const { length } = listOf(first.holder, first.key)
  const within = (index: number, end: number): number => {
    if (index < end) return index
    throw fault(`序号 ${index} 超出列表（共 ${length} 项）。`, `index ${index} is outside the list of ${length}.`)
  }
  if (operation.type === 'move') {
    const from = { ...first, index: within(operation.source as number, length) }
    const to = within(operation.destination as number, length)
    return splice({ ...first, index: to }, cut(from))
  }
  const index = within(operation.at as number, length + 1)
  const property = structureAt(model, root, (ways[0] as Way).slice(0, -2))?.properties.get(first.key)
  if (!property) throw fault('path 应指向一个列表中的元素。', 'path must point to the elements of one list.')
  splice({ ...first, index }, made(model, property, operation.value as PatchValue, fault))
}

/** A value on its way: what stands under the key and what under its sibling with the underscore. */
interface Carried { value?: unknown; _value?: unknown }

function made(model: FhirModel, property: Property, value: PatchValue, fault: Fault): Carried {
  const carried: Json = {}
  if (value.kind === 'typed') {
    const primitive = /^[A-Z]/.test(value.suffix) && typeof value.holder[value.key] !== 'object'
    if (value.holder[value.key] !== undefined && primitive !== property.primitive) {
      throw fault(`${property.path} 不能取 value${value.suffix}。`, `${property.path} cannot have a value${value.suffix}.`)
    }
    placeTyped(value, carried, 'value')
    return carried
  }
  if (!property.content) throw fault(`${property.path} 没有下级元素。`, `${property.path} has no elements.`)
  const object: Json = {}
  for (const part of value.parts) put(model, object, property.content, part.name, part.value, fault)
  return { value: object }
}

/** The property that an element's name and the type of a value lead to. `value` + `valueQuantity` → valueQuantity. */
function propertyOf(structure: Structure, name: string, value: PatchValue): Property | undefined {
  const plain = structure.properties.get(name)
  if (plain) return plain
  return value.kind === 'typed' ? structure.properties.get(name + value.suffix) : undefined
}

function structureAt(model: FhirModel, root: Json, way: Way): Structure | null {
  let structure = model.structures.get(root.resourceType as string) ?? null
  let value: unknown = root
  for (const step of way) {
    value = (value as Json | undefined)?.[step]
    if (typeof step === 'number') continue
    const property = structure?.properties.get(step)
    structure = property?.content ?? null
    if (property?.type === 'Resource') structure = model.structures.get(resourceTypeOf(value)) ?? null
  }
  const type = resourceTypeOf(value)
  return type === '' ? structure : model.structures.get(type) ?? structure
}

function resourceTypeOf(value: unknown): string {
  const one: unknown = Array.isArray(value) ? value[0] : value
  const type: unknown = (one as Json | null | undefined)?.resourceType
  return typeof type === 'string' ? type : ''
}

function valueAt(root: Json, way: Way): unknown {
  return way.reduce<unknown>((value, step) => (value as Json | undefined)?.[step], root)
}

function placeOf(root: Json, way: Way): Place | null {
  const last = way.at(-1)
  if (last === undefined) return null
  if (typeof last === 'string') return { holder: valueAt(root, way.slice(0, -1)) as Json, key: last, index: null }
  return { holder: valueAt(root, way.slice(0, -2)) as Json, key: way.at(-2) as string, index: last }
}

function listOf(holder: Json, key: string): unknown[] {
  const list = holder[key] ?? holder[`_${key}`]
  return Array.isArray(list) ? list : []
}

function place(holder: Json, key: string, carried: Carried): void {
  if (carried.value !== undefined) placeValue(carried, 'value', holder, key)
  if (carried._value !== undefined) holder[`_${key}`] = carried._value
}

function dropKey(holder: Json, key: string): void {
  delete holder[key]
  delete holder[`_${key}`]
}

function remove(at: Place): void {
  if (at.index === null) return dropKey(at.holder, at.key)
  cut(at)
  for (const key of [at.key, `_${at.key}`]) {
    const list = at.holder[key]
    if (Array.isArray(list) && list.every((each) => each === null)) delete at.holder[key]
  }
}

/** FHIR knows no empty element: what held nothing but what was deleted goes with it. */
function removeEmptied(root: Json, deleted: Way): void {
  for (let way = above(deleted); way.length > 0; way = above(way)) {
    const value = valueAt(root, way)
    const place = placeOf(root, way)
    if (place === null || typeof value !== 'object' || value === null || Object.keys(value).length > 0) return
    remove(place)
  }
}

function above(way: Way): Way {
  return way.slice(0, typeof way.at(-1) === 'number' ? -2 : -1)
}

/** Takes an item out of a list and of the list of its extensions. */
function cut({ holder, key, index }: Place): Carried {
  const carried: Json = {}
  for (const [name, to] of [[key, 'value'], [`_${key}`, '_value']] as const) {
    const list = holder[name]
    if (!Array.isArray(list)) continue
    placeValue(list, String(index), carried, to)
    list.splice(index as number, 1)
  }
  return carried
}

/** Puts an item into a list; the list of extensions is kept as long as the other where there is one. */
function splice({ holder, key, index }: Place, carried: Carried): void {
  const at = index as number
  const sibling = holder[`_${key}`]
  const { length } = listOf(holder, key)
  const insert = (name: string, from: 'value' | '_value'): void => {
    const list = (holder[name] ??= Array.from({ length }, () => null)) as unknown[]
    while (list.length < length) list.push(null)
    list.splice(at, 0, null)
    if (carried[from] !== undefined) placeValue(carried, from, list, String(at))
  }
  insert(key, 'value')
  if (carried._value !== undefined && carried._value !== null || Array.isArray(sibling)) insert(`_${key}`, '_value')
}
