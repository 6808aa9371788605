/**
 * `/api/messages`: how a person is reminded and, in the demonstration, what their telephone and app received; for the person and who acts
 * for them. `/counts` is for the system administrator: figures, nobody's name. Shapes: notices/shapes.ts.
 */
import { Hono } from 'hono'
import { z } from 'zod'
import { mayActFor } from '../access/acts-for.ts'
import { countSent, markSentRead } from '../booking/send-reminders.ts'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { forbidden, notFound } from '../fhir/outcome.ts'
import { contactPreference, setContactPreference } from '../notices/contact-preference.ts'
import { markMessageRead, readMessages } from '../notices/demo-inbox.ts'
import type { Services } from '../services.ts'
import type { Db } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { AppEnv } from './auth.ts'
import { readJson } from './json-body.ts'

const noStore = { 'Cache-Control': 'no-store' }
export const preferenceBody = z.strictObject({ channels: z.array(z.enum(['app', 'sms', 'phone'])).max(3), language: z.enum(['zh', 'en']) })

export function messageRoutes({ db }: Pick<Services, 'db'>): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get('/messages', async (c) => c.json(await readMessages(db, await personKey(db, c.get('ctx'), c.req.query('patient'))), 200, noStore))
    .get('/messages/counts', async (c) => {
      if (c.get('ctx').principal.role !== 'admin-system') throw forbidden()
      return c.json(await countSent(db, c.get('ctx')), 200, noStore)
    })
    .get('/messages/preference', async (c) => c.json(await contactPreference(db, await personKey(db, c.get('ctx'), c.req.query('patient'))), 200, noStore))
    .put('/messages/preference', async (c) => {
      const wish = await readJson(c, preferenceBody)
      const pid = await personKey(db, c.get('ctx'), c.req.query('patient'))
      await inTransaction(db, (trx) => setContactPreference(trx, c.get('ctx'), pid, wish))
      return c.json(await contactPreference(db, pid), 200, noStore)
    })
    .post('/messages/:id{[0-9a-f-]{36}}/read', async (c) => {
      const pid = await personKey(db, c.get('ctx'), c.req.query('patient'))
      const id = c.req.param('id')
      await inTransaction(db, async (trx) => {
        if (!await markMessageRead(trx, c.get('ctx'), pid, id)) throw notFound(id)
        await markSentRead(trx, c.get('ctx'), id)
      })
      return c.json(await readMessages(db, pid), 200, noStore)
    })
}

/** Key of the caller, or of a patient they act for. @throws OutcomeError `forbidden`. */
async function personKey(db: Db, ctx: Ctx, patient: string | undefined): Promise<string> {
  const { principal } = ctx
  const id = patient ?? principal.patient
  if (principal.kind !== 'person' || principal.role !== 'citizen' || id === null || !await mayActFor(db, ctx, keyOf(id))) throw forbidden()
  return keyOf(id)
}
