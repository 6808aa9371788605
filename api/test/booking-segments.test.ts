import fc from 'fast-check'
import { expect, test } from 'vitest'
import { anonymous } from '../src/access/principal.ts'
import { generateSessions, insertTemplates, registerProviders } from '../src/booking/generate-sessions.ts'
import { segmentOfPlace, segmentsOf } from '../src/booking/segments.ts'
import { slotProjection } from '../src/booking/slot-projection.ts'
import { makeCtx } from '../src/ctx.ts'
import { instantInShanghai } from '../src/fhir/date-time.ts'
import { inTransaction } from '../src/storage/transaction.ts'
import { clinicTemplate, hospital, plainNumbers } from './support/booking-data.ts'
import { testDatabase } from './support/database.ts'

const { db } = await testDatabase()

test('the segments that SQL computes for Slots are those of segments.ts', async () => {
  const ctx = makeCtx(anonymous, { now: new Date('2026-11-23T00:00:00+08:00') })
  await inTransaction(db, (trx) => registerProviders(trx, [hospital()]))
  await fc.assert(fc.asyncProperty(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 5, max: 120 }), fc.integer({ min: 5, max: 59 }), async (capacity, segmentMinutes, endMinute) => {
    await db.deleteFrom('clinic_session').execute()
    await db.deleteFrom('session_template').execute()
    await inTransaction(db, (trx) => insertTemplates(trx, [clinicTemplate({ capacity, segment_minutes: segmentMinutes, end_time: `11:${String(endMinute).padStart(2, '0')}` })]))
    await plainNumbers(db)
    await generateSessions(db, '2026-11-23', 1)
    const session = await db.selectFrom('clinic_session').selectAll().executeTakeFirstOrThrow()
    const { resources } = await slotProjection.search(db, ctx, new URLSearchParams('_count=100'))
    expect(resources.map((each) => each.resourceType === 'Slot' && [each.start, each.end])).toEqual(
      Array.from({ length: capacity }, (_, index) => segmentOfPlace(session, index + 1)).map((each) => [instantInShanghai(each.start), instantInShanghai(each.end)]),
    )
    expect(segmentsOf(session).at(-1)?.lastPlace).toBe(capacity)
  }), { numRuns: 30 })
})
