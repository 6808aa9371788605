/**
 * Registration of a citizen with their real name: ID number, name and social-security card must all agree with the person
 * index; then the account is bound to that Patient, and to no other account. Which of them was wrong is not said, and attempts are
 * slowed down like sign-ins, so that nobody looks people up here. Source: domain table of identifiers, PIPL art. 28.
 */
import type { Patient } from '@medplum/fhirtypes'
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
import { normalizeResidentId, residentIdFault, residentIdFaults, residentIdSystem } from '../fhir/resident-id.ts'
import { resourceOf } from '../records/content.ts'
import { search } from '../records/search/search.ts'
import type { Services } from '../services.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { AppEnv } from './auth.ts'
import { readJson } from './json-body.ts'
import { placeOf } from './place.ts'
import { enter } from './sign-in.ts'

const socialCardSystem = 'urn:x-sh:ssc'
const registerBody = z.object({
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
    const patient = await provedPatient(services, { residentId, name: asked.name, card: asked.card })
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

/** The one Patient of the index with this ID, name and card. @throws OutcomeError `account-unproven`. */
async function provedPatient(services: Services, claim: { residentId: string; name: string; card: string }): Promise<Patient> {
  const ctx = makeCtx(platform, { now: services.now() })
  const { matches } = await search(services.db, ctx, services.store, 'Patient', new URLSearchParams({ identifier: `${residentIdSystem}|${claim.residentId}`, _count: '2' }))
  const [patient, second] = matches.map((match) => resourceOf<Patient>(match))
  const named = patient?.name?.some((each) => plainName(each.text ?? `${each.family ?? ''}${each.given?.join('') ?? ''}`) === plainName(claim.name))
  const carded = patient?.identifier?.some((each) => each.system === socialCardSystem && each.value !== undefined && plainCard(each.value) === plainCard(claim.card))
  if (!patient || second || !named || !carded || patient.active === false) {
    throw fail('account-unproven', { zh: '身份证号、姓名和社保卡号与登记的不一致，请核对。', en: 'ID number, name and card number do not match the register. Please check them.' })
  }
  return patient
}

/** Spaces and the middle dots of long names are written in many ways. */
function plainName(name: string): string {
  return name.normalize('NFKC').replaceAll(/[\s·•・.]/g, '').toLowerCase()
}

function plainCard(card: string): string {
  return card.normalize('NFKC').replaceAll(/[\s-]/g, '').toUpperCase()
}
