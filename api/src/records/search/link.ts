/** A reference's key made in SQL from the key of the row it points to; the twin of `linkKey` in keys.ts. */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import type { ResourceType } from '../../fhir/resource-types.ts'
import type { SearchParam } from '../../fhir/search-parameters.ts'
import { byCondition, byKeys, type Criterion, nothing, oneOf } from './criterion.ts'
import { linkKey, linkSeed } from './keys.ts'

/** `column` holds the uuid of a row, such as r.id or r.pid; null gives null. */
export function linkOf(column: RawBuilder<unknown>, seed: bigint): RawBuilder<bigint> {
  return sql<bigint>`(('x' || encode(substr(uuid_send(${column}), 9), 'hex'))::bit(64)::bigint # ${String(seed)}::bigint)`
}

/** The row refers by the parameter to the row whose key a column holds. */
export function refersTo(column: RawBuilder<unknown>, type: ResourceType, param: Pick<SearchParam, 'storedAs'>, target: ResourceType): RawBuilder<SqlBool> {
  return oneOf(param.storedAs.map((code) => sql<SqlBool>`${linkOf(column, linkSeed(type, code, target))} = any(r.keys)`))
}

/**
 * What refers to one of these patients by a parameter that decides whose compartment it is in (`decidesCompartment`): it is found there. Of several patients
 * each row is asked for the key of its own, and not for those of all.
 */
export function ofPatients(ids: readonly string[], type: ResourceType, param: Pick<SearchParam, 'storedAs'>): Criterion {
  const [only] = ids
  if (only === undefined) return nothing
  const linked = ids.length === 1 ? byKeys(param.storedAs.map((code) => linkKey(linkSeed(type, code, 'Patient'), only))) : byCondition(refersTo(sql`r.pid`, type, param, 'Patient'))
  return { ...linked, patients: ids }
}
