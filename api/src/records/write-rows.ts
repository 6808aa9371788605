/**
 * The statements of a write, each for any number of rows at once. Arrays travel as one parameter a column, so the text of a
 * statement, and with it its prepared plan, does not depend on how many rows there are. `t` stands as a literal in the text:
 * the planner then opens the partitions it needs and no other.
 */
import { type RawBuilder, sql } from 'kysely'
import type { Placement } from '../access/placement.ts'
import { keyOf, shardOf } from '../fhir/id.ts'
import { jsonArray, plainArray, textArray } from '../storage/array-literal.ts'
import type { Trx } from '../storage/pool.ts'
import type { IndexRow } from './index-resource.ts'
import { keepTexts } from './index-texts.ts'

/** A current row, locked. */
export interface CurrentRow {
  shard: number
  t: number
  id: string
  version: number
  last_updated: string
  pid: string | null
  labels: number | null
  org: string | null
  dept: string | null
  author: string | null
  content: string
}

/** A row as it will be. */
export interface NewRow {
  shard: number
  t: number
  /** Key of the FHIR id. */
  id: string
  version: number
  lastUpdated: string
  index: IndexRow
  /** What the access decision looks at. */
  placement: Placement
  content: string
  /** The id was chosen by a client, or is not where its own shard bits say: it needs a row in id_alias. */
  alias: boolean
}

/** What tells rows apart across types. */
export function rowKey(row: { t: number; id: string }): string {
  return `${row.t}/${row.id}`
}

/** The type numbers as literals. */
function typeList(rows: readonly { t: number }[]): RawBuilder<unknown> {
  return sql.raw([...new Set(rows.map((row) => row.t))].sort((a, b) => a - b).join(','))
}

/** Current rows of the given keys, locked until the transaction ends, in one order for everybody. Who does not wait gets none that another has locked. */
export async function lockRows(trx: Trx, wanted: readonly { t: number; id: string }[], { wait } = { wait: true }): Promise<Map<string, CurrentRow>> {
  if (wanted.length === 0) return new Map()
  const { rows } = await sql<CurrentRow>`
    select r.shard, r.t, r.id, r.version, r.last_updated, r.pid, r.labels, r.org, r.dept, r.author, r.content from resource r
    where r.id = any(${plainArray(wanted.map((each) => each.id))}::uuid[]) and r.t in (${typeList(wanted)})
    order by r.t, r.id for update${wait ? sql`` : sql` skip locked`}`.execute(trx)
  return new Map(rows.map((row) => [rowKey(row), row]))
}

/**
 * Locks the alias rows of ids that have no current row, making them where absent: of several writers that would create one id,
 * all but one wait here.
 * @returns keys of the rows that were there before.
 */
export async function lockAliases(trx: Trx, wanted: readonly { t: number; id: string; shard: number }[]): Promise<Set<string>> {
  const sorted = [...wanted].sort((a, b) => (rowKey(a) < rowKey(b) ? -1 : 1))
  const { rows } = await sql<{ t: number; id: string; fresh: boolean }>`
    insert into id_alias (shard, t, id, home)
    select * from unnest(${plainArray(sorted.map((each) => shardOf(each.id)))}::int[], ${plainArray(sorted.map((each) => each.t))}::smallint[],
      ${plainArray(sorted.map((each) => each.id))}::uuid[], ${plainArray(sorted.map((each) => each.shard))}::int[])
    on conflict on constraint id_alias_pkey do update set home = excluded.home
    returning t, id, xmax = 0 as fresh`.execute(trx)
  return new Set(rows.filter((row) => !row.fresh).map(rowKey))
}

export interface LastVersion { version: number; lastUpdated: string; hidden: boolean }

/** The last version in the history of ids that have no current row, and whether the citizen has the entry hidden; ids that never were are missing from the map. */
export async function lastVersions(trx: Trx, wanted: readonly { t: number; id: string }[]): Promise<Map<string, LastVersion>> {
  if (wanted.length === 0) return new Map()
  const { rows } = await sql<{ t: number; id: string; version: number; last_updated: string; hidden: boolean }>`
    select h.t, h.id, max(h.version) as version, max(h.last_updated) as last_updated, exists (select from hidden_item i where i.id = h.id and i.t = h.t) as hidden from resource_history h
    where h.id = any(${plainArray(wanted.map((each) => each.id))}::uuid[]) and h.t in (${typeList(wanted)})
    group by h.t, h.id`.execute(trx)
  return new Map(rows.map((row) => [rowKey(row), { version: row.version, lastUpdated: row.last_updated, hidden: row.hidden }]))
}

/** The columns of `resource` for `unnest`, in the order of `columnNames`. */
function columns(rows: readonly NewRow[]): RawBuilder<unknown> {
  return sql`unnest(
    ${plainArray(rows.map((row) => row.shard))}::int[], ${plainArray(rows.map((row) => row.t))}::smallint[], ${plainArray(rows.map((row) => row.id))}::uuid[],
    ${plainArray(rows.map((row) => row.version))}::int[], ${plainArray(rows.map((row) => row.lastUpdated))}::timestamptz[],
    ${plainArray(rows.map((row) => row.index.pid))}::uuid[], ${plainArray(rows.map((row) => row.index.d0))}::timestamptz[],
    ${plainArray(rows.map((row) => row.index.d1))}::timestamptz[], ${textArray(rows.map((row) => keysText(row.index.keys)))}::text[],
    ${plainArray(rows.map((row) => row.placement.labels))}::int[], ${plainArray(rows.map((row) => row.placement.organization))}::uuid[],
    ${textArray(rows.map((row) => row.placement.department))}::text[], ${plainArray(rows.map((row) => row.placement.author))}::uuid[],
    ${jsonArray(rows.map((row) => row.content))}) as w (shard, t, id, version, last_updated, pid, d0, d1, keys, labels, org, dept, author, content)`
}

/** `{1,2}`, as PostgreSQL reads arrays. */
export function keysText(keys: readonly bigint[]): string {
  return `{${keys.join(',')}}`
}

/** The codes of values, those without one as null. */
export function codesText(values: readonly { c?: bigint }[]): string {
  return `{${values.map((each) => each.c ?? 'null').join(',')}}`
}

/** The inserts of index rows and aliases, as parts of a `with`; empty when there are none. */
function indexInserts(rows: readonly NewRow[]): RawBuilder<unknown>[] {
  const strings = rows.flatMap((row) => row.index.strings.map((each) => ({ shard: row.shard, rid: row.id, ...each })))
  const values = rows.flatMap((row) => row.index.values.map((each) => ({ shard: row.shard, rid: row.id, ...each })))
  const aliases = rows.filter((row) => row.alias)
  const parts: RawBuilder<unknown>[] = []
  if (strings.length > 0) {
    parts.push(sql`new_strings as (insert into idx_string (shard, k, val, rid) select * from unnest(
      ${plainArray(strings.map((each) => each.shard))}::int[], ${plainArray(strings.map((each) => each.k))}::bigint[],
      ${textArray(strings.map((each) => each.val))}::text[], ${plainArray(strings.map((each) => each.rid))}::uuid[]))`)
  }
  if (values.length > 0) {
    parts.push(sql`new_values as (insert into idx_value (shard, k, c, lo, hi, rid) select * from unnest(
      ${plainArray(values.map((each) => each.shard))}::int[], ${plainArray(values.map((each) => each.k))}::bigint[],
      ${plainArray(values.map((each) => each.c ?? null))}::bigint[], ${plainArray(values.map((each) => each.lo))}::float8[], ${plainArray(values.map((each) => each.hi))}::float8[], ${plainArray(values.map((each) => each.rid))}::uuid[]))`)
  }
  if (aliases.length > 0) {
    parts.push(sql`new_aliases as (insert into id_alias (shard, t, id, home) select * from unnest(
      ${plainArray(aliases.map((row) => shardOf(row.id)))}::int[], ${plainArray(aliases.map((row) => row.t))}::smallint[],
      ${plainArray(aliases.map((row) => row.id))}::uuid[], ${plainArray(aliases.map((row) => row.shard))}::int[])
      on conflict on constraint id_alias_pkey do update set home = excluded.home)`)
  }
  return parts
}

/** Rows of resources that are new. */
export async function insertRows(trx: Trx, rows: readonly NewRow[]): Promise<void> {
  if (rows.length === 0) return
  await keepTexts(trx, rows.flatMap((row) => row.index.texts))
  const parts = indexInserts(rows)
  await sql`${withClause(parts)} insert into resource (shard, t, id, version, last_updated, pid, d0, d1, keys, labels, org, dept, author, content)
    select w.shard, w.t, w.id, w.version, w.last_updated, w.pid, w.d0, w.d1, w.keys::bigint[], w.labels, w.org, w.dept, w.author, w.content from ${columns(rows)}`.execute(trx)
}

/** A locked row, what replaces it, and what its old text had in the side indexes. */
export interface Replacement { old: CurrentRow; oldIndex: IndexRow; row: NewRow }

/** Replaces locked rows; the superseded versions go to history. Side indexes are touched only where they differ. */
export async function replaceRows(trx: Trx, replacements: readonly Replacement[]): Promise<void> {
  if (replacements.length === 0) return
  const staying = replacements.filter((each) => each.old.shard === each.row.shard)
  await updateInPlace(trx, staying)
  await move(trx, replacements.filter((each) => each.old.shard !== each.row.shard))
}

async function updateInPlace(trx: Trx, replacements: readonly Replacement[]): Promise<void> {
  if (replacements.length === 0) return
  const sides = replacements.map(({ old, oldIndex, row }) => ({ id: old.id, row, strings: changed(oldIndex.strings, row.index.strings, ({ val }) => val), values: changed(oldIndex.values, row.index.values, ({ c, lo, hi }) => `${c} ${lo} ${hi}`) }))
  await dropSideRows(trx, sides.map(({ id, strings, values }) => ({ id, index: { strings: strings.before, values: values.before } })))
  const rows = replacements.map((each) => each.row)
  await keepTexts(trx, rows.flatMap((row) => row.index.texts))
  const parts = [
    sql`w as (select * from ${columns(rows)})`,
    sql`superseded as (insert into resource_history (shard, t, id, version, last_updated, pid, labels, org, dept, author, method, enc, content, content_z)
      select r.shard, r.t, r.id, r.version, r.last_updated, r.pid, r.labels, r.org, r.dept, r.author, case r.version when 1 then 'C' else 'U' end, r.enc, r.content, r.content_z
      from resource r join w on r.id = w.id and r.t = w.t and r.shard = w.shard where r.t in (${typeList(rows)}))`,
    ...indexInserts(sides.map(({ row, strings, values }) => ({ ...row, index: { ...row.index, strings: strings.after, values: values.after }, alias: false }))),
  ]
  await sql`${withClause(parts)} update resource r set version = w.version, last_updated = w.last_updated, pid = w.pid, d0 = w.d0, d1 = w.d1,
    keys = w.keys::bigint[], labels = w.labels, org = w.org, dept = w.dept, author = w.author, enc = 0, content = w.content, content_z = null
    from w where r.id = w.id and r.t = w.t and r.shard = w.shard and r.t in (${typeList(rows)})`.execute(trx)
}

/** The entry went to another patient, hence to another shard: a row never changes its shard, it is written anew. */
async function move(trx: Trx, replacements: readonly Replacement[]): Promise<void> {
  if (replacements.length === 0) return
  await dropSideRows(trx, replacements.map((each) => ({ id: each.old.id, index: each.oldIndex })))
  const olds = replacements.map((each) => each.old)
  await sql`with gone as (delete from resource r using unnest(${plainArray(olds.map((row) => row.t))}::smallint[], ${plainArray(olds.map((row) => row.id))}::uuid[],
      ${plainArray(olds.map((row) => row.shard))}::int[]) as w (t, id, shard)
      where r.id = w.id and r.t = w.t and r.shard = w.shard and r.t in (${typeList(olds)}) returning r.*)
    insert into resource_history (shard, t, id, version, last_updated, pid, labels, org, dept, author, method, enc, content, content_z)
    select shard, t, id, version, last_updated, pid, labels, org, dept, author, case version when 1 then 'C' else 'U' end, enc, content, content_z from gone`.execute(trx)
  await insertRows(trx, replacements.map((each) => ({ ...each.row, alias: true })))
}

/** Removes locked rows: the last version and a tombstone with the next number go to history. */
export async function deleteRows(trx: Trx, deletions: readonly { old: CurrentRow; oldIndex: IndexRow; at: string }[]): Promise<void> {
  if (deletions.length === 0) return
  await dropSideRows(trx, deletions.map((each) => ({ id: each.old.id, index: each.oldIndex })))
  const olds = deletions.map((each) => each.old)
  await sql`with gone as (delete from resource r using unnest(${plainArray(olds.map((row) => row.t))}::smallint[], ${plainArray(olds.map((row) => row.id))}::uuid[],
      ${plainArray(olds.map((row) => row.shard))}::int[], ${plainArray(deletions.map((each) => each.at))}::timestamptz[]) as w (t, id, shard, deleted_at)
      where r.id = w.id and r.t = w.t and r.shard = w.shard and r.t in (${typeList(olds)}) returning r.*, w.deleted_at)
    insert into resource_history (shard, t, id, version, last_updated, deleted, pid, labels, org, dept, author, method, enc, content, content_z)
    select shard, t, id, version, last_updated, false, pid, labels, org, dept, author, case version when 1 then 'C' else 'U' end, enc, content, content_z from gone
    union all select shard, t, id, version + 1, deleted_at, true, pid, labels, org, dept, author, 'D', 0, null, null from gone`.execute(trx)
}

/** The side index rows of old texts. `rid` alone would not do: ids of different types may have the same key. */
async function dropSideRows(trx: Trx, olds: readonly { id: string; index: Pick<IndexRow, 'strings' | 'values'> }[]): Promise<void> {
  for (const [table, pick] of [['idx_string', 'strings'], ['idx_value', 'values']] as const) {
    const pairs = olds.flatMap((old) => [...new Set(old.index[pick].map((each) => each.k))].map((k) => ({ k: String(k), rid: old.id })))
    if (pairs.length === 0) continue
    await sql`delete from ${sql.table(table)} s using unnest(${plainArray(pairs.map((each) => each.k))}::bigint[], ${plainArray(pairs.map((each) => each.rid))}::uuid[]) as w (k, rid)
      where s.rid = w.rid and s.k = w.k`.execute(trx)
  }
}

/** The rows under the keys whose rows are not what they were; a key's rows are replaced together. */
function changed<R extends { k: bigint }>(before: readonly R[], after: readonly R[], textOf: (row: R) => string): { before: R[]; after: R[] } {
  const texts = (rows: readonly R[]): Map<bigint, string> => {
    const found = new Map<bigint, string>()
    for (const row of rows) found.set(row.k, `${found.get(row.k) ?? ''}\u0001${textOf(row)}`)
    return found
  }
  const [olds, news] = [texts(before), texts(after)]
  const differs = ({ k }: R): boolean => olds.get(k) !== news.get(k)
  return { before: before.filter(differs), after: after.filter(differs) }
}

function withClause(parts: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  return parts.length === 0 ? sql`` : sql`with ${sql.join(parts)}`
}

/** Where a resource lives: with its patient, else by its own id. */
export function shardFor(id: string, index: Pick<IndexRow, 'pid'>): number {
  return shardOf(index.pid ?? keyOf(id))
}
