/**
 * `/api/booking/waits`, `/standing`, `/appeals`: the waitlist and missed visits, for the patient or those who act for them, and for the desk;
 * `/api/booking/draws` and `/draws/[schedule]`: draws, for everybody; `/draw-tickets`: the patient's own. Shapes: booking/shapes.ts.
 */
import { Hono } from 'hono'
import { mayActFor } from '../access/acts-for.ts'
import { listDraws, listTickets, readDraw } from '../booking/read-draw.ts'
import { openAppeals, readStanding, readWaits } from '../booking/read-waits.ts'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { forbidden, notFound } from '../fhir/outcome.ts'
import type { Services } from '../services.ts'
import type { Db } from '../storage/pool.ts'
import type { AppEnv } from './auth.ts'

const noStore = { 'Cache-Control': 'no-store' }
/** The city whose numbers count. */
const cityDistrict = '310000'

export function waitingRoutes({ db }: Pick<Services, 'db'>): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get('/booking/waits', async (c) => c.json(await readWaits(db, c.get('ctx'), await patientKey(db, c.get('ctx'), c.req.query('patient') ?? null)), 200, noStore))
    .get('/booking/standing', async (c) => c.json(await readStanding(db, c.get('ctx'), await patientKey(db, c.get('ctx'), c.req.query('patient') ?? null), cityDistrict), 200, noStore))
    .get('/booking/draws', async (c) => c.json(await listDraws(db, c.get('ctx'), c.req.query('department') ?? null), 200, noStore))
    .get('/booking/draw-tickets', async (c) => c.json(await listTickets(db, await patientKey(db, c.get('ctx'), c.req.query('patient') ?? null)), 200, noStore))
    .get('/booking/draws/:schedule{[0-9a-f-]{36}}', async (c) => {
      const draw = await readDraw(db, c.req.param('schedule'))
      if (!draw) throw notFound(`Schedule/${c.req.param('schedule')}`)
      return c.json(draw, 200, noStore)
    })
    .get('/booking/appeals', async (c) => {
      const { principal } = c.get('ctx')
      if (principal.kind !== 'person' || principal.role !== 'scheduler' || principal.organization === null) throw forbidden()
      return c.json(await openAppeals(db, principal.organization), 200, noStore)
    })
}

/** @throws OutcomeError `forbidden` for a patient the caller does not act for. */
async function patientKey(db: Db, ctx: Ctx, patient: string | null): Promise<string> {
  const { principal } = ctx
  const id = patient ?? principal.patient
  if (principal.kind !== 'person' || principal.role !== 'citizen' || id === null || !await mayActFor(db, ctx, keyOf(id))) throw forbidden()
  return keyOf(id)
}
