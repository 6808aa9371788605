/** /api/emergency-access and /api/audit: opening a record in an emergency, who did, the review of it, and what the log shows. Shapes: access/shapes.ts. */
import { Hono } from 'hono'
import { z } from 'zod'
import { emergencyReasons } from '../access/shapes.ts'
import { isDate } from '../fhir/date-time.ts'
import { isFhirId } from '../fhir/id.ts'
import { fail, notFound } from '../fhir/outcome.ts'
import { reviewAudit } from '../records/audit-review.ts'
import { listEmergencies, openEmergency, reviewEmergency } from '../records/break-glass.ts'
import type { Services } from '../services.ts'
import type { AppEnv } from './auth.ts'
import { readJson } from './json-body.ts'

export const emergencyBody = z.object({ patient: z.string().min(1).max(64), reason: z.enum(emergencyReasons), explanation: z.string().trim().min(10).max(500) })
export const reviewBody = z.object({ verdict: z.enum(['justified', 'unjustified']), note: z.string().trim().max(500).optional() })
const noStore = { 'Cache-Control': 'no-store' }

export function accessRoutes({ db }: Pick<Services, 'db'>): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get('/emergency-access', async (c) => {
      const ctx = c.get('ctx')
      const patient = c.req.query('patient') ?? ctx.principal.patient
      if (patient !== null && !isFhirId(patient)) throw fail('parameter-invalid', { zh: '参数 patient 须为患者编号。', en: 'Parameter patient must be the id of a patient.' }, 'patient')
      return c.json(await listEmergencies(db, ctx, patient), 200, noStore)
    })
    .get('/audit/review', async (c) => {
      const day = c.req.query('day') ?? null
      if (day !== null && !isDate(day)) throw fail('parameter-invalid', { zh: '请给出日期，例如 2026-11-24。', en: 'Give a day, such as 2026-11-24.' }, 'day')
      return c.json(await reviewAudit(db, c.get('ctx'), day), 200, noStore)
    })
    .post('/emergency-access', async (c) => c.json(await openEmergency(db, c.get('ctx'), await readJson(c, emergencyBody)), 201, noStore))
    .post('/emergency-access/:id/review', async (c) => {
      const id = c.req.param('id')
      if (!/^[0-9a-f-]{36}$/.test(id)) throw notFound('emergency-access')
      const { verdict, note } = await readJson(c, reviewBody)
      return c.json(await reviewEmergency(db, c.get('ctx'), id, { verdict, note: note || null }), 200, noStore)
    })
}
