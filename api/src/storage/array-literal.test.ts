/** What PostgreSQL reads out of a literal is what was put into it. */
import fc from 'fast-check'
import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { testDatabase } from '../../test/support/database.ts'
import { plainArray, textArray } from './array-literal.ts'

const { db } = await testDatabase()

test('any texts come back as they were', async () => {
  // A text of PostgreSQL holds no zero character, and lone surrogates are no text.
  const text = fc.oneof(fc.string({ unit: 'grapheme' }), fc.string(), fc.constantFrom('', 'NULL', 'null', '{}', '"', '\\', '\\"', ',', ' ', '\n', '陈晓', '𠮷'))
    .filter((each) => !each.includes('\u0000') && each.isWellFormed())
  await fc.assert(fc.asyncProperty(fc.array(fc.option(text), { maxLength: 20 }), async (values) => {
    expect(await readBack(textArray(values), 'text')).toEqual(values)
  }), { numRuns: 100 })
})

test.each<[string, (string | number | bigint | null)[]]>([
  ['int', [1, -2, null]], ['bigint', [2n ** 62n, -1n]], ['float8', [0.1, -1e300, 1e-7]], ['uuid', ['01890000-0000-7123-8000-000000000001', null]],
  ['timestamptz', ['2026-11-23T08:00:00.500Z', null]], ['int', []],
])('values of type %s come back as they were', async (type, values) => {
  const back = await readBack(plainArray(values), type)
  const same = type === 'timestamptz' ? back.map((each) => (each === null ? null : new Date(each).toISOString())) : back
  expect(same.map((each) => (each === null ? null : type === 'float8' ? Number(each) : each))).toEqual(values.map((each) => (each === null || type === 'float8' ? each : String(each))))
})

/** Each element as text. Not as an array of the driver's, which reads NULL inside an array as a word. */
async function readBack(literal: string, type: string): Promise<(string | null)[]> {
  const { rows } = await sql<{ value: string | null }>`select value::text as value from unnest(${literal}::text::${sql.raw(type)}[]) with ordinality as each (value, n) order by n`.execute(db)
  return rows.map(({ value }) => value)
}
