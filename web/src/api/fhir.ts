/** Plain FHIR calls: read, search with its pages, operation and transaction. Types come from the FHIR definitions. */
import type { Bundle, Parameters, ParametersParameter, Reference, Resource } from '@medplum/fhirtypes'
import { query, request, type RequestOptions } from './http.ts'

export type SearchValues = Record<string, string | number | null | undefined | readonly string[]>

export function read<T extends Resource>(type: T['resourceType'], id: string, signal?: AbortSignal): Promise<T> {
  return request<T>('GET', `/fhir/${type}/${id}`, signal ? { signal } : {})
}

export interface Page<T> { matches: T[]; included: Resource[]; total: number | null; next: string | null }

export async function search<T extends Resource>(type: T['resourceType'], values: SearchValues, signal?: AbortSignal): Promise<Page<T>> {
  return pageOf<T>(await request<Bundle>('GET', `/fhir/${type}${query(values)}`, signal ? { signal } : {}))
}

/** Follows the server's `next` links up to a bound, for lists a page shows whole. */
export async function searchAll<T extends Resource>(type: T['resourceType'], values: SearchValues, pagesMax = 10, signal?: AbortSignal): Promise<Page<T>> {
  let page = await search<T>(type, values, signal)
  const all: Page<T> = { ...page, matches: [...page.matches], included: [...page.included] }
  for (let count = 1; page.next && count < pagesMax; count += 1) {
    page = pageOf<T>(await request<Bundle>('GET', samePath(page.next), signal ? { signal } : {}))
    all.matches.push(...page.matches)
    all.included.push(...page.included)
    all.next = page.next
  }
  return all
}

/** Servers write absolute links; the cookie belongs to this origin, so only path and query are kept. */
export function samePath(link: string): string {
  const url = new URL(link, location.origin)
  return url.pathname + url.search
}

export function pageOf<T extends Resource>(bundle: Bundle): Page<T> {
  const entries = bundle.entry ?? []
  const matches = entries.filter((each) => each.search?.mode !== 'include' && each.search?.mode !== 'outcome')
  return {
    matches: matches.flatMap((each) => (each.resource ? [each.resource as T] : [])),
    included: entries.flatMap((each) => (each.search?.mode === 'include' && each.resource ? [each.resource] : [])),
    total: bundle.total ?? null,
    next: bundle.link?.find((each) => each.relation === 'next')?.url ?? null,
  }
}

export function operation<T>(path: string, parameters: ParametersParameter[], options: RequestOptions = {}): Promise<T> {
  const body: Parameters = { resourceType: 'Parameters', ...(parameters.length ? { parameter: parameters } : {}) }
  return request<T>('POST', `/fhir/${path}`, { ...options, body })
}

export function transaction(bundle: Bundle): Promise<Bundle> {
  return request<Bundle>('POST', '/fhir', { body: bundle })
}

/** The id in `Patient/7` or in an absolute reference; null when it names no resource of ours. */
export function idOf(reference: Reference | string | undefined): string | null {
  const text = typeof reference === 'string' ? reference : reference?.reference
  return text?.match(/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[^/]+)?$/)?.[1] ?? null
}
