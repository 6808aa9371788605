/**
 * `_include=Type:param[:Target]` and `_revinclude`, one level. What a match refers to by a parameter is read off without FHIRPath:
 * a reference in its text counts when its key under that parameter is among the row's keys. Only what the caller may see is
 * included; a match is not repeated. Source: FHIR R4 3.1.1.5.3.
 */
import { sql } from 'kysely'
import { visible } from '../../access/visible.ts'
import type { Ctx } from '../../ctx.ts'
import { keyOf } from '../../fhir/id.ts'
import { type Issue, issue } from '../../fhir/outcome.ts'
import { parseReference } from '../../fhir/references.ts'
import { isResourceType, type ResourceType, typeCode, typeName } from '../../fhir/resource-types.ts'
import type { Db } from '../../storage/pool.ts'
import { type Stored, storedOf, type StoredRow } from '../content.ts'
import { storedFrom } from '../read-resource.ts'
import type { Store } from '../store.ts'
import { referenceKey } from './keys.ts'
import { nearest } from './nearest.ts'
import type { QueryContext } from './parse-query.ts'

const includedMax = 1000

export interface Include {
  /** Type that holds the reference. */
  source: ResourceType
  /** Codes whose keys hold the references of the parameter. */
  codes: readonly string[]
  /** Only targets of this type; null for all. */
  target: ResourceType | null
}

/** A match as the search read it. */
export interface Match { stored: Stored; keys: readonly bigint[] }

export function readInclude({ model, type }: QueryContext, name: string, value: string): { include: Include } | { issue: Issue } {
  const [source = '', code = '', target = null, ...more] = value.split(':')
  const refused = (hint: string | null) => ({
    issue: issue('parameter-invalid', {
      zh: `${name}=${value.slice(0, 64)} 不正确${hint ? `，最接近的是 ${hint}` : ''}。`,
      en: `${name}=${value.slice(0, 64)} is not offered${hint ? `; the nearest is ${hint}` : ''}.`,
    }, name),
  })
  if (!isResourceType(source) || more.length > 0) return refused(null)
  if (name === '_include' && source !== type) return refused(`${type}:${code}`)
  const param = model.searchParameters(source).get(code)
  if (param?.type !== 'reference' || param.storage !== 'keys') {
    const codes = [...model.searchParameters(source).values()].filter((each) => each.type === 'reference').map((each) => each.code)
    return refused((nearest(code, codes) ?? codes.slice(0, 5).join(', ')) || null)
  }
  const targets = name === '_revinclude' && target === null ? [type] : target === null ? [] : [target]
  const wrong = targets.find((each) => !isResourceType(each) || (param.targets.length > 0 && !param.targets.includes(each)))
  if (wrong !== undefined) return refused(param.targets[0] ? `${source}:${code}:${param.targets[0]}` : null)
  return { include: { source, codes: param.storedAs, target: (targets[0] ?? null) as ResourceType | null } }
}

/** What the matches refer to. */
export async function includedBy(db: Db, ctx: Ctx, store: Store, matches: readonly Match[], includes: readonly Include[]): Promise<Stored[]> {
  const wanted = new Map<string, { type: ResourceType; id: string }>()
  for (const { stored, keys } of matches) {
    const held = new Set(keys)
    for (const [, reference = ''] of stored.content.matchAll(/"reference":"([A-Z][A-Za-z]+\/[A-Za-z0-9\-.]{1,64})/g)) {
      const parsed = parseReference(reference)
      if (parsed.kind !== 'local' || !isResourceType(parsed.type) || wanted.size >= includedMax) continue
      const { type, id } = parsed
      const asked = includes.some((include) => (include.target === null || include.target === type)
        && include.codes.some((code) => held.has(referenceKey(include.source, code, `${type}/${id}`))))
      if (asked) wanted.set(`${type}/${id}`, { type: type as ResourceType, id })
    }
  }
  for (const { stored } of matches) wanted.delete(`${stored.type}/${stored.id}`)
  return loadMany(db, ctx, store, [...wanted.values()])
}

async function loadMany(db: Db, ctx: Ctx, store: Store, wanted: readonly { type: ResourceType; id: string }[]): Promise<Stored[]> {
  const projected: Stored[] = []
  const rows: { t: number; key: string }[] = []
  for (const { type, id } of wanted) {
    const projection = store.entries.get(type)?.projection
    if (!projection) {
      rows.push({ t: typeCode(type), key: keyOf(id) })
      continue
    }
    const resource = await projection.read(db, ctx, id)
    if (resource) projected.push(storedFrom(resource, ctx))
  }
  if (rows.length === 0) return projected
  const pairs = new Set(rows.map((row) => `${row.t}/${row.key}`))
  const types = sql.raw([...new Set(rows.map((row) => row.t))].sort((a, b) => a - b).join(','))
  const { rows: found } = await sql<StoredRow>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content from resource r
    where r.id = any(${rows.map((row) => row.key)}::uuid[]) and r.t in (${types}) and ${visible(ctx)}`.execute(db)
  return [...projected, ...found.filter((row) => pairs.has(`${row.t}/${row.id}`)).map((row) => storedOf(typeName(row.t), row))]
}

/** What refers to the matches. */
export async function referringTo(db: Db, ctx: Ctx, type: ResourceType, matches: readonly Match[], includes: readonly Include[]): Promise<Stored[]> {
  const found = new Map<string, Stored>()
  if (matches.length === 0) return []
  for (const include of includes) {
    if (include.target !== type) continue
    const keys = matches.flatMap(({ stored }) => include.codes.map((code) => String(referenceKey(include.source, code, `${type}/${stored.id}`))))
    const { rows } = await sql<StoredRow>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content from resource r
      where r.t = ${sql.raw(String(typeCode(include.source)))} and r.keys && ${keys}::bigint[] and ${visible(ctx, include.source)}
      order by r.d0 desc, r.id limit ${includedMax}`.execute(db)
    for (const row of rows) {
      const stored = storedOf(include.source, row)
      found.set(`${stored.type}/${stored.id}`, stored)
    }
  }
  for (const { stored } of matches) found.delete(`${stored.type}/${stored.id}`)
  return [...found.values()].slice(0, includedMax)
}
