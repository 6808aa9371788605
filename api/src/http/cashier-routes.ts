/**
 * /api/desk and what a bill needs at the desk: work, money, filings, days and months. Settling and reversing are FHIR operations.
 */
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { filingTypes } from '../fhir/clearing-message.ts'
import { dayInShanghai, isDate } from '../fhir/date-time.ts'
import { isFhirId } from '../fhir/id.ts'
import { fail, notFound } from '../fhir/outcome.ts'
import type { Services } from '../services.ts'
import { actOnDifference, closeDay, deskOf, readDay, readWork } from '../settlement/desk.ts'
import { fileAhead, fileTreatment, readAhead, reimbursementPacket } from '../settlement/filing.ts'
import { takePayment } from '../settlement/payments.ts'
import { closeMonth, readMonth } from '../settlement/reconcile/months.ts'
import { takeBackNow, uploadNow } from '../settlement/upload-details.ts'
import type { AppEnv } from './auth.ts'
import { readJson } from './json-body.ts'

const fen = z.number().int().min(1).max(100_000_000_00)
export const paymentBody = z.strictObject({
  kind: z.enum(['payment', 'refund', 'deposit', 'deposit-refund']), channel: z.enum(['cash', 'card', 'mobile', 'deposit']), amountFen: fen,
  reference: z.string().max(64).nullish(),
})
export const filingBody = z.strictObject({ type: z.enum(filingTypes) })
const count = z.number().int().min(-100_000_000_00).max(100_000_000_00)
export const countedBody = z.strictObject({ cash: count, card: count, mobile: count })
export const actBody = z.discriminatedUnion('action', [z.strictObject({ action: z.literal('take') }), z.strictObject({ action: z.enum(['sign-off', 'post']), reason: z.string().trim().min(4).max(500) })])

const fresh = { 'Cache-Control': 'no-store' }

export function cashierRoutes({ db, store, gateway }: Pick<Services, 'db' | 'store' | 'gateway'>): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .post('/bills/:encounter/payments', async (c) => {
      const encounter = c.req.param('encounter')
      if (!isFhirId(encounter)) throw notFound('Encounter')
      const { kind, channel, amountFen, reference } = await readJson(c, paymentBody)
      return c.json(await takePayment({ db, store }, c.get('ctx'), encounter, { kind, channel, amountFen: BigInt(amountFen), reference: reference ?? null }, c.req.header('Idempotency-Key') ?? null), 201, fresh)
    })
    .post('/bills/:encounter/filing', async (c) => {
      const encounter = c.req.param('encounter')
      if (!isFhirId(encounter)) throw notFound('Encounter')
      return c.json(await fileTreatment({ db, store, gateway }, c.get('ctx'), encounter, (await readJson(c, filingBody)).type), 201, fresh)
    })
    .post('/bills/:encounter/details', async (c) => {
      const encounter = c.req.param('encounter')
      if (!isFhirId(encounter)) throw notFound('Encounter')
      return c.json(await uploadNow({ db, gateway }, c.get('ctx'), encounter), 200, fresh)
    })
    .post('/bills/:encounter/details/take-back', async (c) => {
      const encounter = c.req.param('encounter')
      if (!isFhirId(encounter)) throw notFound('Encounter')
      return c.json(await takeBackNow({ db, gateway }, c.get('ctx'), encounter), 200, fresh)
    })
    .get('/appointments/:appointment/filing', async (c) => {
      const appointment = c.req.param('appointment')
      if (!isFhirId(appointment)) throw notFound('Appointment')
      return c.json(await readAhead(db, c.get('ctx'), appointment), 200, fresh)
    })
    .post('/appointments/:appointment/filing', async (c) => {
      const appointment = c.req.param('appointment')
      if (!isFhirId(appointment)) throw notFound('Appointment')
      return c.json(await fileAhead({ db, store, gateway }, c.get('ctx'), appointment, (await readJson(c, filingBody)).type), 201, fresh)
    })
    .get('/bills/:encounter/packet', async (c) => {
      const encounter = c.req.param('encounter')
      if (!isFhirId(encounter)) throw notFound('Encounter')
      return c.json(await reimbursementPacket(db, c.get('ctx'), encounter), 200, { ...fresh, 'Content-Disposition': `attachment; filename="packet-${encounter}.json"` })
    })
    .get('/desk/:organization/work', async (c) => c.json(await readWork(db, c.get('ctx'), organizationOf(c)), 200, fresh))
    .get('/desk/:organization/days/:day', async (c) => c.json(await readDay(db, c.get('ctx'), organizationOf(c), dayOf(c)), 200, fresh))
    .post('/desk/:organization/days/:day/close', async (c) => c.json(await closeDay({ db, store }, c.get('ctx'), organizationOf(c), dayOf(c), await readJson(c, countedBody)), 200, fresh))
    .post('/desk/:organization/differences/:id', async (c) => {
      const id = c.req.param('id')
      if (!/^[0-9a-f-]{36}$/.test(id)) throw notFound('Difference')
      return c.json(await actOnDifference({ db, store, gateway }, c.get('ctx'), organizationOf(c), id, await readJson(c, actBody)), 200, fresh)
    })
    .get('/desk/:organization/months/:month', async (c) => {
      const desk = await deskOf(db, c.get('ctx'), organizationOf(c))
      return c.json(await readMonth(db, { institution: desk.code, organizationId: desk.id, month: c.req.param('month') }), 200, fresh)
    })
    .post('/desk/:organization/months/:month/close', async (c) => {
      const desk = await deskOf(db, c.get('ctx'), organizationOf(c))
      return c.json(await closeMonth({ db, gateway }, c.get('ctx'), { institution: desk.code, organizationId: desk.id, month: c.req.param('month') }), 200, fresh)
    })
}

function organizationOf(c: Context): string {
  const id = c.req.param('organization') ?? ''
  if (!isFhirId(id)) throw notFound('Organization')
  return id
}

/** `today` is the day in the city. Throws OutcomeError parameter-invalid. */
function dayOf(c: Context<AppEnv>): string {
  const day = c.req.param('day') ?? ''
  if (day === 'today') return dayInShanghai(c.get('ctx').now)
  if (!isDate(day) || day.length !== 10) throw fail('parameter-invalid', { zh: '日期须为 YYYY-MM-DD 或 today。', en: 'The day must be YYYY-MM-DD or `today`.' }, 'day')
  return day
}
