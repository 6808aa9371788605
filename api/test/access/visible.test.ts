/**
 * The two forms of the access decision are one: whatever the pure rules say of a row, the SQL condition says too, written for the planner or for row after row,
 * and with the patients whom the caller can reach as a search begins with them, for random callers of every role, with and without an app's scopes, random relations, grants, bars and coverage, and rows of every audience with random labels,
 * hospitals, departments and authors.
 */
import fc from 'fast-check'
import { sql } from 'kysely'
import { beforeAll, expect, test } from 'vitest'
import { allGroups } from '../../src/access/data-groups.ts'
import { audienceOf } from '../../src/access/audience.ts'
import { loadAccessFacts } from '../../src/access/facts.ts'
import { adolescentBit, barredBit, everyBit, hiddenBit, labelBit, statutoryBit, unhideableBit } from '../../src/access/labels.ts'
import { anonymous, type Principal, roles } from '../../src/access/principal.ts'
import { reachOf } from '../../src/access/reach.ts'
import { accessRules, decide } from '../../src/access/rules.ts'
import { visible } from '../../src/access/visible.ts'
import { makeCtx } from '../../src/ctx.ts'
import { shardOf, uuid7 } from '../../src/fhir/id.ts'
import { type ResourceType, typeCode, typeName } from '../../src/fhir/resource-types.ts'
import { tokenKey } from '../../src/records/search/keys.ts'
import type { Trx } from '../../src/storage/pool.ts'
import { testDatabase } from '../support/database.ts'

const { db } = await testDatabase()
const now = new Date('2026-11-23T08:00:00+08:00')
const hours = (n: number) => new Date(now.getTime() + n * 3_600_000)
const id = (n: number) => uuid7(1_700_000_000_000 + n, n % 4096, Uint8Array.from({ length: 8 }, (_, index) => (n * 7 + index) % 256))

const patients = [id(1), id(2), id(3)]
const practitioners = [id(11), id(12)]
const organizations = [id(21), id(22)]
const departments = ['15', '03.04']
const laboratory = tokenKey('Observation', 'category', 'http://terminology.hl7.org/CodeSystem/observation-category', 'laboratory')
const types: ResourceType[] = [
  'Patient', 'Observation', 'Condition', 'AllergyIntolerance', 'Claim', 'Coverage', 'Consent', 'Appointment', 'DocumentReference', 'Organization', 'Medication', 'Subscription', 'Binary',
]

/** Rows do not change between runs; what they are is drawn once. */
const oneOf = <T>(...values: readonly T[]) => fc.constantFrom(...values)
const rowArbitrary = fc.record({
  type: oneOf(...types), pid: oneOf(null, ...patients, ...patients),
  labels: oneOf(0, 0, 0, labelBit('PSY'), labelBit('HIV'), labelBit('PSY') | labelBit('SUD'), adolescentBit, hiddenBit, hiddenBit | labelBit('PSY'), unhideableBit, statutoryBit, statutoryBit | labelBit('HIV'), null),
  organization: oneOf(null, ...organizations), department: oneOf(null, ...departments), author: oneOf(null, ...practitioners), keys: oneOf<bigint[]>([], [laboratory]),
})
const rows = fc.sample(rowArbitrary, { seed: 4, numRuns: 400 }).map((row, index) => ({ ...row, id: id(1000 + index) }))

beforeAll(async () => {
  await db.insertInto('resource').values(rows.map((row) => ({
    shard: shardOf(row.id), t: typeCode(row.type), id: row.id, version: 1, last_updated: now, pid: row.pid, d0: null, d1: null, keys: `{${row.keys.join(',')}}`,
    labels: row.labels, org: row.organization, dept: row.department, author: row.author, content: '{}', content_z: null,
  }))).execute()
})

const scopes = fc.subarray([
  'system/*.rs', 'system/Observation.rs', 'system/Patient.s', 'system/Claim.cruds', 'system/Organization.r', 'user/*.rs', 'user/Condition.r', 'patient/*.rs', 'patient/Condition.r',
  'patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|laboratory', 'system/Observation.r?category=laboratory', 'nonsense',
])
const person: fc.Arbitrary<Principal> = fc.record({
  role: oneOf(...roles, 'citizen' as const, 'citizen' as const, 'insurer' as const), patient: oneOf(null, ...patients, ...patients), practitioner: oneOf(null, ...practitioners), organization: oneOf(null, ...organizations),
  scopes: fc.oneof({ weight: 3, arbitrary: fc.constant<string[]>([]) }, scopes), launchPatient: oneOf(null, ...patients),
}).map((given) => ({ ...anonymous, kind: 'person', id: 'p', name: 'p', ...given }))
const client: fc.Arbitrary<Principal> = fc.record({ scopes, organization: oneOf(null, null, ...organizations) }).map((given) => ({ ...anonymous, kind: 'client', id: 'c', name: 'c', ...given }))
/** Drawn more often than chance would have it: of all that a person may be, few are doctors with patients. */
const doctor: fc.Arbitrary<Principal> = fc.tuple(person, oneOf('clinician' as const, 'gp' as const), oneOf(...practitioners)).map(([each, role, practitioner]) => ({ ...each, role, practitioner, launchPatient: null }))
const principals = fc.oneof({ weight: 5, arbitrary: person }, { weight: 2, arbitrary: doctor }, client, fc.constant(anonymous))

const times = fc.tuple(oneOf(-50, -10, 1), oneOf(-1, 5, 50)).map(([from, until]) => ({ from_at: hours(from), until_at: hours(until) }))
const relation = fc.record({
  pid: oneOf(...patients), practitioner: oneOf(...practitioners, ...organizations), organization: oneOf(...organizations), department: oneOf(null, ...departments),
  opens: oneOf(0, 0, labelBit('PSY'), hiddenBit, everyBit, barredBit), times,
})
const grant = fc.record({
  pid: oneOf(...patients), grantee_pid: oneOf(...patients), kind: oneOf('guardian' as const, 'authorization' as const), groups: oneOf(allGroups, 1, 3, 111, 8), limited: oneOf(null, -1, 1), times,
})
const bar = fc.record({ pid: oneOf(...patients), actor: oneOf(...practitioners, ...organizations), times })
const world = fc.record({ relations: fc.array(relation, { maxLength: 8 }), grants: fc.array(grant, { minLength: 2, maxLength: 6 }), bars: fc.array(bar, { maxLength: 3 }) })

async function fill(trx: Trx, { relations, grants, bars }: typeof world extends fc.Arbitrary<infer W> ? W : never): Promise<void> {
  for (const [index, { times: when, ...each }] of relations.entries()) {
    await trx.insertInto('care_relation').values({ shard: 0, ...each, reason: 'encounter', reason_id: id(5000 + index), ...when }).execute()
  }
  for (const { times: when, limited, ...each } of grants) {
    await trx.insertInto('proxy_grant').values({
      shard: 0, ...each, patient: each.pid, relationship: 'CHILD', patient_name: 'x', source: null, limited_at: limited === null ? null : hours(limited), ...when,
    }).onConflict((conflict) => conflict.doNothing()).execute()
  }
  for (const [index, { times: when, ...each }] of bars.entries()) await trx.insertInto('record_bar').values({ shard: 0, ...each, consent: id(6000 + index), ...when }).execute()
}

class Undo extends Error {}

test('the SQL condition shows exactly the rows that the rules allow to read', async () => {
  const [rulesSeen, reached] = [new Set<string>(), new Set<string>()]
  await fc.assert(fc.asyncProperty(world, fc.array(fc.tuple(principals, oneOf(null, ...types), oneOf('r' as const, 's' as const), fc.boolean()), { minLength: 8, maxLength: 8 }), async (given, asked) => {
    await db.transaction().execute(async (trx) => {
      await fill(trx, given)
      for (const [principal, only, permission, each] of asked) {
        const ctx = makeCtx(principal, { now })
        const facts = await loadAccessFacts(trx, ctx, patients)
        const allowed = rows.filter((row) => {
          if (only !== null && row.type !== only) return false
          const verdict = decide(principal, { permission, audience: audienceOf(row.type), ...row }, facts.get(row.pid))
          rulesSeen.add(verdict.rule)
          return verdict.allowed
        })
        const reach = only === null ? null : reachOf(ctx, only, permission)
        if (reach !== null) reached.add(principal.launchPatient === null ? String(principal.role) : 'launch')
        const begun = reach === null ? sql`` : sql`and r.pid = any(array(${reach.patients}))`
        const shown = await sql<{ t: number; id: string }>`select r.t, r.id from resource r where ${visible(ctx, only, permission, each)} ${only === null ? sql`` : sql`and r.t = ${typeCode(only)}`} ${begun}`.execute(trx)
        expect(shown.rows.map((row) => `${typeName(row.t)}/${row.id}`).sort()).toEqual(allowed.map((row) => `${row.type}/${row.id}`).sort())
      }
      throw new Undo()
    }).catch((error) => { if (!(error instanceof Undo)) throw error })
  }), { numRuns: 120 })
  // Every rule has had a say: a rule that never decides is a rule nobody tested.
  expect([...accessRules.map((rule) => rule.name), 'default-deny'].filter((name) => !rulesSeen.has(name))).toEqual([])
  expect(reached).toEqual(new Set(['citizen', 'clinician', 'gp', 'launch']))
}, 60_000)
