/** What a condition finds among resources that are not stored yet: the entries of the same transaction. */
import type { Resource } from '@medplum/fhirtypes'
import type { Ctx } from '../ctx.ts'
import { criteriaOf, type Condition } from './conditional.ts'
import { indexResource } from './index-resource.ts'
import { parseQuery, queryContext } from './search/parse-query.ts'
import type { Store } from './store.ts'

/**
 * Whether a resource of the condition's type fits, as it would be found when it is stored. Null for a condition that does not ask for
 * tokens, references or uris alone: what it finds can be told of stored resources only. Throws as a search does.
 */
export function fitting(ctx: Ctx, store: Store, condition: Condition, base: string): ((resource: Resource) => boolean) | null {
  const { type } = condition
  const { criteria } = parseQuery(queryContext({ type, types: [type], ctx, base, lenient: false }, store), criteriaOf(condition))
  if (criteria.some(({ anyOf, side, where, later }) => anyOf === null || side !== null || where !== null || later !== null)) return null
  return (resource) => {
    const keys = keysOf(store, resource)
    return criteria.every(({ anyOf, allOf = [] }) => anyOf?.some((key) => keys.has(key)) && allOf.every((key) => keys.has(key)))
  }
}

const known = new WeakMap<Resource, ReadonlySet<bigint>>()

/** Many conditions may ask of one resource. */
function keysOf({ model }: Store, resource: Resource): ReadonlySet<bigint> {
  const before = known.get(resource)
  if (before) return before
  const keys = new Set(indexResource(model, resource).keys)
  known.set(resource, keys)
  return keys
}
