import { sql } from 'kysely'
import { expect, test } from 'vitest'
import { resourceTypes } from '../src/fhir/resource-types.ts'
import { testDatabase } from './support/database.ts'

const { db } = await testDatabase()

test('the numbers of the resource types are the same in code and database', async () => {
  const rows = await db.selectFrom('resource_type').select(['t', 'name']).orderBy('t').execute()
  expect(rows.map((row) => row.name)).toEqual([...resourceTypes])
  expect(rows.map((row) => row.t)).toEqual(resourceTypes.map((_, index) => index + 1))
})

test('values come back in the forms that tables.ts promises', async () => {
  const { rows } = await sql<{ d: string; i: string; b: bigint; n: string }>`select date '2024-02-29' as d, timestamptz '2026-11-23 16:00:00.5+08' as i, 9007199254740993::int8 as b, 1.10::numeric as n`.execute(db)
  expect(rows[0]).toEqual({ d: '2024-02-29', i: '2026-11-23T08:00:00.500Z', b: 9007199254740993n, n: '1.10' })
})
