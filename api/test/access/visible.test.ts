/** The two forms of the access decision are one: whatever the pure rules say of a row, the SQL condition says too. */
import fc from 'fast-check'
import { sql } from 'kysely'
import { beforeAll, expect, test } from 'vitest'
import { audienceOf } from '../../src/access/audience.ts'
import { loadAccessFacts, noAccessFacts } from '../../src/access/facts.ts'
import { anonymous, type Principal, roles } from '../../src/access/principal.ts'
import { decide } from '../../src/access/rules.ts'
import { visible } from '../../src/access/visible.ts'
import { makeCtx } from '../../src/ctx.ts'
import { shardOf, uuid7 } from '../../src/fhir/id.ts'
import { type ResourceType, typeCode, typeName } from '../../src/fhir/resource-types.ts'
import { testDatabase } from '../support/database.ts'

const { db } = await testDatabase()
const now = new Date('2026-11-23T08:00:00+08:00')
const hours = (n: number) => new Date(now.getTime() + n * 3_600_000)
const id = (n: number) => uuid7(1_700_000_000_000 + n, n % 4096, Uint8Array.from({ length: 8 }, (_, index) => (n * 7 + index) % 256))

const patients = [id(1), id(2), id(3), id(4)]
const practitioners = [id(11), id(12)]
const types: ResourceType[] = ['Patient', 'Observation', 'Condition', 'Claim', 'Organization', 'Slot', 'Medication', 'Subscription', 'Binary', 'Encounter']
const rows = types.flatMap((type, typeIndex) => [null, ...patients].map((pid, index) => ({ type, pid, id: id(100 + typeIndex * 10 + index) })))

beforeAll(async () => {
  await db.insertInto('resource').values(rows.map((row) => ({
    shard: shardOf(row.id), t: typeCode(row.type), id: row.id, version: 1, last_updated: now, pid: row.pid, d0: null, d1: null, keys: '{}', content: '{}', content_z: null,
  }))).execute()
  const grants: [number, number, number, number | null][] = [[1, 0, -10, null], [2, 0, -10, -1], [3, 0, 1, null], [0, 1, -1, 1], [2, 1, -5, null]]
  await db.insertInto('proxy_grant').values(grants.map(([of, to, from, until]) => ({
    shard: shardOf(patients[of] ?? ''), pid: patients[of] ?? '', patient: patients[of] ?? '', grantee_pid: patients[to] ?? '', relationship: 'CHILD', patient_name: 'x',
    from_at: hours(from), until_at: until === null ? null : hours(until),
  }))).execute()
  const relations: [number, number, number, number][] = [[0, 0, -1, 1], [1, 0, -5, -1], [2, 0, 1, 5], [1, 1, -1, 100]]
  await db.insertInto('care_relation').values(relations.map(([of, by, from, until], index) => ({
    shard: 0, pid: patients[of] ?? '', practitioner: practitioners[by] ?? '', organization: id(99), reason: 'appointment' as const, reason_id: id(500 + index),
    from_at: hours(from), until_at: hours(until),
  }))).execute()
})

const person: fc.Arbitrary<Principal> = fc.record({
  role: fc.constantFrom(...roles), patient: fc.constantFrom(null, ...patients), practitioner: fc.constantFrom(null, ...practitioners),
}).map((given) => ({ ...anonymous, kind: 'person', id: 'p', name: 'p', ...given }))
const client: fc.Arbitrary<Principal> = fc.subarray(['system/*.rs', 'system/Observation.rs', 'system/Patient.s', 'system/Claim.cruds', 'system/Organization.r', 'nonsense'])
  .map((scopes) => ({ ...anonymous, kind: 'client', id: 'c', name: 'c', scopes }))
const principals = fc.oneof(person, client, fc.constant(anonymous))

test('the SQL condition shows exactly the rows that the rules allow to read', async () => {
  await fc.assert(fc.asyncProperty(principals, fc.constantFrom(null, ...types), async (principal, only) => {
    const ctx = makeCtx(principal, { now })
    const facts = await loadAccessFacts(db, ctx, patients)
    const allowed = rows.filter((row) => (only === null || row.type === only) && decide(principal, {
      permission: 'r', type: row.type, audience: audienceOf(row.type), pid: row.pid,
    }, (row.pid === null ? undefined : facts.get(row.pid)) ?? noAccessFacts).allowed)
    const shown = await sql<{ t: number; id: string }>`select r.t, r.id from resource r where ${visible(ctx, only)} ${only === null ? sql`` : sql`and r.t = ${typeCode(only)}`}`.execute(db)
    expect(shown.rows.map((row) => `${typeName(row.t)}/${row.id}`).sort()).toEqual(allowed.map((row) => `${row.type}/${row.id}`).sort())
  }), { numRuns: 300 })
})

test('a citizen sees their own record and that of those they act for now, and no other', async () => {
  const ctx = makeCtx({ ...anonymous, kind: 'person', id: 'p', name: 'p', role: 'citizen', patient: patients[0] ?? '' }, { now })
  const shown = await sql<{ pid: string }>`select distinct r.pid from resource r where r.t = ${typeCode('Observation')} and ${visible(ctx, 'Observation')}`.execute(db)
  expect(shown.rows.map((row) => row.pid).sort()).toEqual([patients[0], patients[1]])
})
