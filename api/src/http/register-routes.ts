/**
 * Registration of a citizen with their real name: ID number, name and a card (records/prove-person.ts) must all agree with the person
 * index; then the account is bound to that Patient, and to no other account. Which of them was wrong is not said, and attempts are
 * slowed down like sign-ins, so that nobody looks people up here. Source: domain table of identifiers, PIPL art. 28.
 */
import { Hono } from 'hono'
import { z } from 'zod'
import { type AccountRow, chooseRole, createAccounts, normaliseLogin, readAccount } from '../access/accounts.ts'
import { passwordFault } from '../access/password-policy.ts'
import { platform } from '../access/principal.ts'
import { countAttempt, countersOf, forgiveAttempt } from '../access/sign-in-throttle.ts'
import { recordEvents } from '../audit/record-event.ts'
import { makeCtx } from '../ctx.ts'
import { hashPassword } from '../crypto.ts'
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
import { enter } from './sign-in.ts'

export const registerBody = z.object({
  login: z.string().min(3).max(60), password: z.string().min(1).max(200), name: z.string().min(1).max(100), residentId: z.string().min(1).max(40), card: z.string().min(1).max(40),
})

export function registerRoutes(services: Services): Hono<AppEnv> {
  const { db, config } = services
  return new Hono<AppEnv>().post('/register', async (c) => {
    const asked = await readJson(c, registerBody)
    const ctx = c.get('ctx')
    const login = normaliseLogin(asked.login)
    const residentId = normalizeResidentId(asked.residentId)
    if (!/^[\p{L}\p{N}._-]{3,60}$/u.test(login) || /^1\d{10}$/.test(login)) {
      throw fail('parameter-invalid', { zh: '账号须为 3 到 60 个字母、汉字或数字，不能是手机号。', en: 'The account needs 3 to 60 letters or digits and must not be a phone number.' }, 'login')
    }
    const fault = residentIdFault(residentId, { allowFictitiousRegion: !config.production, today: dayInShanghai(ctx.now) })
    if (fault) throw fail('parameter-invalid', residentIdFaults[fault], 'residentId')
    const weak = passwordFault(asked.password, [login, asked.name, residentId])
    if (weak) throw weak
    const counters = countersOf({ login: `register ${residentId}`, network: placeOf(c, config.trustedProxies).network, device: null, knownDevice: false })
    await countAttempt(db, ctx.now, counters)
    const patient = await provedPatient(services, makeCtx(platform, { now: ctx.now }), { residentId, name: asked.name, card: asked.card })
    const id = ctx.newId(null)
    const passwordHash = await hashPassword(asked.password)
    await inTransaction(db, async (trx) => createAccounts(trx, [{
      id, login, passwordHash, displayName: asked.name.normalize('NFKC').trim(), demo: false, proof: 'register',
      roles: [{ role: 'citizen', patient: patient.id ?? '', practitioner: null, organization: null, organizationName: null }],
    }], ctx.now))
    await forgiveAttempt(db, counters)
    const account: AccountRow = await readAccount(db, id)
    const person = await chooseRole(db, account, { role: 'citizen', organization: null })
    if (Array.isArray(person)) throw new Error('A new account has one role.')
    await recordEvents(db, { ...ctx, principal: person }, [{ action: 'C', interaction: 'register', resourceType: 'Patient', resourceId: patient.id ?? null, pid: keyOf(patient.id ?? ''), detail: 'register', outcome: 201 }])
    return c.json(await enter(services, c, account, person, 'password'), 201)
  })
}
