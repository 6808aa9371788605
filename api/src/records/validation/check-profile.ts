/**
 * Whether a resource keeps a profile: cardinality, types, fixed values and patterns, bindings, lengths, limits, targets and
 * invariants of every element that the profile names, and what is inside slices. Issues are reported at the element's place.
 * The base type is checked by the walk of validate.ts, so nothing of it is repeated here.
 * Source: FHIR R4 5.1, ElementDefinition.
 */
import type { Structure } from '../../fhir/structure.ts'
import { report, type Run } from '../validate.ts'
import { checkBinding } from './check-binding.ts'
import { checkConstraints } from './check-constraints.ts'
import { isJson, type Item, itemsOf } from './items.ts'
import { isWithin, matches, sameValue } from './patterns.ts'
import { coreType, type ElementType, nodeById, type Profile, type ProfileNode, withoutVersion } from './profile.ts'
import * as say from './profile-sentences.ts'
import { resolve, resourceItem, targetType } from './resolve.ts'
import { checkSlices } from './slices.ts'

type Json = Record<string, unknown>

/** Profiles may name each other; deeper than this nothing new comes. */
const depthMax = 12

/** Checks a resource against a profile of its type. The run's path stands at the resource. */
export function checkProfile(run: Run, resource: Json, structure: Structure, profile: Profile): void {
  if (profile.type !== structure.name && !(profile.type === 'Resource' || (profile.type === 'DomainResource' && structure.base === 'DomainResource'))) {
    report(run, 'structure', say.wrongProfileType(profile.title, profile.type, structure.name), '.meta.profile')
    return
  }
  for (const url of profile.missing) report(run, 'profile-unknown', say.unknownBase(profile.title, url), '.meta.profile')
  checkItem(run, { value: resource, beside: null, property: null, type: structure.name, structure, steps: [] }, profile.root)
}

/** The run's path stands at the item. A resource that stands in another is judged as a part of it, what is in it as its own. */
export function checkItem(run: Run, item: Item, node: ProfileNode): void {
  checkTypes(run, item, node)
  if (item.value !== undefined) checkValue(run, item, node)
  checkConstraints(run, item, node.constraints)
  const { value, structure } = item
  if (structure && isJson(value)) withinResource(run, item, () => checkChildren(run, value, node, structure))
  else if (node.children.size > 0) {
    const element = run.model.structures.get('Element')
    if (element) checkChildren(run, item.beside ?? {}, node, element)
  }
}

function checkChildren(run: Run, value: Json, node: ProfileNode, structure: Structure): void {
  for (const child of node.children.values()) {
    if (!structure.properties.has(child.name) && !child.name.endsWith('[x]')) continue
    checkElement(run, itemsOf(run.model, value, child.name, structure), child, structure)
  }
}

/** All values of one element: how many, each of them, and the slices they fall into. */
function checkElement(run: Run, items: readonly Item[], node: ProfileNode, structure: Structure): void {
  const property = structure.properties.get(node.name)
  const step = `.${property?.element.choice || node.name.endsWith('[x]') ? (property?.element.name ?? node.name).slice(0, -3) : node.name}`
  if (items.length < node.min) report(run, 'required', say.tooFew(node.name, node.min, items.length, run.profileTitle), step)
  if (items.length > node.max) report(run, 'cardinality', say.tooManyInProfile(node.name, node.max, run.profileTitle), step)
  for (const item of items) inPlace(run, item, () => checkItem(run, item, node))
  if (node.slices.size > 0 || node.slicing) checkSlices(run, items, node, step)
}

export function inPlace(run: Run, item: Item, check: () => void): void {
  run.path.push(...item.steps)
  check()
  run.path.length -= item.steps.length
}

/** A resource is the `%resource` of what is in it, and the `%rootResource` too unless it is contained. */
function withinResource(run: Run, { value, structure }: Item, check: () => void): void {
  if (structure?.kind !== 'resource' || !isJson(value)) {
    check()
    return
  }
  const { resource, container } = run
  run.resource = value
  const { contained } = container
  if (!Array.isArray(contained) || !contained.includes(value)) run.container = value
  check()
  run.resource = resource
  run.container = container
}

function checkTypes(run: Run, item: Item, node: ProfileNode): void {
  // A type by address is FHIRPath's own, as of `id`: the walk knows it.
  const types = node.types.filter(({ code }) => !code.startsWith('http'))
  if (types.length === 0 || item.property === null) return
  const allowed = types.filter(({ code }) => code === item.type || code === item.property?.type || (code === 'DomainResource' && item.structure?.base === code))
  if (allowed.length === 0) {
    report(run, 'structure', say.wrongType(item.type, types.map(({ code }) => code), run.profileTitle))
    return
  }
  checkTypeProfiles(run, item, allowed)
  if (item.type === 'Reference') checkTargets(run, item, allowed.flatMap(({ targetProfile }) => targetProfile))
}

/** A profile, or the part of one that `address#element` means. */
export interface Part { title: string; type: string; node: ProfileNode }

/** Undefined for what nobody knows, which is then looked for. */
export function partOf(run: Run, url: string): Part | undefined {
  const [canonical = '', element] = url.split('#')
  const profile = run.profiles.find(canonical)
  if (!profile) {
    if (coreType(run.model, canonical) === null) run.wanted.profiles.add(withoutVersion(canonical))
    return undefined
  }
  const node = element === undefined ? profile.root : nodeById(profile.root, element)
  return node && { title: profile.title, type: profile.type, node }
}

/** The value keeps one at least of the profiles its type names. Extensions are checked by their address wherever they stand. */
function checkTypeProfiles(run: Run, item: Item, allowed: readonly ElementType[]): void {
  const urls = allowed.flatMap(({ profile }) => profile)
  const parts = urls.map((url) => partOf(run, url))
  if (urls.length === 0 || item.type === 'Extension' || run.depth >= depthMax || urls.some((url) => coreType(run.model, url) === item.type)) return
  const known = parts.filter((each) => each !== undefined)
  if (known.length < urls.length || known.some((each) => conforms(run, item, each))) return
  const [only] = known
  if (known.length === 1 && only) nested(run, only, () => withinResource(run, item, () => checkItem(run, item, only.node)))
  else report(run, 'structure', say.noProfileKept(known.map(({ title }) => title)))
}

/** Runs a check in the name of another profile. */
function nested(run: Run, { title }: Part, check: () => void): void {
  const outer = run.profileTitle
  run.profileTitle = title
  run.depth++
  check()
  run.depth--
  run.profileTitle = outer
}

/** The same check without a word: whether an item keeps a node or a whole profile. */
export function keeps(run: Run, item: Item, node: ProfileNode): boolean {
  const issues: Run['issues'] = []
  checkItem({ ...run, issues, warnings: false, depth: run.depth + 1 }, item, node)
  return issues.length === 0
}

/** What was asked of a value before is not asked again; deeper than `depthMax` nothing is. */
export function conforms(run: Run, item: Item, { type, node }: Part): boolean {
  const isPart = node.id.includes('.')
  if (item.type !== type && !isPart) return false
  if (run.depth >= depthMax) return true
  if (!isJson(item.value)) return keeps(run, item, node)
  const known = run.kept.get(item.value) ?? new Map<ProfileNode, boolean>()
  run.kept.set(item.value, known)
  const before = known.get(node)
  if (before !== undefined) return before
  known.set(node, true)
  let kept = false
  withinResource(run, item, () => {
    kept = keeps(run, item, node)
  })
  known.set(node, kept)
  return kept
}

/** For a resource that a reference leads to: of what it refers to in turn the type alone is asked. */
export function following(run: Run): Run {
  return { ...run, follows: true, kept: run.followed }
}

/** A reference goes to one of the types; where the resource is at hand and profiles are named for it, it keeps one of them. */
function checkTargets(run: Run, item: Item, targets: readonly string[]): void {
  if (targets.length === 0 || !isJson(item.value)) return
  const found = targetType(run, item.value)
  if (found === null) return
  const types = targets.map((url) => coreType(run.model, url) ?? partOf(run, url)?.type ?? null)
  if (types.some((type) => type === null || type === 'Resource')) return
  if (!types.includes(found)) {
    report(run, 'reference-invalid', say.wrongTargetInProfile(found, types.filter((type) => type !== null), run.profileTitle))
    return
  }
  const target = run.follows ? null : resolve(run, item.value)
  const resource = target && resourceItem(run, target)
  const parts = targets.map((url) => (coreType(run.model, url) === null ? partOf(run, url) : undefined)).filter((each) => each?.type === found)
  if (!resource || parts.length === 0 || targets.some((url) => coreType(run.model, url) === found) || parts.some((each) => each && conforms(following(run), resource, each))) return
  report(run, 'reference-invalid', say.targetKeepsNone(parts.map((each) => each?.title ?? ''), run.profileTitle))
}

function checkValue(run: Run, { value, type }: Item, node: ProfileNode): void {
  if (node.fixed !== undefined && !sameValue(value, node.fixed)) report(run, 'value-invalid', say.notFixed(node.fixed, run.profileTitle))
  if (node.pattern !== undefined && !matches(value, node.pattern)) report(run, 'value-invalid', say.notPattern(node.pattern, run.profileTitle))
  if (node.maxLength !== null && typeof value === 'string' && [...value].length > node.maxLength) {
    report(run, 'value-invalid', say.tooLong(node.maxLength, run.profileTitle))
  }
  if (node.minLength !== null && typeof value === 'string' && [...value].length < node.minLength) {
    report(run, 'value-invalid', say.tooShort(node.minLength, run.profileTitle))
  }
  if (!isWithin(value, node.minValue, 'min')) report(run, 'value-invalid', say.tooSmall(node.minValue, run.profileTitle))
  if (!isWithin(value, node.maxValue, 'max')) report(run, 'value-invalid', say.tooLarge(node.maxValue, run.profileTitle))
  if (node.binding !== null) checkBinding(run, value, type, node.binding)
}
