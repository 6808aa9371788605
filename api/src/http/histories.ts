/**
 * History of one resource, of a type and of the whole store, as Bundles of type history: newest first, with the request that made each
 * version and what it answered. Source: FHIR R4 § http.html#history.
 */
import { assertMayAsk } from '../access/may-ask.ts'
import { recordEvents } from '../audit/record-event.ts'
import { instantText, openEnd, openStart, timeRange, type TimeRange } from '../fhir/date-time.ts'
import { keyOf } from '../fhir/id.ts'
import { fail } from '../fhir/outcome.ts'
import { nearest } from '../fhir/nearest.ts'
import type { ResourceType } from '../fhir/resource-types.ts'
import { sendable } from '../records/content.ts'
import { type ManyHistoryEntry, readCut, readManyHistory, writeCut } from '../records/history-many.ts'
import { readHistory, type VersionCut } from '../records/history.ts'
import { splitPrefix } from '../records/search/range.ts'
import { bundleAnswer, disclosed, type Edge, entryList } from './interactions.ts'
import { type Answer, etagOf } from './reply.ts'
import { viewOf, viewOfAny, viewParameters } from './view.ts'

export async function history(edge: Edge, type: ResourceType, id: string, query: URLSearchParams): Promise<Answer> {
  const { db, ctx } = edge
  assertMayAsk(ctx, type, 'r')
  const { count, since, at } = controlsOf(query)
  const view = viewOf(edge, type, viewParameters(query))
  const page = await readHistory(db, ctx, type, id, { count, since, at, cut: versionCutOf(query.get('_page')) })
  await recordEvents(db, ctx, disclosed('history-instance', type, id, [page.pid], `${page.entries.length} versions`))
  const entries = page.entries.map((each) => entryText(edge, { ...each, type, id, key: keyOf(id) }, view))
  return historyAnswer(edge, `/${type}/${id}`, query, { entries, next: page.older && versionToken(page.older), previous: page.newer && versionToken(page.newer), total: page.total, count })
}

/** `type` null: of everything. */
export async function historyOfMany(edge: Edge, type: ResourceType | null, query: URLSearchParams): Promise<Answer> {
  const { db, ctx, store } = edge
  if (type !== null) assertMayAsk(ctx, type, 'r')
  const { count, since, at } = controlsOf(query)
  const view = type === null ? viewOfAny(edge, query) : viewOf(edge, type, viewParameters(query))
  const token = query.get('_page')
  const stored = type === null || store.entries.get(type)?.projection === null
  if (!stored) throw fail('bad-request', { zh: `${type} 没有历史版本。`, en: `${type} has no versions.` })
  const page = await readManyHistory(db, ctx, type, { count, since, at, cut: token === null ? null : readCut(token) })
  const pids = page.entries.map((each) => each.pid)
  if (pids.length > 0) {
    await recordEvents(db, ctx, disclosed(type === null ? 'history-system' : 'history-type', type ?? page.entries[0]?.type ?? 'Patient', null, pids, `${page.entries.length} versions`))
  }
  const entries = page.entries.map((each) => entryText(edge, each, view))
  // Counted by itself where the first page holds all.
  const total = token === null && page.older === null && count > 0 ? entries.length : null
  return historyAnswer(edge, type === null ? '' : `/${type}`, query, { entries, next: page.older && writeCut(page.older), previous: page.newer && writeCut(page.newer), total, count })
}

type Entry = Pick<ManyHistoryEntry, 'type' | 'id' | 'key' | 'version' | 'lastUpdated' | 'method' | 'content'>

function entryText({ base }: Edge, { type, id, key, version, lastUpdated, method, content }: Entry, view: ReturnType<typeof viewOf>): string {
  // A server id was made by a POST; any other, and whatever follows a deletion, can only have come with a PUT.
  const posted = version === 1 && key === id && id[14] === '7'
  const request = method === 'delete' ? { method: 'DELETE', url: `${type}/${id}` } : posted ? { method: 'POST', url: type } : { method: 'PUT', url: `${type}/${id}` }
  const status = method === 'delete' ? '204' : method === 'create' ? '201' : '200'
  const resource = content === null ? '' : `"resource":${sendable(view({ type, id, version, lastUpdated, content, pid: null }))},`
  const response = { status, etag: etagOf(version), lastModified: lastUpdated }
  return `{"fullUrl":"${base}/${type}/${id}",${resource}"request":${JSON.stringify(request)},"response":${JSON.stringify(response)}}`
}

interface Page { entries: string[]; next: string | null; previous: string | null; total: number | null; count: number }

function historyAnswer({ base, ctx }: Edge, path: string, query: URLSearchParams, { entries, next, previous, total, count }: Page): Answer {
  const link = (relation: string, page: string | null) => {
    const params = new URLSearchParams({ _count: String(count) })
    for (const name of ['_since', '_at', '_summary', '_elements']) for (const value of query.getAll(name)) params.append(name, value)
    if (page !== null) params.set('_page', page)
    return { relation, url: `${base}${path}/_history?${params}` }
  }
  const links = [link('self', query.get('_page')), ...(next === null ? [] : [link('next', next)]), ...(previous === null ? [] : [link('previous', previous)])]
  const counted = total === null ? '' : `"total":${total},`
  return bundleAnswer(`{"resourceType":"Bundle","id":"${ctx.newId(null)}","meta":{"lastUpdated":"${ctx.now.toISOString()}"},"type":"history",${counted}"link":${JSON.stringify(links)}${entryList(entries)}}`)
}

const countMax = 1000
const known = ['_count', '_since', '_at', '_page', '_format', '_pretty', '_summary', '_elements']

function controlsOf(query: URLSearchParams): { count: number; since: string | null; at: { from: string; to: string } | null } {
  for (const name of query.keys()) {
    if (!known.includes(name)) throw unknownParameter(name)
    if (name !== '_at' && query.getAll(name).length > 1) throw fail('parameter-invalid', { zh: `参数 ${name} 只能有一个。`, en: `Give ${name} once only.` }, name)
  }
  const since = query.get('_since')
  return { count: countOf(query.get('_count')), since: since === null ? null : instantText(rangeOf('_since', since).lo), at: timeOf(query.getAll('_at')) }
}

/** The time in which all `_at` are true: a date or instant is that time itself, and after a prefix what lies before or after it. */
function timeOf(values: readonly string[]): { from: string; to: string } | null {
  if (values.length === 0) return null
  const ranges = values.map((value) => {
    const { prefix, rest } = splitPrefix(value)
    const { lo, hi } = rangeOf('_at', rest)
    switch (prefix) {
      case 'eq': return { lo, hi }
      case 'ge': return { lo, hi: openEnd }
      case 'gt': return { lo: hi, hi: openEnd }
      case 'le': return { lo: openStart, hi }
      case 'lt': return { lo: openStart, hi: lo - 1 }
      default: throw parameterInvalid('_at')
    }
  })
  const [from, to] = [Math.max(...ranges.map(({ lo }) => lo)), Math.min(...ranges.map(({ hi }) => hi))]
  if (from > to) throw fail('parameter-invalid', { zh: '几个 _at 所指的时间没有共同的部分。', en: 'The times of the _at have nothing in common.' }, '_at')
  return { from: instantText(from), to: instantText(to) }
}

function countOf(value: string | null): number {
  if (value === null) return 100
  if (!/^\d{1,6}$/.test(value)) throw parameterInvalid('_count')
  return Math.min(Number(value), countMax)
}

function rangeOf(name: string, value: string): TimeRange {
  // A `+` that was not escaped arrives as a space.
  const range = timeRange(value.replace(' ', '+'))
  if (!range) throw parameterInvalid(name)
  return range
}

/** `7` is the page below version 7, `above-7` the one above it. */
function versionCutOf(value: string | null): VersionCut | null {
  if (value === null) return null
  const [, above, version] = /^(above-)?(\d{1,9})$/.exec(value) ?? []
  if (version === undefined) throw parameterInvalid('_page')
  return { side: above ? 'above' : 'below', version: Number(version) }
}

function versionToken({ side, version }: VersionCut): string {
  return side === 'below' ? String(version) : `above-${version}`
}

function unknownParameter(name: string) {
  const hint = nearest(name, known) ?? known.filter((each) => each !== '_page').join(', ')
  return fail('parameter-unknown', {
    zh: `历史查询不支持参数“${name.slice(0, 64)}”，可用：${hint}。`, en: `A history has no parameter "${name.slice(0, 64)}". Valid: ${hint}.`,
  }, name.slice(0, 64))
}

function parameterInvalid(name: string) {
  return fail('parameter-invalid', { zh: `参数 ${name} 的值不正确。`, en: `The value of ${name} is not valid.` }, name)
}
