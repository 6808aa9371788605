/** `/api/booking/referrals` for those who have a part in a referral, `/api/booking/referral-paper` for whoever holds its code and PIN. Shapes: booking/referral/shapes.ts. */
import { Hono } from 'hono'
import { z } from 'zod'
import { mayActFor } from '../access/acts-for.ts'
import { signInRequired } from '../access/may-write.ts'
import { openByPin } from '../booking/referral/pin.ts'
import { readPaper, readReferrals } from '../booking/referral/read-referrals.ts'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { fail, forbidden } from '../fhir/outcome.ts'
import type { Services } from '../services.ts'
import type { Db } from '../storage/pool.ts'
import type { AppEnv } from './auth.ts'
import { readJson } from './json-body.ts'

const noStore = { 'Cache-Control': 'no-store' }
const role = z.enum(['gp', 'department', 'office', 'patient'])
export const paperBody = z.strictObject({ code: z.string().min(1).max(40), pin: z.string().min(1).max(20) })

export function referralRoutes({ db }: Pick<Services, 'db'>): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get('/booking/referrals', async (c) => {
      const as = role.safeParse(c.req.query('as') ?? 'patient')
      if (!as.success) throw fail('parameter-invalid', { zh: 'as 应为 gp、department、office 或 patient。', en: 'as is one of gp, department, office, patient.' }, 'as')
      const pid = as.data === 'patient' ? await patientKey(db, c.get('ctx'), c.req.query('patient') ?? null) : null
      return c.json(await readReferrals(db, c.get('ctx'), as.data, pid), 200, noStore)
    })
    .post('/booking/referral-paper', async (c) => {
      const ctx = c.get('ctx')
      if (ctx.principal.kind === 'anonymous') throw signInRequired()
      return c.json(await readPaper(db, ctx, await openByPin(db, ctx, await readJson(c, paperBody))), 200, noStore)
    })
}

/** @throws OutcomeError `forbidden` for a patient the caller does not act for. */
async function patientKey(db: Db, ctx: Ctx, patient: string | null): Promise<string> {
  const { principal } = ctx
  const id = patient ?? principal.patient
  if (principal.kind !== 'person' || principal.role !== 'citizen' || id === null || !await mayActFor(db, ctx, keyOf(id))) throw forbidden()
  return keyOf(id)
}
