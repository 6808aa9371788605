import { createHash } from 'node:crypto'
import { sql } from 'kysely'
import { describe, expect, test } from 'vitest'
import { testDatabase, testInsurerDatabase } from '../../api/test/support/database.ts'
import { anonymous } from '@pujiang/api/access/principal.ts'
import { resourceEntries } from '@pujiang/api/catalogue/resource-types.ts'
import { makeCtx } from '@pujiang/api/ctx.ts'
import { loadModel } from '@pujiang/api/fhir/model.ts'
import { resourceTypes } from '@pujiang/api/fhir/resource-types.ts'
import { reindexChanged } from '@pujiang/api/records/reindex.ts'
import type { Db } from '@pujiang/api/storage/pool.ts'
import { readCityFact } from './load/city-fact.ts'
import { seedCity, type SeedOptions } from './seed-city.ts'

const shanghai = await testInsurerDatabase()
const suzhou = await testInsurerDatabase()
const straight = await testDatabase()
const grown = await testDatabase()

const now = new Date('2026-11-23T02:30:00Z')

function options(url: string, citizens: number): SeedOptions {
  return {
    databaseUrl: url, insurerUrls: { '310000': shanghai.url, '320500': suzhou.url }, citizens, days: 7, seed: 1, now, accounts: true, onProgress: () => {},
  }
}

/** Everything the city is made of, but for what is random on purpose (password salts) and the transaction that wrote a row. */
async function contents(db: Db): Promise<string> {
  const hash = createHash('sha256')
  for (const table of ['resource', 'idx_string', 'idx_value', 'id_alias', 'clinic_session', 'booking', 'care_relation', 'proxy_grant', 'account_role']) {
    const { rows } = await sql<{ line: string }>`select (to_jsonb(city_row) - 'changed')::text as line from ${sql.table(table)} city_row order by 1`.execute(db)
    hash.update(`${table} ${rows.length}\n${rows.map((row) => row.line).join('\n')}`)
  }
  return hash.digest('hex')
}

describe('a city in the database', () => {
  test('is the same whether it was made at once or was killed and grew', async () => {
    const result = await seedCity(options(straight.url, 90))
    expect(result.citizensAdded).toBe(90)

    let killed = 0
    await expect(seedCity({ ...options(grown.url, 40), onProgress: () => { killed++; throw new Error('killed') } })).rejects.toThrow('killed')
    expect(killed).toBe(1)
    expect((await readCityFact(grown.db))?.loading).not.toBeNull()
    await seedCity({ ...options(grown.url, 90), first: 40 })
    expect(await readCityFact(grown.db)).toMatchObject({ citizens: 40, wanted: 90, loading: null })
    await seedCity(options(grown.url, 90))
    expect(await contents(grown.db)).toBe(await contents(straight.db))
  }, 120_000)

  test('is indexed by the parameters of today, so that nothing is indexed anew', async () => {
    const { rows } = await sql<{ state: string; count: number }>`select state, count(*)::int as count from reindex group by state`.execute(straight.db)
    expect(rows).toEqual([{ state: 'done', count: resourceTypes.length }])
    expect(await reindexChanged(straight.db, makeCtx(anonymous, { now }), { base: 'http://127.0.0.1:8080/fhir', model: loadModel(), entries: resourceEntries })).toBe(0)
  })

  test('does nothing when it is big enough, and refuses to become another one', async () => {
    const before = await contents(straight.db)
    const result = await seedCity(options(straight.url, 60))
    expect([result.citizensAdded, result.sessions]).toEqual([0, 0])
    await expect(seedCity({ ...options(straight.url, 90), seed: 2 })).rejects.toThrow('--seed 1')
    expect(await contents(straight.db)).toBe(before)
  }, 60_000)

  test('counts its bookings in the sessions, and breaks none of the rules of booking', async () => {
    const { rows: wrong } = await sql`select s.id from clinic_session s left join booking b on b.session_id = s.id and b.state <> 'cancelled'
      group by s.id, s.used having s.used <> count(b.id)`.execute(straight.db)
    expect(wrong).toEqual([])
    const { rows: twice } = await sql`select pid, service_date from booking group by 1, 2 having count(*) > 1`.execute(straight.db)
    expect(twice).toEqual([])
    const { rows } = await sql<{ appointments: bigint; bookings: bigint }>`select (select count(*) from booking) as bookings,
      (select count(*) from resource r join booking b on b.id = r.id where r.content like '{"resourceType":"Appointment"%') as appointments`.execute(straight.db)
    expect(Number(rows[0]?.bookings)).toBeGreaterThan(10)
    expect(rows[0]?.appointments).toBe(rows[0]?.bookings)
  })

  test('has an account for everyone of the demo, tied to somebody who is there', async () => {
    const rows = await straight.db.selectFrom('account').innerJoin('account_role as r', 'r.account_id', 'account.id')
      .select(['login', 'display_name', 'r.role', 'r.patient', 'r.practitioner', 'r.organization']).orderBy('login').execute()
    expect(rows.filter((row) => row.login === 'doctor2')).toHaveLength(2)
    expect(rows.find((row) => row.login === 'citizen')).toMatchObject({ display_name: '林晓雯', role: 'citizen' })
    expect(new Set(rows.map((row) => row.login)).size).toBe(11)
    const people = await straight.db.selectFrom('proxy_grant').select(['patient_name', 'relationship'])
      .where('grantee_pid', '=', rows.find((row) => row.login === 'citizen')?.patient ?? '').orderBy('patient_name').execute()
    expect(people).toEqual([{ patient_name: '周沐阳', relationship: 'SON' }, { patient_name: '林国强', relationship: 'FTH' }])
  })

  test('enrols its people at the centre of their region', async () => {
    const { rows } = await sql<{ n: bigint }>`select count(*) as n from enrolment`.execute(shanghai.db)
    expect(Number(rows[0]?.n)).toBeGreaterThan(75)
  })

  test('gives each centre its catalogue, and the neighbour the filings of its people who live here', async () => {
    const seen = await Promise.all([shanghai, suzhou].map(async ({ db }) => {
      const { rows } = await sql<{ items: bigint; filings: bigint; people: bigint; current: bigint }>`select (select count(*) from catalogue_item) as items,
        (select count(*) from filing where region = '310000' and kind = 'long-term') as filings, (select count(*) from insured_person) as people,
        (select coalesce(sum(account_current_fen), 0)::int8 from insured_person where region = '320500') as current`.execute(db)
      return rows[0]
    }))
    expect(seen[0]?.items).toBe(seen[1]?.items)
    expect(Number(seen[0]?.items)).toBeGreaterThan(50)
    expect([seen[0]?.filings, seen[1]?.current]).toEqual([0n, 0n])
    expect(Number(seen[1]?.people) > 0 && Number(seen[1]?.filings) <= Number(seen[1]?.people)).toBe(true)
  })
})
