/**
 * A history as it is posted: for each resource the newest of its versions, as an update by its id or a deletion. A history is a list of what happened, newest
 * first, in which a resource may occur often; what is wanted of it here is what became of each. Source: FHIR R4 § http.html#other-bundles.
 */
import { fail } from '../fhir/outcome.ts'

/** An entry and its place in the bundle that was sent. */
export interface LastState { value: unknown; index: number }

/** Throws structure for an entry that says neither what became of a resource nor of which. */
export function lastStates(entries: readonly unknown[]): LastState[] {
  const seen = new Set<string>()
  return entries.flatMap((entry, index) => {
    const state = stateOf(entry, `Bundle.entry[${index}]`)
    if (seen.has(state.request.url)) return []
    seen.add(state.request.url)
    return [{ value: state, index }]
  })
}

interface State { fullUrl?: unknown; resource?: unknown; request: { method: 'PUT' | 'DELETE'; url: string } }

function stateOf(entry: unknown, path: string): State {
  const { fullUrl, resource, request } = asObject(entry, path)
  const { method, url } = asObject(request, `${path}.request`)
  if (method === 'DELETE' && typeof url === 'string') return { request: { method, url } }
  const { resourceType, id } = asObject(resource, `${path}.resource`)
  if (typeof resourceType !== 'string' || typeof id !== 'string') {
    throw fail('structure', { zh: '历史条目的资源要有类型和编号。', en: 'The resource of a history entry needs a type and an id.' }, `${path}.resource.id`)
  }
  return { fullUrl, resource, request: { method: 'PUT', url: `${resourceType}/${id}` } }
}

function asObject(value: unknown, path: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>
  throw fail('structure', { zh: `${path} 缺失或不是对象。`, en: `${path} is missing or is no object.` }, path)
}
