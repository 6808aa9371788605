/**
 * Array literals as PostgreSQL reads them. The driver would make the same of a JavaScript array, with several passes over every value; statements
 * for many rows spend more time on that than on anything else. Source: PostgreSQL § 8.15.6.
 */
import { type RawBuilder, sql } from 'kysely'

/** Of values that need no quotes: numbers, uuids, instants. */
export function plainArray(values: readonly (string | number | bigint | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`
}

/** Separates the parts of `jsonArray`: JSON text has it only escaped. */
const unitSeparator = '\u001f'

/** JSON texts, at least one and none of them empty, as one text that SQL cuts apart: quotes need no escaping, neither here nor there. */
export function jsonArray(texts: readonly string[]): RawBuilder<string[]> {
  return sql<string[]>`string_to_array(${texts.join(unitSeparator)}, chr(31))`
}

/** Of any texts. */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : `"${value.replace(/["\\]/g, '\\$&')}"`)).join(',')}}`
}
