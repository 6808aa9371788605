/**
 * `$meta`, `$meta-add`, `$meta-delete`: the profiles, tags and security labels of one resource, of an old version, of all of a type or of
 * everything the caller may see. Changing them is a write like any other (rights, validation, audit, a version of its own), with the row locked before
 * it is read; old versions do not change. Source: FHIR R4 § resource-operations.html.
 */
import type { Coding, Meta, Resource } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { assertMayAsk } from '../access/may-ask.ts'
import { signInRequired } from '../access/may-write.ts'
import { visible } from '../access/visible.ts'
import { keyOf } from '../fhir/id.ts'
import { fail } from '../fhir/outcome.ts'
import { type ResourceType, resourceTypes, typeCode } from '../fhir/resource-types.ts'
import { inTransaction } from '../storage/transaction.ts'
import { resourceOf } from './content.ts'
import { parameterList, parametersOf } from './operation-parameters.ts'
import { readResource, readVersion } from './read-resource.ts'
import { keyArray } from './search/criterion.ts'
import { paramKey } from './search/keys.ts'
import type { Operation, OperationCall, OperationResult } from './store.ts'
import { assertWritable } from './write-plan.ts'
import { writeResources } from './write-resources.ts'
import { lockRows } from './write-rows.ts'

const stored = resourceTypes.filter((type) => !['OperationOutcome', 'Parameters'].includes(type))

const definition = 'http://hl7.org/fhir/OperationDefinition/Resource-meta'
const meta = { name: '$meta', methods: ['GET', 'POST'], affectsState: false, definition } as const

export const metaOperations: readonly Operation[] = [
  { ...meta, level: 'instance', types: stored, ofVersions: true, summary: 'Profiles, tags and security labels of a resource, or of one of its versions.', run: readMeta },
  { ...meta, level: 'type', types: stored, summary: 'All profiles, tags and security labels in use in a type.', run: metaInUse },
  { ...meta, level: 'system', types: [], summary: 'All profiles, tags and security labels in use.', run: metaInUse },
  { name: '$meta-add', level: 'instance', types: stored, methods: ['POST'], affectsState: true, definition: `${definition}-add`, summary: 'Adds profiles, tags and security labels.', run: (call) => change(call, add) },
  { name: '$meta-delete', level: 'instance', types: stored, methods: ['POST'], affectsState: true, definition: `${definition}-delete`, summary: 'Takes profiles, tags and security labels away.', run: (call) => change(call, takeAway) },
]

async function readMeta(call: OperationCall): Promise<OperationResult> {
  parametersOf(call, [])
  const { db, ctx, store, version = null } = call
  const [type, id] = [call.type as ResourceType, call.id as string]
  assertMayAsk(ctx, type, 'r')
  const found = version === null ? await readResource(db, ctx, store, type, id) : await readVersion(db, ctx, store, type, id, version)
  const { meta } = resourceOf(found)
  return { resource: returned(meta ?? {}), patients: found.pid === null ? [] : [found.pid] }
}

/** Resources whose labels one request reads; those without any are found by their keys and not read. */
const labelledMax = 100_000

/** Throws too-costly. Labels say nothing about a patient, so nobody's record is disclosed. */
async function metaInUse(call: OperationCall): Promise<OperationResult> {
  parametersOf(call, [])
  const { db, ctx, store, type } = call
  if (type !== null) assertMayAsk(ctx, type, 'r')
  else if (ctx.principal.kind === 'anonymous') throw signInRequired()
  const all: Required<Lists> = { profile: [], tag: [], security: [] }
  let left = labelledMax
  for (const { type: each, projection } of store.entries.values()) {
    if (projection !== null || (type !== null && each !== type)) continue
    const present = ['_profile', '_tag', '_security'].map((code) => paramKey(each, code))
    const { rows } = await sql<{ meta: string; many: number }>`select l.meta, count(*)::int as many from (
      select (r.content::json -> 'meta')::text as meta from resource r
      where r.t = ${sql.raw(String(typeCode(each)))} and r.keys && ${keyArray(present)} and ${visible(ctx, each)} limit ${left + 1}) l group by l.meta`.execute(db)
    for (const row of rows) {
      Object.assign(all, add(all, JSON.parse(row.meta) as Lists))
      left -= row.many
    }
    if (left < 0) {
      throw fail('too-costly', { zh: `带标签的资源超过 ${labelledMax} 个，请逐个类型查询。`, en: `More than ${labelledMax} resources are labelled. Ask of one type.` })
    }
  }
  return { resource: returned(filled(all)) }
}

type Lists = Pick<Meta, 'profile' | 'tag' | 'security'>

async function change(call: OperationCall, merge: (meta: Lists, given: Lists) => Lists): Promise<OperationResult> {
  const { db, ctx, store } = call
  const [type, id] = [call.type as ResourceType, call.id as string]
  const given = metaOf(call.body)
  return inTransaction(db, async (trx) => {
    assertWritable(store, type, 'client', undefined)
    assertMayAsk(ctx, type, 'u')
    await lockRows(trx, [{ t: typeCode(type), id: keyOf(id) }])
    const before = resourceOf(await readResource(trx, ctx, store, type, id))
    const { profile: _profile, tag: _tag, security: _security, ...rest } = before.meta ?? {}
    const resource = { ...before, meta: { ...rest, ...merge(before.meta ?? {}, given) } } as Resource
    const [written] = await writeResources(trx, ctx, store, [{ method: 'update', type, id, resource, ifMatch: null }], 'client')
    const { version, lastUpdated, content } = written as NonNullable<typeof written>
    return { resource: returned(resourceOf({ version, lastUpdated, content: content as string }).meta ?? {}) }
  })
}

function add(meta: Lists, given: Lists): Lists {
  const codings = (old: Coding[] = [], more: Coding[] = []) => [...old, ...more.filter((each) => !old.some((known) => same(known, each)))]
  return filled({
    profile: [...new Set([...meta.profile ?? [], ...given.profile ?? []])], tag: codings(meta.tag, given.tag), security: codings(meta.security, given.security),
  })
}

function takeAway(meta: Lists, given: Lists): Lists {
  const codings = (old: Coding[] = [], less: Coding[] = []) => old.filter((each) => !less.some((gone) => same(each, gone)))
  return filled({
    profile: (meta.profile ?? []).filter((each) => !given.profile?.includes(each)), tag: codings(meta.tag, given.tag), security: codings(meta.security, given.security),
  })
}

/** A tag is its system and code; version and display do not tell tags apart. */
function same(left: Coding, right: Coding): boolean {
  return left.system === right.system && left.code === right.code
}

function filled(lists: Lists): Lists {
  return Object.fromEntries(Object.entries(lists).filter(([, list]) => (list as unknown[] | undefined)?.length))
}

function metaOf(body: unknown): Lists {
  const list = parameterList(body)
  const given: unknown = list.length === 1 && list[0]?.name === 'meta' ? list[0].valueMeta : undefined
  const { profile, tag, security } = (typeof given === 'object' && given !== null ? given : {}) as Record<string, unknown>
  const codings = (value: unknown): boolean => value === undefined || (Array.isArray(value) && value.every((each) => typeof each === 'object' && each !== null))
  const profiles = profile === undefined || (Array.isArray(profile) && profile.every((each) => typeof each === 'string'))
  if (given === undefined || !profiles || !codings(tag) || !codings(security)) {
    throw fail('structure', { zh: '应有一个名为 meta、值为 valueMeta 的参数。', en: 'One parameter "meta" with a valueMeta is expected.' }, 'Parameters.parameter')
  }
  return given as Lists
}

function returned(meta: Meta): Resource {
  return { resourceType: 'Parameters', parameter: [{ name: 'return', valueMeta: meta }] }
}
