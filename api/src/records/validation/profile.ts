/**
 * A profile as a tree: what a StructureDefinition asks of each element, slices included. It says only what it adds to its
 * base type, because the base type is always checked as well. A differential is laid over the elements of the profile it
 * is based on, element by element; a snapshot is used where that base is not known.
 * Source: FHIR R4 5.1 (profiling), ElementDefinition.
 */
import type { ProfileElement, ProfileRow } from '@pujiang/fhir-profiles/extracts.ts'
import type { FhirModel } from '../../fhir/model.ts'
import type { Constraint } from '../../fhir/structure.ts'
import { objects } from './items.ts'

export interface ElementType { code: string; profile: readonly string[]; targetProfile: readonly string[] }
export interface Discriminator { type: string; path: string }

export interface ProfileNode {
  /** Element id, such as `Patient.identifier:residentId.system`. */
  id: string
  /** `identifier`, `value[x]`, or `valueQuantity` for one type of a choice. */
  name: string
  min: number
  /** Infinity where nothing is said. */
  max: number
  types: readonly ElementType[]
  /** Undefined where nothing is said. */
  fixed: unknown
  pattern: unknown
  minValue: unknown
  maxValue: unknown
  minLength: number | null
  maxLength: number | null
  /** Value set of a required binding. */
  binding: string | null
  constraints: readonly Constraint[]
  slicing: { discriminators: readonly Discriminator[]; rules: string; ordered: boolean } | null
  slices: Map<string, ProfileNode>
  children: Map<string, ProfileNode>
}

export interface Profile {
  url: string
  title: string
  /** Type it constrains. */
  type: string
  context: readonly { type: string; expression: string }[]
  /** FHIRPath that must be true of the element an extension stands on. */
  contextInvariants: readonly string[]
  root: ProfileNode
  /** Base profiles that are not known, so that what they ask is not checked. */
  missing: readonly string[]
}

/** A StructureDefinition as it is stored; of those in fhir-profiles/r4 only a differential is kept. */
export type Definition = ProfileRow & { snapshot?: { element: ProfileElement[] }; title?: string; version?: string }

export type FindDefinition = (url: string) => Definition | undefined

const coreBase = 'http://hl7.org/fhir/StructureDefinition/'

/** The type whose own definition this address is, `Patient` of `http://hl7.org/fhir/StructureDefinition/Patient`; null for a profile. */
export function coreType(model: FhirModel, url: string): string | null {
  const name = url.startsWith(coreBase) ? url.slice(coreBase.length) : ''
  return model.structures.has(name) ? name : null
}

export function withoutVersion(canonical: string): string {
  const at = canonical.indexOf('|')
  return at < 0 ? canonical : canonical.slice(0, at)
}

/** What is not shaped as a definition (it comes from users) is read as if it said nothing. */
export function compileProfile(model: FhirModel, definition: Definition, find: FindDefinition): Profile {
  const missing: string[] = []
  const root = compiledTree(model, definition, find, missing)
  lend(model, root, find, new Map([[definition, root]]))
  return {
    url: definition.url, title: definition.title ?? definition.name, type: definition.type, context: contextsOf(definition.context),
    contextInvariants: texts(definition.contextInvariant), root, missing,
  }
}

const depthMax = 20

function compiledTree(model: FhirModel, definition: Definition, find: FindDefinition, missing: string[]): ProfileNode {
  const root = emptyNode(definition.type, definition.type)
  for (const element of mergedElements(model, definition, find, missing, 0)) fillNode(nodeOf(root, element), element)
  return root
}

/**
 * A profile may ask more of slices that the profile of an element's type defines, such as a part of an address: by what a value is known to be in
 * such a slice stands there, and is lent to it. `trees`: of each definition one, however often it is named.
 */
function lend(model: FhirModel, node: ProfileNode, find: FindDefinition, trees: Map<Definition, ProfileNode>): void {
  for (const child of [...node.children.values(), ...node.slices.values()]) {
    const [only, ...others] = child.types.flatMap(({ profile }) => profile)
    const definition = only === undefined || others.length > 0 || child.children.size === 0 || coreType(model, only) ? undefined : find(withoutVersion(only))
    if (definition && definition.type !== 'Extension') {
      let tree = trees.get(definition)
      if (!tree) {
        trees.set(definition, tree = compiledTree(model, definition, find, []))
        lend(model, tree, find, trees)
      }
      borrow(child, tree)
    }
    lend(model, child, find, trees)
  }
}

function borrow(node: ProfileNode, from: ProfileNode): void {
  for (const [name, child] of node.children) {
    const other = from.children.get(name)
    if (!other) continue
    // The rules of the slicing are checked with the profile of the type itself.
    if (!child.slicing && other.slicing) child.slicing = { ...other.slicing, rules: 'open', ordered: false }
    for (const [slice, own] of child.slices) {
      const defined = other.slices.get(slice)
      if (!defined) continue
      if (own.types.length === 0) own.types = defined.types
      own.fixed ??= defined.fixed
      own.pattern ??= defined.pattern
      for (const [key, each] of defined.children) if (!own.children.has(key)) own.children.set(key, each)
      borrow(own, defined)
    }
    borrow(child, other)
  }
}

/** Elements by id, those of the base profile first. */
function mergedElements(model: FhirModel, definition: Definition, find: FindDefinition, missing: string[], depth: number): Iterable<ProfileElement> {
  const own = elementsOf(definition.differential)
  const whole = elementsOf(definition.snapshot)
  const base = typeof definition.baseDefinition === 'string' ? withoutVersion(definition.baseDefinition) : null
  if (base === null || coreType(model, base)) return own.length > 0 ? own : whole
  const found = depth < depthMax ? find(base) : undefined
  if (!found) {
    if (whole.length === 0) missing.push(base)
    return whole.length > 0 ? whole : own
  }
  const merged = new Map([...mergedElements(model, found, find, missing, depth + 1)].map((each) => [idOf(each), each]))
  for (const element of own.length > 0 ? own : whole) {
    const before = merged.get(idOf(element))
    const constraint = [...objects(before?.constraint), ...objects(element.constraint)] as unknown as NonNullable<ProfileElement['constraint']>
    merged.set(idOf(element), { ...before, ...element, constraint })
  }
  return merged.values()
}

function elementsOf(view: { element?: unknown } | undefined): ProfileElement[] {
  const list = Array.isArray(view?.element) ? view.element : []
  return withIds(list.filter((each): each is ProfileElement => typeof (each as ProfileElement | null)?.path === 'string'))
}

/**
 * Elements without an id are named by their place in the list: what follows a slice and lies below its path is of that slice.
 * Source: FHIR R4 § elementdefinition.html#id.
 */
function withIds(elements: ProfileElement[]): ProfileElement[] {
  let open: { path: string; slice: string }[] = []
  return elements.map((element) => {
    const { id, path, sliceName } = element
    open = open.filter((each) => path.startsWith(`${each.path}.`))
    if (typeof sliceName === 'string' && sliceName !== '') open.push({ path, slice: sliceName })
    if ((typeof id === 'string' && id !== '') || open.length === 0) return element
    const steps = path.split('.')
    const sliced = steps.map((step, index) => {
      const at = steps.slice(0, index + 1).join('.')
      const slice = open.find((each) => each.path === at)?.slice
      return slice === undefined ? step : `${step}:${slice}`
    })
    return { ...element, id: sliced.join('.') }
  })
}

function idOf({ id, path, sliceName }: ProfileElement): string {
  if (typeof id === 'string' && id !== '') return id
  return sliceName ? `${path}:${sliceName}` : path
}

function emptyNode(id: string, name: string): ProfileNode {
  return {
    id, name, min: 0, max: Number.POSITIVE_INFINITY, types: [], fixed: undefined, pattern: undefined, minValue: undefined, maxValue: undefined,
    minLength: null, maxLength: null, binding: null, constraints: [], slicing: null, slices: new Map(), children: new Map(),
  }
}

/** Walks `Observation.component:systolic.code`, making what is not there yet. */
function nodeOf(root: ProfileNode, element: ProfileElement): ProfileNode {
  let node = root
  for (const step of idOf(element).split('.').slice(1)) {
    const at = step.indexOf(':')
    const name = at < 0 ? step : step.slice(0, at)
    node = got(node.children, name, `${node.id}.${name}`, name)
    if (at >= 0) node = got(node.slices, step.slice(at + 1), `${node.id}:${step.slice(at + 1)}`, name)
  }
  return node
}

function got(map: Map<string, ProfileNode>, key: string, id: string, name: string): ProfileNode {
  const known = map.get(key)
  if (known) return known
  const made = emptyNode(id, name)
  map.set(key, made)
  return made
}

function fillNode(node: ProfileNode, element: ProfileElement): void {
  if (Number.isInteger(element.min)) node.min = element.min as number
  if (typeof element.max === 'string' && /^\d+$/.test(element.max)) node.max = Number(element.max)
  node.types = objects(element.type).filter(({ code }) => typeof code === 'string')
    .map(({ code, profile, _profile, targetProfile }) => ({ code: code as string, profile: texts(profile).map((url, index) => partAddress(url, _profile, index)), targetProfile: texts(targetProfile) }))
  if (typeof element.maxLength === 'number') node.maxLength = element.maxLength
  const minLength = extensionOf(element, 'minLength')?.valueInteger
  if (typeof minLength === 'number') node.minLength = minLength
  for (const name of ['fixed', 'pattern', 'minValue', 'maxValue'] as const) node[name] = choiceOf(element, name)
  if (element.binding?.strength === 'required' && typeof element.binding.valueSet === 'string') node.binding = element.binding.valueSet
  node.constraints = distinct(objects(element.constraint), node.id)
  const { slicing } = element
  if (slicing) {
    const discriminators = objects(slicing.discriminator).filter(({ path }) => typeof path === 'string') as unknown as Discriminator[]
    node.slicing = { discriminators, rules: slicing.rules, ordered: slicing.ordered === true }
  }
}

/** HL7's extension of that name; undefined where there is none. */
function extensionOf(holder: unknown, name: string): Record<string, unknown> | undefined {
  return objects((holder as { extension?: unknown } | null | undefined)?.extension).find((each) => each.url === coreBase + name)
}

/** `address#element` where an extension says that a part of the profile is meant. */
function partAddress(url: string, siblings: unknown, index: number): string {
  const element = extensionOf(Array.isArray(siblings) ? siblings[index] : null, 'elementdefinition-profile-element')?.valueString
  return typeof element === 'string' ? `${url}#${element}` : url
}

/** The node of an element id; undefined when the profile says nothing of it. */
export function nodeById(root: ProfileNode, id: string): ProfileNode | undefined {
  let node: ProfileNode | undefined = root
  for (const step of id.split('.').slice(1)) {
    const [name = '', slice] = step.split(':')
    node = node?.children.get(name)
    if (slice !== undefined) node = node?.slices.get(slice)
  }
  return node
}

function contextsOf(context: unknown): Profile['context'] {
  return objects(context).filter(({ expression }) => typeof expression === 'string')
    .map(({ type, expression }) => ({ type: String(type), expression: String(expression) }))
}

function choiceOf(element: ProfileElement, stem: string): unknown {
  const key = Object.keys(element).find((each) => each.startsWith(stem) && /^[A-Z]/.test(each.slice(stem.length)))
  return key === undefined ? undefined : (element as unknown as Record<string, unknown>)[key]
}

/** Those that R4 itself declares are checked everywhere. */
const everywhere = /^(?:ele-1|ext-1|dom-\d)$/

function distinct(constraints: readonly Record<string, unknown>[], path: string): Constraint[] {
  const byKey = new Map<string, Constraint>()
  for (const { key, severity, human, expression } of constraints) {
    if (typeof key !== 'string' || typeof expression !== 'string' || everywhere.test(key)) continue
    byKey.set(key, { key, severity: severity === 'warning' ? 'warning' : 'error', human: String(human), expression, path })
  }
  return [...byKey.values()]
}

function texts(value: unknown): string[] {
  return (Array.isArray(value) ? value : []).filter((each): each is string => typeof each === 'string')
}
