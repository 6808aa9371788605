/**
 * Array literals as PostgreSQL reads them. The driver would make the same of a JavaScript array, with several passes over every value; statements
 * for many rows spend more time on that than on anything else. Source: PostgreSQL § 8.15.6.
 */

/** Of values that need no quotes: numbers, uuids, instants. */
export function plainArray(values: readonly (string | number | bigint | null)[]): string {
  return `{${values.map((value) => value ?? 'NULL').join(',')}}`
}

/** Of any texts. */
export function textArray(values: readonly (string | null)[]): string {
  return `{${values.map((value) => (value === null ? 'NULL' : `"${value.replace(/["\\]/g, '\\$&')}"`)).join(',')}}`
}
