/**
 * The interactions that read: read, vread, search, each from arguments to `Answer`. The routes call them, and the entries of
 * a bundle call the same ones. The audit row of a disclosure is committed before the answer leaves: one row per patient concerned.
 * Reading the public directory discloses nobody's record and leaves no row.
 */
import { assertMayAsk } from '../access/may-ask.ts'
import { audienceOf } from '../access/audience.ts'
import { type AuditEntry, recordEvents } from '../audit/record-event.ts'
import type { Ctx } from '../ctx.ts'
import { compartmentParameters } from '../fhir/compartments.ts'
import { keyOf } from '../fhir/id.ts'
import { stringifyJson } from '../fhir/json.ts'
import { fail, notFound, operationOutcome } from '../fhir/outcome.ts'
import type { ResourceType } from '../fhir/resource-types.ts'
import { sendable, type Stored } from '../records/content.ts'
import { readResource, readVersion } from '../records/read-resource.ts'
import { type Compartment, mayHold } from '../records/search/compartment.ts'
import { nearest } from '../fhir/nearest.ts'
import { search, searchScope, type SearchResult } from '../records/search/search.ts'
import type { Operation, Store } from '../records/store.ts'
import type { Db } from '../storage/pool.ts'
import { viewOf } from './view.ts'
import { type Answer, answerOf, answerOfResource } from './reply.ts'

/** What every interaction needs. */
export interface Edge {
  db: Db
  ctx: Ctx
  store: Store
  /** Address of /fhir, without a slash at its end. */
  base: string
  /** `Prefer: handling=lenient`. */
  lenient: boolean
}

/** `query`: `_summary` and `_elements`. */
export async function read(edge: Edge, type: ResourceType, id: string, query: URLSearchParams): Promise<Answer> {
  const { db, ctx, store } = edge
  assertMayAsk(ctx, type, 'r')
  const view = viewOf(edge, type, query)
  const stored = await readResource(db, ctx, store, type, id)
  await recordEvents(db, ctx, disclosed('read', type, id, [stored.pid], null))
  return answerOf(view(stored))
}

export async function vread(edge: Edge, type: ResourceType, id: string, version: string, query: URLSearchParams): Promise<Answer> {
  const { db, ctx, store } = edge
  assertMayAsk(ctx, type, 'r')
  const view = viewOf(edge, type, query)
  if (!/^\d{1,10}$/.test(version)) throw notFound(`${type}/${id}/_history/${version.slice(0, 64)}`)
  const stored = await readVersion(db, ctx, store, type, id, Number(version))
  await recordEvents(db, ctx, disclosed('vread', type, id, [stored.pid], `version ${stored.version}`))
  return answerOf(view(stored))
}

export async function searchType(edge: Edge, type: ResourceType, query: URLSearchParams): Promise<Answer> {
  const { db, ctx, store, base, lenient } = edge
  assertMayAsk(ctx, type, 's')
  const found = await search(db, ctx, store, type, query, { lenient, base })
  const all = [...found.matches, ...found.included]
  await recordEvents(db, ctx, disclosed('search-type', type, null, all.map((each) => each.pid), countsOf(type, all)))
  return bundleAnswer(searchBundle(edge, `/${type}`, found))
}

/** Search of a compartment, or of the whole store when it is null. `types` null: every type that fits. */
export async function searchMany(edge: Edge, compartment: Compartment | null, types: readonly ResourceType[] | null, query: URLSearchParams): Promise<Answer> {
  const { db, ctx, store, base, lenient } = edge
  const domain = compartment && types?.length === 1 ? membership(store, compartment, types[0] as ResourceType) : null
  if (compartment && types?.[0] && domain !== null) return searchDomain(edge, compartment, types[0], domain, query)
  const scope = { types: searchedTypes(store, compartment, types, query), compartment }
  if (types !== null) for (const type of types) assertMayAsk(ctx, type, 's')
  const asked = new URLSearchParams(query)
  for (const name of typeParameters) asked.delete(name)
  const found = await searchScope(db, ctx, store, scope, asked, { lenient, base })
  for (const name of typeParameters) {
    if (query.has(name)) for (const links of [found.self, found.next, found.previous]) if (links && !links.has(name)) links.append(name, namedTypes(query, name).join(','))
  }
  const all = [...found.matches, ...found.included]
  const first = scope.types[0] as ResourceType
  const [interaction, audited] = compartment === null ? ['search-system', first] as const : ['search-compartment', types?.[0] ?? compartment.type] as const
  await recordEvents(db, ctx, disclosed(interaction, audited, compartment?.id ?? null, all.map((each) => each.pid), countsOf(types?.[0] ?? 'Patient', all)))
  const path = compartment === null ? '' : `/${compartment.type}/${compartment.id}/${types?.length === 1 ? first : '*'}`
  return bundleAnswer(searchBundle(edge, path, found))
}

/** The parameter by which a type that a domain makes of its own tables is in a compartment; null for other types. */
function membership(store: Store, { type: compartment }: Compartment, type: ResourceType): string | null {
  const projection = store.entries.get(type)?.projection
  if (!projection) return null
  const codes = compartment === 'Patient' ? store.model.patientCompartment(type) : compartmentParameters(compartment).get(type) ?? []
  return codes.find((code) => projection.parameters.includes(code)) ?? null
}

/** One type of a compartment, found by the domain; the links name the compartment and not the parameter. */
async function searchDomain(edge: Edge, { type: compartment, id }: Compartment, type: ResourceType, code: string, query: URLSearchParams): Promise<Answer> {
  const { db, ctx, store, base, lenient } = edge
  assertMayAsk(ctx, type, 's')
  const found = await search(db, ctx, store, type, new URLSearchParams([...query, [code, `${compartment}/${id}`]]), { lenient, base })
  const all = [...found.matches, ...found.included]
  await recordEvents(db, ctx, disclosed('search-compartment', type, id, all.map((each) => each.pid), countsOf(type, all)))
  const links = (each: URLSearchParams | null) => each && new URLSearchParams([...each].filter(([name, value]) => name !== code || value !== `${compartment}/${id}`))
  return bundleAnswer(searchBundle(edge, `/${compartment}/${id}/${type}`, { ...found, self: query, next: links(found.next) }))
}

const typeParameters = ['_type', '_type:not'] as const

function namedTypes(query: URLSearchParams, name: (typeof typeParameters)[number]): string[] {
  return [...new Set(query.getAll(name).flatMap((value) => value.split(',')))]
}

/** Types with rows that the scope, `_type` and `_type:not` leave. Throws parameter-invalid for a type that is not there, and when none is left. */
function searchedTypes(store: Store, compartment: Compartment | null, types: readonly ResourceType[] | null, query: URLSearchParams): ResourceType[] {
  const [named, without] = typeParameters.map((name) => namedTypes(query, name)) as [string[], string[]]
  const possible = [...store.entries.values()].filter((entry) => entry.projection === null
    && (compartment === null || mayHold(store.model, compartment.type, entry.type))).map((entry) => entry.type)
  for (const each of [...named, ...without, ...types ?? []]) {
    if ((possible as string[]).includes(each)) continue
    const hint = nearest(each, possible)
    throw fail('parameter-invalid', {
      zh: `这里不能搜索类型“${each.slice(0, 64)}”${hint ? `，最接近的是 ${hint}` : ''}。`, en: `The type "${each.slice(0, 64)}" can't be searched here${hint ? `; the nearest is ${hint}` : ''}.`,
    }, '_type')
  }
  return possible.filter((type) => (types === null || types.includes(type)) && (named.length === 0 || named.includes(type)) && !without.includes(type))
}

/** Runs an operation and writes the audit rows of the patients it names. */
export async function operation(
  edge: Edge, definition: Operation,
  call: { type: ResourceType | null; id: string | null; query: URLSearchParams; body: unknown; idempotencyKey: string | null; version?: number | null; respondAsync?: boolean },
): Promise<Answer> {
  const { db, ctx, store } = edge
  const result = await definition.run({ db, ctx, store, base: edge.base, lenient: edge.lenient, respondAsync: false, ...call })
  const patients = [...new Set(result.patients ?? [])]
  const entry = (pid: string | null): AuditEntry => ({
    action: 'E', interaction: definition.name, resourceType: call.type, resourceId: call.id, pid, detail: null, outcome: result.status ?? 200,
  })
  if (patients.length > 0) await recordEvents(db, ctx, patients.map((patient) => entry(keyOf(patient))))
  else if (definition.affectsState) await recordEvents(db, ctx, [entry(null)])
  const { bytes, headers = {} } = result
  const plain = { version: null, lastModified: null, location: null, headers }
  if (bytes) return { ...plain, status: result.status ?? 200, text: null, bytes }
  const status = result.status ?? (result.resource === null ? 204 : 200)
  if (result.resource === null) return { ...plain, status, text: null }
  return { ...answerOfResource(result.resource, status), headers }
}

/** One row for each patient; for records of nobody in particular one row in all; none for the public directory. */
export function disclosed(interaction: string, type: ResourceType, id: string | null, pids: readonly (string | null)[], detail: string | null | ((pid: string | null) => string)): AuditEntry[] {
  const patients = [...new Set(pids.filter((pid) => pid !== null))]
  const entry = (pid: string | null): AuditEntry => ({ action: 'R', interaction, resourceType: type, resourceId: id, pid, detail: typeof detail === 'function' ? detail(pid) : detail, outcome: 200 })
  if (patients.length > 0) return patients.map(entry)
  return audienceOf(type) === 'directory' ? [] : [entry(null)]
}

/** Of each patient what was disclosed of them: `Observation: 12, Patient: 1`. What is nobody's (a doctor that was included) is in the row of nobody. */
function countsOf(type: ResourceType, all: readonly Stored[]): (pid: string | null) => string {
  const counts = new Map<string | null, Map<string, number>>()
  for (const each of all) {
    let own = counts.get(each.pid)
    if (!own) counts.set(each.pid, own = new Map())
    own.set(each.type, (own.get(each.type) ?? 0) + 1)
  }
  return (pid) => {
    const own = counts.get(pid)
    return own ? [...own].map(([name, count]) => `${name}: ${count}`).join(', ') : `${type}: 0`
  }
}

export function bundleAnswer(text: string): Answer {
  return { status: 200, text, version: null, lastModified: null, location: null }
}

/**
 * Text is put together, not parsed and printed: the resources go out as they lie in the database.
 * `path` is what was searched, such as `/Observation`; empty for the whole store.
 */
function searchBundle(edge: Edge, path: string, found: SearchResult): string {
  const { base, ctx } = edge
  const link = (relation: string, query: URLSearchParams) => ({ relation, url: `${base}${path}${query.size > 0 ? `?${query}` : ''}` })
  const links = [
    link('self', found.self), ...(found.next === null ? [] : [link('next', found.next)]), ...(found.previous === null ? [] : [link('previous', found.previous)]),
  ]
  const entry = (stored: Stored, mode: string) => `{"fullUrl":"${base}/${stored.type}/${stored.id}","resource":${sendable(stored)},"search":{"mode":"${mode}"}}`
  const entries = [
    ...found.matches.map((each) => entry(each, 'match')),
    ...found.included.map((each) => entry(each, 'include')),
    ...(found.warnings.length > 0 ? [`{"resource":${stringifyJson(operationOutcome(found.warnings, ctx.language))},"search":{"mode":"outcome"}}`] : []),
  ]
  const total = found.total === null ? '' : `"total":${found.total},`
  return `{"resourceType":"Bundle","id":"${ctx.newId(null)}","meta":{"lastUpdated":"${ctx.now.toISOString()}"},"type":"searchset",${total}"link":${JSON.stringify(links)}${entryList(entries)}}`
}

/** FHIR knows no empty array. */
export function entryList(entries: readonly string[]): string {
  return entries.length === 0 ? '' : `,"entry":[${entries.join(',')}]`
}
