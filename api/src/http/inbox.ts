/** `/api/notices`: the inbox of a citizen or somebody they act for, of a doctor, of the hospital of a scheduler. Shapes: notices/shapes.ts. */
import { Hono } from 'hono'
import { mayActFor } from '../access/acts-for.ts'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { forbidden } from '../fhir/outcome.ts'
import { markNoticesRead, readNotices, type Recipient } from '../notices/read-notices.ts'
import type { Services } from '../services.ts'
import type { Db } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { AppEnv } from './auth.ts'

export function inboxRoutes({ db }: Pick<Services, 'db'>): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get('/notices', async (c) => {
      const recipient = await recipientOf(db, c.get('ctx'), c.req.query('patient') ?? null)
      return c.json(await readNotices(db, c.get('ctx'), recipient), 200, { 'Cache-Control': 'no-store' })
    })
    .post('/notices/read', async (c) => {
      const recipient = await recipientOf(db, c.get('ctx'), c.req.query('patient') ?? null)
      return c.json({ read: await inTransaction(db, (trx) => markNoticesRead(trx, c.get('ctx'), recipient)) })
    })
}

/** Whose inbox is read: `patient` is one the caller is or acts for; null: the caller's own. @throws OutcomeError `forbidden`. */
async function recipientOf(db: Db, ctx: Ctx, patient: string | null): Promise<Recipient> {
  const { principal } = ctx
  if (principal.kind !== 'person') throw forbidden()
  if (principal.role === 'citizen') {
    const id = patient ?? principal.patient
    if (id === null || !await mayActFor(db, ctx, keyOf(id))) throw forbidden()
    return { kind: 'patient', id }
  }
  if (patient !== null) throw forbidden()
  if (principal.practitioner !== null) return { kind: 'practitioner', id: principal.practitioner }
  if (principal.role === 'scheduler' && principal.organization !== null) return { kind: 'organization', id: principal.organization }
  throw forbidden()
}
