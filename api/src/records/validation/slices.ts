/**
 * Slicing: each value of an element falls into the first slice whose discriminators it meets; each slice has its own
 * cardinality, and its values keep what the slice asks. Discriminators: value, pattern, exists, type, profile; paths over
 * elements, `$this`, `extension('url')`, `ofType(T)` and `resolve()` (what is contained or in the same Bundle, else the type of the reference).
 * Without any discriminator a value is in the slice whose definition it keeps. Source: FHIR R4 5.1.0.14.
 */
import { report, type Run } from '../validate.ts'
import { conforms, checkItem, following, inPlace, keeps, partOf } from './check-profile.ts'
import { isJson, type Item, itemsOf } from './items.ts'
import { matches } from './patterns.ts'
import { coreType, type Discriminator, type ProfileNode, withoutVersion } from './profile.ts'
import * as say from './profile-sentences.ts'
import { resolve, resourceItem, targetType } from './resolve.ts'

export function checkSlices(run: Run, items: readonly Item[], node: ProfileNode, step: string): void {
  const slices = [...node.slices.entries()]
  const found = items.map((item) => slices.findIndex(([name, slice]) => isIn(run, item, node, name, slice)))
  for (const [index, [name, slice]] of slices.entries()) {
    const members = items.filter((_, at) => found[at] === index)
    if (members.length < slice.min) report(run, 'required', say.sliceTooFew(name, slice.min, members.length, run.profileTitle), step)
    if (members.length > slice.max) report(run, 'cardinality', say.sliceTooMany(name, slice.max, run.profileTitle), step)
    for (const item of members) inPlace(run, item, () => checkItem(run, item, slice))
  }
  checkRules(run, items, found, node)
}

function checkRules(run: Run, items: readonly Item[], found: readonly number[], node: ProfileNode): void {
  const names = [...node.slices.keys()]
  let highest = -1
  for (const [at, item] of items.entries()) {
    const index = found[at] as number
    const outside = index < 0
    if (outside && (node.slicing?.rules === 'closed')) inPlace(run, item, () => report(run, 'structure', say.closedSlicing(names, run.profileTitle)))
    if (outside && node.slicing?.rules === 'openAtEnd' && found.slice(at + 1).some((each) => each >= 0)) {
      inPlace(run, item, () => report(run, 'structure', say.notAtEnd(names, run.profileTitle)))
    }
    if (!outside && node.slicing?.ordered && index < highest) inPlace(run, item, () => report(run, 'structure', say.outOfOrder(names, run.profileTitle)))
    highest = Math.max(highest, index)
  }
}

function isIn(run: Run, item: Item, node: ProfileNode, name: string, slice: ProfileNode): boolean {
  const discriminators = discriminatorsOf(item, node)
  if (item.property?.element.choice && item.property.key === name && slice.types.length === 0) return true
  if (discriminators.length === 0) return keeps(run, item, slice)
  if (item.type === 'Extension' && discriminators.length === 1 && discriminators[0]?.path === 'url') {
    return isJson(item.value) && item.value.url === addressOf(slice)
  }
  const said = discriminators.filter((each) => says(run, slice, each))
  return said.length > 0 && said.every((each) => meets(run, item, slice, each))
}

/** Whether a slice says anything about a discriminator; where it is silent, whatever stands there will do. */
function says(run: Run, slice: ProfileNode, { type, path }: Discriminator): boolean {
  if (type !== 'value' && type !== 'pattern') return true
  return nodesAt(run, slice, stepsOf(path)).some(({ node, expected }) => expected.length > 0 || node?.max === 0 || (node !== null && isTold(node)))
}

function isTold(node: ProfileNode): boolean {
  return node.binding !== null || node.types.length > 0 || node.children.size > 0 || node.constraints.length > 0
}

/** Extensions are always sliced by address, choices by type. */
function discriminatorsOf(item: Item, node: ProfileNode): readonly Discriminator[] {
  if (node.slicing && node.slicing.discriminators.length > 0) return node.slicing.discriminators
  if (item.type === 'Extension') return [{ type: 'value', path: 'url' }]
  return item.property?.element.choice ? [{ type: 'type', path: '$this' }] : []
}

function meets(run: Run, item: Item, slice: ProfileNode, { type, path }: Discriminator): boolean {
  const steps = stepsOf(path)
  const ends = nodesAt(run, slice, steps)
  if (type === 'exists') {
    const there = valuesAt(run, item, steps).length > 0
    return ends.some(({ node }) => node?.max === 0) ? !there : there
  }
  if (type === 'type') return meetsType(run, item, ends, steps)
  if (type === 'profile') return meetsProfile(run, item, ends, steps)
  const values = valuesAt(run, item, steps)
  if (ends.some(({ node }) => node?.max === 0)) return values.length === 0
  return ends.some(({ node, expected }) => {
    if (expected.length > 0) return values.some((each) => expected.some((one) => matches(each.value, one)))
    return node !== null && isTold(node) && values.some((each) => keeps(run, each, node))
  })
}

/** Of the extensions in a slice: that of its definition, or the one it fixes. */
export function addressOf(slice: ProfileNode): string | null {
  const [address] = slice.types.flatMap(({ profile }) => profile)
  if (address !== undefined) return withoutVersion(address)
  const { fixed, pattern } = slice.children.get('url') ?? {}
  return typeof fixed === 'string' ? fixed : typeof pattern === 'string' ? pattern : null
}

function meetsType(run: Run, item: Item, ends: readonly End[], steps: readonly string[]): boolean {
  const types = ends.flatMap(({ node }) => node?.types ?? [])
  if (steps.at(-1) === 'resolve()') {
    const typeOf = (url: string) => coreType(run.model, url) ?? run.profiles.find(url)?.type
    const targets = types.flatMap(({ code, targetProfile }) => (targetProfile.length > 0 ? targetProfile.map(typeOf) : [code]))
    return valuesAt(run, item, steps.slice(0, -1))
      .some((each) => isJson(each.value) && targets.includes(targetType(run, each.value) ?? ''))
  }
  return valuesAt(run, item, steps).some((each) => types.some(({ code }) => code === each.type))
}

function meetsProfile(run: Run, item: Item, ends: readonly End[], steps: readonly string[]): boolean {
  const types = ends.flatMap(({ node }) => node?.types ?? [])
  const resolves = steps.at(-1) === 'resolve()'
  const profiles = types.flatMap(({ profile, targetProfile }) => (resolves ? targetProfile : profile))
  const values = valuesAt(run, item, steps)
  if (values.some((each) => profiles.some((url) => {
    const known = partOf(run, url)
    return known ? conforms(resolves ? following(run) : run, each, known) : coreType(run.model, url) === each.type
  }))) return true
  // What lies elsewhere is known by its type alone.
  return resolves && values.length === 0 && meetsType(run, item, ends, steps)
}

/** `code.coding`, `extension('http://x').value`, `resolve()` in steps. */
export function stepsOf(path: string): string[] {
  const steps = path.match(/\w+\('[^']*'\)|\w+\([^)]*\)|[$\w[\]]+/g) ?? []
  return steps.filter((each) => each !== '$this')
}

interface End {
  node: ProfileNode | null
  /** Values that the definition asks for here; empty when it fixes none. */
  expected: unknown[]
}

/** What the slice says at a path: its own elements, those of slices below, and parts of fixed values and patterns above. */
function nodesAt(run: Run, slice: ProfileNode, steps: readonly string[]): End[] {
  let ends: End[] = [endOf(slice)]
  for (const step of steps) {
    if (step === 'resolve()') continue
    const ofType = /^ofType\((\w+)\)$/.exec(step)
    if (ofType) continue
    ends = ends.flatMap(({ node, expected }) => [
      ...childrenOf(run, node, step).map(endOf),
      ...(expected.length > 0 ? [{ node: null, expected: expected.flatMap((each) => partsOf(each, step)) }] : []),
    ])
  }
  return ends
}

function endOf(node: ProfileNode): End {
  const said = node.fixed ?? node.pattern
  return { node, expected: said === undefined ? [] : [said] }
}

/** What a node says of an element below it or, where it says nothing, the profile of its type. */
function childrenOf(run: Run, node: ProfileNode | null, step: string): ProfileNode[] {
  if (!node) return []
  const own = ownChildren(node, step)
  if (own.length > 0) return own
  return node.types.flatMap(({ code, profile }) => (code === 'Extension' ? [] : profile)).flatMap((url) => ownChildren(partOf(run, url)?.node ?? null, step))
}

function ownChildren(node: ProfileNode | null, step: string): ProfileNode[] {
  if (!node) return []
  const address = /^extension\('([^']*)'\)$/.exec(step)?.[1]
  if (address !== undefined) {
    const extensions = [...node.children.get('extension')?.slices.values() ?? []]
    return extensions.filter(({ types, children }) => types.some(({ profile }) => profile.includes(address)) || children.get('url')?.fixed === address)
  }
  const child = node.children.get(step) ?? node.children.get(`${step}[x]`)
    ?? [...node.children.values()].find(({ name }) => name.startsWith(step) && /^[A-Z]/.test(name.slice(step.length)))
  return child ? [child, ...child.slices.values()] : []
}

function partsOf(value: unknown, step: string): unknown[] {
  return [value].flat().flatMap((each) => (isJson(each) && each[step] !== undefined ? [each[step]].flat() : []))
}

/** The values at a path below an item; of `resolve()` what is at hand. */
function valuesAt(run: Run, item: Item, steps: readonly string[]): Item[] {
  return steps.reduce<Item[]>((items, step) => items.flatMap((each) => valuesOfStep(run, each, step)), [item])
}

function valuesOfStep(run: Run, item: Item, step: string): Item[] {
  const ofType = /^ofType\((?:FHIR\.)?(\w+)\)$/.exec(step)?.[1]
  if (ofType !== undefined) return item.type === ofType ? [item] : []
  if (step === 'resolve()') return resolved(run, item)
  const holder = isJson(item.value) ? item.value : item.beside
  const structure = item.structure ?? run.model.structures.get('Element')
  if (!holder || !structure) return []
  const address = /^extension\('([^']*)'\)$/.exec(step)?.[1]
  if (address !== undefined) return itemsOf(run.model, holder, 'extension', structure).filter((each) => isJson(each.value) && each.value.url === address)
  return itemsOf(run.model, holder, structure.properties.has(step) ? step : `${step}[x]`, structure)
}

function resolved(run: Run, item: Item): Item[] {
  const target = isJson(item.value) ? resolve(run, item.value) : null
  const found = target && resourceItem(run, target)
  return found ? [found] : []
}
