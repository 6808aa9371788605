/** `_elements`: only the named top-level elements, with id and meta; the tag SUBSETTED says so. Source: FHIR R4 3.1.1.5.9. */
import { parseJson, stringifyJson } from '../../fhir/json.ts'
import type { Stored } from '../content.ts'

const subsetted = { system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }

export function withElements(stored: Stored, names: readonly string[]): Stored {
  const resource = parseJson(stored.content) as Record<string, unknown> & { meta?: { tag?: unknown[] } }
  const { resourceType, id, meta, ...rest } = resource
  const wanted = Object.entries(rest).filter(([key]) => names.some((name) => key === name || key === `_${name}` || isChoiceOf(name, key)))
  const kept = Object.fromEntries(wanted)
  return { ...stored, content: stringifyJson({ resourceType, id, meta: { ...meta, tag: [...meta?.tag ?? [], subsetted] }, ...kept }) }
}

/** `value` names `valueQuantity` too. */
function isChoiceOf(name: string, key: string): boolean {
  const bare = key.startsWith('_') ? key.slice(1) : key
  return bare.startsWith(name) && /^[A-Z]/.test(bare.slice(name.length))
}
