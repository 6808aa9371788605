/**
 * Invariants as functions over JSON, for those that many resources meet: each says what the FHIRPath of its key says, and
 * invariants.test.ts compares it with the reference engine on filled, thinned and broken resources. `null` hands the
 * question to the engine. A function gets well-formed values only in a valid resource, so it trusts no type.
 * Source: the constraints of FHIR R4 in fhir-profiles/r4.
 */
import { timeRange } from '../../fhir/date-time.ts'
import type { Surroundings } from './fhirpath-engine.ts'

type Json = Record<string, unknown>

/** True when kept, false when broken, null when it takes the engine to say. */
export type InvariantTest = (value: Json, surroundings: Surroundings) => boolean | null

/** Whether an element is there, be it by its extension alone. */
function has(value: Json, key: string): boolean {
  return value[key] !== undefined || value[`_${key}`] !== undefined
}

/** The same for `value[x]`. */
function hasChoice(value: Json, stem: string): boolean {
  for (const key in value) {
    const from = key.charCodeAt(0) === 95 ? 1 : 0
    if (key.length > stem.length + from && key.startsWith(stem, from) && isUpper(key.charCodeAt(stem.length + from))) return true
  }
  return false
}

function isUpper(code: number): boolean {
  return code >= 65 && code <= 90
}

function list(value: unknown): Json[] {
  const items = Array.isArray(value) ? value : value === undefined ? [] : [value]
  return items.filter((each): each is Json => typeof each === 'object' && each !== null)
}

function hasCoding(concept: unknown, system: string, ...codes: string[]): boolean {
  return list(concept).some((each) => list(each.coding).some((coding) => coding.system === system && codes.includes(coding.code as string)))
}

const terminology = 'http://terminology.hl7.org/CodeSystem'
const retracted = (value: Json, system: string): boolean => hasCoding(value.verificationStatus, `${terminology}/${system}`, 'entered-in-error')

/** False when the first is certainly after the second. */
function inOrder(first: unknown, second: unknown): boolean {
  if (typeof first !== 'string' || typeof second !== 'string') return true
  const start = timeRange(first)
  const end = timeRange(second)
  return !start || !end || start.lo <= end.hi
}

/** `x-0`: a name that a program can use. */
const nameTest: InvariantTest = ({ name }) => typeof name !== 'string' || /[A-Z]([A-Za-z0-9_]){0,254}/.test(name)

/** Every text that begins with `#`, which in FHIR is a reference to a contained resource. */
function localReferences(value: unknown, found: Set<string>): Set<string> {
  if (typeof value === 'string') {
    if (value.charCodeAt(0) === 35) found.add(value)
  } else if (typeof value === 'object' && value !== null) for (const each of Object.values(value)) localReferences(each, found)
  return found
}

const domainResource: Record<string, InvariantTest> = {
  'dom-3': (value) => {
    if (value.contained === undefined) return true
    const targets = localReferences(value, new Set())
    return list(value.contained).every((each) => targets.has(`#${String(each.id)}`) || localReferences(each, new Set()).has('#'))
  },
  'dom-4': ({ contained }) => contained === undefined || list(contained).every(({ meta }) => list(meta).every((each) => !has(each, 'versionId') && !has(each, 'lastUpdated'))),
  'dom-5': ({ contained }) => contained === undefined || list(contained).every(({ meta }) => list(meta).every((each) => each.security === undefined)),
  'dom-6': ({ text }) => list(text).some((each) => has(each, 'div')),
}

const dataTypes: Record<string, InvariantTest> = {
  'ext-1': (value) => (value.extension !== undefined) !== hasChoice(value, 'value'),
  'att-1': (value) => !has(value, 'data') || has(value, 'contentType'),
  'cpt-2': (value) => !has(value, 'value') || has(value, 'system'),
  'qty-3': (value) => !has(value, 'code') || has(value, 'system'),
  'sqty-1': (value) => !has(value, 'comparator'),
  'per-1': ({ start, end }) => inOrder(start, end),
  'rng-2': ({ low, high }) => {
    const [from] = list(low)
    const [to] = list(high)
    if (!from || !to || typeof from.value !== 'number' || typeof to.value !== 'number') return true
    return from.code === to.code && from.system === to.system && from.unit === to.unit ? from.value <= to.value : null
  },
  'rat-1': (value) => (value.numerator === undefined) === (value.denominator === undefined) && (value.numerator !== undefined || value.extension !== undefined),
  'tim-1': (value) => !has(value, 'duration') || has(value, 'durationUnit'),
  'tim-2': (value) => !has(value, 'period') || has(value, 'periodUnit'),
  'tim-4': ({ duration }) => typeof duration !== 'number' || duration >= 0,
  'tim-5': ({ period }) => typeof period !== 'number' || period >= 0,
  'tim-6': (value) => !has(value, 'periodMax') || has(value, 'period'),
  'tim-7': (value) => !has(value, 'durationMax') || has(value, 'duration'),
  'tim-8': (value) => !has(value, 'countMax') || has(value, 'count'),
  'tim-9': (value) => (has(value, 'offset') ? null : true),
  'tim-10': (value) => !has(value, 'timeOfDay') || !has(value, 'when'),
}

const clinical: Record<string, InvariantTest> = {
  'obs-3': (value) => value.low !== undefined || value.high !== undefined || has(value, 'text'),
  'obs-6': (value) => value.dataAbsentReason === undefined || !hasChoice(value, 'value'),
  'obs-7': (value, surroundings) => value.component === undefined || !hasChoice(value, 'value') || sameCodings(value, surroundings),
  'ait-1': (value) => value.clinicalStatus !== undefined || retracted(value, 'allergyintolerance-verification'),
  'ait-2': (value) => value.clinicalStatus === undefined || !retracted(value, 'allergyintolerance-verification'),
  'con-1': (value) => value.summary !== undefined || value.assessment !== undefined,
  'con-2': (value) => value.code !== undefined || value.detail !== undefined,
  'con-3': (value) => value.clinicalStatus !== undefined || retracted(value, 'condition-ver-status')
    || !hasCoding(value.category, `${terminology}/condition-category`, 'problem-list-item'),
  'con-4': (value) => !hasChoice(value, 'abatement') || hasCoding(value.clinicalStatus, `${terminology}/condition-clinical`, 'resolved', 'remission', 'inactive'),
  'con-5': (value) => value.clinicalStatus === undefined || !retracted(value, 'condition-ver-status'),
  'cpl-3': (value) => value.detail === undefined || value.reference === undefined,
  'ctm-1': ({ onBehalfOf, member }) => onBehalfOf === undefined || list(member).every((each) => !/^(?!Practitioner\/)[A-Z]\w+\//.test(String(each.reference ?? ''))),
  'gol-1': (value) => !hasChoice(value, 'detail') || value.measure !== undefined,
  'imm-1': (value) => has(value, 'documentType') || has(value, 'reference'),
  'mad-1': (value) => value.dose !== undefined || hasChoice(value, 'rate'),
  'mdd-1': ({ whenPrepared, whenHandedOver }) => inOrder(whenPrepared, whenHandedOver),
  'prr-1': (value) => value.orderDetail === undefined || value.code !== undefined,
  'cmp-1': (value) => value.text !== undefined || value.entry !== undefined || value.section !== undefined,
  'cmp-2': (value) => value.emptyReason === undefined || value.entry === undefined,
  'qrs-1': (value) => value.answer === undefined || value.item === undefined,
}

function sameCodings({ component, code }: Json, _: Surroundings): boolean | null {
  const own = list(code).flatMap((each) => list(each.coding))
  const alike = (one: Json) => own.some((other) => other.system === one.system && other.code === one.code)
  // Codings are compared whole, with display and version: the engine decides where system and code agree.
  return list(component).some((each) => list(each.code).some((concept) => list(concept.coding).some(alike))) ? null : true
}

const administrative: Record<string, InvariantTest> = {
  'org-1': (value) => value.identifier !== undefined || has(value, 'name'),
  'org-2': ({ use }) => use !== 'home',
  'org-3': ({ use }) => use !== 'home',
  'pat-1': (value) => value.name !== undefined || value.telecom !== undefined || value.address !== undefined || value.organization !== undefined,
  'app-1': (value) => value.type !== undefined || value.actor !== undefined,
  'app-2': (value) => has(value, 'start') === has(value, 'end'),
  'app-3': (value) => (has(value, 'start') && has(value, 'end')) || ['proposed', 'cancelled', 'waitlist'].includes(value.status as string),
  'app-4': (value) => value.cancelationReason === undefined || value.status === 'noshow' || value.status === 'cancelled',
  'apr-1': (value) => value.participantType !== undefined || value.actor !== undefined,
  'ipn-1': (value) => value.identifier !== undefined || has(value, 'name'),
}

const itemTypes = ['choice', 'open-choice', 'decimal', 'integer', 'date', 'dateTime', 'time', 'string', 'quantity']
const textTypes = ['boolean', 'decimal', 'integer', 'string', 'text', 'url', 'open-choice']

/** Texts under a key, at any depth of another key: all `code` under `concept`, all `linkId` under `item`. */
function areDistinct(value: Json, nested: string, key: string): boolean {
  const seen = new Set<unknown>()
  const waiting = list(value[nested])
  for (let each = waiting.pop(); each; each = waiting.pop()) {
    if (each[key] !== undefined && seen.has(each[key])) return false
    seen.add(each[key])
    for (const inner of list(each[nested])) waiting.push(inner)
  }
  return true
}

/** Of large resources, where the engine takes long. */
const terminologies: Record<string, InvariantTest> = {
  'csd-1': (value) => areDistinct(value, 'concept', 'code'),
  'que-1': ({ type, item }) => (type !== 'group' || item !== undefined) && (type !== 'display' || item === undefined),
  'que-2': (value) => areDistinct(value, 'item', 'linkId'),
  'que-3': ({ type, code }) => type !== 'display' || code === undefined,
  'que-4': (value) => value.answerOption === undefined || !has(value, 'answerValueSet'),
  'que-5': (value) => itemTypes.includes(value.type as string) || (value.answerOption === undefined && !has(value, 'answerValueSet')),
  'que-6': (value) => value.type !== 'display' || (!has(value, 'required') && !has(value, 'repeats')),
  'que-8': ({ type, initial }) => (type !== 'group' && type !== 'display') || initial === undefined,
  'que-9': (value) => value.type !== 'display' || !has(value, 'readOnly'),
  'que-10': (value) => textTypes.includes(value.type as string) || !has(value, 'maxLength'),
  'que-11': ({ answerOption, initial }) => answerOption === undefined || initial === undefined,
  'que-12': (value) => list(value.enableWhen).length <= 2 || has(value, 'enableBehavior'),
  'que-13': ({ repeats, initial }) => repeats === true || list(initial).length <= 1,
  'vsd-1': (value) => has(value, 'valueSet') || has(value, 'system'),
  'vsd-2': (value) => (value.concept === undefined && value.filter === undefined) || has(value, 'system'),
  'vsd-3': ({ concept, filter }) => concept === undefined || filter === undefined,
  'vsd-6': (value) => has(value, 'code') || has(value, 'display'),
  'vsd-9': (value) => has(value, 'code') || value.abstract === true,
  'vsd-10': (value) => !has(value, 'code') || has(value, 'system'),
}

const isReference = ({ code }: Json): boolean => code === 'Reference' || code === 'canonical'

function distinctUnder(items: unknown, key: string): boolean {
  const keys = list(items).map((each) => each[key]).filter((each) => each !== undefined)
  return new Set(keys).size === keys.length
}

/** Of StructureDefinitions, which have hundreds of elements, and of implementation guides. */
const elementDefinitions: Record<string, InvariantTest> = {
  'eld-1': (value) => value.discriminator !== undefined || has(value, 'description'),
  'eld-4': (value) => !has(value, 'aggregation') || isReference(value),
  'eld-5': (value) => !has(value, 'contentReference') || (['type', 'example', 'binding'].every((key) => value[key] === undefined) && !has(value, 'maxLength')
    && ['defaultValue', 'fixed', 'pattern', 'minValue', 'maxValue'].every((stem) => !hasChoice(value, stem))),
  'eld-6': (value) => !hasChoice(value, 'fixed') || list(value.type).length <= 1,
  'eld-7': (value) => !hasChoice(value, 'pattern') || list(value.type).length <= 1,
  'eld-8': (value) => !hasChoice(value, 'pattern') || !hasChoice(value, 'fixed'),
  // As published: some type with a code is enough, whatever the code.
  'eld-11': () => true,
  'eld-12': ({ valueSet }) => typeof valueSet !== 'string' || /^(?:http:|https|urn:)/.test(valueSet),
  'eld-13': ({ type }) => distinctUnder(type, 'code'),
  'eld-14': ({ constraint }) => distinctUnder(constraint, 'key'),
  'eld-15': (value) => !hasChoice(value, 'defaultValue') || !has(value, 'meaningWhenMissing'),
  'eld-17': (value) => isReference(value) || !has(value, 'targetProfile'),
  'eld-18': (value) => value.isModifier !== true || has(value, 'isModifierReason'),
  'eld-22': (value) => !has(value, 'sliceIsConstraining') || has(value, 'sliceName'),
  'sdf-10': ({ binding: bound }) => list(bound).every((each) => has(each, 'valueSet') || has(each, 'description')),
  'ig-1': ({ grouping, resource }) => {
    const groups = new Set(list(grouping).map(({ id }) => id))
    return list(resource).every(({ groupingId }) => groupingId === undefined || groups.has(groupingId))
  },
}

/** The engine takes no pattern with escapes that its dialect does not know, and says nothing of a number that is none. */
const definitions: Record<string, InvariantTest> = {
  'Task inv-1': ({ authoredOn, lastModified }) => inOrder(authoredOn, lastModified),
  'eld-2': ({ min, max }) => typeof min !== 'number' || typeof max !== 'string' || max === '*' || !/^\d+$/.test(max) || min <= Number(max),
  'eld-3': (value) => value as unknown === '*' || /^\d+$/.test(value as unknown as string),
  'eld-16': ({ sliceName }) => typeof sliceName !== 'string' || /^[a-zA-Z0-9/\-_[\]@]+$/.test(sliceName),
  'eld-19': ({ path }) => typeof path !== 'string'
    || /[^\s.,:;'"/|?!@#$%&*()[\]{}]{1,64}(\.[^\s.,:;'"/|?!@#$%&*()[\]{}]{1,64}(\[x\])?(:[^\s.]+)?)*/.test(path),
  'eld-20': ({ path }) => typeof path !== 'string' || /[A-Za-z][A-Za-z0-9]*(\.[a-z][A-Za-z0-9]*(\[x])?)*/.test(path),
  'md-1': ({ max }) => max === undefined || max === '*' || Number(max) > 0,
}

const bundle: Record<string, InvariantTest> = {
  'bdl-1': (value) => !has(value, 'total') || value.type === 'searchset' || value.type === 'history',
  'bdl-2': ({ type, entry }) => type === 'searchset' || list(entry).every((each) => each.search === undefined),
  'bdl-3': ({ type, entry }) => list(entry).every((each) => (each.request !== undefined) === ['batch', 'transaction', 'history'].includes(type as string)),
  'bdl-4': ({ type, entry }) => list(entry).every((each) => (each.response !== undefined) === ['batch-response', 'transaction-response', 'history'].includes(type as string)),
  'bdl-5': (value) => value.resource !== undefined || value.request !== undefined || value.response !== undefined,
  'bdl-7': ({ type, entry }) => {
    if (type === 'history') return true
    const named = list(entry).filter((each) => has(each, 'fullUrl'))
      .map(({ fullUrl, resource }) => `${String(fullUrl ?? '')}${String((list(list(resource)[0]?.meta)[0] ?? {}).versionId ?? '')}`)
    return new Set(named).size === named.length
  },
  'bdl-8': ({ fullUrl }) => typeof fullUrl !== 'string' || !fullUrl.includes('/_history/'),
  'bdl-9': ({ type, identifier }) => type !== 'document' || list(identifier).some((each) => has(each, 'system') && has(each, 'value')),
  'bdl-10': ({ type, timestamp }) => type !== 'document' || timestamp !== undefined,
  'bdl-11': ({ type, entry }) => type !== 'document' || isFirst(entry, 'Composition'),
  'bdl-12': ({ type, entry }) => type !== 'message' || isFirst(entry, 'MessageHeader'),
  'Parameters.parameter inv-1': (value) =>
    (value.part !== undefined ? !hasChoice(value, 'value') && value.resource === undefined : hasChoice(value, 'value') !== (value.resource !== undefined)),
}

function isFirst(entry: unknown, type: string): boolean | null {
  const first = list(entry)[0]
  return first?.resource === undefined ? null : list(first.resource)[0]?.resourceType === type
}

const names = [
  'adf', 'cpb', 'cid', 'csd', 'cpd', 'cmd', 'ees', 'evd', 'evi', 'evv', 'esc', 'gdf', 'ig', 'lib', 'mea', 'msd', 'nsd', 'opd', 'pdf', 'que', 'rsd', 'red',
  'rvs', 'spd', 'sdf', 'smp', 'tcp', 'tst', 'vsd',
].map((each): [string, InvariantTest] => [`${each}-0`, nameTest])

/** Functions that the engine cannot be asked about: it resolves no reference, knows not all patterns, and leaves some undecided. */
export const beyondEngine: ReadonlySet<string> = new Set(['ctm-1', ...Object.keys(definitions)])

/** By key, or by `path key` where a key is used twice with different meanings. */
export const invariantTests: ReadonlyMap<string, InvariantTest> = new Map([
  ...[domainResource, dataTypes, clinical, administrative, terminologies, elementDefinitions, definitions, bundle].flatMap((each) => Object.entries(each)), ...names,
])

/** Kept by the walk itself, with issues of their own: emptiness, narrative, references to contained resources. */
export const structuralInvariants: ReadonlySet<string> = new Set(['ele-1', 'txt-1', 'txt-2', 'ref-1', 'dom-2'])
