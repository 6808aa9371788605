/**
 * Reads one step of an export: the rows of one part after a position, as they were at the instant of the export. A row that is newer now was
 * superseded since, and its version of that instant lies in the history; one statement reads both, so none is missed and none comes twice.
 * A step looks at a bounded number of rows and takes a bounded amount of text, however large one resource is.
 * A part is a type, read in the order of its keys, or a batch of patients, read through the index of their compartments.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { visible } from '../../access/visible.ts'
import type { Ctx } from '../../ctx.ts'
import { type ResourceType, typeCode, typeName } from '../../fhir/resource-types.ts'
import type { Db } from '../../storage/pool.ts'
import { idIn, type Stored, storedOf, type StoredRow } from '../content.ts'
import { makeWalk } from '../search/conditions.ts'
import { parseQuery, queryContext } from '../search/parse-query.ts'
import type { Store } from '../store.ts'
import { markDone, nextReferences, withReferences } from './export-references.ts'
import type { ExportPosition, ExportRequest } from './export-request.ts'

/** An export as a step sees it. */
export interface RunningExport { id: string; transactionAt: string; request: ExportRequest; position: ExportPosition | null }

export interface ExportStep {
  rows: Stored[]
  /** `Type/id` and patient of what was deleted. */
  deleted: { reference: string; pid: string | null }[]
  /** Where the next step goes on; null when all is done. */
  next: ExportPosition | null
}

/** Old versions have no keys; a scope that names a category asks for them and finds none. */
const versions = sql`(select h.*, '{}'::bigint[] as keys from resource_history h)`

const rowsScanned = 2000
const textMax = 4 * 1024 * 1024

export function readStep(db: Db, ctx: Ctx, store: Store, running: RunningExport): Promise<ExportStep> {
  const position = running.position ?? { phase: 'rows', part: 0, after: null }
  if (position.phase === 'deleted') return readDeleted(db, ctx, running, position)
  if (position.phase === 'referenced') return readReferenced(db, ctx, store, running)
  return ofMembers(running.request) ? readBatch(db, ctx, store, running, position) : readType(db, ctx, store, running, position)
}

function ofMembers({ level, patients }: ExportRequest): boolean {
  return level === 'group' || patients !== null
}

type RowsPosition = Extract<ExportPosition, { phase: 'rows' }>
type DeletedPosition = Extract<ExportPosition, { phase: 'deleted' }>

function afterRows(request: ExportRequest): ExportPosition | null {
  return withReferences(request) ? { phase: 'referenced' } : afterReferences(request)
}

function afterReferences({ since }: ExportRequest): ExportPosition | null {
  return since === null ? null : { phase: 'deleted', after: null }
}

/** The next of what the rows so far refer to. What it refers to in turn is noted and comes in a later step. */
async function readReferenced(db: Db, ctx: Ctx, store: Store, running: RunningExport): Promise<ExportStep> {
  const { request } = running
  const asked = await nextReferences(db, running)
  if (asked.length === 0) return { rows: [], deleted: [], next: afterReferences(request) }
  const range = sql<SqlBool>`r.pid is null and r.t in (${sql.raw([...new Set(asked.map((each) => each.t))].join(','))})
    and (r.t, r.id) in (select w.t, w.id from unnest(${asked.map((each) => each.t)}::smallint[], ${asked.map((each) => each.id)}::uuid[]) as w (t, id)) and ${visible(ctx)}`
  const { rows, cut } = await readVersions(db, running, { range, since: sinceOf(running), filter: await filtersOf(db, ctx, store, request) })
  const last = rows.at(-1)
  await markDone(db, running, cut && last ? asked.filter((each) => each.t < last.t || (each.t === last.t && each.id <= last.id)) : asked)
  return { ...stepOf(rows, { phase: 'referenced' }) }
}

async function readType(db: Db, ctx: Ctx, store: Store, running: RunningExport, { part, after }: RowsPosition): Promise<ExportStep> {
  const { request } = running
  const type = request.types[part]
  if (type === undefined) return { rows: [], deleted: [], next: afterRows(request) }
  const t = sql.raw(String(typeCode(type)))
  const beyond = after === null ? sql<SqlBool>`true` : sql<SqlBool>`r.id > ${after.id}::uuid`
  const { rows: [end] } = await sql<{ id: string }>`select r.id from resource r where r.t = ${t} and ${beyond} order by r.id offset ${rowsScanned - 1} limit 1`.execute(db)
  const range = sql<SqlBool>`r.t = ${t} and ${beyond} and ${end ? sql<SqlBool>`r.id <= ${end.id}::uuid` : sql<SqlBool>`true`}`
  const scope = request.level === 'patient' && type !== 'Patient' ? sql<SqlBool>`r.pid is not null` : sql<SqlBool>`true`
  const { rows, cut } = await readVersions(db, running, {
    range: sql<SqlBool>`${range} and ${scope} and ${visible(ctx, type)}`, since: sinceOf(running), filter: await filterOf(db, ctx, store, request, type),
  })
  const last = rows.at(-1)
  if (cut && last) return stepOf(rows, { phase: 'rows', part, after: last })
  return stepOf(rows, end ? { phase: 'rows', part, after: { t: typeCode(type), id: end.id } } : { phase: 'rows', part: part + 1, after: null })
}

async function readBatch(db: Db, ctx: Ctx, store: Store, running: RunningExport, { part, after }: RowsPosition): Promise<ExportStep> {
  const { request, id } = running
  const members = await db.selectFrom('bulk_export_member').select(['pid', 'key', 'whole']).where('export_id', '=', id).where('batch', '=', part).execute()
  if (members.length === 0 || request.types.length === 0) return { rows: [], deleted: [], next: afterRows(request) }
  const whole = members[0]?.whole === true
  const since = whole ? sql<SqlBool>`true` : sinceOf(running)
  const pids = members.map((each) => each.pid)
  const keys = `{${members.map((each) => each.key).join(',')}}`
  // A row of several patients comes with the first batch that has one of them.
  const earlier = sql<SqlBool>`exists (select from bulk_export_member m where m.export_id = ${id}::uuid and m.batch < ${part}
    and (m.pid = r.pid or m.key = any(r.keys)) and (m.whole or ${sinceOf(running)}))`
  const beyond = after === null ? sql<SqlBool>`true` : sql<SqlBool>`(r.t, r.id) > (${after.t}::smallint, ${after.id}::uuid)`
  const { rows, cut } = await readVersions(db, running, {
    range: sql<SqlBool>`r.t in (${sql.raw(request.types.map(typeCode).join(','))}) and ${beyond} and ${visible(ctx)}`,
    since, filter: await filtersOf(db, ctx, store, request),
    current: sql<SqlBool>`(r.pid = any(${pids}::uuid[]) or r.keys && ${keys}::text::bigint[]) and not ${earlier}`, past: sql<SqlBool>`r.pid = any(${pids}::uuid[])`,
  })
  const last = rows.at(-1)
  return stepOf(rows, cut && last ? { phase: 'rows', part, after: last } : { phase: 'rows', part: part + 1, after: null })
}

interface Wanted {
  range: RawBuilder<SqlBool>
  since: RawBuilder<SqlBool>
  /** Searches; they look at the index, so a version of the past is judged by what its resource is now. */
  filter: RawBuilder<SqlBool> | null
  /** Conditions of current rows alone, and of versions of the past alone. */
  current?: RawBuilder<SqlBool>
  past?: RawBuilder<SqlBool>
}

type Row = StoredRow & { upto: bigint; bytes: number }

/** Versions of the instant of the export, by type and key. `cut`: there is more. */
async function readVersions(db: Db, { transactionAt }: RunningExport, { range, since, filter, current, past }: Wanted): Promise<{ rows: Row[]; cut: boolean }> {
  const at = sql`${transactionAt}::timestamptz`
  const superseded = (table: 'resource' | 'resource_history') => sql<SqlBool>`exists (select from ${sql.table(table)} n
    where n.id = r.id and n.t = r.t and n.version = r.version + 1 and n.last_updated > ${at})`
  const filtered = filter === null ? sql<SqlBool>`true` : sql<SqlBool>`(r.t, r.id) in (select r.t, r.id from resource r where ${range} and r.last_updated > ${at} and ${filter})`
  const { rows } = await sql<Row>`select * from (
    select s.*, octet_length(s.content) as bytes, sum(octet_length(s.content)) over (order by s.t, s.id) as upto, row_number() over (order by s.t, s.id) as number from (
      select r.t, r.id, r.version, r.last_updated, r.pid, r.content from resource r
      where ${range} and ${current ?? sql<SqlBool>`true`} and ${filter ?? sql<SqlBool>`true`} and r.last_updated <= ${at} and ${since}
      union all
      select r.t, r.id, r.version, r.last_updated, r.pid, r.content from ${versions} r
      where ${range} and ${past ?? sql<SqlBool>`true`} and ${filtered} and r.last_updated <= ${at} and ${since} and not r.deleted
        and (${superseded('resource')} or ${superseded('resource_history')})
    ) s) u where u.upto - u.bytes < ${textMax} and u.number <= ${rowsScanned + 1} order by u.t, u.id`.execute(db)
  const last = rows.at(-1)
  const cut = rows.length > rowsScanned || (last !== undefined && Number(last.upto) >= textMax)
  return { rows: rows.slice(0, rowsScanned), cut }
}

function stepOf(rows: readonly Row[], next: ExportPosition): ExportStep {
  const after = next.phase === 'rows' && next.after ? { t: next.after.t, id: next.after.id } : null
  return { rows: rows.map((row) => storedOf(typeName(row.t), row)), deleted: [], next: next.phase === 'rows' ? { ...next, after } : next }
}

function sinceOf({ request: { since } }: RunningExport): RawBuilder<SqlBool> {
  return since === null ? sql<SqlBool>`true` : sql<SqlBool>`r.last_updated > ${since}::timestamptz`
}

/** The filters of all types, each for rows of its own; null when there are none. */
async function filtersOf(db: Db, ctx: Ctx, store: Store, request: ExportRequest): Promise<RawBuilder<SqlBool> | null> {
  const filters: RawBuilder<SqlBool>[] = []
  for (const type of request.types) {
    const filter = await filterOf(db, ctx, store, request, type)
    if (filter !== null) filters.push(sql<SqlBool>`(r.t <> ${sql.raw(String(typeCode(type)))} or ${filter})`)
  }
  return filters.length === 0 ? null : sql<SqlBool>`${sql.join(filters, sql` and `)}`
}

/** One of the searches of a type must fit; null when there are none. */
async function filterOf(db: Db, ctx: Ctx, store: Store, request: ExportRequest, type: ResourceType): Promise<RawBuilder<SqlBool> | null> {
  const searches = request.filters[type] ?? []
  if (searches.length === 0) return null
  const walk = makeWalk(db, ctx, store)
  const fitting: RawBuilder<SqlBool>[] = []
  for (const each of searches) {
    const { criteria } = parseQuery(queryContext({ type, types: [type], ctx, base: request.base, lenient: false }, store), new URLSearchParams(each))
    fitting.push(sql<SqlBool>`(${sql.join((await walk.planOf(type, criteria, 'one of few')).conditions, sql` and `)})`)
  }
  return sql<SqlBool>`(${sql.join(fitting, sql` or `)})`
}

const deletionsStep = 1000

/** What was there at `_since` or later and was not any more at the instant of the export. */
async function readDeleted(db: Db, ctx: Ctx, running: RunningExport, { after }: DeletedPosition): Promise<ExportStep> {
  const { request, transactionAt, id } = running
  if (request.types.length === 0) return { rows: [], deleted: [], next: null }
  const scope = ofMembers(request) ? sql<SqlBool>`r.pid in (select m.pid from bulk_export_member m where m.export_id = ${id}::uuid)`
    : request.level === 'patient' ? sql<SqlBool>`(r.pid is not null or r.t = ${sql.raw(String(typeCode('Patient')))})` : sql<SqlBool>`true`
  const again = (table: 'resource' | 'resource_history') => sql<SqlBool>`exists (select from ${sql.table(table)} n
    where n.id = r.id and n.t = r.t and n.version > r.version and n.last_updated <= ${transactionAt}::timestamptz)`
  const beyond = after === null ? sql<SqlBool>`true` : sql<SqlBool>`(r.last_updated, r.t, r.id) > (${after.at}::timestamptz, ${after.t}::smallint, ${after.id}::uuid)`
  const { rows } = await sql<{ t: number; id: string; last_updated: string; pid: string | null; content: string | null }>`
    select r.t, r.id, r.last_updated, r.pid, (select h.content from resource_history h where h.id = r.id and h.t = r.t and h.version = r.version - 1) as content
    from ${versions} r where r.deleted and r.last_updated > ${request.since}::timestamptz and r.last_updated <= ${transactionAt}::timestamptz
      and r.t in (${sql.raw(request.types.map(typeCode).join(','))}) and ${beyond} and ${scope} and ${visible(ctx)} and not ${again('resource')} and not ${again('resource_history')}
    order by r.last_updated, r.t, r.id limit ${deletionsStep}`.execute(db)
  const last = rows.at(-1)
  return {
    rows: [],
    deleted: rows.map((row) => ({ reference: `${typeName(row.t)}/${row.content === null ? row.id : idIn(row.content)}`, pid: row.pid })),
    next: rows.length === deletionsStep && last ? { phase: 'deleted', after: { at: last.last_updated, t: last.t, id: last.id } } : null,
  }
}
