/** A reference's key made in SQL from the key of the row it points to; the twin of `linkKey` in keys.ts. */
import { type RawBuilder, sql } from 'kysely'

/** `column` holds the uuid of a row, such as r.id or r.pid; null gives null. */
export function linkOf(column: RawBuilder<unknown>, seed: bigint): RawBuilder<bigint> {
  return sql<bigint>`(('x' || replace(substr(${column}::text, 20), '-', ''))::bit(64)::bigint # ${String(seed)}::bigint)`
}
