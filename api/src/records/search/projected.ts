/**
 * Resources that a domain makes of its own tables (Slot, Schedule) among those of the store: found by the domain's own parameters, and with the
 * keys that a row of theirs would have, so that includes and chains read references off them as off any other resource.
 */
import type { Resource } from '@medplum/fhirtypes'
import type { ResourceType } from '../../fhir/resource-types.ts'
import type { Stored } from '../content.ts'
import { indexResource } from '../index-resource.ts'
import { storedFrom } from '../read-resource.ts'
import type { Walk } from './criterion.ts'

/** A resource with the keys of its row. */
export interface Match {
  stored: Stored
  keys: readonly bigint[]
  /** An earlier version, which a reference names. What it refers to is not known. */
  superseded?: true
}

const pageRows = '200'

export function matchOfProjected({ store }: Pick<Walk, 'store'>, resource: Resource): Match {
  return { stored: storedFrom(resource), keys: indexResource(store.model, resource).keys }
}

/** All that a domain finds by one of its parameters; null when there are more than `most`. Throws what the domain says of the value. */
export async function projectedBy({ db, ctx, store }: Walk, type: ResourceType, name: string, value: string, most: number): Promise<Resource[] | null> {
  const projection = store.entries.get(type)?.projection
  const found: Resource[] = []
  let query: URLSearchParams | null = new URLSearchParams([[name, value], ['_count', pageRows]])
  while (projection && query !== null) {
    const page: Awaited<ReturnType<typeof projection.search>> = await projection.search(db, ctx, query)
    found.push(...page.resources)
    if (found.length > most) return null
    query = page.next
  }
  return found
}
