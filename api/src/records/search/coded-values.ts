/**
 * A code and a value asked for together: the value's rows carry the code (extract-codes.ts), so both are one stretch of one index, however
 * many rows have the code and however many the value. Rows that were stored before they carried it are indexed anew in the background; until
 * that is done for a type, codes and values are asked for apart.
 */
import { sql, type SqlBool } from 'kysely'
import { monotonicMs } from '../../ctx.ts'
import type { FhirModel } from '../../fhir/model.ts'
import { type ResourceType, typeCode } from '../../fhir/resource-types.ts'
import type { Db } from '../../storage/pool.ts'
import { indexFingerprint } from '../index-fingerprint.ts'
import type { Criterion, Side, Walk } from './criterion.ts'

/** How long a type that is not done yet is taken to be so. */
const lookEveryMs = 10_000
/** Codes of one search whose stretches are told apart. */
const codesMax = 8

/** Criteria by value narrowed to the codes that another one asks for; where that is not stored yet, all without what is said of codes. */
export async function withinCodes({ db, store }: Walk, type: ResourceType, criteria: readonly Criterion[]): Promise<readonly Criterion[]> {
  const codes = criteria.find((each) => each.codes !== undefined && each.codes.length <= codesMax)?.codes
  const narrows = codes !== undefined && criteria.some(({ side }) => side?.coded === true)
  if (!narrows && criteria.every(({ dated }) => dated === undefined)) return criteria
  if (!await isCoded(db, store.model, type)) return criteria.map(({ dated: _, ...each }) => each)
  return narrows ? criteria.map((each) => (each.side?.coded === true ? { ...each, side: within(each.side, codes) } : each)) : criteria
}

/** The one code that all matches have; null when there is none, or values are not stored by it yet. */
export async function onlyCode({ db, store }: Walk, type: ResourceType, criteria: readonly Criterion[]): Promise<bigint | null> {
  const [code, ...others] = criteria.find((each) => each.codes !== undefined)?.codes ?? []
  return code !== undefined && others.length === 0 && await isCoded(db, store.model, type) ? code : null
}

function within(side: Side, codes: readonly bigint[]): Side {
  const ofCode = (c: bigint) => sql<SqlBool>`s.c = ${String(c)}::bigint`
  const stretches = (side.stretches ?? []).flatMap((each) => codes.map((c) => ({ ...each, condition: sql<SqlBool>`(${ofCode(c)} and ${each.condition})` })))
  return {
    ...side, stretches: side.stretches && stretches,
    condition: sql<SqlBool>`(s.c in (${sql.join(codes.map((c) => sql`${String(c)}::bigint`))}) and ${side.condition})`,
  }
}

interface Known { model: FhirModel; done: boolean; at: number }

const known = new WeakMap<object, Map<ResourceType, Known>>()

/** Every row of the type was indexed by the parameters as they are. */
async function isCoded(db: Db, model: FhirModel, type: ResourceType): Promise<boolean> {
  let types = known.get(db)
  if (!types) known.set(db, types = new Map())
  const state = types.get(type)
  if (state?.model === model && (state.done || monotonicMs() - state.at < lookEveryMs)) return state.done
  const row = await db.selectFrom('reindex').select(['fingerprint', 'state']).where('t', '=', typeCode(type)).executeTakeFirst()
  const done = row?.state === 'done' && row.fingerprint === indexFingerprint(model, type)
  types.set(type, { model, done, at: monotonicMs() })
  return done
}
