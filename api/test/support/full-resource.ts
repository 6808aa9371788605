/**
 * Resources in which every element of a type is filled, made from the structure: one for each round, so that every type of a
 * choice and every target of a reference occurs. They are valid, so they serve as examples for validation and for search.
 */
import type { FhirModel } from '../../src/fhir/model.ts'
import type { Property, Structure } from '../../src/fhir/structure.ts'

type Json = Record<string, unknown>

const samples: Record<string, unknown> = {
  string: 'text', markdown: 'some *text*', code: 'some-code', id: 'id-1', uri: 'http://example.com/x', url: 'http://example.com/y',
  canonical: 'http://example.com/z|1', oid: 'urn:oid:1.2.3', uuid: 'urn:uuid:0195d3a2-0000-7000-8000-000000000001', base64Binary: 'YWJjZA==',
  boolean: true, decimal: 1.5, integer: 3, unsignedInt: 4, positiveInt: 2, date: '2026-11-23', dateTime: '2026-11-23T08:30:00+08:00',
  instant: '2026-11-23T08:30:00.123Z', time: '08:30:00', xhtml: '<div xmlns="http://www.w3.org/1999/xhtml"><p>text</p></div>',
}

/** Deepest element that optional content is made for. */
const deepest = 5

export function fullResources(model: FhirModel, type: string): Json[] {
  const structure = model.structures.get(type)
  if (!structure) throw new Error(`There is no type ${type}.`)
  // Fourteen rounds reach every type of every choice but Extension.value[x], whose 50 types no search looks at.
  return Array.from({ length: 14 }, (_, round) => ({ resourceType: type, ...content(model, structure, round, 0) }))
}

function content(model: FhirModel, structure: Structure, round: number, depth: number): Json {
  const result: Json = {}
  for (const element of structure.elements) {
    const key = element.keys[round % element.keys.length]
    const property = key === undefined ? undefined : structure.properties.get(key)
    if (!property || skipped(property, structure, depth)) continue
    const one = value(model, property, round, depth + 1)
    result[property.key] = property.many ? [one, value(model, property, round + 1, depth + 1)] : one
  }
  return result
}

/** Extensions, contained resources and optional things far down: nothing new, but without end. */
function skipped(property: Property, structure: Structure, depth: number): boolean {
  if (['extension', 'modifierExtension', 'contained'].includes(property.key)) return true
  if (property.key === 'id') return structure.kind !== 'resource'
  if (structure.kind === 'complex' && property.element.choice && property.element.min === 0 && depth > 3) return true
  return depth >= deepest && property.element.min === 0
}

function value(model: FhirModel, property: Property, round: number, depth: number): unknown {
  if (property.primitive) {
    const set = property.required === null ? undefined : model.valueSet(property.required)
    if (set) return [...set.codes][round % set.codes.size]
    if (property.required?.endsWith('/currencies')) return 'CNY'
    if (property.required?.endsWith('/mimetypes')) return 'text/plain'
    return samples[property.type]
  }
  if (property.type === 'Reference') return reference(property, round)
  if (property.type === 'Resource') return { resourceType: 'Basic', id: `basic-${round}`, code: { text: 'x' } }
  const set = property.required === null ? undefined : model.valueSet(property.required)
  if (set && (property.type === 'CodeableConcept' || property.type === 'Coding')) {
    const [system, codes] = [...set.systems][round % set.systems.size] as [string, ReadonlySet<string>]
    const coding = { system, code: [...codes][round % codes.size] }
    return property.type === 'Coding' ? coding : { coding: [coding] }
  }
  const made = property.content ? content(model, property.content, round, depth) : {}
  // Deep down nothing optional is made; an object still needs a value.
  return Object.keys(made).length ? made : smallest(property)
}

function smallest(property: Property): Json {
  const [name, first] = [...property.content?.properties ?? []].find(([key, each]) => key !== 'id' && each.primitive && each.required === null) ?? []
  if (name === undefined || !first) return { id: 'x', extension: [{ url: 'http://example.com/e', valueBoolean: true }] }
  return { [name]: first.many ? [samples[first.type]] : samples[first.type] }
}

function reference(property: Property, round: number): Json {
  const targets = property.targets.length ? property.targets : ['Patient', 'Practitioner', 'Basic', 'Location', 'Group']
  const type = targets[round % targets.length]
  if (round % 7 === 5) return { identifier: { system: 'http://example.com/ids', value: `n${round}` }, type }
  if (round % 7 === 6) return { reference: `http://other.example.com/fhir/${type}/${round}` }
  return { reference: `${type}/${type?.toLowerCase()}-${round}`, display: 'text' }
}
