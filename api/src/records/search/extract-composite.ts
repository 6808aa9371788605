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
  const [first, second] = composite.components ?? []
  const firstParam = first && partOf(model, type, first.definition)
  const secondParam = second && partOf(model, type, second.definition)
  const { structure } = base
  if (!first || !second || !firstParam || !secondParam || !structure) return []
  const branchesOf = (expression: string): Branch[] => compileSearchExpression(expression, structure, model.structures)
  const firsts = branchesOf(first.expression).map((branch) => ({ branch, collect: collectorOf(model, type, { ...firstParam, code: composite.code }, branch) }))
  return branchesOf(second.expression).map((branch) => (element, sink) => {
    const keys = emptySink()
    for (const each of firsts) each.branch.run(element as object, (value, holder, key) => each.collect?.(value, keys, holder, key))
    // Displays are searched by `:text`, which composites do not have.
    for (const { k, h } of keys.texts) if (k === paramKey(type, composite.code)) keys.keys.delete(h)
    for (const first of keys.keys) {
      const code = compositeParam(composite.code, first)
      const collect = collectorOf(model, type, { ...secondParam, code, storage: pairStorage(secondParam) }, branch)
      branch.run(element as object, (value, holder, key) => collect?.(value, sink, holder, key))
    }
  })
}

/** A date inside an element is never the clinical date of the row. */
export function pairStorage(param: Pick<SearchParam, 'storage'>): SearchParam['storage'] {
  return param.storage === 'date' ? 'values' : param.storage
}

function emptySink(): Sink {
  return { keys: new Set(), strings: [], values: [], texts: [], lo: Number.NaN, hi: Number.NaN }
}
