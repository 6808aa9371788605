/**
 * `/api/booking/queue/…`: calling patients in (the doctor, the desk) and one's own place in the queue (the patient or who acts for
 * them); `/arrivals`: check-in at the machine or the desk; `/hall`: the numbers of a waiting hall, for everybody. Shapes: booking/shapes.ts.
 */
import { Hono } from 'hono'
import { z } from 'zod'
import { mayActFor } from '../access/acts-for.ts'
import { checkInAtDesk } from '../booking/check-in-desk.ts'
import { callNext, placeInQueue, readQueue, skipCalled } from '../booking/queue.ts'
import { readHall } from '../booking/read-hall.ts'
import { keyOf } from '../fhir/id.ts'
import { fail, notFound } from '../fhir/outcome.ts'
import type { Services } from '../services.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { AppEnv } from './auth.ts'
import { readJson } from './json-body.ts'

const noStore = { 'Cache-Control': 'no-store' }
const schedule = ':schedule{[0-9a-f-]{36}}'
export const arrivalBody = z.strictObject({ code: z.string().max(120).nullish().transform((each) => each || null), name: z.string().min(1).max(120), document: z.string().min(1).max(60) })
export const skipBody = z.strictObject({ appointment: z.string().min(1).max(64) })

export function queueRoutes({ db, store }: Pick<Services, 'db' | 'store'>): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get(`/booking/queue/${schedule}`, async (c) => c.json(await readQueue(db, c.get('ctx'), c.req.param('schedule')), 200, noStore))
    .post(`/booking/queue/${schedule}/call`, async (c) => {
      const called = await inTransaction(db, (trx) => callNext(trx, c.get('ctx'), store, c.req.param('schedule')))
      return c.json({ called: called?.id ?? null }, 200, noStore)
    })
    .post(`/booking/queue/${schedule}/skip`, async (c) => {
      const { appointment } = await readJson(c, skipBody)
      await inTransaction(db, (trx) => skipCalled(trx, c.get('ctx'), store, c.req.param('schedule'), appointment))
      return c.json(await readQueue(db, c.get('ctx'), c.req.param('schedule')), 200, noStore)
    })
    .post('/booking/arrivals', async (c) => {
      const wish = await readJson(c, arrivalBody)
      return c.json(await inTransaction(db, (trx) => checkInAtDesk(trx, c.get('ctx'), store, wish)), 200, noStore)
    })
    .get('/booking/hall', async (c) => {
      const { organization, department = null } = c.req.query()
      if (!organization) throw fail('parameter-invalid', { zh: '请给出医院 organization。', en: 'Give the organization of a hospital.' }, 'organization')
      const screen = await readHall(db, c.get('ctx'), organization, department)
      if (!screen) throw notFound('Organization')
      return c.json(screen, 200, { 'Cache-Control': 'public, max-age=2' })
    })
    .get('/booking/queue-place', async (c) => {
      const id = c.req.query('appointment') ?? ''
      const row = await db.selectFrom('booking').select(['id', 'pid']).where('id', '=', keyOf(id)).executeTakeFirst()
      // Somebody else's appointment is not there.
      if (!row || !await mayActFor(db, c.get('ctx'), row.pid)) throw notFound(`Appointment/${id.slice(0, 64)}`)
      return c.json(await placeInQueue(db, c.get('ctx'), row.id), 200, noStore)
    })
}
