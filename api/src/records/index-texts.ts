/**
 * Puts the texts behind keys into search_text. They are few and nearly always known: a process remembers those it has seen committed
 * and asks the database only about others. What a transaction that is rolled back put there is not remembered.
 */
import { sql } from 'kysely'
import type { Db } from '../storage/pool.ts'

/** A text and the key it is found by. */
export interface TextRow { k: bigint; h: bigint; val: string }

const rememberedMax = 50_000
const remembered = new WeakMap<object, Set<bigint>>()

/** In the writer's own transaction, or before it: a text too many does no harm, a missing one would hide rows. */
export async function keepTexts(db: Db, texts: readonly TextRow[]): Promise<void> {
  if (texts.length === 0) return
  const known = knownTexts(db)
  const fresh = new Map<bigint, TextRow>()
  for (const each of texts) if (!known.has(each.h)) fresh.set(each.h, each)
  if (fresh.size === 0) return
  if (known.size > rememberedMax) known.clear()
  // A row that this very transaction made may still vanish.
  const { rows } = await sql<{ h: bigint }>`select h from search_text where k = any(${arrayOf([...new Set([...fresh.values()].map((each) => each.k))])}::text::bigint[])
    and h = any(${arrayOf([...fresh.keys()])}::text::bigint[]) and xmin::text <> coalesce(pg_current_xact_id_if_assigned()::xid::text, '')`.execute(db)
  for (const { h } of rows) {
    known.add(h)
    fresh.delete(h)
  }
  if (fresh.size === 0) return
  // In one order for everybody, so that two writers of the same new texts wait and do not lock each other.
  const sorted = [...fresh.values()].sort((a, b) => (a.h < b.h ? -1 : 1))
  await sql`insert into search_text (k, h, val) select * from unnest(${arrayOf(sorted.map((each) => each.k))}::text::bigint[],
    ${arrayOf(sorted.map((each) => each.h))}::text::bigint[], ${sorted.map((each) => each.val)}::text[]) on conflict on constraint search_text_pkey do nothing`.execute(db)
}

function arrayOf(keys: readonly bigint[]): string {
  return `{${keys.join(',')}}`
}

/** The adapter is the one object that a pool and its transactions have in common. */
function knownTexts(db: Db): Set<bigint> {
  const { adapter } = db.getExecutor()
  let known = remembered.get(adapter)
  if (!known) remembered.set(adapter, known = new Set())
  return known
}
