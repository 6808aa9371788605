/** /api/bills: what a visit costs and who pays what. Settling itself is FHIR: `POST /fhir/Claim/$submit`. */
import { Hono } from 'hono'
import { isFhirId } from '../fhir/id.ts'
import { fail, notFound } from '../fhir/outcome.ts'
import type { Services } from '../services.ts'
import { listBills, listBillsAt, readBill } from '../settlement/read-bill.ts'
import type { AppEnv } from './auth.ts'

export function settlementRoutes({ db, store, gateway }: Pick<Services, 'db' | 'store' | 'gateway'>): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get('/bills', async (c) => {
      const ctx = c.get('ctx')
      const organization = c.req.query('organization')
      if (organization !== undefined) return c.json(await listBillsAt(db, ctx, organization), 200, { 'Cache-Control': 'no-store' })
      const patient = c.req.query('patient') ?? ctx.principal.patient
      if (patient === null || !isFhirId(patient)) throw fail('parameter-invalid', { zh: '参数 patient 须为患者编号。', en: 'Parameter patient must be the id of a patient.' }, 'patient')
      return c.json(await listBills(db, ctx, patient), 200, { 'Cache-Control': 'no-store' })
    })
    .get('/bills/:encounter', async (c) => {
      const encounter = c.req.param('encounter')
      const estimate = c.req.query('estimate')
      if (!isFhirId(encounter)) throw notFound('Encounter')
      if (estimate !== undefined && estimate !== '0' && estimate !== '1') throw fail('parameter-invalid', { zh: '参数 estimate 须为 0 或 1。', en: 'Parameter estimate must be 0 or 1.' }, 'estimate')
      return c.json(await readBill({ db, store, gateway }, c.get('ctx'), encounter, { estimate: estimate === '1' }), 200, { 'Cache-Control': 'no-store' })
    })
}
