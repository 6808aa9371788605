/**
 * Whether a search that names no patient begins with those whose entries the caller can see (access/reach.ts). Beginning with them costs
 * all of their rows of the type; walking an index costs the rows between one of theirs and the next. Of a doctor's patients it is remembered
 * for a while how many they are: that decides what is read first, never what is seen. And whether it begins with patients that a chain found.
 */
import { type RawBuilder, sql, type SqlBool } from 'kysely'
import { reachOf } from '../../access/reach.ts'
import { monotonicMs } from '../../ctx.ts'
import type { ResourceType } from '../../fhir/resource-types.ts'
import type { Db } from '../../storage/pool.ts'
import type { Criterion, PageWanted, Walk } from './criterion.ts'
import { rowsOfType } from './statistics.ts'

const countMaxAgeMs = 300_000
const rememberedMax = 20_000
/** More are counted as so many. */
const countedMax = 10_000

interface Count { patients: number; countedAt: number }

const counts = new WeakMap<object, Map<string, Count>>()

/** Null when the caller does not see entries of few patients only. */
export function patientsAlways(walk: Walk, type: ResourceType): RawBuilder<SqlBool> | null {
  const reach = reachOf(walk.ctx, type, 's')
  return reach === null || reach.counted !== null ? null : ofThem(reach.patients)
}

/** With the number of their rows. Null when so many in an order that an index has are found sooner in that order. */
export async function patientsWhenFew({ db, ctx }: Walk, type: ResourceType, wanted: number): Promise<{ condition: RawBuilder<SqlBool>; rows: number } | null> {
  const reach = reachOf(ctx, type, 's')
  if (reach === null || reach.counted === null) return null
  const own = await counted(db, reach.counted, reach.patients)
  const [rows, all] = [await rowsOfType(db, type), await rowsOfType(db, 'Patient')]
  const theirs = (rows / Math.max(1, all)) * own
  const between = wanted * all / Math.max(1, own)
  return theirs <= Math.max(fewRows, between) ? { condition: ofThem(reach.patients), rows: theirs } : null
}

/** So many rows are read at once, wherever they are. */
const fewRows = 200

function ofThem(patients: RawBuilder<unknown>): RawBuilder<SqlBool> {
  return sql<SqlBool>`r.pid = any(array(${patients}))`
}

async function counted(db: Db, name: string, patients: RawBuilder<unknown>): Promise<number> {
  const known = counts.get(db) ?? new Map<string, Count>()
  counts.set(db, known)
  const before = known.get(name)
  if (before !== undefined && monotonicMs() - before.countedAt < countMaxAgeMs) return before.patients
  const { rows } = await sql<{ total: number }>`select count(*)::int as total from (${patients} limit ${countedMax}) found`.execute(db)
  if (known.size >= rememberedMax) known.clear()
  const total = rows[0]?.total ?? 0
  known.set(name, { patients: total, countedAt: monotonicMs() })
  return total
}

/** Patients that a chain found, where a page is read sooner from their rows than along the date index, in which those lie among the rows of all. Null otherwise. */
export async function patientsOfChain(db: Db, criteria: readonly Pick<Criterion, 'among'>[], wanted: number | PageWanted): Promise<readonly string[] | null> {
  const found = criteria.find(({ among }) => among !== undefined)?.among
  if (found === undefined || typeof wanted === 'number') return null
  // One after the other, until the page is full.
  if (wanted.free) return found
  const between = await rowsOfType(db, 'Patient') / Math.max(1, found.length)
  return found.length * rowsPerLook < rowsLooked * between ? found : null
}

/** To look for a patient's rows costs as much as so many rows of a walk; a page shows about as many as `rowsLooked`. */
const rowsPerLook = 3
const rowsLooked = 20
