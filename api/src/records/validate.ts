/**
 * Whether a resource has the structure of FHIR R4: known elements, JSON kinds, cardinality, formats, one of each choice,
 * codes of required bindings, targets of references, narrative; then the invariants of every element, the extensions that
 * are known, and the profiles a resource declares (validation/). Every issue is collected with its FHIRPath (at most
 * `maxIssues`), in the order of the text. Pure; the types are compiled once by fhir/structure.ts, and a valid resource
 * costs one walk. What lies in the store is looked up before (validation/validate-resources.ts).
 * Not decided here: whether a reference resolves.
 * Source: FHIR R4 2.6 (JSON), 2.24 (data types), 5.1 (profiles), the definition of each type.
 */
import { sourceDigits } from '../fhir/json.ts'
import type { FhirModel } from '../fhir/model.ts'
import { narrativeFault } from '../fhir/narrative.ts'
import { nearest } from '../fhir/nearest.ts'
import { issue, type Issue, type OutcomeCode, type Sentence } from '../fhir/outcome.ts'
import { primitiveFormats } from '../fhir/primitive-formats.ts'
import { resourceTypes } from '../fhir/resource-types.ts'
import type { Element, Property, Structure } from '../fhir/structure.ts'
import type { MatchBudget } from '../terminology/user-pattern.ts'
import { checkAttachment } from './validate-attachment.ts'
import { checkDocument, checkFullUrls } from './validate-bundle.ts'
import { checkCanonical } from './validate-canonical.ts'
import { checkCode, checkConcept, checkKnownCode } from './validate-codes.ts'
import { checkReference } from './validate-references.ts'
import { checkDeclaredProfiles, checkNamedProfile } from './validation/declared-profiles.ts'
import { checkExtensions } from './validation/extensions.ts'
import { checkInvariants } from './validation/invariants.ts'
import { isJson, objects } from './validation/items.ts'
import type { ProfileNode } from './validation/profile.ts'
import { type ProfileSet, profileSet } from './validation/profiles.ts'
import { checkResponse } from './validation/questionnaire-response.ts'
import { nothingStored, nothingWanted, type Stored, type Wanted } from './validation/stored.ts'
import * as say from './validation-sentences.ts'

export const maxIssues = 50

type Json = Record<string, unknown>

/** One validation under way. */
export interface Run {
  model: FhirModel
  issues: Issue[]
  /** Where the walk is, as FHIRPath steps: `.name`, `[0]`. */
  path: string[]
  /** The resource whose `contained` a `#id` means. */
  container: Json
  /** The Bundle around what is validated: references by search may stand there only, because they are resolved while it is processed. */
  bundle: Json | null
  /** The innermost resource: `%resource` of an invariant. */
  resource: Json
  /** Whether issues that do not refuse a write are wanted too. */
  warnings: boolean
  /** The element whose content is walked; null at a resource. */
  at: Property | null
  profiles: ProfileSet
  /** Title of the profile that is checked, for its issues; empty outside. */
  profileTitle: string
  /** How many profiles deep. */
  depth: number
  /** Whether a value keeps a profile, as far as it was asked; true while it is being asked, so that what leads back to itself ends. */
  kept: Map<Json, Map<ProfileNode, boolean>>
  /** A resource that a reference led to is judged: where its own references lead is not followed. What it keeps so is known apart. */
  follows: boolean
  followed: Map<Json, Map<ProfileNode, boolean>>
  /** Whether answers are held against their questionnaires. */
  judgesAnswers: boolean
  /** Milliseconds for patterns of users, of all resources of a request together. */
  patterns: MatchBudget
  unknownProfiles: 'error' | 'warning'
  stored: Stored
  wanted: Wanted
}

export interface ValidationOptions {
  /** Report also what is only advice, such as a missing narrative; a write does not ask. */
  warnings?: boolean
  /** Profiles to keep beside those that the resource declares. */
  profiles?: readonly string[]
  /** How a declared profile is reported that nobody knows; an error unless said. */
  unknownProfiles?: 'error' | 'warning'
  /** Definitions of the store. */
  stored?: Partial<Stored>
  /** Takes what was needed and not known. */
  wanted?: Wanted
  /** Hold answers against their questionnaires; so unless said. */
  judgesAnswers?: boolean
  /** What the patterns of users may still take; enough for one resource unless said. */
  patterns?: MatchBudget
}

/** Milliseconds that the patterns of users may take in one request. */
export const patternMs = 500

/** @returns nothing when the resource is valid. */
export function validateResource(model: FhirModel, resource: unknown, options: ValidationOptions = {}): Issue[] {
  const run: Run = {
    model, issues: [], path: [], container: {}, bundle: null, resource: {}, at: null, profileTitle: '', depth: 0, kept: new Map(), follows: false, followed: new Map(),
    profiles: profileSet(model, options.stored?.profiles), warnings: options.warnings ?? false, unknownProfiles: options.unknownProfiles ?? 'error',
    stored: options.stored ? { ...nothingStored, ...options.stored } : nothingStored, wanted: options.wanted ?? nothingWanted(),
    judgesAnswers: options.judgesAnswers ?? true, patterns: options.patterns ?? { ms: patternMs },
  }
  if (typeof resource !== 'object' || resource === null || Array.isArray(resource)) {
    report(run, 'structure', say.wrongKind('resource', 'object', resource, null))
    return run.issues
  }
  checkResource(run, resource as Json, false, options.profiles)
  return run.issues
}

/** Adds an issue at the present path; `step` is one more step, such as `.name`. */
export function report(run: Run, code: OutcomeCode, text: Sentence, step = '', severity: Issue['severity'] = 'error'): void {
  if (run.issues.length >= maxIssues) return
  const found = issue(code, text, run.path.join('') + step || null, severity)
  // Two profiles may ask the same.
  if (!run.issues.some((each) => each.expression === found.expression && each.code === code && each.text.en === text.en)) run.issues.push(found)
}

function checkResource(run: Run, resource: Json, contained: boolean, profiles: readonly string[] = []): void {
  const type = resource.resourceType
  if (typeof type !== 'string') {
    report(run, 'required', say.noResourceType(), run.path.length ? '.resourceType' : 'resourceType')
    return
  }
  const structure = run.model.structures.get(type)
  if (structure?.kind !== 'resource' || structure.abstract) {
    report(run, 'structure', say.unknownResourceType(type, nearest(type, resourceTypes)), run.path.length ? '.resourceType' : 'resourceType')
    return
  }
  const outer = { container: run.container, bundle: run.bundle, resource: run.resource }
  const isRoot = run.path.length === 0
  if (isRoot) run.path.push(type)
  if (!contained) run.container = resource
  else if (resource.contained !== undefined) report(run, 'invariant-broken', say.nestedContained(), '.contained')
  run.resource = resource
  if (type === 'Bundle') run.bundle = resource
  run.at = null
  checkObject(run, resource, structure)
  if (isRoot) checkWhole(run, resource)
  checkOfType[type]?.(run, resource)
  if (structure.properties.get('url')?.type === 'uri') checkCanonical(run, resource)
  if (resource.meta !== undefined) checkDeclaredProfiles(run, resource, structure)
  for (const url of profiles) checkNamedProfile(run, resource, structure, { url, place: '' })
  run.resource = outer.resource
  run.container = outer.container
  run.bundle = outer.bundle
  if (isRoot) run.path.pop()
}

const subsettedSystem = 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue'

/** What was read in parts is not written back: the rest would be lost. Source: FHIR R4 3.1.1.5.9 (_summary, the tag SUBSETTED). */
function checkWhole(run: Run, { meta }: Json): void {
  for (const [index, tag] of objects(isJson(meta) ? meta.tag : null).entries()) {
    if (tag.system === subsettedSystem && tag.code === 'SUBSETTED') report(run, 'value-invalid', say.subsetted(), `.meta.tag[${index}]`)
  }
}

/** What is asked of one type alone. */
const checkOfType: Readonly<Record<string, (run: Run, resource: Json) => void>> = { Bundle: checkFullUrls, Composition: checkDocument, QuestionnaireResponse: checkResponse }

/** All elements of an object: known, well-formed, not too few; one of each choice. */
function checkObject(run: Run, value: Json, structure: Structure): void {
  const { at } = run
  let choices: Element[] | null = null
  let content = false
  for (const key of Object.keys(value)) {
    if (run.issues.length >= maxIssues) return
    if (key === 'resourceType' && structure.kind === 'resource') {
      content = true
      continue
    }
    content ||= key !== 'id'
    const sibling = key.charCodeAt(0) === 95
    const name = sibling ? key.slice(1) : key
    const property = structure.properties.get(name)
    if (!property || (sibling && !property.primitive)) {
      report(run, 'element-unknown', say.unknownElement(key, structure.name, nearest(name, structure.properties.keys())), `.${key}`)
      continue
    }
    if (sibling && value[name] !== undefined) continue
    if (property.element.choice) {
      if (choices?.includes(property.element)) report(run, 'cardinality', say.severalChoices(given(value, property.element)), `.${stem(property)}`)
      else (choices ??= []).push(property.element)
    }
    run.path.push(`.${stem(property)}`)
    checkProperty(run, value, property)
    run.path.pop()
    if (property.type === 'Extension') checkExtensions(run, value, key, structure, at)
  }
  if (!content && structure.kind !== 'resource') {
    if (value.id === undefined) report(run, 'empty-value', say.empty(lastName(run), 'object'))
    else report(run, 'empty-value', say.onlyId(lastName(run)))
    return
  }
  for (const element of structure.mandatory) {
    if (!present(value, element)) report(run, 'required', say.missing(element.name, structure.name), `.${element.name.replace('[x]', '')}`)
  }
  if (structure.constraints.length > 0) checkInvariants(run, value, structure.constraints, structure.kind === 'resource' ? null : structure.name)
}

function present(value: Json, element: Element): boolean {
  for (const key of element.keys) if (value[key] !== undefined || value[`_${key}`] !== undefined) return true
  return false
}

function given(value: Json, element: Element): string[] {
  return element.keys.filter((key) => value[key] !== undefined || value[`_${key}`] !== undefined)
}

/** FHIRPath writes a choice without its type: `Observation.value`. */
function stem(property: Property): string {
  return property.element.choice ? property.element.name.slice(0, -3) : property.key
}

function lastName(run: Run): string {
  return run.path.findLast((step) => step.startsWith('.'))?.slice(1) ?? run.path[0] ?? ''
}

/** The value under a key and, of a primitive, what stands under `_key`. */
function checkProperty(run: Run, holder: Json, property: Property): void {
  const value = holder[property.key]
  if (property.primitive) checkPrimitives(run, value, holder[`_${property.key}`], holder, property)
  else if (!property.many) checkComplex(run, value, property)
  else if (!Array.isArray(value)) report(run, 'structure', say.wrongKind(property.key, 'array', value, `"${property.key}": [ … ]`))
  else checkItems(run, value, property)
}

function checkItems(run: Run, items: readonly unknown[], property: Property): void {
  checkLength(run, items, property)
  for (let index = 0; index < items.length; index++) {
    run.path.push(`[${index}]`)
    checkComplex(run, items[index], property)
    run.path.pop()
  }
}

function checkLength(run: Run, items: readonly unknown[], property: Property): void {
  if (items.length === 0) report(run, 'empty-value', say.empty(property.key, 'array'))
  if (items.length > property.element.max) report(run, 'cardinality', say.tooMany(property.key, property.element.max))
}

function checkComplex(run: Run, value: unknown, property: Property): void {
  if (value === null) {
    report(run, 'empty-value', say.empty(property.key, 'null'))
    return
  }
  if (typeof value !== 'object' || Array.isArray(value)) {
    report(run, 'structure', say.wrongKind(property.key, 'object', value, Array.isArray(value) ? `"${property.key}": { … }` : null))
    return
  }
  run.at = property
  if (property.content) checkObject(run, value as Json, property.content)
  else checkResource(run, value as Json, property.key === 'contained')
  if (property.type === 'Reference') checkReference(run, value as Json, property)
  else if (property.type === 'Attachment') checkAttachment(run, value as Json)
  else if (property.required !== null) checkConcept(run, value as Json, property)
  if (run.warnings) checkKnownCode(run, value as Json, property.type)
  if (property.constraints.length > 0) checkInvariants(run, value, property.constraints, property.type)
}

/** A primitive or an array of them, each with its sibling that carries id and extensions. */
function checkPrimitives(run: Run, value: unknown, sibling: unknown, holder: Json, property: Property): void {
  if (!property.many) {
    if (value !== undefined) checkPrimitive(run, value, holder, property.key, property)
    if (sibling !== undefined) checkSibling(run, sibling, property)
    return
  }
  for (const [name, list] of [[property.key, value], [`_${property.key}`, sibling]] as const) {
    if (list !== undefined && !Array.isArray(list)) {
      report(run, 'structure', say.wrongKind(name, 'array', list, `"${name}": [ … ]`))
      return
    }
  }
  const values = (value ?? []) as unknown[]
  const siblings = (sibling ?? []) as unknown[]
  checkLength(run, values.length >= siblings.length ? values : siblings, property)
  if (value !== undefined && siblings.length > values.length) report(run, 'structure', say.siblingTooLong(property.key))
  for (let index = 0; index < Math.max(values.length, siblings.length); index++) {
    run.path.push(`[${index}]`)
    const item = values[index] ?? null
    const beside = siblings[index] ?? null
    if (item === null && beside === null) report(run, 'empty-value', say.empty(property.key, 'null'))
    if (item !== null) checkPrimitive(run, item, values, String(index), property)
    if (beside !== null) checkSibling(run, beside, property)
    run.path.pop()
  }
}

function checkSibling(run: Run, sibling: unknown, property: Property): void {
  const structure = run.model.structures.get('Element')
  if (typeof sibling !== 'object' || sibling === null || Array.isArray(sibling) || !structure) {
    report(run, 'structure', say.wrongKind(`_${property.key}`, 'object', sibling, null))
  } else {
    run.at = property
    checkObject(run, sibling as Json, structure)
  }
}

function checkPrimitive(run: Run, value: unknown, holder: object, key: string, property: Property): void {
  const format = primitiveFormats.get(property.type)
  if (!format) throw new Error(`The primitive type ${property.type} has no format.`)
  if (value === null || value === '' || (typeof value === 'string' && value.trim() === '')) {
    report(run, 'empty-value', say.empty(property.key, value === null ? 'null' : 'string'))
    return
  }
  if (typeof value !== format.json) {
    report(run, 'structure', say.wrongKind(property.key, format.json, value, unquoted(value, format.json)))
    return
  }
  const digits = format.json === 'number' ? sourceDigits(holder, key) : undefined
  const fault = property.type === 'xhtml' ? narrativeFault(value as string) : format.check(value as never, digits)
  if (fault) report(run, property.type === 'id' && property.key === 'id' ? 'id-invalid' : 'value-invalid', fault)
  else if (property.required !== null) checkCode(run, value as string, property.required)
  if (!fault && property.constraints.length > 0) checkInvariants(run, value, property.constraints, property.type)
}

/** `"1"` where a number belongs, `1` where a string belongs: the fix is obvious. */
function unquoted(value: unknown, expected: 'string' | 'number' | 'boolean'): string | null {
  if (expected === 'string') return typeof value === 'number' || typeof value === 'boolean' ? `"${value}"` : null
  if (typeof value !== 'string') return null
  if (expected === 'boolean') return value === 'true' || value === 'false' ? value : null
  return /^-?\d+(?:\.\d+)?$/.test(value) ? value : null
}
