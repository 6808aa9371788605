/**
 * Writes that name their resource by a search: conditional create, update, patch and delete. The search is the caller's own, so what the
 * caller may not see is not found. Requests with the same criteria wait for each other (an advisory lock until the transaction
 * ends), so that of many which find nothing one creates and the others find that. Source: FHIR R4 § http.html (ccreate, cupdate, cdelete).
 */
import type { Resource } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { assertMayAsk } from '../access/may-ask.ts'
import type { Ctx } from '../ctx.ts'
import { isFhirId, keyOf } from '../fhir/id.ts'
import { fail, notFound, OutcomeError } from '../fhir/outcome.ts'
import { type ResourceType, typeCode } from '../fhir/resource-types.ts'
import type { Trx } from '../storage/pool.ts'
import type { Stored } from './content.ts'
import { search } from './search/search.ts'
import type { Store } from './store.ts'
import { lastVersions, lockRows, rowKey } from './write-rows.ts'

/** Parameters that say how an answer looks, not what is found. */
const presentation = new Set(['_count', '_sort', '_summary', '_elements', '_include', '_revinclude', '_total', '_page', '_format', '_pretty'])

export interface Condition { type: ResourceType; query: URLSearchParams; path: string | null }

/** The criteria of a condition, in one order whatever the order they were sent in. Throws parameter-invalid when there are none. */
export function criteriaOf({ query, path }: Condition): URLSearchParams {
  const criteria = [...query].filter(([name]) => !presentation.has(name.split(':')[0] ?? name))
  if (criteria.length === 0) throw fail('parameter-invalid', { zh: '条件为空。', en: 'The condition is empty.' }, path)
  const empty = criteria.find(([, value]) => value.trim() === '')
  if (empty) {
    throw fail('parameter-invalid', { zh: `条件 ${empty[0].slice(0, 64)} 没有值。`, en: `The condition ${empty[0].slice(0, 64)} has no value.` }, path)
  }
  return new URLSearchParams(criteria.sort(([a, x], [b, y]) => (`${a}=${x}` < `${b}=${y}` ? -1 : 1)))
}

/** Waits until no other transaction works under one of these conditions. One order for everybody. */
export async function lockConditions(trx: Trx, conditions: readonly Condition[]): Promise<void> {
  if (conditions.length === 0) return
  const names = [...new Set(conditions.map((each) => `${each.type}?${criteriaOf(each)}`))].sort()
  for (const name of names) await sql`select pg_advisory_xact_lock(hashtextextended(${name}, 0))`.execute(trx)
}

/**
 * The one match, null when there is none. Throws conditional-ambiguous (412) when there are several.
 * @param without resources as `Type/id` that do not count, because the same request takes them away.
 */
export async function findOne(trx: Trx, ctx: Ctx, store: Store, condition: Condition, base: string, without: ReadonlySet<string> = new Set()): Promise<Stored | null> {
  assertMayAsk(ctx, condition.type, 's')
  const params = criteriaOf(condition)
  const own = [...without].filter((name) => name.startsWith(`${condition.type}/`))
  params.set('_count', String(2 + own.length))
  const { matches: found } = await search(trx, ctx, store, condition.type, params, { base }).catch((error: unknown) => {
    // In a bundle it is said whose condition it is.
    throw error instanceof OutcomeError && condition.path !== null ? error.at(condition.path) : error
  })
  const matches = own.length === 0 ? found : found.filter(({ id }) => !without.has(`${condition.type}/${id}`))
  if (matches.length > 1) throw ambiguous(condition.path)
  return matches[0] ?? null
}

export function ambiguous(path: string | null): OutcomeError {
  return fail('conditional-ambiguous', { zh: '有多个资源符合条件。', en: 'More than one resource fits the condition.' }, path)
}

/** What a conditional update comes to: the match, or a new resource with the client's id or, when that is null, the server's. */
export async function updateTarget(
  trx: Trx, ctx: Ctx, store: Store, condition: Condition, resource: Resource, base: string, without?: ReadonlySet<string>,
): Promise<{ method: 'create' | 'update'; id: string | null }> {
  const match = await findOne(trx, ctx, store, condition, base, without)
  const given = resource.id ?? null
  if (given !== null && !isFhirId(given)) {
    throw fail('id-invalid', { zh: '编号只能由 1 到 64 个字母、数字、“-”或“.”组成。', en: 'An id has 1 to 64 letters, digits, "-" or ".".' }, condition.path)
  }
  if (match) {
    if (given !== null && given !== match.id) {
      throw fail('id-mismatch', { zh: '符合条件的资源是另一个编号。', en: 'The resource that fits the condition has another id.' }, condition.path)
    }
    return { method: 'update', id: match.id }
  }
  if (given === null) return { method: 'create', id: null }
  const row = { t: typeCode(condition.type), id: keyOf(given) }
  if ((await lockRows(trx, [row])).has(rowKey(row)) || (await lastVersions(trx, [row])).has(rowKey(row))) {
    throw fail('conflict', { zh: '没有资源符合条件，但这个编号已被使用。', en: 'Nothing fits the condition, but the id is in use.' }, condition.path)
  }
  return { method: 'update', id: given }
}

/** The resource of a conditional patch. Throws not-found when nothing fits. */
export async function patchTarget(trx: Trx, ctx: Ctx, store: Store, condition: Condition, base: string, without?: ReadonlySet<string>): Promise<string> {
  const match = await findOne(trx, ctx, store, condition, base, without)
  if (!match) throw notFound(`${condition.type}?${criteriaOf(condition)}`.slice(0, 200))
  return match.id
}
