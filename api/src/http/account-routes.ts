/**
 * A person's own account: sessions and apps with access, sign-out everywhere, password, second factor, step-up; and the apps that
 * can be opened from a patient's record. Only from our own portal: an app that acts for someone never gets here.
 */
import { type Context, Hono } from 'hono'
import { z } from 'zod'
import { changePassword, checkPassword, readAccount } from '../access/accounts.ts'
import { findApp, launchableApps, makeLaunch } from '../access/apps.ts'
import { passwordFault } from '../access/password-policy.ts'
import type { Principal } from '../access/principal.ts'
import { beginEnrolment, confirmEnrolment, factorState, removeSecondFactor, takeSecondFactor } from '../access/second-factor.ts'
import { endSessions, type EndedWhy, listSessions, raiseSession } from '../access/sessions.ts'
import type { AccountView, LaunchableApp, OpenSession } from '../access/shapes.ts'
import { countAttempt, countersOf, forgiveAttempt } from '../access/sign-in-throttle.ts'
import { assertStepUp } from '../access/step-up.ts'
import { signInRequired } from '../access/may-write.ts'
import { recordEvents } from '../audit/record-event.ts'
import { instantInShanghai } from '../fhir/date-time.ts'
import { keyOf } from '../fhir/id.ts'
import { notFound } from '../fhir/outcome.ts'
import { resourceOf } from '../records/content.ts'
import { readResource } from '../records/read-resource.ts'
import type { Encounter } from '@medplum/fhirtypes'
import type { Services } from '../services.ts'
import { inTransaction } from '../storage/transaction.ts'
import { type AppEnv, clearSession } from './auth.ts'
import { readJson } from './json-body.ts'
import { placeOf } from './place.ts'
import { workplaces } from './workplaces.ts'

export const passwordBody = z.object({ current: z.string().min(1).max(200), password: z.string().min(1).max(200) })
export const confirmedBody = z.object({ password: z.string().min(1).max(200) })
export const codeBody = z.object({ code: z.string().min(4).max(40) })
export const launchBody = z.object({ app: z.string().max(100), patient: z.string().max(64), encounter: z.string().max(64).optional() })

/** A second factor is taken off only minutes after it was shown. */
const stepUpMinutes = 5

export function accountRoutes(services: Services): Hono<AppEnv> {
  const { db, config, factors } = services

  async function end(c: Context<AppEnv>, which: { ids?: string[]; except?: string | null }, why: EndedWhy): Promise<number> {
    const { principal, now } = c.get('ctx')
    const ended = await inTransaction(db, (trx) => endSessions(trx, now, { account: principal.id, ...which }, why))
    for (const id of ended) services.sessions.forget(id)
    return ended.length
  }

  /** Slows down guesses by someone at a desk left open. */
  async function counted(c: Context<AppEnv>, action: () => Promise<void>): Promise<void> {
    const { principal, now } = c.get('ctx')
    const counters = countersOf({ login: `account ${principal.id}`, network: placeOf(c, config.trustedProxies).network, device: principal.sessionId, knownDevice: true })
    await countAttempt(db, now, counters)
    await action()
    await forgiveAttempt(db, counters)
  }

  return new Hono<AppEnv>()
    .use('/account/*', ownPortal).use('/account', ownPortal).use('/sessions/*', ownPortal).use('/sessions', ownPortal)
    .use('/step-up', ownPortal).use('/launches', ownPortal).use('/apps', ownPortal)
    .get('/account', async (c) => {
      const { principal } = c.get('ctx')
      const account = await readAccount(db, principal.id)
      return c.json({
        login: account.login, phone: account.phone === null ? null : `${account.phone.slice(0, 3)}****${account.phone.slice(-4)}`,
        secondFactor: factorState(factors, account), recoveryCodesLeft: account.recovery_codes.length, authLevel: principal.authLevel,
        passwordUntil: account.initial_until === null ? null : instantInShanghai(new Date(account.initial_until)),
      } satisfies AccountView)
    })
    .post('/account/password', async (c) => {
      const asked = await readJson(c, passwordBody)
      const { principal, now } = c.get('ctx')
      const account = await readAccount(db, principal.id)
      await counted(c, async () => { await checkPassword(db, account.login, asked.current) })
      const fault = passwordFault(asked.password, [account.login, account.phone ?? '', account.display_name])
      if (fault) throw fault
      await inTransaction(db, (trx) => changePassword(trx, now, principal.id, asked.password))
      await end(c, { except: principal.sessionId }, 'password')
      await note(c, 'password-changed')
      return c.body(null, 204)
    })
    .post('/account/second-factor', async (c) => {
      const asked = await readJson(c, confirmedBody)
      const account = await readAccount(db, c.get('ctx').principal.id)
      await counted(c, async () => { await checkPassword(db, account.login, asked.password) })
      return c.json(await beginEnrolment(db, factors, account), 200, { 'Cache-Control': 'no-store' })
    })
    .post('/account/second-factor/confirm', async (c) => {
      const asked = await readJson(c, codeBody)
      const ctx = c.get('ctx')
      let codes: string[] = []
      await counted(c, async () => { codes = await confirmEnrolment(db, ctx, factors, ctx.principal.id, asked.code) })
      await proved(c)
      await note(c, 'second-factor-added')
      return c.json({ recoveryCodes: codes }, 200, { 'Cache-Control': 'no-store' })
    })
    .delete('/account/second-factor', async (c) => {
      assertStepUp(c.get('ctx'), stepUpMinutes)
      await removeSecondFactor(db, c.get('ctx').principal.id)
      await note(c, 'second-factor-removed')
      return c.body(null, 204)
    })
    .post('/step-up', async (c) => {
      const asked = await readJson(c, codeBody)
      const ctx = c.get('ctx')
      await counted(c, () => takeSecondFactor(db, ctx, factors, ctx.principal.id, asked.code))
      await proved(c)
      await note(c, 'step-up')
      return c.body(null, 204)
    })
    .get('/sessions', async (c) => {
      const { principal, now } = c.get('ctx')
      const rows = await listSessions(db, principal.id, now)
      const names = await workplaces(db, rows.map(({ organization, organization_name: organizationName }) => ({ organization, organizationName })))
      return c.json(rows.map((row, index): OpenSession => ({
        id: row.id, current: row.id === principal.sessionId, device: row.device, network: row.network, role: row.role as OpenSession['role'], organizationName: row.organization_name, workplace: names[index] ?? null,
        createdAt: instantInShanghai(new Date(row.created_at)), lastSeenAt: instantInShanghai(new Date(row.last_seen_at)), until: instantInShanghai(new Date(row.expires_at)),
        app: row.app === null ? null : { id: row.app, zh: row.app_zh ?? row.app, en: row.app_en ?? row.app, scopes: (row.scopes ?? '').split(' '), offline: row.offline },
      })))
    })
    .delete('/sessions/:id', async (c) => {
      const id = z.uuid().safeParse(c.req.param('id'))
      if (!id.success || await end(c, { ids: [id.data] }, 'elsewhere') === 0) throw notFound('session')
      if (id.data === c.get('ctx').principal.sessionId) clearSession(c, config.production)
      return c.body(null, 204)
    })
    .post('/sessions/end-all', async (c) => {
      await end(c, {}, 'elsewhere')
      clearSession(c, config.production)
      await note(c, 'sign-out-everywhere')
      return c.body(null, 204)
    })
    .get('/apps', async (c) => {
      const apps = await launchableApps(db, c.get('ctx').principal)
      return c.json(apps.map((each): LaunchableApp => ({ id: each.id, zh: each.name_zh, en: each.name_en, publisher: each.publisher })))
    })
    .post('/launches', async (c) => {
      const asked = await readJson(c, launchBody)
      const ctx = c.get('ctx')
      await readResource(db, ctx, services.store, 'Patient', asked.patient)
      if (asked.encounter !== undefined) {
        const encounter = resourceOf<Encounter>(await readResource(db, ctx, services.store, 'Encounter', asked.encounter))
        if (encounter.subject?.reference !== `Patient/${asked.patient}`) throw notFound(`Encounter/${asked.encounter}`)
      }
      const location = await makeLaunch(db, ctx, services.authority.issuer, await findApp(db, asked.app), { patient: asked.patient, encounter: asked.encounter ?? null })
      await recordEvents(db, ctx, [{ action: 'E', interaction: 'app-launched', resourceType: null, resourceId: null, pid: keyOf(asked.patient), detail: asked.app, outcome: 200 }])
      return c.json({ location })
    })

  async function proved(c: Context<AppEnv>): Promise<void> {
    const { principal, now } = c.get('ctx')
    const id = principal.sessionId ?? ''
    await inTransaction(db, (trx) => raiseSession(trx, now, id, 'second-factor'))
    services.sessions.forget(id)
  }

  function note(c: Context<AppEnv>, interaction: string): Promise<void> {
    return recordEvents(db, c.get('ctx'), [{ action: 'E', interaction, resourceType: null, resourceId: null, pid: null, detail: null, outcome: 200 }])
  }
}

/** Signed in at our own portal, with a session that can end. @throws OutcomeError `sign-in-required`. */
async function ownPortal(c: Context<AppEnv>, next: () => Promise<void>): Promise<void> {
  assertOwnPortal(c.get('ctx').principal)
  await next()
}

export function assertOwnPortal(principal: Principal): void {
  if (principal.kind !== 'person' || principal.sessionId === null || principal.scopes.length > 0) throw signInRequired()
}
