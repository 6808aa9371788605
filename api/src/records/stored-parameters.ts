/**
 * SearchParameter resources that were written over FHIR, on top of the definitions the server comes with. Every process looks for new ones at
 * most every `lookEveryMs`, when it searches or writes; the indexing of what is there already (reindex.ts) begins only after `settleMs`, when
 * all processes index new rows by them. One that cannot be understood, or that has a code which the type has already, is left out.
 */
import { sql } from 'kysely'
import { type Ctx, monotonicMs } from '../ctx.ts'
import { parseStored } from '../fhir/json.ts'
import type { Definition, FhirModel } from '../fhir/model.ts'
import { typeCode } from '../fhir/resource-types.ts'
import { compileSearchExpression } from '../fhir/search-expression.ts'
import { searchParametersByType } from '../fhir/search-parameters.ts'
import type { Db } from '../storage/pool.ts'
import type { Store } from './store.ts'

export const lookEveryMs = 20_000
export const settleMs = 60_000
const parametersMax = 1_000

interface Known { base: FhirModel; signature: string; lookedAt: number }

const known = new WeakMap<Store, Known>()

/** Looks for new parameters when it is time. */
export async function refreshParameters(db: Db, store: Store): Promise<void> {
  const state = known.get(store)
  if (state && monotonicMs() - state.lookedAt < lookEveryMs) return
  await adoptParameters(db, store, null)
}

/** Those that every process has had time to find; for whoever indexes what is stored. */
export async function settledParameters(db: Db, ctx: Ctx, store: Store): Promise<void> {
  await adoptParameters(db, store, new Date(ctx.now.getTime() - settleMs))
}

async function adoptParameters(db: Db, store: Store, before: Date | null): Promise<void> {
  const state = known.get(store) ?? { base: store.model, signature: '', lookedAt: 0 }
  known.set(store, state)
  state.lookedAt = monotonicMs()
  const { rows } = await sql<{ content: string; version: number }>`select r.content, r.version from resource r where r.t = ${sql.raw(String(typeCode('SearchParameter')))}
    ${before === null ? sql`` : sql`and r.last_updated < ${before.toISOString()}::timestamptz`} order by r.id limit ${parametersMax}`.execute(db)
  const signature = rows.map((row) => row.content).join('\n')
  if (signature === state.signature) return
  state.signature = signature
  store.model = withParameters(state.base, rows.map((row) => parseStored(row.content) as unknown as Definition))
}

/** The model with further parameters. */
export function withParameters(base: FhirModel, definitions: readonly Definition[]): FhirModel {
  const usable = definitions.filter((each) => each.status !== 'retired' && isUsable(base, each))
  const added = searchParametersByType([], usable, base.structures)
  const byType = new Map([...added].filter(([, own]) => own.size > 0).map(([type, own]) => [type, new Map([...own, ...base.searchParameters(type)])] as const))
  return { ...base, searchParameters: (type) => byType.get(type) ?? base.searchParameters(type) }
}

const kinds = new Set<unknown>(['number', 'date', 'string', 'token', 'reference', 'quantity', 'uri'])

/** Of a kind that can be indexed, with an expression that every base understands. */
function isUsable(base: FhirModel, definition: Definition): boolean {
  const { code, type, base: bases, expression } = definition as Definition & { base?: unknown; expression?: unknown }
  if (typeof code !== 'string' || !/^[A-Za-z0-9_-]{1,64}$/.test(code) || !kinds.has(type) || !Array.isArray(bases) || typeof expression !== 'string') return false
  try {
    const added = searchParametersByType([], [definition], base.structures)
    for (const [name, own] of added) {
      const structure = base.structures.get(name)
      for (const param of own.values()) if (structure && param.expression) compileSearchExpression(param.expression, structure, base.structures)
    }
    return [...added.values()].some((own) => own.size > 0)
  } catch {
    return false
  }
}
