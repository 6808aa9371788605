/**
 * `_elements` and `_summary`: parts of a resource. id and meta always stay, and so do elements that must be there; the tag SUBSETTED says
 * that something may be missing. Source: FHIR R4 3.1.1.5.8 (_summary), 3.1.1.5.9 (_elements).
 */
import { parseStored, stringifyJson } from '../../fhir/json.ts'
import type { FhirModel } from '../../fhir/model.ts'
import type { Stored } from '../content.ts'
import { nearest } from '../../fhir/nearest.ts'
import { summaryElements } from './summary-elements.ts'

const subsetted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }

export type Summary = 'true' | 'text' | 'data' | 'count' | 'false'

export function isSummary(value: string): value is Summary {
  return value === 'true' || value === 'text' || value === 'data' || value === 'count' || value === 'false'
}

/** What was probably meant by a name that no element has: `name` by `Patient.name`, `value` by `valueQuantity`. */
export function elementHint(name: string, known: readonly string[]): string {
  const last = name.slice(name.lastIndexOf('.') + 1)
  return known.find((each) => last === each || (last.startsWith(each) && /[A-Z]/.test(last[each.length] ?? ''))) ?? nearest(last, known) ?? 'id, meta'
}

/** The resource with the named elements and those that must be there. */
export function withElements(model: FhirModel, stored: Stored, names: readonly string[]): Stored {
  const wanted = new Set([...names, ...requiredElements(model, stored.type)])
  return reduced(model, stored, (name) => wanted.has(name))
}

export function withSummary(model: FhirModel, stored: Stored, summary: Summary): Stored {
  switch (summary) {
    case 'text': return withElements(model, stored, ['text'])
    case 'data': return reduced(model, stored, (name) => name !== 'text')
    case 'true': {
      const names = new Set([...summaryElements(stored.type), ...requiredElements(model, stored.type)])
      return reduced(model, stored, (name) => names.has(name))
    }
    default: return stored
  }
}

function requiredElements(model: FhirModel, type: string): string[] {
  return (model.structures.get(type)?.elements ?? []).filter((each) => each.min > 0).map((each) => each.name.replace('[x]', ''))
}

/** `keep` is asked for element names as FHIR has them: `value` for `valueQuantity` and `_valueString`. */
function reduced(model: FhirModel, stored: Stored, keep: (name: string) => boolean): Stored {
  const properties = model.structures.get(stored.type)?.properties
  const { resourceType, id, meta, ...rest } = parseStored(stored.content) as Record<string, unknown> & { meta?: { tag?: unknown[] } }
  const kept = Object.entries(rest).filter(([key]) => {
    const element = properties?.get(key.replace(/^_/, ''))?.element
    return element ? keep(element.name.replace('[x]', '')) : keep(key)
  })
  return { ...stored, content: stringifyJson({ resourceType, id, meta: { ...meta, tag: [...meta?.tag ?? [], subsetted] }, ...Object.fromEntries(kept) }) }
}
