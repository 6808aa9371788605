/**
 * Sign-in of people for the portal: password, second factor where one is set up, role → session cookie. And sign-out, here, or
 * asked for by an app (OpenID Connect RP-Initiated Logout, on our own page). Shapes: access/shapes.ts.
 */
import { type Context, Hono } from 'hono'
import { decodeJwt } from 'jose'
import { z } from 'zod'
import { type AccountRow, assertPasswordCounts, checkPassword, chooseRole, initialPasswordUntil, normaliseLogin } from '../access/accounts.ts'
import { findApp } from '../access/apps.ts'
import { signInRequired } from '../access/may-write.ts'
import { peopleOf } from '../access/people.ts'
import type { Principal } from '../access/principal.ts'
import { factorState, takeSecondFactor } from '../access/second-factor.ts'
import { endSessions, openPortalSession, type SessionRow } from '../access/sessions.ts'
import type { ChooseRole, GiveCode, Me, SignedOut } from '../access/shapes.ts'
import { countAttempt, countersOf, forgiveAttempt, isKnownDevice, rememberDevice } from '../access/sign-in-throttle.ts'
import { issueToken, personTokenMinutes } from '../access/tokens.ts'
import { recordEvents } from '../audit/record-event.ts'
import { demoAccounts, demoCode } from '../catalogue/demo-accounts.ts'
import type { Ctx } from '../ctx.ts'
import { newSecret } from '../crypto.ts'
import { instantInShanghai } from '../fhir/date-time.ts'
import type { Services } from '../services.ts'
import { inTransaction } from '../storage/transaction.ts'
import { type AppEnv, clearSession, deviceOf, setDevice, setSession } from './auth.ts'
import { readJson } from './json-body.ts'
import { placeOf } from './place.ts'
import { workplaces } from './workplaces.ts'

export const signInBody = z.object({
  login: z.string().min(1).max(100), password: z.string().min(1).max(200), code: z.string().max(40).optional(),
  role: z.string().max(40).optional(), organization: z.string().max(64).optional(),
})
export const signOutBody = z.object({ idTokenHint: z.string().max(8192).optional(), redirectUri: z.string().max(2048).optional(), state: z.string().max(1024).optional() })

export function signInRoutes(services: Services): Hono<AppEnv> {
  const { db, config, factors } = services
  return new Hono<AppEnv>()
    .get('/settings', (c) => c.json({ demo: !config.production, accounts: config.production ? [] : demoAccounts, demoCode: config.production ? null : demoCode }))
    .post('/sign-in', async (c) => {
      const asked = await readJson(c, signInBody)
      const ctx = c.get('ctx')
      const login = normaliseLogin(asked.login)
      const device = deviceOf(c)
      const counters = countersOf({ login, network: placeOf(c, config.trustedProxies).network, device, knownDevice: await isKnownDevice(db, login, device) })
      await countAttempt(db, ctx.now, counters)
      const account = await checkPassword(db, login, asked.password)
      assertPasswordCounts(account, ctx.now)
      const needsCode = factorState(factors, account) === 'on'
      // The attempt stays counted until the code is right too: a known password must not buy endless guesses of codes.
      if (needsCode && asked.code === undefined) return c.json({ secondFactor: true } satisfies GiveCode)
      if (needsCode) await takeSecondFactor(db, ctx, factors, account.id, asked.code ?? '')
      const found = await chooseRole(db, account, { role: asked.role ?? null, organization: asked.organization ?? null })
      if (Array.isArray(found)) {
        if (!needsCode) await forgiveAttempt(db, counters)
        const names = await workplaces(db, found)
        return c.json({ choose: found.map((each, index) => ({ ...each, workplace: names[index] ?? null })) } satisfies ChooseRole)
      }
      await forgiveAttempt(db, counters)
      return c.json(await enter(services, c, account, found, needsCode ? 'second-factor' : 'password'))
    })
    .post('/sign-out', async (c) => {
      const asked = await readJson(c, signOutBody)
      const { principal, now } = c.get('ctx')
      if (principal.sessionId !== null) {
        const account = principal.id
        for (const id of await inTransaction(db, (trx) => endSessions(trx, now, { account, ids: [principal.sessionId ?? ''] }, 'sign-out'))) services.sessions.forget(id)
      }
      clearSession(c, config.production)
      return c.json({ location: await returnAddress(services, asked) } satisfies SignedOut)
    })
    .get('/me', async (c) => {
      if (c.get('ctx').principal.kind !== 'person') throw signInRequired()
      return c.json(await meOf(services, c.get('ctx')))
    })
}

/** Opens the session of a person who has proved themselves, on this browser. */
export async function enter(services: Services, c: Context<AppEnv>, account: Pick<AccountRow, 'id'>, person: Principal, level: SessionRow['auth_level']): Promise<Me> {
  const { db, config, authority } = services
  const at = { ...c.get('ctx'), principal: person }
  const sessionId = await openPortalSession(db, at, level, placeOf(c, config.trustedProxies))
  const ctx: Ctx = { ...at, principal: { ...person, sessionId, authLevel: level, authAt: at.now.toISOString() } }
  setSession(c, await issueToken(authority, ctx.principal, ctx.now, personTokenMinutes, ctx.newId(null)), config.production)
  const device = deviceOf(c) ?? newSecret()
  await rememberDevice(db, ctx.now, account.id, device)
  setDevice(c, device, config.production)
  await recordEvents(db, ctx, [{ action: 'E', interaction: 'sign-in', resourceType: null, resourceId: null, pid: null, detail: level, outcome: 200 }])
  return meOf(services, ctx)
}

/** Where an app that asked for the sign-out gets the person back: an address it registered; null without a valid wish. */
async function returnAddress(services: Services, asked: z.infer<typeof signOutBody>): Promise<string | null> {
  if (asked.redirectUri === undefined || asked.idTokenHint === undefined) return null
  let audience: unknown
  try {
    audience = decodeJwt(asked.idTokenHint).aud
  } catch {
    return null
  }
  const app = typeof audience === 'string' ? await findApp(services.db, audience) : null
  if (!app?.post_logout_redirect_uris.includes(asked.redirectUri)) return null
  const url = new URL(asked.redirectUri)
  if (asked.state !== undefined) url.searchParams.set('state', asked.state)
  return url.href
}

async function meOf(services: Services, ctx: Ctx): Promise<Me> {
  const person: Principal = ctx.principal
  const [workplace = null] = await workplaces(services.db, [person])
  const initial = person.role === 'citizen' ? null : await initialPasswordUntil(services.db, person.id)
  return {
    name: person.name,
    role: person.role ?? 'citizen',
    patient: person.patient, practitioner: person.practitioner,
    organization: person.organization, organizationName: person.organizationName, workplace,
    people: person.patient === null ? [] : await peopleOf(services.db, ctx, person.patient),
    passwordUntil: initial === null ? null : instantInShanghai(initial),
    now: instantInShanghai(ctx.now),
  }
}
