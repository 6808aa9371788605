/**
 * Extensions: one whose definition is known stands where it may, as often as it may, and holds what it says; an unknown one is
 * kept as it is, but an unknown modifier extension is refused, because it may change the meaning of what is around it.
 * Source: FHIR R4 2.4 (extensibility), 5.1.0.11 (StructureDefinition.context).
 */
import type { FhirModel } from '../../fhir/model.ts'
import { nearest } from '../../fhir/nearest.ts'
import { hasScheme } from '../../fhir/references.ts'
import type { Property, Structure } from '../../fhir/structure.ts'
import { report, type Run } from '../validate.ts'
import { locate } from '../patch/locate.ts'
import { notAbsolute } from '../validation-sentences.ts'
import { checkItem, inPlace } from './check-profile.ts'
import { evaluator, isDangerous, isKept } from './fhirpath-engine.ts'
import { isJson, itemsOf } from './items.ts'
import type { Profile } from './profile.ts'
import * as say from './profile-sentences.ts'
import { addressOf } from './slices.ts'

type Json = Record<string, unknown>

/** `holder` has `key` (extension or modifierExtension); `at` is the element it stands under, null for a resource. */
export function checkExtensions(run: Run, holder: Json, key: string, structure: Structure, at: Property | null): void {
  const list = holder[key]
  if (!Array.isArray(list)) return
  let known: Map<Profile, number> | null = null
  for (const [index, each] of list.entries()) {
    const url = isJson(each) ? each.url : undefined
    if (typeof url !== 'string') continue
    // Only what stands within another extension is named by that one's definition.
    if (structure.name !== 'Extension' && !hasScheme(url)) report(run, 'value-invalid', notAbsolute(url), `.${key}[${index}].url`)
    const profile = run.profiles.find(url)
    if (profile?.type === 'Extension') (known ??= new Map()).set(profile, (known.get(profile) ?? 0) + 1)
    else if (key === 'extension') {
      if (run.stored.extensions.has(url)) run.wanted.profiles.add(url)
    } else {
      run.wanted.profiles.add(url)
      report(run, 'element-unknown', say.unknownModifier(url), `.${key}[${index}]`)
    }
  }
  if (known) checkKnown(run, holder, key, structure, { at, known })
}

function checkKnown(run: Run, holder: Json, key: string, structure: Structure, { at, known }: { at: Property | null; known: Map<Profile, number> }): void {
  for (const [profile, count] of known) if (count > profile.root.max) report(run, 'cardinality', say.extensionTooMany(profile.url, profile.root.max), `.${key}`)
  const title = run.profileTitle
  for (const item of itemsOf(run.model, holder, key, structure)) {
    const { url } = item.value as Json
    const profile = typeof url === 'string' ? run.profiles.find(url) : undefined
    if (!profile || !known.has(profile)) continue
    run.profileTitle = profile.title
    inPlace(run, item, () => {
      checkParts(run, item.value as Json, profile)
      checkPlace(run, profile, { structure, at, holder, extension: item.value as Json })
      checkItem(run, item, profile.root)
    })
  }
  run.profileTitle = title
}

/** What stands in a complex extension under a name, not an address, is a part that its definition names. */
function checkParts(run: Run, { extension }: Json, { root, url, missing }: Profile): void {
  const slices = root.children.get('extension')?.slices
  if (!slices || slices.size === 0 || missing.length > 0 || !Array.isArray(extension)) return
  const names = [...slices.values()].map(addressOf)
  if (names.includes(null)) return
  for (const [index, each] of extension.entries()) {
    const name = isJson(each) ? each.url : undefined
    if (typeof name !== 'string' || hasScheme(name) || names.includes(name)) continue
    report(run, 'element-unknown', say.unknownPart(url, name, nearest(name, names.filter((one) => one !== null))), `.extension[${index}].url`)
  }
}

interface Place { structure: Structure; at: Property | null; holder: Json; extension: Json }

/** HL7's own resources carry the extensions that it published with R4 where their definitions do not allow it, so of those it is only advice. */
function checkPlace(run: Run, profile: Profile, place: Place): void {
  const { url, context, contextInvariants } = profile
  const severity = url.startsWith('http://hl7.org/') && run.model.profiles.has(url) ? 'warning' : 'error'
  if (severity === 'warning' && !run.warnings) return
  if (!mayStand(run, profile, place)) report(run, 'structure', say.wrongContext(url, context.map(({ expression }) => expression)), '', severity)
  for (const rule of contextInvariants) if (!isMet(run, rule, place)) report(run, 'structure', say.contextInvariantBroken(url, rule), '', severity)
}

/** A rule of an extension's definition about the element that it stands on. Of an extension on a primitive it is not asked. */
function isMet(run: Run, expression: string, { structure, holder, extension }: Place): boolean {
  if (structure.name === 'Element' || isDangerous(expression)) return true
  return isKept(evaluator(expression, structure.kind === 'resource' ? null : structure.name)(holder, { resource: run.resource, rootResource: run.container, extension }))
}

function mayStand(run: Run, { context }: Profile, { structure, at, holder }: Place): boolean {
  if (context.length === 0) return true
  // Most are said of the very type or element.
  if (context.some(({ expression }) => expression === structure.name || expression === at?.path || expression === at?.type)) return true
  const places = new Set([...typesOf(run.model, structure.name, structure), ...(at ? typesOf(run.model, at.type, null) : [])])
  const path = run.path.filter((step) => !step.startsWith('[')).slice(0, -1).join('')
  for (const each of [path, at?.path ?? '']) places.add(each).add(each.replace('[x]', ''))
  return context.some(({ type, expression }) => {
    if (type === 'fhirpath') return isAmong(run, expression)
    if (expression === '*' || expression === 'Element') return true
    // `http://x#part` is a part of a complex extension, and the value of an extension does not say whose it is: neither has an address to compare.
    if (type === 'extension') return structure.name === 'Extension' ? expression.includes('#') || holder.url === expression : at?.path.startsWith('Extension.value') === true
    // What later releases call a group of types, `CanonicalResource` for one, is not judged.
    if (/^[A-Z]\w*$/.test(expression) && !run.model.structures.has(expression)) return true
    const name = expression.slice(expression.indexOf('#') + 1)
    return places.has(name) || places.has(name.replace('[x]', ''))
  })
}

/** Whether the element that the extension stands on is one that an expression finds in the resource. Of resources within others it is not asked. */
function isAmong(run: Run, expression: string): boolean {
  if (run.resource !== run.container || run.bundle !== null) return true
  const element = run.path.slice(1, run.path.findLastIndex((step) => /^\.(?:modifierE|e)xtension$/.test(step))).map((step) => (step.startsWith('[') ? Number(step.slice(1, -1)) : step.slice(1)))
  const ways = locate(run.resource, expression)
  // What cannot be run is not held against the data.
  return ways === null || ways.some((way) => way.length === element.length && way.every((step, index) => step === element[index] || (typeof step === 'string' && step.startsWith(String(element[index])))))
}

/** A type and those it is made from. */
function typesOf(model: FhirModel, name: string, structure: Structure | null): string[] {
  const found = structure ?? model.structures.get(name)
  return found ? [found.name, ...(found.base ? typesOf(model, found.base, null) : [])] : [name]
}
