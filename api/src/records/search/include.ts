/**
 * `_include=Type:param[:Target]` and `_revinclude`, with `*` for every parameter and `:iterate` for what the included resources lead to in
 * turn. A reference that names a version brings that version. Only what the caller may see is included, a match is not repeated, and there is an end: `roundsMax` steps and
 * `includedMax` resources, beyond which a warning says that some are missing. Source: FHIR R4 3.1.1.5.3.
 */
import { sql } from 'kysely'
import { visible } from '../../access/visible.ts'
import type { FhirModel } from '../../fhir/model.ts'
import { keyOf } from '../../fhir/id.ts'
import { fail, type Issue, issue, OutcomeError } from '../../fhir/outcome.ts'
import { isResourceType, type ResourceType, resourceTypes, typeCode, typeName } from '../../fhir/resource-types.ts'
import type { SearchParam } from '../../fhir/search-parameters.ts'
import { plainArray } from '../../storage/array-literal.ts'
import { type Stored, storedOf, type StoredRow } from '../content.ts'
import { addressOf, type Canonical, canonicalKeys, canonicalsOf, isCanonical, isDefinition, namedBy, refersExactly } from './canonical.ts'
import { keyArray, listedKeysMax, oneOf, type Walk } from './criterion.ts'
import { linkKey, linkSeed } from './keys.ts'
import { nearest } from '../../fhir/nearest.ts'
import type { QueryContext } from './parse-query.ts'
import { type Match, matchOfProjected, projectedBy } from './projected.ts'
import { type ReferenceBy, referencesOf, type Referred } from './references-of.ts'

const includedMax = 1000
const roundsMax = 6
/** Resources whose referring ones a domain is asked for. */
const projectedMax = 100
/** Keys that one reverse step may ask for. */
const keysMax = 50_000

export interface Include {
  /** Type that holds the reference; null for any. */
  source: ResourceType | null
  /** Codes whose keys hold the references; null for those of every parameter. */
  codes: readonly string[] | null
  /** Only references to this type; null for all. */
  target: ResourceType | null
  /** Also from what was included. */
  iterate: boolean
}

export function readInclude(context: QueryContext, name: string, value: string): { include: Include } | { issue: Issue } {
  const { model, type } = context
  const [kind = '', modifier = null, ...others] = name.split(':')
  const iterate = modifier === 'iterate' || modifier === 'recurse'
  if (others.length > 0 || (modifier !== null && !iterate)) return refused(name, value, `${kind}:iterate`)
  if (value === '*') return { include: { source: kind === '_include' && !iterate ? type : null, codes: null, target: null, iterate } }
  const [source = '', code = '', target = null, ...more] = value.split(':')
  if (!isResourceType(source) || more.length > 0) return refused(name, value, null)
  if (kind === '_include' && !iterate && !context.types.includes(source)) {
    const hint = model.searchParameters(source).get(code)?.type === 'reference' ? `_include:iterate=${value.slice(0, 64)}` : nearest(code, referenceParameters(model, type).map((each) => each.code))
    return refused(name, value, hint === null || hint.startsWith('_') ? hint : `${type}:${hint}`)
  }
  if (target !== null && !isResourceType(target)) return refused(name, value, null)
  const own = kind === '_revinclude' && target === null && !iterate ? type : target
  if (code === '*') return { include: { source, codes: null, target: own, iterate } }
  const param = model.searchParameters(source).get(code)
  if (param?.type !== 'reference' || param.storage !== 'keys') {
    const codes = referenceParameters(model, source).map((each) => each.code)
    const hint = nearest(code, codes)
    return refused(name, value, hint ? `${source}:${hint}` : codes.slice(0, 5).join(', ') || null)
  }
  if (own !== null && param.targets.length > 0 && !param.targets.includes(own)) return refused(name, value, `${source}:${code}:${param.targets[0]}`)
  return { include: { source, codes: param.storedAs, target: own, iterate } }
}

function refused(name: string, value: string, hint: string | null): { issue: Issue } {
  return {
    issue: issue('parameter-invalid', {
      zh: `${name}=${value.slice(0, 64)} 不正确${hint ? `，最接近的是 ${hint}` : ''}。`,
      en: `${name}=${value.slice(0, 64)} is not offered${hint ? `; the nearest is ${hint}` : ''}.`,
    }, name.slice(0, 64)),
  }
}

function referenceParameters(model: FhirModel, type: ResourceType): SearchParam[] {
  return [...model.searchParameters(type).values()].filter((each) => each.type === 'reference' && each.storage === 'keys')
}

/** Everything that the matches lead to. */
export async function includedWith(
  walk: Walk, matches: readonly Match[], includes: readonly Include[], revincludes: readonly Include[],
): Promise<{ included: Stored[]; warnings: Issue[] }> {
  const seen = new Set(matches.map(nameOf))
  const included: Stored[] = []
  let cut = false
  let frontier = matches
  for (let round = 0; frontier.length > 0; round++) {
    const asked = (each: Include): boolean => round === 0 || each.iterate
    const forward = includes.filter(asked)
    const backward = revincludes.filter(asked)
    if (forward.length === 0 && backward.length === 0) break
    if (round === roundsMax) {
      cut = true
      break
    }
    const found = [...await referredTo(walk, frontier, forward, seen), ...await referring(walk, frontier, backward)]
    const fresh: Match[] = []
    for (const each of found) {
      const name = nameOf(each)
      if (seen.has(name)) continue
      if (included.length + fresh.length >= includedMax) {
        cut = true
        break
      }
      seen.add(name)
      fresh.push(each)
    }
    included.push(...fresh.map((each) => each.stored))
    if (cut) break
    frontier = fresh
  }
  return { included, warnings: cut ? [incomplete()] : [] }
}

function nameOf({ stored: { type, id, version }, superseded }: Match): string {
  return superseded ? `${type}/${id}/_history/${version}` : `${type}/${id}`
}

async function referredTo(walk: Walk, frontier: readonly Match[], includes: readonly Include[], seen: ReadonlySet<string>): Promise<Match[]> {
  if (includes.length === 0) return []
  const wanted = new Map<string, Referred>()
  const versions = new Map<string, { type: ResourceType; id: string; version: number }>()
  const byType = new Map<ResourceType, ReferenceBy[]>()
  for (const { stored, keys } of frontier) {
    let asked = byType.get(stored.type)
    if (!asked) byType.set(stored.type, asked = includes.flatMap((each) => referencesBy(walk.store.model, each, stored.type)))
    if (asked.length === 0) continue
    for (const each of referencesOf(stored.content, keys, asked)) {
      const { type, id, version } = each
      // Which version a match is, only the database says.
      if (version !== null && walk.store.entries.get(type)?.projection === null) versions.set(`${type}/${id}/_history/${version}`, { type, id, version })
      else if (!seen.has(`${type}/${id}`) && wanted.size <= includedMax) wanted.set(`${type}/${id}`, each)
    }
  }
  return [...await loadMany(walk, [...wanted.values()]), ...await loadVersions(walk, [...versions.values()].slice(0, includedMax + 1)), ...await addressed(walk, frontier, includes)]
}

/** The versions that references name; one that was not kept, or is a deletion, is missing. */
async function loadVersions({ db, ctx }: Walk, wanted: readonly { type: ResourceType; id: string; version: number }[]): Promise<Match[]> {
  if (wanted.length === 0) return []
  const [ids, types, versions] = [wanted.map(({ id }) => keyOf(id)), wanted.map(({ type }) => typeCode(type)), wanted.map(({ version }) => version)]
  const columns = sql.raw(['shard', 't', 'id', 'version', 'last_updated', 'pid', 'labels', 'org', 'dept', 'author', 'content'].map((name) => `x.${name}`).join(', '))
  const of = sql.raw([...new Set(types)].sort((a, b) => a - b).join(','))
  const named = sql`unnest(${plainArray(ids)}::uuid[], ${plainArray(types)}::smallint[], ${plainArray(versions)}::int8[]) as w (id, t, version)`
  const { rows } = await sql<StoredRow & { keys: bigint[]; superseded: boolean }>`
    select r.t, r.id, r.version, r.last_updated, r.pid, r.content, r.keys, r.superseded from (
      select ${columns}, x.keys, false as superseded from ${named} join resource x on x.id = w.id and x.t = w.t and x.version = w.version where x.t in (${of})
      union all select ${columns}, '{}'::int8[] as keys, true as superseded from ${named} join resource_history x on x.id = w.id and x.t = w.t and x.version = w.version where not x.deleted
    ) r where ${visible(ctx)} limit ${includedMax + 1}`.execute(db)
  return rows.map((row) => (row.superseded ? { ...matchOf(row), superseded: true as const } : matchOf(row)))
}

/** Definitions that the frontier refers to by canonical address. */
async function addressed(walk: Walk, frontier: readonly Match[], includes: readonly Include[]): Promise<Match[]> {
  const { model, entries } = walk.store
  const wanted = new Map<ResourceType, Canonical[]>()
  for (const { stored, keys } of frontier) {
    for (const { source, codes, target } of includes) {
      if (source !== null && source !== stored.type) continue
      for (const param of referenceParameters(model, stored.type)) {
        if ((codes !== null && !param.storedAs.some((code) => codes.includes(code))) || !isCanonical(model, stored.type, param)) continue
        const addresses = canonicalsOf(stored.content, keys, stored.type, param.storedAs)
        const types = (target === null ? param.targets : [target]).filter(isResourceType)
        for (const type of addresses.length === 0 ? [] : types) {
          if (entries.get(type)?.projection === null && isDefinition(model, type)) wanted.set(type, [...wanted.get(type) ?? [], ...addresses])
        }
      }
    }
  }
  const found: Match[] = []
  for (const [type, addresses] of wanted) {
    const { keys, condition } = namedBy(type, addresses)
    const { rows } = await sql<StoredRow & { keys: bigint[] }>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content, r.keys from resource r
      where r.t = ${sql.raw(String(typeCode(type)))} and r.keys && ${keyArray(keys)} and ${condition} and ${visible(walk.ctx, type)} limit ${includedMax + 1}`.execute(walk.db)
    found.push(...rows.map(matchOf))
  }
  return found
}

function referencesBy(model: FhirModel, { source, codes, target }: Include, type: ResourceType): ReferenceBy[] {
  if (source !== null && source !== type) return []
  return [{ source: type, target, codes: codes ?? [...new Set(referenceParameters(model, type).flatMap((each) => each.storedAs))] }]
}

async function loadMany(walk: Walk, wanted: readonly { type: ResourceType; id: string }[]): Promise<Match[]> {
  const { db, ctx, store } = walk
  const projected: Match[] = []
  const rows: { t: number; key: string }[] = []
  for (const { type, id } of wanted) {
    const projection = store.entries.get(type)?.projection
    if (!projection) {
      rows.push({ t: typeCode(type), key: keyOf(id) })
      continue
    }
    const resource = await projection.read(db, ctx, id)
    if (resource) projected.push(matchOfProjected(walk, resource))
  }
  if (rows.length === 0) return projected
  const pairs = new Set(rows.map((row) => `${row.t}/${row.key}`))
  const types = sql.raw([...new Set(rows.map((row) => row.t))].sort((a, b) => a - b).join(','))
  const { rows: found } = await sql<StoredRow & { keys: bigint[] }>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content, r.keys from resource r
    where r.id = any(${rows.map((row) => row.key)}::uuid[]) and r.t in (${types}) and ${visible(ctx)}`.execute(db)
  return [...projected, ...found.filter((row) => pairs.has(`${row.t}/${row.id}`)).map(matchOf)]
}

function matchOf(row: StoredRow & { keys: bigint[] }): Match {
  return { stored: storedOf(typeName(row.t), row), keys: row.keys }
}

/** What refers to the resources of the frontier. */
async function referring(walk: Walk, frontier: readonly Match[], includes: readonly Include[]): Promise<Match[]> {
  const found: Match[] = []
  for (const include of includes) {
    found.push(...await referringByAddress(walk, frontier, include), ...await referringProjected(walk, frontier, include))
    const keys = referringKeys(walk, frontier, include)
    const [only, ...others] = keys
    if (only === undefined) continue
    found.push(...(others.length === 0 && only[1].length <= listedKeysMax ? await referringOfType(walk, ...only) : await referringOfTypes(walk, keys)).map(matchOf))
  }
  return found
}

type KeyedRow = StoredRow & { keys: bigint[] }

async function referringOfType({ db, ctx }: Walk, source: ResourceType, keys: readonly bigint[]): Promise<KeyedRow[]> {
  const { rows } = await sql<KeyedRow>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content, r.keys from resource r
    where r.keys && ${keyArray(keys)} and r.t = ${sql.raw(String(typeCode(source)))} and ${visible(ctx, source)} order by r.d0 desc, r.id limit ${includedMax + 1}`.execute(db)
  return rows
}

/**
 * Of all types there are thousands of keys, hardly one of which is held, and of a long page hundreds: each is looked up by itself, in the index of its type alone. Together the planner would rather compare them with every row, and
 * where it knew how few of a key's rows are wanted it would look for them in the table.
 */
async function referringOfTypes({ db, ctx }: Walk, keys: ReadonlyMap<ResourceType, readonly bigint[]>): Promise<KeyedRow[]> {
  const [types, all] = [[...keys].flatMap(([type, own]) => own.map(() => typeCode(type))), [...keys.values()].flat()]
  const { rows } = await sql<KeyedRow>`select distinct on (r.d0, r.id, r.t) r.t, r.id, r.version, r.last_updated, r.pid, r.content, r.keys
    from unnest(${plainArray(types)}::text::smallint[], ${plainArray(all)}::text::int8[]) w (t, k)
    cross join lateral (with held as materialized (select * from resource r where r.t = w.t and r.keys @> array[w.k] and ${visible(ctx)}) select * from held limit ${includedMax + 1}) r order by r.d0 desc, r.id, r.t limit ${includedMax + 1}`.execute(db)
  return rows
}

/** What refers to definitions of the frontier by their canonical address, by one named parameter. */
async function referringByAddress({ db, ctx, store }: Walk, frontier: readonly Match[], { source, codes, target }: Include): Promise<Match[]> {
  if (source === null || codes === null || store.entries.get(source)?.projection !== null) return []
  const param = referenceParameters(store.model, source).find((each) => each.storedAs.some((code) => codes.includes(code)))
  if (!param || !isCanonical(store.model, source, param)) return []
  const definitions = frontier.flatMap(({ stored }) => ((target === null || stored.type === target) && isDefinition(store.model, stored.type) ? addressOf(stored.content) ?? [] : []))
  if (definitions.length === 0) return []
  const { rows } = await sql<StoredRow & { keys: bigint[] }>`select r.t, r.id, r.version, r.last_updated, r.pid, r.content, r.keys from resource r
    where r.t = ${sql.raw(String(typeCode(source)))} and r.keys && ${keyArray(canonicalKeys(source, codes, definitions))} and ${oneOf(definitions.map((each) => refersExactly(source, codes, each)))}
    and ${visible(ctx, source)} order by r.d0 desc, r.id limit ${includedMax + 1}`.execute(db)
  return rows.map(matchOf)
}

/** Resources of a domain that refer to the frontier by one named parameter. */
async function referringProjected(walk: Walk, frontier: readonly Match[], { source, codes, target }: Include): Promise<Match[]> {
  const projection = source === null ? null : walk.store.entries.get(source)?.projection
  const code = codes?.[0]
  if (source === null || !projection || code === undefined || !projection.parameters.includes(code)) return []
  const names = new Set(frontier.filter(({ stored }) => target === null || stored.type === target).map(nameOf))
  if (names.size === 0) return []
  if (names.size > projectedMax) throw tooCostly()
  const found: Match[] = []
  // One by one: not every domain takes several at a time.
  for (const name of names) {
    const some = await projectedBy(walk, source, code, name, includedMax).catch(noneOf)
    if (some === null) throw tooCostly()
    found.push(...some.map((each) => matchOfProjected(walk, each)))
  }
  return found
}

/** A type that the domain's parameter does not point to finds nothing. */
function noneOf(error: unknown): [] {
  if (error instanceof OutcomeError && error.issues[0]?.code === 'parameter-invalid') return []
  throw error
}

/** By the types that may refer to the frontier, those of them that have rows of their own. */
function referringKeys({ store }: Walk, frontier: readonly Match[], { source, codes, target }: Include): Map<ResourceType, bigint[]> {
  const idsByType = new Map<ResourceType, string[]>()
  for (const { stored } of frontier) {
    if (target === null || stored.type === target) idsByType.set(stored.type, [...idsByType.get(stored.type) ?? [], keyOf(stored.id)])
  }
  const keys = new Map<ResourceType, bigint[]>()
  let count = 0
  for (const from of source === null ? resourceTypes : [source]) {
    if (store.entries.get(from)?.projection !== null) continue
    const own = new Set<bigint>()
    const params = referenceParameters(store.model, from).filter((each) => codes === null || codes.some((code) => each.storedAs.includes(code)))
    for (const [type, ids] of idsByType) {
      for (const param of params) {
        if (param.targets.length > 0 && !param.targets.includes(type)) continue
        for (const code of param.storedAs) {
          const seed = linkSeed(from, code, type)
          for (const id of ids) own.add(linkKey(seed, id))
        }
      }
    }
    count += own.size
    if (count > keysMax) throw tooCostly()
    if (own.size > 0) keys.set(from, [...own])
  }
  return keys
}

function tooCostly() {
  return fail('too-costly', {
    zh: '_revinclude 涉及的引用过多，请减小 _count 或注明资源类型。', en: '_revinclude asks for too many references. Lower _count or name the types.',
  }, '_revinclude')
}

function incomplete(): Issue {
  return issue('too-costly', {
    zh: `一并返回的资源超过 ${includedMax} 个或 ${roundsMax} 级，其余未返回。`, en: `There are more than ${includedMax} resources to include, or more than ${roundsMax} steps. The rest is left out.`,
  }, '_include', 'warning')
}
