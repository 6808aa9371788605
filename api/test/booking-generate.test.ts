import { expect, test } from 'vitest'
import { generateSessions, insertTemplates, organizationShard, registerProviders } from '../src/booking/generate-sessions.ts'
import { inTransaction } from '../src/storage/transaction.ts'
import { clinicTemplate, hospital, plainNumbers } from './support/booking-data.ts'
import { testDatabase } from './support/database.ts'

const { db } = await testDatabase()

test('a weekly pattern becomes one session a matching day, and a second run adds nothing', async () => {
  await plainNumbers(db)
  await inTransaction(db, async (trx) => {
    await registerProviders(trx, [hospital()])
    await insertTemplates(trx, [clinicTemplate({ weekday: 1 }), clinicTemplate({ weekday: 3, half: 'pm', start_time: '13:30', end_time: '16:45', segment_minutes: 30, capacity: 21 })])
  })
  // 2026-11-23 is a Monday.
  expect(await generateSessions(db, '2026-11-23', 14)).toBe(4)
  expect(await generateSessions(db, '2026-11-20', 17)).toBe(0)
  const sessions = await db.selectFrom('clinic_session').selectAll().orderBy('start_at').execute()
  expect(sessions.map((each) => [each.service_date, each.start_at, each.end_at, each.segments, each.release_at])).toEqual([
    ['2026-11-23', '2026-11-23T00:00:00.000Z', '2026-11-23T04:00:00.000Z', 8, '2026-11-08T23:00:00.000Z'],
    ['2026-11-25', '2026-11-25T05:30:00.000Z', '2026-11-25T08:45:00.000Z', 7, '2026-11-10T23:00:00.000Z'],
    ['2026-11-30', '2026-11-30T00:00:00.000Z', '2026-11-30T04:00:00.000Z', 8, '2026-11-15T23:00:00.000Z'],
    ['2026-12-02', '2026-12-02T05:30:00.000Z', '2026-12-02T08:45:00.000Z', 7, '2026-11-17T23:00:00.000Z'],
  ])
})

test('a session id is a UUIDv7 that carries the day and the shard of its hospital', async () => {
  const { id, shard } = await db.selectFrom('clinic_session').select(['id', 'shard']).orderBy('start_at').limit(1).executeTakeFirstOrThrow()
  expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/)
  expect(Number.parseInt(id.replace('-', '').slice(0, 12), 16)).toBe(Date.parse('2026-11-23T00:00:00+08:00'))
  expect(Number.parseInt(id.slice(15, 18), 16)).toBe(organizationShard(hospital().organization))
  expect(shard).toBe(organizationShard(hospital().organization))
})
