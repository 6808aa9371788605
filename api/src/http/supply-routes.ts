/**
 * `/api/booking/supply`, `/patterns`, `/services`, `/doctors`, `/rooms`, `/releases` and `/calendar/[day]/effects` for the scheduler of a hospital: what there is, what a change
 * would do, and the change. Shapes: booking/shapes.ts.
 */
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { setCalendarDay } from '../booking/calendar.ts'
import { applyCalendarDay, calendarEffects } from '../booking/calendar-effects.ts'
import { changePattern, ownHospital, previewPattern } from '../booking/change-pattern.ts'
import { followUpSession } from '../booking/follow-up.ts'
import { readReleases, readSupply } from '../booking/read-supply.ts'
import { addDoctor, doctorLeaves, titles } from '../booking/doctors.ts'
import { addRoom, closeRoom } from '../booking/rooms.ts'
import { addService, clinicTypes, closeService } from '../booking/services.ts'
import type { Ctx } from '../ctx.ts'
import { fail } from '../fhir/outcome.ts'
import type { Services } from '../services.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { AppEnv } from './auth.ts'
import { readJson } from './json-body.ts'

const noStore = { 'Cache-Control': 'no-store' }
const clock = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/)
const day = z.iso.date()
const id = z.string().min(1).max(64)
const timesBody = z.strictObject({
  weekday: z.number().int().min(1).max(7), half: z.enum(['am', 'pm', 'night']), start: clock, end: clock, room: id,
  capacity: z.number().int().min(1).max(500), segmentMinutes: z.number().int().min(5).max(240), feeFen: z.number().int().min(0).max(1_000_000),
})
export const patternBody = z.strictObject({
  pattern: z.uuid().nullable(), from: day, times: timesBody.nullable(), practitioner: id.nullish().transform((each) => each ?? null), service: id.nullish().transform((each) => each ?? null),
  clinicType: z.enum(clinicTypes).nullish().transform((each) => each ?? null),
})
export const roomBody = z.strictObject({ name: z.strictObject({ zh: z.string().trim().min(1).max(60), en: z.string().trim().min(1).max(120) }) })
export const closeBody = z.strictObject({ room: id, from: day })
export const serviceBody = z.strictObject({ department: id, clinicType: z.enum(clinicTypes) })
export const closeServiceBody = z.strictObject({ service: id, clinicType: z.enum(clinicTypes), from: day })
export const doctorBody = z.strictObject({
  department: id, title: z.enum(titles), practitioner: id.nullish().transform((each) => each ?? null),
  name: z.strictObject({ zh: z.string().trim().min(1).max(60), en: z.string().trim().min(1).max(120) }).nullish().transform((each) => each ?? null),
})
export const leaveBody = z.strictObject({ practitioner: id, department: id, from: day })
export const dayBody = z.strictObject({ asWeekday: z.number().int().min(1).max(7).nullable(), name: z.strictObject({ zh: z.string().min(1).max(40), en: z.string().min(1).max(80) }) })
/** So many sessions are followed up before the answer; the worker does the rest within half a minute. */
const followedAtOnce = 10

export function supplyRoutes({ db, store }: Pick<Services, 'db' | 'store'>): Hono<AppEnv> {
  const followUpAll = async (ctx: Ctx, sessions: readonly string[]) => { for (const each of sessions.slice(0, followedAtOnce)) await followUpSession(db, ctx, store, each) }
  return new Hono<AppEnv>()
    .get('/booking/supply', async (c) => c.json(await readSupply(db, c.get('ctx'), c.req.query('department') ?? null), 200, noStore))
    .get('/booking/releases', async (c) => c.json(await readReleases(db, c.get('ctx')), 200, noStore))
    .post('/booking/patterns/preview', async (c) => c.json(await previewPattern(db, c.get('ctx'), await readJson(c, patternBody)), 200, noStore))
    .post('/booking/patterns', async (c) => {
      const wish = await readJson(c, patternBody)
      const { effects, suspended } = await inTransaction(db, (trx) => changePattern(trx, c.get('ctx'), store, wish))
      await followUpAll(c.get('ctx'), suspended)
      return c.json(effects, 201, noStore)
    })
    .post('/booking/rooms', async (c) => {
      const { name } = await readJson(c, roomBody)
      await inTransaction(db, (trx) => addRoom(trx, c.get('ctx'), store, ownHospital(c.get('ctx')), name))
      return c.json(await readSupply(db, c.get('ctx'), null), 201, noStore)
    })
    .post('/booking/rooms/close', async (c) => {
      const wish = await readJson(c, closeBody)
      await inTransaction(db, (trx) => closeRoom(trx, c.get('ctx'), ownHospital(c.get('ctx')), wish))
      return c.json(await readSupply(db, c.get('ctx'), null), 200, noStore)
    })
    .post('/booking/services', async (c) => {
      const wish = await readJson(c, serviceBody)
      await inTransaction(db, (trx) => addService(trx, c.get('ctx'), store, ownHospital(c.get('ctx')), wish))
      return c.json(await readSupply(db, c.get('ctx'), wish.department), 201, noStore)
    })
    .post('/booking/services/close', async (c) => {
      const wish = await readJson(c, closeServiceBody)
      await inTransaction(db, (trx) => closeService(trx, c.get('ctx'), store, ownHospital(c.get('ctx')), wish))
      return c.json(await readSupply(db, c.get('ctx'), null), 200, noStore)
    })
    .post('/booking/doctors', async (c) => {
      const wish = await readJson(c, doctorBody)
      await inTransaction(db, (trx) => addDoctor(trx, c.get('ctx'), store, ownHospital(c.get('ctx')), wish))
      return c.json(await readSupply(db, c.get('ctx'), wish.department), 201, noStore)
    })
    .post('/booking/doctors/leave', async (c) => {
      const wish = await readJson(c, leaveBody)
      await inTransaction(db, (trx) => doctorLeaves(trx, c.get('ctx'), store, ownHospital(c.get('ctx')), wish))
      return c.json(await readSupply(db, c.get('ctx'), wish.department), 200, noStore)
    })
    .post('/booking/calendar/:day/effects', async (c) => c.json(await calendarEffects(db, ownHospital(c.get('ctx')), await dayWish(c)), 200, noStore))
    .post('/booking/calendar/:day', async (c) => {
      const wish = { ...await dayWish(c), city: false }
      const suspended = await inTransaction(db, async (trx) => {
        await setCalendarDay(trx, c.get('ctx'), wish)
        return applyCalendarDay(trx, c.get('ctx'), ownHospital(c.get('ctx')), wish)
      })
      await followUpAll(c.get('ctx'), suspended)
      return c.json({ suspended: suspended.length }, 201, noStore)
    })
}

/** @throws OutcomeError `parameter-invalid` for what is no day. */
async function dayWish(c: Context): Promise<z.infer<typeof dayBody> & { day: string }> {
  const found = day.safeParse(c.req.param('day'))
  if (!found.success) throw fail('parameter-invalid', { zh: '请给出日期，例如 2026-12-01。', en: 'Give a day, such as 2026-12-01.' }, 'day')
  return { ...await readJson(c, dayBody), day: found.data }
}
