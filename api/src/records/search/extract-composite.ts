/**
 * Composite parameters whose element repeats, such as the components of a blood pressure: the second part is stored under a name that
 * holds the first part's key, so that both are found only in one element. The first part is a token or a reference, by each of
 * the ways it may be asked for. Composites over the resource itself need none of this: their parts occur once, and both conditions
 * together say the same. Source: FHIR R4 3.1.1.4.7 (composite).
 */
import type { FhirModel } from '../../fhir/model.ts'
import { type Branch, compileSearchExpression } from '../../fhir/search-expression.ts'
import type { SearchParam } from '../../fhir/search-parameters.ts'
import { type Collect, collectorOf, type Sink } from '../index-resource.ts'
import { compositeParam, paramKey } from './keys.ts'

/** The parameter that a part of a composite is searched as, found by its canonical address. */
export function partOf(model: FhirModel, type: string, definition: string): SearchParam | null {
  for (const param of model.searchParameters(type).values()) if (param.url === definition) return param
  return null
}

/** One for each type of value the second part may have. */
export function compositeCollectors(model: FhirModel, type: string, composite: SearchParam, base: Branch): Collect[] {
  const [first, second, third] = composite.components ?? []
  const firstParam = first && partOf(model, type, first.definition)
  const secondParam = second && partOf(model, type, second.definition)
  const { structure } = base
  if (!first || !second || !firstParam || !secondParam || !structure) return []
  const branchesOf = (expression: string): Branch[] => compileSearchExpression(expression, structure, model.structures)
  const root = model.structures.get(type)
  // The first part may stand elsewhere in the resource, as the chromosome of a variant does.
  const ofResource = first.expression.startsWith('%resource.')
  const firstBranches = ofResource && root ? compileSearchExpression(`${type}.${first.expression.slice('%resource.'.length)}`, root, model.structures) : branchesOf(first.expression)
  const firsts = firstBranches.map((branch) => ({ branch, collect: collectorOf(model, type, { ...firstParam, code: composite.code }, branch) }))
  const keysOf = (element: unknown, resource: object): ReadonlySet<bigint> => {
    const keys = emptySink()
    for (const each of firsts) each.branch.run(ofResource ? resource : element as object, (value, holder, key) => each.collect?.(value, keys, holder, key, resource))
    // Displays are searched by `:text`, which composites do not have.
    for (const { k, h } of keys.texts) if (k === paramKey(type, composite.code)) keys.keys.delete(h)
    return keys.keys
  }
  if (third) return [coordinatesCollector(type, composite.code, branchesOf(second.expression), branchesOf(third.expression), keysOf)]
  return branchesOf(second.expression).map((branch) => (element, sink, _holder, _key, resource) => {
    for (const first of keysOf(element, resource)) {
      const code = compositeParam(composite.code, first)
      const collect = collectorOf(model, type, { ...secondParam, code, storage: pairStorage(secondParam) }, branch)
      branch.run(element as object, (value, holder, key) => collect?.(value, sink, holder, key, resource))
    }
  })
}

/** Two whole numbers: the lower end of the row is the first, the upper end the second. */
function coordinatesCollector(
  type: string, code: string, seconds: readonly Branch[], thirds: readonly Branch[], keysOf: (element: unknown, resource: object) => ReadonlySet<bigint>,
): Collect {
  const numberOf = (branches: readonly Branch[], element: unknown): number | null => {
    let found: number | null = null
    for (const branch of branches) branch.run(element as object, (value) => { found ??= Number.isFinite(Number(value)) ? Number(value) : null })
    return found
  }
  return (element, sink, _holder, _key, resource) => {
    const lo = numberOf(seconds, element)
    const hi = numberOf(thirds, element)
    if (lo === null || hi === null) return
    for (const first of keysOf(element, resource)) sink.values.push({ k: paramKey(type, compositeParam(code, first)), lo, hi })
  }
}

/** A date inside an element is never the clinical date of the row. */
export function pairStorage(param: Pick<SearchParam, 'storage'>): SearchParam['storage'] {
  return param.storage === 'date' ? 'values' : param.storage
}

function emptySink(): Sink {
  return { keys: new Set(), strings: [], values: [], texts: [], dated: [], lo: Number.NaN, hi: Number.NaN }
}
