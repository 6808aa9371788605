/**
 * Search of a type that a domain makes of its own tables: the domain finds the resources by its own parameters; chains, `_has`, includes, `_summary`
 * and `_elements` work as everywhere, and so do totals. Such resources have no tags, profiles or other meta. Source: FHIR R4 3.1.1.
 */
import { fail, type Issue } from '../../fhir/outcome.ts'
import type { ResourceType } from '../../fhir/resource-types.ts'
import type { Projection } from '../store.ts'
import { isChain, projectedQuery } from './chain.ts'
import type { Walk } from './criterion.ts'
import { withElements, withSummary } from './elements.ts'
import { includedWith } from './include.ts'
import { parseQuery, type QueryContext } from './parse-query.ts'
import { matchOfProjected } from './projected.ts'
import type { ProjectedPage } from './projected-page.ts'
import { totalOf } from './read-page.ts'
import type { SearchResult } from './search.ts'

const shown = /^_(?:(?:rev)?include(?::.*)?|summary|elements|total)$/
const ofMeta = /^_(?:tag|security|profile|source)(?::(\w+))?$/

export async function searchProjected(walk: Walk, type: ResourceType, projection: Projection, params: URLSearchParams, context: QueryContext): Promise<SearchResult> {
  const query = parseQuery(context, new URLSearchParams([...params].filter(([name, value]) => shown.test(name) || (name === '_count' && /^0+$/.test(value)))))
  const asked = new URLSearchParams()
  let nothing = false
  for (const [name, value] of params) {
    const meta = ofMeta.exec(name)
    if (shown.test(name)) continue
    if (meta) nothing ||= meta[1] === undefined || (meta[1] === 'missing' && value === 'false')
    else if (name === '_sort') asked.set('_sort', orderOf(type, projection, value))
    else if (name === '_count' && query.count === 0) continue
    else {
      const own = isChain(name) ? await projectedQuery(walk, context, name, value) : [name, value] as const
      if (own === null || !addTo(asked, ...own)) nothing = true
    }
  }
  // Asked in any case: the domain says what is wrong with the rest.
  const answer = query.count === 0 ? noneFound : await projection.search(walk.db, walk.ctx, asked)
  const found = nothing ? noneFound : answer
  const total = await totalOf({ ...query, page: params.get('_page') }, { ...found, matches: found.resources }, async () => {
    const counted = await projection.count(walk.db, walk.ctx, asked)
    return nothing ? 0 : counted
  })
  const matches = found.resources.map((resource) => matchOfProjected(walk, resource))
  const { included, warnings } = await includedWith(walk, matches, query.includes, query.revincludes)
  const { model } = walk.store
  const linked = (other: URLSearchParams | null): URLSearchParams | null => {
    const page = other?.get('_page') ?? null
    if (page === null) return null
    const link = new URLSearchParams(params)
    link.set('_page', page)
    return link
  }
  return {
    matches: matches.map(({ stored }) => (query.elements === null ? withSummary(model, stored, query.summary) : withElements(model, stored, query.elements))),
    included: query.summary === 'false' ? included : included.map((stored) => withSummary(model, stored, query.summary)),
    total, self: params, next: linked(found.next), previous: linked(found.previous), warnings: [...query.warnings, ...warnings] satisfies Issue[],
  }
}

/** The domain takes each parameter once: what is asked twice, by a chain too, is what both lists have. @returns whether anything is left. */
function addTo(asked: URLSearchParams, name: string, value: string): boolean {
  const before = asked.get(name)
  if (before === null || /^(?:_count|_page|date|start)/.test(name)) {
    asked.append(name, value)
    return true
  }
  const tail = (each: string): string => each.slice(each.lastIndexOf('/') + 1)
  const given = new Set(value.split(',').map(tail))
  const both = before.split(',').filter((each) => given.has(tail(each)))
  if (both.length === 0) return false
  asked.set(name, both.join(','))
  return true
}

const noneFound: ProjectedPage = { resources: [], next: null, previous: null }

/** The projection's own order, or the same from its end. */
function orderOf(type: ResourceType, { order }: Projection, value: string): string {
  const name = order.replace(/^-/, '')
  if (value.replace(/^-/, '') === name) return value
  throw fail('parameter-invalid', { zh: `${type} 只能按 ${name} 或 -${name} 排序。`, en: `${type} is sorted by ${name} or -${name} and by nothing else.` }, '_sort')
}
