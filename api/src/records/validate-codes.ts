/**
 * Required bindings: a code, Coding or CodeableConcept whose element names a value set must be from it. Value sets that
 * cannot be listed have a rule of their own here or, when there is none, are not checked (UCUM, one LOINC answer list).
 * Source: FHIR R4 4.1.5.1 (required).
 */
import { nearest } from '../fhir/nearest.ts'
import type { Property } from '../fhir/structure.ts'
import { hasCode, nearestCode } from '../terminology/value-sets.ts'
import { report, type Run } from './validate.ts'
import * as say from './validation-sentences.ts'

const currencies: ReadonlySet<string> = new Set(Intl.supportedValuesOf('currency'))

/** Value sets by rule: the codes are a grammar or a list kept elsewhere. */
const byRule: Readonly<Record<string, (code: string) => boolean>> = {
  'http://hl7.org/fhir/ValueSet/currencies': (code) => currencies.has(code),
  // The short names are those of `_format`, which CapabilityStatement.format lists.
  'http://hl7.org/fhir/ValueSet/mimetypes': (code) => /^(?:json|xml|ttl|[\w.+-]+\/[\w.+-]+(?:\s*;.*)?)$/.test(code),
}

export function checkCode(run: Run, code: string, url: string): void {
  const table = run.model.valueSet(url)
  const known = table ? table.codes.has(code) : byRule[url]?.(code) ?? true
  if (!known) report(run, 'code-unknown', say.unknownCode(code, url, table ? nearest(code, table.codes) : null))
}

/** Types that say a code and the system it is from. */
const codedTypes: ReadonlySet<string> = new Set(['Coding', 'Quantity', 'SimpleQuantity', 'Age', 'Count', 'Distance', 'Duration'])

/** A code that its own system does not have is advice, whatever the binding: a later edition of the system may have it. */
export function checkKnownCode(run: Run, { system, code }: Record<string, unknown>, type: string): void {
  if (!codedTypes.has(type) || typeof system !== 'string' || typeof code !== 'string' || hasCode(system, code) !== false) return
  report(run, 'code-unknown', say.notOfSystem(code, system, nearestCode(system, code)), '.code', 'warning')
}

interface CodingLike { system?: unknown; code?: unknown }

/** A Coding, or a CodeableConcept of which one coding at least must be from the set. Other types carry their unit elsewhere. */
export function checkConcept(run: Run, value: Record<string, unknown>, property: Property): void {
  const url = property.required
  const table = url === null ? undefined : run.model.valueSet(url)
  if (url === null || !table) return
  const within = ({ system, code }: CodingLike): boolean =>
    typeof code === 'string' && (typeof system === 'string' ? table.systems.get(system)?.has(code) ?? false : false)
  if (property.type === 'Coding') {
    if (!within(value) && value.code !== undefined) report(run, 'code-unknown', say.unknownCode(String(value.code), url, suggestion(value, table.codes)))
  } else if (property.type === 'CodeableConcept') {
    const codings = (Array.isArray(value.coding) ? value.coding : []).filter((each) => typeof each === 'object' && each !== null) as CodingLike[]
    if (codings.some(within) || (codings.length === 0 && value.extension !== undefined)) return
    const only = codings.length === 1 ? codings[0] : undefined
    if (only && typeof only.code === 'string') report(run, 'code-unknown', say.unknownCode(only.code, url, suggestion(only, table.codes)), '.coding[0]')
    else report(run, 'code-unknown', say.noCodeOfSet(url))
  }
}

function suggestion({ code }: CodingLike, codes: ReadonlySet<string>): string | null {
  return typeof code === 'string' && !codes.has(code) ? nearest(code, codes) : null
}
