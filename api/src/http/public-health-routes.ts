/** /api/public-health: the monthly report of notifiable diseases and its cases. Shapes: records/public-health/shapes.ts. */
import { Hono } from 'hono'
import { notifiableCases, notifiableReport } from '../records/public-health/report.ts'
import type { Services } from '../services.ts'
import type { AppEnv } from './auth.ts'

const noStore = { 'Cache-Control': 'no-store' }

export function publicHealthRoutes({ db }: Pick<Services, 'db'>): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get('/public-health/report', async (c) => c.json(await notifiableReport(db, c.get('ctx'), c.req.query('month') ?? null), 200, noStore))
    .get('/public-health/cases', async (c) => c.json(await notifiableCases(db, c.get('ctx'), c.req.query('month') ?? null), 200, noStore))
}
