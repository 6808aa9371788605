/**
 * `_summary` and `_elements` of a read, of a history and of what a write hands back: which part of a resource goes out. Other parameters are
 * refused. Source: FHIR R4 3.1.0.1.2.
 */
import { fail } from '../fhir/outcome.ts'
import { nearest } from '../fhir/nearest.ts'
import type { ResourceType } from '../fhir/resource-types.ts'
import type { Stored } from '../records/content.ts'
import { elementHint, isSummary, withElements, withSummary } from '../records/search/elements.ts'
import type { Edge } from './interactions.ts'

const known = ['_summary', '_elements', '_format', '_pretty']

/** Throws parameter-unknown and parameter-invalid; under lenient handling what is not understood is left out. */
export function viewOf(edge: Edge, type: ResourceType, query: URLSearchParams): (stored: Stored) => Stored {
  const { model } = edge.store
  const unknown = [...query.keys()].find((name) => !known.includes(name))
  if (unknown !== undefined && !edge.lenient) {
    const hint = nearest(unknown, known) ?? known[0]
    throw fail('parameter-unknown', {
      zh: `这里没有参数“${unknown.slice(0, 64)}”，最接近的是 ${hint}。`, en: `There is no parameter "${unknown.slice(0, 64)}" here; the nearest is ${hint}.`,
    }, unknown.slice(0, 64))
  }
  const elements = elementsOf(edge, [type], query.get('_elements'))
  return elements === null ? summaryOf(edge, query) : (stored) => withElements(model, stored, elements)
}

/** The same of resources of any type: an element that a type does not have is missing in it. */
export function viewOfAny(edge: Edge, query: URLSearchParams): (stored: Stored) => Stored {
  const elements = elementsOf(edge, [...edge.store.entries.keys()], query.get('_elements'))
  return elements === null ? summaryOf(edge, query) : (stored) => withElements(edge.store.model, stored, elements)
}

function summaryOf({ store, lenient }: Edge, query: URLSearchParams): (stored: Stored) => Stored {
  const summary = query.get('_summary')
  if (summary === null) return (stored) => stored
  // A count is of a search.
  if (isSummary(summary) && summary !== 'count') return (stored) => withSummary(store.model, stored, summary)
  if (lenient) return (stored) => stored
  throw invalid('_summary', summary, 'true, text, data, false')
}

/** The parameters of a condition that say how the answer looks. */
export function viewParameters(query: URLSearchParams): URLSearchParams {
  return new URLSearchParams([...query].filter(([name]) => known.includes(name)))
}

function elementsOf({ store, lenient }: Edge, types: readonly ResourceType[], value: string | null): string[] | null {
  if (value === null) return null
  const names = value.split(',').map((name) => name.trim()).filter((name) => name !== '')
  const offered = types.flatMap((type) => store.model.structures.get(type)?.elements.map((element) => element.name.replace('[x]', '')) ?? [])
  const unknown = names.find((name) => !offered.includes(name))
  if ((unknown !== undefined || names.length === 0) && !lenient) throw invalid('_elements', unknown ?? '', elementHint(unknown ?? '', offered))
  const valid = names.filter((name) => offered.includes(name))
  return valid.length === 0 ? null : valid
}

function invalid(name: string, value: string, valid: string) {
  return fail('parameter-invalid', {
    zh: `参数 ${name} 的值“${value.slice(0, 64)}”不正确，可用：${valid}。`, en: `The value "${value.slice(0, 64)}" of ${name} is not valid. Valid: ${valid}.`,
  }, name)
}
