/**
 * Chains into contained resources: what a resource that stands inside another says is stored with the one that contains it, for each reference by which it is reached,
 * under names of its own, so that `MedicationRequest?medication.code=…` finds both the medication of another row and the one that is contained. Only a
 * chain asks for it: a contained resource is not found by itself. One contained resource may refer to another; further than that nothing is
 * stored, and composite parameters and positions are not. Source: FHIR R4 3.1.1.5.5 (contained resources).
 */
import type { FhirModel } from '../../fhir/model.ts'
import type { Branch } from '../../fhir/search-expression.ts'
import type { SearchParam } from '../../fhir/search-parameters.ts'
import { type Collect, collectorOf, type Sink } from '../index-resource.ts'
import { branchesOf } from './branches.ts'
import { pairStorage } from './extract-composite.ts'
import { containedParam, paramKey } from './keys.ts'

/** References one behind the other whose contained resources are stored. */
const stepsMax = 2
/** Contained resources of one row that are stored, each counted once a way that leads to it. */
const containedMax = 2_000

const step = '>'

/** Trails that a parameter is kept for, and ways to contained resources whose collectors are kept: there are as many as anybody cares to ask for. */
const trailsKeptMax = 32
const waysKeptMax = 500

/** The trail one reference further; null when nothing is stored so far away. */
export function trailBy(before: string | null, type: string, param: string): string | null {
  if (before === null) return `${type}.${param}`
  return before.split(step).length < stepsMax ? `${before}${step}${type}.${param}` : null
}

/** Says that a row contains a resource of a type at the end of a trail. */
export function containedKey(type: string, trail: string): bigint {
  return paramKey(type, containedParam('', trail))
}

/** Whether a parameter of contained resources can be asked for. */
export function isStoredOfContained({ type, storage }: SearchParam): boolean {
  return storage !== 'none' && type !== 'composite' && type !== 'special'
}

const ofContained = new WeakMap<SearchParam, Map<string, SearchParam>>()

/** The parameter of a type as it is stored of contained resources. */
export function containedParameter(param: SearchParam, trail: string): SearchParam {
  const byTrail = ofContained.get(param) ?? new Map<string, SearchParam>()
  ofContained.set(param, byTrail)
  let made = byTrail.get(trail)
  if (!made) {
    if (byTrail.size >= trailsKeptMax) byTrail.clear()
    const { codedBy: _, ...rest } = param
    byTrail.set(trail, made = { ...rest, code: containedParam(param.code, trail), storage: pairStorage(param), storedAs: param.storedAs.map((code) => containedParam(code, trail)) })
  }
  return made
}

interface Entry { branch: Branch; collect: Collect; present: bigint | null }
interface Contained { resourceType: string; id: string }

/** Per model: what is stored of a type at the end of a trail, and by which references a type is left. */
const entriesOf = new WeakMap<FhirModel, Map<string, readonly Entry[]>>()
const linksOf = new WeakMap<FhirModel, Map<string, readonly { code: string; branch: Branch }[]>>()

/** Adds what the contained resources of a resource say. */
export function indexContained(model: FhirModel, resource: { resourceType: string; contained?: unknown }, sink: Sink): void {
  if (!Array.isArray(resource.contained)) return
  const contained = new Map((resource.contained as (Contained | null)[]).flatMap((each) => (each !== null && model.structures.get(each.resourceType)?.kind === 'resource' ? [[each.id, each] as const] : [])))
  const stored = new Set<string>()
  const follow = (holder: { resourceType: string }, before: string | null): void => {
    for (const { code, branch } of links(model, holder.resourceType)) {
      const trail = trailBy(before, holder.resourceType, code)
      if (trail === null) continue
      branch.run(holder, (value) => {
        const { reference } = value as { reference?: unknown }
        const target = typeof reference === 'string' && reference.startsWith('#') ? contained.get(reference.slice(1)) : undefined
        if (!target) return
        const place = `${trail} ${target.id}`
        if (stored.has(place) || stored.size >= containedMax) return
        stored.add(place)
        sink.keys.add(containedKey(target.resourceType, trail))
        for (const each of entries(model, target.resourceType, trail)) {
          each.branch.run(target, (found, of, key) => {
            if (each.present !== null) sink.keys.add(each.present)
            each.collect(found, sink, of, key, target)
          })
        }
        follow(target, trail)
      })
    }
  }
  follow(resource, null)
}

function entries(model: FhirModel, type: string, trail: string): readonly Entry[] {
  const known = entriesOf.get(model) ?? new Map<string, readonly Entry[]>()
  entriesOf.set(model, known)
  const name = `${type} ${trail}`
  const kept = known.get(name)
  if (kept) return kept
  const made = [...model.searchParameters(type).values()].filter((param) => isStoredOfContained(param) && param.storedAs.includes(param.code)).flatMap((param) => branchesOf(model, type, param).flatMap((branch): Entry[] => {
    const own = containedParameter(param, trail)
    const collect = collectorOf(model, type, own, branch)
    return collect ? [{ branch, collect, present: own.storage === 'keys' ? paramKey(type, own.code) : null }] : []
  }))
  if (known.size >= waysKeptMax) known.clear()
  known.set(name, made)
  return made
}

function links(model: FhirModel, type: string): readonly { code: string; branch: Branch }[] {
  const known = linksOf.get(model) ?? new Map<string, readonly { code: string; branch: Branch }[]>()
  linksOf.set(model, known)
  const made = known.get(type) ?? [...model.searchParameters(type).values()].filter((param) => param.type === 'reference' && param.storage === 'keys').flatMap((param) => branchesOf(model, type, param)
    .filter((branch) => branch.type === 'Reference').map((branch) => ({ code: param.code, branch })))
  known.set(type, made)
  return made
}
