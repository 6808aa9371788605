/**
 * Reference parameters: `Type/id`, `id`, `[param]:Type=id`, an address, `:identifier=system|value` (as of a token: also `system|`, `|value`), `:above` and `:below` (hierarchy.ts). Our own absolute addresses
 * are read as `Type/id`, as they are stored. A reference to a patient that puts the type into the patient's compartment also
 * bounds the search to that patient's rows. Source: FHIR R4 3.1.1.4.12.
 */
import { isFhirId, keyOf } from '../../fhir/id.ts'
import { OutcomeError } from '../../fhir/outcome.ts'
import { parseReference, referenceTarget } from '../../fhir/references.ts'
import { isResourceType } from '../../fhir/resource-types.ts'
import type { SearchParam } from '../../fhir/search-parameters.ts'
import { type Asked, byKeys, type Criterion, invalidValue, splitUnescaped, unescapeValue } from './criterion.ts'
import { belowCode } from './branches.ts'
import { datedReferences } from './by-date.ts'
import { canonicalOf, isCanonical } from './canonical.ts'
import { type Member, parentParameter, searchHierarchy } from './hierarchy.ts'
import { referenceIdentifierKey, referenceKey } from './keys.ts'
import { ofPatients } from './link.ts'

export function searchReference(asked: Asked): Criterion {
  if (asked.modifier === 'below' && isCanonical(asked.model, asked.type, asked.param)) return byKeys(asked.values.flatMap((value) => belowCanonical(asked, unescapeValue(value))))
  if (asked.modifier === 'above' || asked.modifier === 'below') return searchHierarchy(asked, asked.modifier, asked.values.flatMap((value) => hierarchyOf(asked, unescapeValue(value))))
  if (asked.modifier === 'identifier') return byKeys(asked.values.flatMap((value) => identifierKeys(asked, value)))
  const targets = asked.values.map((value) => targetsOf(asked, unescapeValue(value)))
  const patients = patientsOf(asked, targets.flat())
  if (patients !== null) return ofPatients(patients, asked.type, asked.param)
  const keys = targets.flat().flatMap((target) => asked.param.storedAs.map((code) => referenceKey(asked.type, code, target)))
  const rows = targets.flat().map((target) => parseReference(target)).map((parsed) => (parsed.kind === 'local' ? keyOf(parsed.id) : null))
  return { ...byKeys(keys), ...(rows.includes(null) ? {} : datedReferences(asked.model.searchParameters(asked.type), asked.type, asked.param, rows as string[])) }
}

/** A definition in all its versions or, with a version, in that and those below it: of 1 these are 1.0 and 1.2.3. */
function belowCanonical({ type, param }: Asked, value: string): bigint[] {
  const { url, version } = canonicalOf(value)
  if (version === null) return param.storedAs.map((code) => referenceKey(type, code, url))
  return param.storedAs.flatMap((code) => [code, belowCode(code)].map((each) => referenceKey(type, each, `${url}|${version}`)))
}

/** Resources of types that have a hierarchy, which `:above` and `:below` go along. */
function hierarchyOf(asked: Asked, value: string): Member[] {
  const members = targetsOf({ ...asked, modifier: null }, value).flatMap((target) => {
    const parsed = parseReference(target)
    return parsed.kind === 'local' && isResourceType(parsed.type) && parentParameter(asked.model, parsed.type) !== null ? [{ type: parsed.type, key: keyOf(parsed.id) }] : []
  })
  if (members.length > 0) return members
  throw new OutcomeError([invalidValue(asked, value, {
    zh: '只有分层级的资源可用 :above 和 :below，如 Location/编号、Organization/编号。', en: ':above and :below are for resources in a hierarchy, such as Location/id or Organization/id.',
  })])
}

/** The texts a reference with this value may be stored as. */
function targetsOf(asked: Asked, value: string): string[] {
  const local = value.startsWith(`${asked.base}/`) ? value.slice(asked.base.length + 1) : value
  const { modifier } = asked
  if (modifier !== null) {
    const id = local.startsWith(`${modifier}/`) ? local.slice(modifier.length + 1) : local
    if (!isFhirId(id)) throw invalid(asked, value)
    return [`${modifier}/${id}`]
  }
  if (isFhirId(local)) {
    if (asked.param.targets.length === 0) return [local]
    return asked.param.targets.map((type) => `${type}/${local}`)
  }
  const target = referenceTarget(local)
  // Canonical references may be any address, also with a version behind a bar.
  if (target === null && !/^[a-z][a-z0-9+.-]*:/.test(local)) throw invalid(asked, value)
  return [target ?? local]
}

function identifierKeys(asked: Asked, value: string): bigint[] {
  const parts = splitUnescaped(value, '|').map(unescapeValue)
  const [first = '', second = ''] = parts
  if (parts.length > 2 || (first === '' && second === '')) {
    throw new OutcomeError([invalidValue(asked, value, { zh: '请写成 系统|号码、系统|、|号码 或 号码。', en: 'write system|value, system|, |value or value.' })])
  }
  const system = parts.length === 1 ? undefined : first === '' ? null : first
  return asked.param.storedAs.map((code) => referenceIdentifierKey(asked.type, code, system, parts.length === 1 ? first : second))
}

/** Patients by key when every alternative is a patient and the parameter decides column `pid`; else null. */
function patientsOf(asked: Asked, targets: readonly string[]): string[] | null {
  if (!decidesCompartment(asked)) return null
  const keys = targets.map((target) => {
    const parsed = parseReference(target)
    return parsed.kind === 'local' && parsed.type === 'Patient' ? keyOf(parsed.id) : null
  })
  return keys.includes(null) ? null : (keys as string[])
}

const subjects = new Set(['patient', 'subject', 'beneficiary', 'individual'])

/**
 * The parameter reads one element that occurs once and is the subject, so a row it finds has that patient as its `pid`. It need not be named in the
 * definition of the compartment: Observation's has `subject`, and `patient` reads the same element.
 */
export function decidesCompartment({ model, type, param }: Pick<Asked, 'model' | 'type' | 'param'>): boolean {
  const [first = ''] = model.patientCompartment(type)
  if (!subjects.has(param.code) || !subjects.has(first)) return false
  const element = elementOf(param)
  return element !== null && element === elementOf(model.searchParameters(type).get(first)) && model.structures.get(type)?.properties.get(element)?.many === false
}

/** `subject` of `Observation.subject.where(resolve() is Patient)`; null for anything more. */
export function elementOf(param: SearchParam | undefined): string | null {
  return /^\(?\w+\.(\w+)\)?(?:\.where\(resolve\(\) is Patient\))?$/.exec(param?.expression ?? '')?.[1] ?? null
}

export function isReferenceModifier(modifier: string): boolean {
  return isResourceType(modifier)
}

function invalid(asked: Asked, value: string): OutcomeError {
  const example = asked.param.targets[0] ?? 'Patient'
  return new OutcomeError([invalidValue(asked, value, {
    zh: `请写成 ${example}/编号 或编号。`, en: `write ${example}/id or an id.`,
  })])
}
