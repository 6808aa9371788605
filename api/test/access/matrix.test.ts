/**
 * The access matrix, cell by cell and for every FHIR type: every caller, situation, kind and interaction of access/matrix.ts is asked of the
 * pure rules, and of the SQL condition over one database that holds an entry of every type in every situation. The same over HTTP, for one type of a
 * kind, is matrix-http.test.ts.
 */
import { sql } from 'kysely'
import { beforeAll, describe, expect, test } from 'vitest'
import { audienceOf } from '../../src/access/audience.ts'
import { loadAccessFacts } from '../../src/access/facts.ts'
import { callerNames, changeable, kindNames, kindsIn, type MatrixCaller, otherKinds, type OtherKind, readable, readsOutside, recordKinds, situationNames, situationsOf, writesOutside } from '../../src/access/matrix.ts'
import { decide } from '../../src/access/rules.ts'
import type { Permission } from '../../src/access/scopes.ts'
import { visible } from '../../src/access/visible.ts'
import { makeCtx } from '../../src/ctx.ts'
import { keyOf, shardOf } from '../../src/fhir/id.ts'
import { type ResourceType, resourceTypes, typeCode, typeName } from '../../src/fhir/resource-types.ts'
import { tokenKey } from '../../src/records/search/keys.ts'
import { agency, bar, elsewhere, hospital, placeOf, principalOf, recordOf, records, region, relate } from '../support/access-world.ts'
import { testDatabase } from '../support/database.ts'
import { testId } from '../support/visit.ts'

const { db } = await testDatabase()
const now = new Date('2026-11-23T08:00:00+08:00')
const cityWide: readonly ResourceType[] = [
  'Organization', 'OrganizationAffiliation', 'CodeSystem', 'ValueSet', 'ConceptMap', 'NamingSystem', 'SearchParameter', 'StructureDefinition', 'StructureMap', 'OperationDefinition',
  'CapabilityStatement', 'CompartmentDefinition', 'ImplementationGuide', 'GraphDefinition', 'MessageDefinition', 'TerminologyCapabilities',
]
/** Who keeps what is outside records: the callers' hospital, another, nobody in particular. */
const keepers = [keyOf(hospital), keyOf(elsewhere), null]
const laboratory = tokenKey('Observation', 'category', 'http://terminology.hl7.org/CodeSystem/observation-category', 'laboratory')

/** An entry of every type in every situation; `situation` is null for what is nobody's. */
const rows = kindNames.flatMap((kind) => (recordKinds[kind].types as readonly ResourceType[]).flatMap((type) => situationNames.map((situation) => ({
  kind, type, situation, id: testId(), pid: keyOf(recordOf(situation)), keys: type === 'Observation' ? [laboratory] : [], ...placeOf(type, situation),
}))))
const others = (Object.keys(otherKinds) as OtherKind[]).flatMap((kind) => otherKinds[kind].types.flatMap((type) => keepers.map((organization) => ({
  kind, type, id: testId(), pid: null, keys: [] as bigint[], labels: 0, organization, department: null as string | null, author: null as string | null,
}))))

async function insert(each: { type: ResourceType; id: string; pid: string | null; keys: readonly bigint[]; labels: number; organization: string | null; department: string | null; author: string | null }[]): Promise<void> {
  await db.insertInto('resource').values(each.map((row) => ({
    shard: shardOf(row.id), t: typeCode(row.type), id: row.id, version: 1, last_updated: now, pid: row.pid, d0: null, d1: null, keys: `{${row.keys.join(',')}}`,
    labels: row.labels, org: row.organization, dept: row.department, author: row.author, content: '{}', content_z: null,
  }))).execute()
}

/** Not of the matrix: the hospital is part of the region, and the agency pays for two of the patients. */
const beside = [
  { type: 'Organization' as const, id: keyOf(hospital), pid: null, keys: [], labels: 0, organization: keyOf(region), department: null, author: null },
  ...[records.related, records.barred].map((record) => ({ type: 'Coverage' as const, id: testId(), pid: keyOf(record), keys: [], labels: 0, organization: keyOf(agency), department: null, author: null })),
]

beforeAll(async () => {
  await insert([...rows, ...others, ...beside])
  await relate(db, now)
  await bar(db, now)
})

test('every resource type belongs to one kind', () => {
  const all = [...rows.filter((row) => row.situation === 'related'), ...others].map((row) => row.type)
  expect([...new Set(all)].sort()).toEqual([...resourceTypes].sort())
})

describe.each(callerNames)('%s', (caller: MatrixCaller) => {
  test('the rules: every type, situation and permission', async () => {
    const wrong: string[] = []
    for (const situation of situationsOf(caller)) {
      const principal = principalOf(caller, situation)
      const facts = await loadAccessFacts(db, makeCtx(principal, { now }), [keyOf(recordOf(situation))])
      for (const row of rows.filter((each) => each.situation === situation)) {
        for (const permission of ['r', 's', 'c', 'u', 'd'] as Permission[]) {
          const { allowed } = decide(principal, { permission, audience: audienceOf(row.type), ...row }, facts.get(row.pid))
          const table = permission === 'r' || permission === 's' ? readable : changeable
          if (allowed !== kindsIn(table[caller], situation).has(row.kind)) wrong.push(`${situation} ${row.type} ${permission}: ${allowed}`)
        }
      }
    }
    const nobody = await loadAccessFacts(db, makeCtx(principalOf(caller, 'related'), { now }), [])
    for (const row of others) {
      for (const permission of ['r', 's', 'c', 'u', 'd'] as Permission[]) {
        const { allowed } = decide(principalOf(caller, 'related'), { permission, audience: audienceOf(row.type), ...row }, nobody.get(null))
        const reads = permission === 'r' || permission === 's'
        const writes = writesOutside[caller] === 'all' || (writesOutside[caller] === 'own' && row.organization === keyOf(hospital) && !cityWide.includes(row.type))
        if (allowed !== (reads ? readsOutside[caller].includes(row.kind) : writes)) wrong.push(`${row.type} ${permission}: ${allowed}`)
      }
    }
    expect(wrong).toEqual([])
  })

  test('the SQL condition: over everything, and for every type by itself', async () => {
    // What is asked at once is asked as the same caller; an app changes with the patient it was launched for.
    const launches = caller === 'app' ? Object.values(records) : [null]
    for (const launched of launches) {
      const asked = situationsOf(caller).filter((situation) => launched === null || recordOf(situation) === launched)
      const expected = (type: ResourceType | null) => [
        ...rows.filter((row) => asked.includes(row.situation) && kindsIn(readable[caller], row.situation).has(row.kind)), ...others.filter((row) => readsOutside[caller].includes(row.kind)),
      ].filter((row) => type === null || row.type === type).map((row) => row.id).sort()
      const ids = [...rows.filter((row) => asked.includes(row.situation)), ...others].map((row) => row.id)
      const principal = principalOf(caller, asked[0] ?? 'related')
      const ctx = makeCtx(principal, { now })
      for (const permission of ['r', 's'] as const) {
        const { rows: shown } = await sql<{ id: string }>`select r.id from resource r where r.id = any(${ids}::uuid[]) and ${visible(ctx, null, permission)}`.execute(db)
        expect(shown.map((row) => row.id).sort()).toEqual(expected(null))
      }
      // All types in one statement, each with the condition it has alone.
      const alone = sql.join(resourceTypes.map((type) => sql`select r.t, r.id from resource r where r.t = ${sql.raw(String(typeCode(type)))} and r.id = any(${ids}::uuid[]) and ${visible(ctx, type)}`), sql` union all `)
      const { rows: byType } = await alone.$castTo<{ t: number; id: string }>().execute(db)
      const wrong = resourceTypes.filter((type) => JSON.stringify(byType.filter((row) => typeName(row.t) === type).map((row) => row.id).sort()) !== JSON.stringify(expected(type)))
      expect(wrong).toEqual([])
    }
  })
})
