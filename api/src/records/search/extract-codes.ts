/**
 * Values that are stored with the codes they belong to: each row carries one code, and there is a row for every code of the resource. The code is
 * the key of `code` whatever its system, so that `code=x` and `code=system|x` find the same stretch; a search tests the system on the resource.
 */
import type { SearchParam } from '../../fhir/search-parameters.ts'
import type { Collect } from '../index-resource.ts'
import { tokenKey } from './keys.ts'

/** The collector, unless the parameter's values are not stored by code. */
export function withCodes(type: string, { codedBy }: Pick<SearchParam, 'codedBy'>, collect: Collect | null): Collect | null {
  if (codedBy === undefined || collect === null) return collect
  return (value, sink, holder, key, resource) => {
    const from = sink.values.length
    collect(value, sink, holder, key, resource)
    const rows = sink.values.slice(from)
    const [first, ...others] = codesOf(type, codedBy, resource)
    if (first === undefined) return
    for (const row of rows) row.c = first
    for (const c of others) for (const row of rows) sink.values.push({ ...row, c })
  }
}

/** The element has the parameter's name. */
function codesOf(type: string, codedBy: string, resource: object): Set<bigint> {
  const concept = (resource as Record<string, unknown>)[codedBy] as { coding?: unknown } | null | undefined
  const codings = Array.isArray(concept?.coding) ? concept.coding as ({ code?: unknown } | null)[] : []
  return new Set(codings.flatMap((each) => (typeof each?.code === 'string' ? [tokenKey(type, codedBy, undefined, each.code)] : [])))
}
