/**
 * Tokens, references and uris as keys. A token is stored under every way it may be asked for: `code`, `system|code` or
 * `|code`, `system|`. A code element has the system of its required value set, so that
 * `gender=http://hl7.org/fhir/administrative-gender|male` finds what `gender=male` does.
 * Source: FHIR R4 3.1.1.4.10 (token), 3.1.1.4.12 (reference), 3.1.1.4.13 (uri).
 */
import type { FhirModel } from '../../fhir/model.ts'
import { referenceTarget } from '../../fhir/references.ts'
import type { Branch } from '../../fhir/search-expression.ts'
import type { Collect, Sink } from '../index-resource.ts'
import { referenceIdentifierKey, referenceKey, systemKey, tokenKey, uriKey } from './keys.ts'

interface CodingLike { system?: unknown; code?: unknown }
interface IdentifierLike { system?: unknown; value?: unknown }

/** System of booleans in token searches. */
const booleanSystem = 'http://terminology.hl7.org/CodeSystem/special-values'

export function tokenCollector(model: FhirModel, type: string, code: string, branch: Branch): Collect | null {
  const add = (sink: Sink, system: unknown, value: unknown): void => {
    const hasSystem = typeof system === 'string' && system !== ''
    if (hasSystem) sink.keys.add(systemKey(type, code, system))
    if (typeof value !== 'string' || value === '') return
    sink.keys.add(tokenKey(type, code, undefined, value))
    sink.keys.add(tokenKey(type, code, hasSystem ? system : null, value))
  }
  const coding = (value: unknown, sink: Sink): void => {
    const { system, code: found } = value as CodingLike
    add(sink, system, found)
  }
  switch (branch.type) {
    case 'Coding': return coding
    case 'CodeableConcept': return (value, sink) => {
      const list: unknown = (value as { coding?: unknown }).coding
      if (Array.isArray(list)) for (const each of list) if (each) coding(each, sink)
    }
    case 'Identifier': return (value, sink) => {
      const { system, value: found } = value as IdentifierLike
      add(sink, system, found)
    }
    case 'ContactPoint': return (value, sink) => {
      const { system, value: found } = value as IdentifierLike
      add(sink, system, found)
      const compact = typeof found === 'string' ? found.replace(/[\s()-]/g, '') : found
      if (compact !== found) add(sink, system, compact)
    }
    case 'boolean': return (value, sink) => {
      if (typeof value === 'boolean') add(sink, booleanSystem, String(value))
    }
    case 'code': return codeCollector(model, branch, add)
    case 'id': case 'string': case 'uri': case 'canonical': case 'oid': case 'uuid': return (value, sink) => add(sink, null, value)
    default: return null
  }
}

function codeCollector(model: FhirModel, branch: Branch, add: (sink: Sink, system: unknown, value: unknown) => void): Collect {
  const systems = branch.required ? [...model.valueSet(branch.required)?.systems ?? []] : []
  return (value, sink) => {
    let known = false
    for (const [system, codes] of systems) {
      if (typeof value !== 'string' || !codes.has(value)) continue
      add(sink, system, value)
      known = true
    }
    if (!known) add(sink, null, value)
  }
}

export function referenceCollector(type: string, code: string, fhirType: string): Collect | null {
  const add = (sink: Sink, reference: unknown): void => {
    const target = typeof reference === 'string' ? referenceTarget(reference) : null
    if (target !== null) sink.keys.add(referenceKey(type, code, target))
  }
  switch (fhirType) {
    case 'Reference': return (value, sink) => {
      const { reference, identifier } = value as { reference?: unknown; identifier?: IdentifierLike | null }
      add(sink, reference)
      if (typeof identifier?.value !== 'string') return
      const system = typeof identifier.system === 'string' ? identifier.system : null
      sink.keys.add(referenceIdentifierKey(type, code, undefined, identifier.value))
      sink.keys.add(referenceIdentifierKey(type, code, system, identifier.value))
    }
    case 'canonical': case 'uri': return (value, sink) => {
      if (typeof value !== 'string') return
      sink.keys.add(referenceKey(type, code, value))
      const bar = value.indexOf('|')
      if (bar > 0) sink.keys.add(referenceKey(type, code, value.slice(0, bar)))
    }
    case 'Attachment': return (value, sink) => add(sink, (value as { url?: unknown }).url)
    case 'Resource': return (value, sink) => {
      const { resourceType, id } = value as { resourceType?: unknown; id?: unknown }
      if (typeof resourceType === 'string' && typeof id === 'string') sink.keys.add(referenceKey(type, code, `${resourceType}/${id}`))
    }
    default: return null
  }
}

/** Also without its version, as `_profile` is asked for. */
export function uriCollector(type: string, code: string): Collect {
  return (value, sink) => {
    if (typeof value !== 'string' || value === '') return
    sink.keys.add(uriKey(type, code, value))
    const bar = value.indexOf('|')
    if (bar > 0) sink.keys.add(uriKey(type, code, value.slice(0, bar)))
  }
}
