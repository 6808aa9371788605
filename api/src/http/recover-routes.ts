/**
 * A citizen who has forgotten the password sets a new one by the proof that registration asks for. The answer is the same whether there is an
 * account or not: only who proves to be the citizen gets it, and it says nothing of an account. All sessions and apps end; a second factor stays
 * asked for. Accounts that hold any other role are left alone: staff go to a desk. Attempts are counted together with those of registration.
 */
import { Hono } from 'hono'
import { z } from 'zod'
import { replacePassword } from '../access/accounts.ts'
import { passwordFault } from '../access/password-policy.ts'
import { platform } from '../access/principal.ts'
import { endSessions } from '../access/sessions.ts'
import { countAttempt, countersOf, forgiveAttempt } from '../access/sign-in-throttle.ts'
import { recordEvents } from '../audit/record-event.ts'
import { hashPassword } from '../crypto.ts'
import { makeCtx } from '../ctx.ts'
import { dayInShanghai } from '../fhir/date-time.ts'
import { keyOf } from '../fhir/id.ts'
import { fail } from '../fhir/outcome.ts'
import { normalizeResidentId, residentIdFault, residentIdFaults } from '../fhir/resident-id.ts'
import { provedPatient } from '../records/prove-person.ts'
import type { Services } from '../services.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { AppEnv } from './auth.ts'
import { readJson } from './json-body.ts'
import { placeOf } from './place.ts'

export const recoverBody = z.object({ password: z.string().min(1).max(200), name: z.string().min(1).max(100), residentId: z.string().min(1).max(40), card: z.string().min(1).max(40) })

export function recoverRoutes(services: Services): Hono<AppEnv> {
  const { db, config } = services
  return new Hono<AppEnv>().post('/recover-password', async (c) => {
    const asked = await readJson(c, recoverBody)
    const ctx = c.get('ctx')
    const residentId = normalizeResidentId(asked.residentId)
    const fault = residentIdFault(residentId, { allowFictitiousRegion: !config.production, today: dayInShanghai(ctx.now) })
    if (fault) throw fail('parameter-invalid', residentIdFaults[fault], 'residentId')
    const weak = passwordFault(asked.password, [asked.name, residentId])
    if (weak) throw weak
    const counters = countersOf({ login: `register ${residentId}`, network: placeOf(c, config.trustedProxies).network, device: null, knownDevice: false })
    await countAttempt(db, ctx.now, counters)
    const patient = (await provedPatient(services, makeCtx(platform, { now: ctx.now }), { residentId, name: asked.name, card: asked.card })).id ?? ''
    // Made whether it is needed or not, so that the time says nothing either.
    const passwordHash = await hashPassword(asked.password)
    const ended = await inTransaction(db, async (trx) => {
      const account = await replacePassword(trx, ctx.now, patient, passwordHash)
      await recordEvents(trx, ctx, [{ action: 'U', interaction: 'recover-password', resourceType: 'Patient', resourceId: patient, pid: keyOf(patient), detail: null, outcome: 200 }])
      return account === null ? [] : endSessions(trx, ctx.now, { account }, 'password')
    })
    for (const id of ended) services.sessions.forget(id)
    await forgiveAttempt(db, counters)
    return c.body(null, 204)
  })
}
