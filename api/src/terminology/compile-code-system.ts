/**
 * A CodeSystem resource → `System`: codes in a map, parents and children linked. The hierarchy is the nesting of concepts plus
 * what properties add (`child` in v3, `parent` and `subsumedBy` elsewhere); properties say what is abstract or inactive.
 * Source: FHIR R4 CodeSystem, § concept properties and hierarchy.
 */
import type { CodeSystem, CodeSystemConcept, CodeSystemConceptDesignation } from '@medplum/fhirtypes'
import type { Concept, System } from './shapes.ts'

interface Mutable extends Concept { parents: Concept[]; children: Concept[] }

const inactiveStatus: ReadonlySet<string> = new Set(['retired', 'inactive', 'withdrawn'])
/** Deeper nesting is a mistake; R4 has nine levels. */
const depthMax = 50

/** A code that stands twice is the first one. @param supplements whose designations are added. */
export function compileCodeSystem(resource: CodeSystem, supplements: readonly CodeSystem[] = []): System {
  const byCode = new Map<string, Mutable>()
  const links = new Set<string>()
  const added = Map.groupBy(supplements.flatMap((each) => each.concept ?? []), (each) => each.code)
  const add = (concepts: readonly CodeSystemConcept[] | undefined, parent: Mutable | null, depth: number): void => {
    for (const each of concepts ?? []) {
      if (each.code === undefined || byCode.has(each.code)) continue
      const concept = conceptOf(each, (added.get(each.code) ?? []).flatMap((other) => other.designation ?? []))
      byCode.set(each.code, concept)
      if (parent) link(parent, concept, links)
      if (depth < depthMax) add(each.concept, concept, depth + 1)
    }
  }
  add(resource.concept, null, 0)
  for (const concept of byCode.values()) linkByProperties(concept, byCode, links)
  const folded = resource.caseSensitive === false ? new Map([...byCode.values()].map((each) => [each.code.toLowerCase(), each])) : null
  return {
    url: resource.url ?? '',
    version: resource.version ?? null,
    name: resource.title ?? resource.name ?? resource.url ?? '',
    language: resource.language ?? (/[\u3400-\u9fff]/.test(resource.concept?.[0]?.display ?? '') ? 'zh' : 'en'),
    complete: resource.content === 'complete',
    concepts: [...byCode.values()],
    properties: propertiesOf(resource, byCode.values()),
    find: (code) => byCode.get(code) ?? folded?.get(code.toLowerCase()) ?? null,
    ownFilter: () => null,
  }
}

function conceptOf(source: CodeSystemConcept, added: readonly CodeSystemConceptDesignation[]): Mutable {
  const properties = source.property ?? []
  const isTrue = (...codes: string[]) => properties.some((each) => codes.includes(each.code ?? '') && each.valueBoolean === true)
  const status = properties.find((each) => each.code === 'status')
  return {
    code: source.code ?? '',
    display: source.display ?? null,
    definition: source.definition ?? null,
    designations: [...source.designation ?? [], ...added],
    properties,
    parents: [],
    children: [],
    abstract: isTrue('notSelectable', 'abstract'),
    inactive: isTrue('inactive') || inactiveStatus.has(status?.valueCode ?? status?.valueString ?? ''),
  }
}

function linkByProperties(concept: Mutable, byCode: ReadonlyMap<string, Mutable>, links: Set<string>): void {
  for (const property of concept.properties) {
    const other = byCode.get(property.valueCode ?? property.valueCoding?.code ?? '')
    if (!other || other === concept) continue
    if (property.code === 'child') link(concept, other, links)
    else if (property.code === 'parent' || property.code === 'subsumedBy') link(other, concept, links)
  }
}

/** Each link once. `links` knows them all: looking through the children would take for ever under a parent of very many. */
function link(parent: Mutable, child: Mutable, links: Set<string>): void {
  const key = `${parent.code}\u0000${child.code}`
  if (links.has(key)) return
  links.add(key)
  parent.children.push(child)
  child.parents.push(parent)
}

function propertiesOf(resource: CodeSystem, concepts: Iterable<Concept>): Set<string> {
  const declared = (resource.property ?? []).flatMap((each) => (each.code ? [each.code] : []))
  const used = Iterator.from(concepts).flatMap((each) => each.properties).map((each) => each.code ?? '')
  return new Set([...declared, ...used])
}

/** The concept and everything below it, each once, nearest first. Circles in the definition do no harm. */
export function withDescendants(concept: Concept): Set<Concept> {
  return closure(concept, (each) => each.children)
}

/** The concept and everything above it, nearest first. */
export function withAncestors(concept: Concept): Set<Concept> {
  return closure(concept, (each) => each.parents)
}

function closure(start: Concept, next: (concept: Concept) => readonly Concept[]): Set<Concept> {
  const found = new Set([start])
  for (const each of found) for (const other of next(each)) found.add(other)
  return found
}
