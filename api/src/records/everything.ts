/**
 * `Patient/[id]/$everything`: all of one patient's compartment that the caller may see, and `Patient/$everything`: those of all patients the caller may
 * see; in pages, with what it refers to in the directories:
 * practitioners, organizations, locations, medications. A page is cut at a type and an id, so writes between pages shift nothing. What has no
 * clinical date is in every date range. Source: FHIR R4 § patient-operation-everything.html.
 */
import type { Bundle, BundleEntry } from '@medplum/fhirtypes'
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { assertMayAsk } from '../access/may-ask.ts'
import { visible } from '../access/visible.ts'
import { instantText, timeRange } from '../fhir/date-time.ts'
import { isFhirId, keyOf } from '../fhir/id.ts'
import { isResourceType, type ResourceType, resourceTypes, typeCode } from '../fhir/resource-types.ts'
import { fail } from '../fhir/outcome.ts'
import { resourceOf, type Stored, storedOf, type StoredRow } from './content.ts'
import { parameterInvalid, parametersOf } from './operation-parameters.ts'
import { readResource } from './read-resource.ts'
import { compartmentKey } from './search/keys.ts'
import type { Operation, OperationCall, OperationResult } from './store.ts'

const common = {
  name: '$everything', types: ['Patient'], methods: ['GET', 'POST'], affectsState: false, definition: 'http://hl7.org/fhir/OperationDefinition/Patient-everything', run: everything,
} as const

export const everythingOperations: readonly Operation[] = [
  { ...common, level: 'instance', summary: 'The whole record of a patient: start, end, _since, _type, _count.' },
  { ...common, level: 'type', summary: 'The whole records of all patients the caller may see: start, end, _since, _type, _count.' },
]

const countDefault = 500
const countMax = 1000
const known = ['start', 'end', '_since', '_type', '_count', '_page']
/** Directory types that are handed out with what refers to them. */
const referenced: ReadonlySet<string> = new Set(['Practitioner', 'PractitionerRole', 'Organization', 'Location', 'Medication', 'HealthcareService', 'Device'])
const typeByCode = new Map(resourceTypes.map((type) => [typeCode(type), type]))

async function everything(call: OperationCall): Promise<OperationResult> {
  const { db, ctx, store, base } = call
  const { id } = call
  assertMayAsk(ctx, 'Patient', 'r')
  const parameters = parametersOf(call, known)
  const count = countOf(parameters.get('_count'))
  const types = typesOf(call, parameters.getAll('_type').flatMap((value) => value.split(',')))
  if (id !== null) await readResource(db, ctx, store, 'Patient', id)
  const rows = await readPage(call, types, parameters, count + 1)
  const page = rows.slice(0, count)
  const matches = page.map((row) => storedOf(typeByCode.get(row.t) as ResourceType, row))
  const included = await readReferenced(call, matches, parameters.has('_type') ? types : null)
  const entry = (stored: Stored, mode: 'match' | 'include'): BundleEntry => ({ fullUrl: `${base}/${stored.type}/${stored.id}`, resource: resourceOf(stored), search: { mode } })
  const link = (relation: string, token: string | null) => {
    const query = new URLSearchParams([...parameters].filter(([name]) => name !== '_page'))
    if (token !== null) query.set('_page', token)
    return { relation, url: `${base}/Patient${id === null ? '' : `/${id}`}/$everything${query.size > 0 ? `?${query}` : ''}` }
  }
  const last = rows.length > count ? page.at(-1) : undefined
  const entries = [...matches.map((each) => entry(each, 'match')), ...included.map((each) => entry(each, 'include'))]
  const bundle: Bundle = {
    resourceType: 'Bundle', id: ctx.newId(null), meta: { lastUpdated: ctx.now.toISOString() }, type: 'searchset',
    link: [link('self', parameters.get('_page')), ...(last ? [link('next', `${last.t}.${last.id}`)] : [])],
    ...(entries.length > 0 ? { entry: entries } : {}),
  }
  return { resource: bundle, patients: id === null ? [...new Set(matches.flatMap(({ pid }) => (pid === null ? [] : [pid])))] : [id] }
}

async function readPage(call: OperationCall, types: readonly ResourceType[], parameters: URLSearchParams, limit: number): Promise<StoredRow[]> {
  const { db, ctx, id } = call
  const position = positionOf(parameters.get('_page'))
  const dates = dateConditions(parameters)
  const codes = types.map(typeCode).sort((a, b) => a - b).filter((t) => position === null || t >= position.t)
  const rowsOf = async (t: readonly number[], scope: RawBuilder<SqlBool>, type: ResourceType | null, most: number): Promise<StoredRow[]> => {
    const after = position === null ? sql<SqlBool>`true` : sql<SqlBool>`(r.t, r.id) > (${position.t}::smallint, ${position.id}::uuid)`
    const { rows } = await sql<StoredRow>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content from resource r
      where r.t in (${sql.raw(t.join(','))}) and ${sql.join([scope, visible(ctx, type), after, ...dates], sql` and `)} order by r.t, r.id limit ${most}`.execute(db)
    return rows
  }
  if (codes.length === 0) return []
  if (id !== null) {
    const key = keyOf(id)
    return rowsOf(codes, sql<SqlBool>`(r.pid = ${key}::uuid or r.keys @> ${`{${compartmentKey(key)}}`}::bigint[])`, null, limit)
  }
  // Of all patients a type at a time, so that each is read in the order of its own index.
  const found: StoredRow[] = []
  for (const t of codes) {
    if (found.length >= limit) break
    found.push(...await rowsOf([t], sql<SqlBool>`r.pid is not null`, typeByCode.get(t) ?? null, limit - found.length))
  }
  return found
}

function positionOf(page: string | null): { t: number; id: string } | null {
  if (page === null) return null
  const [, t, id] = /^(\d{1,4})\.([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/.exec(page) ?? []
  if (t === undefined || id === undefined) throw parameterInvalid('_page')
  return { t: Number(t), id }
}

function dateConditions(parameters: URLSearchParams): RawBuilder<SqlBool>[] {
  const rangeOf = (name: string) => {
    const value = parameters.get(name)
    if (value === null) return null
    const range = timeRange(value.replace(' ', '+'))
    if (!range) throw parameterInvalid(name)
    return range
  }
  const [start, end, since] = [rangeOf('start'), rangeOf('end'), rangeOf('_since')]
  return [
    ...(start === null ? [] : [sql<SqlBool>`(r.d0 is null or r.t = ${typeCode('Patient')} or coalesce(r.d1, r.d0) >= ${instantText(start.lo)}::timestamptz)`]),
    ...(end === null ? [] : [sql<SqlBool>`(r.d0 is null or r.t = ${typeCode('Patient')} or r.d0 <= ${instantText(end.hi)}::timestamptz)`]),
    ...(since === null ? [] : [sql<SqlBool>`r.last_updated >= ${instantText(since.lo)}::timestamptz`]),
  ]
}

/** The directory entries that a page refers to, as far as they are here and the caller may see them. */
async function readReferenced({ db, ctx }: OperationCall, matches: readonly Stored[], types: readonly ResourceType[] | null): Promise<Stored[]> {
  const wanted = new Map<string, { t: number; key: string }>()
  for (const { content } of matches) {
    for (const [, type, id] of content.matchAll(/"reference":"([A-Z][A-Za-z]+)\/([A-Za-z0-9\-.]{1,64})(?:\/_history\/[^"]*)?"/g)) {
      if (!type || !id || !referenced.has(type) || !isResourceType(type) || !isFhirId(id) || (types !== null && !types.includes(type))) continue
      wanted.set(`${type}/${id}`, { t: typeCode(type), key: keyOf(id) })
    }
  }
  if (wanted.size === 0) return []
  const list = [...wanted.values()]
  const { rows } = await sql<StoredRow>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content from resource r
    join unnest(${list.map((each) => each.t)}::smallint[], ${list.map((each) => each.key)}::uuid[]) as w (t, id) on r.t = w.t and r.id = w.id
    where r.t in (${sql.raw([...new Set(list.map((each) => each.t))].join(','))}) and ${visible(ctx)} order by r.t, r.id`.execute(db)
  return rows.map((row) => storedOf(typeByCode.get(row.t) as ResourceType, row))
}

function countOf(value: string | null): number {
  if (value === null) return countDefault
  if (!/^\d{1,6}$/.test(value) || Number(value) === 0) throw parameterInvalid('_count')
  return Math.min(Number(value), countMax)
}

function typesOf({ store }: OperationCall, names: readonly string[]): ResourceType[] {
  const inCompartment = [...store.entries.values()].filter(({ type, projection }) => projection === null && (type === 'Patient' || store.model.patientCompartment(type).length > 0))
    .map((entry) => entry.type)
  const possible: readonly ResourceType[] = [...inCompartment, ...[...referenced].filter(isResourceType)]
  for (const name of names) {
    if (possible.some((type) => type === name)) continue
    throw fail('parameter-invalid', { zh: `_type 不能是“${name.slice(0, 64)}”。`, en: `_type cannot be "${name.slice(0, 64)}".` }, '_type')
  }
  return names.length === 0 ? inCompartment : possible.filter((type) => names.includes(type))
}
