/**
 * The page on which a person lets an app in, as JSON: what is asked, by whom, for which patient, until when; and the answer.
 * Under /oidc because the cookie that ties the request to this browser lives on that path. Shapes: access/shapes.ts.
 */
import { type Context, Hono } from 'hono'
import type Provider from 'oidc-provider'
import { z } from 'zod'
import { contextScopes, grantableScopes, isOptional, keptScopes, needsPatient } from '../access/app-scopes.ts'
import { type AppRow, findApp, findLaunch, type LaunchContext, takeLaunch, unknownApp } from '../access/apps.ts'
import { signInRequired } from '../access/may-write.ts'
import { peopleOf } from '../access/people.ts'
import type { AuthorizationAsked, AuthorizationPatient } from '../access/shapes.ts'
import { openAppSession } from '../access/sessions.ts'
import { recordEvents } from '../audit/record-event.ts'
import type { Ctx } from '../ctx.ts'
import { addMinutes, instantInShanghai } from '../fhir/date-time.ts'
import { fail, forbidden } from '../fhir/outcome.ts'
import { keyOf } from '../fhir/id.ts'
import { readResource } from '../records/read-resource.ts'
import { search } from '../records/search/search.ts'
import { resourceOf } from '../records/content.ts'
import type { Patient } from '@medplum/fhirtypes'
import type { Services } from '../services.ts'
import { inTransaction } from '../storage/transaction.ts'
import { assertOwnPortal } from './account-routes.ts'
import type { AppEnv } from './auth.ts'
import { readJson } from './json-body.ts'
import { nodePair } from './node-bridge.ts'
import { placeOf } from './place.ts'

const answer = z.discriminatedUnion('decision', [
  z.object({ decision: z.literal('allow'), scopes: z.array(z.string().max(300)).max(100), patient: z.string().max(64).nullable() }),
  z.object({ decision: z.literal('refuse') }),
])

/** What oidc-provider keeps of the request while the person decides. */
interface Pending { uid: string; iat: number; params: { client_id: string; scope?: string; launch?: string; redirect_uri: string; prompt?: string; max_age?: string } }

const offlineMinutes = 90 * 1440
const onlineMinutes = 8 * 60

export function authorizeRoutes(services: Services, provider: () => Provider): Hono<AppEnv> {
  return new Hono<AppEnv>()
    .get('/:uid', (c) => c.redirect(`/authorize/${c.req.param('uid')}`, 303))
    .get('/:uid/request', async (c) => c.json(await askedOf(services, c.get('ctx'), await pending(c, provider())), 200, { 'Cache-Control': 'no-store' }))
    .post('/:uid/answer', async (c) => {
      const ctx = c.get('ctx')
      // An app that acts for someone may not let another app in.
      assertOwnPortal(ctx.principal)
      const asked = await readJson(c, answer)
      const about = await pending(c, provider())
      const result = asked.decision === 'refuse'
        ? { error: 'access_denied', error_description: 'The person did not allow this.' }
        : await allow(services, c, provider(), about, asked)
      const location = await provider().interactionResult(...pair(c), result, { mergeWithLastSubmission: false })
      return c.json({ location })
    })
}

async function allow(services: Services, c: Context<AppEnv>, provider: Provider, about: Pending, kept: { scopes: string[]; patient: string | null }) {
  const { db, authority, config } = services
  const ctx = c.get('ctx')
  if (mustSignInAgain(ctx, about)) throw signInRequired()
  const app = await appFor(services, ctx, about)
  const scopes = keptScopes(grantableScopes(about.params.scope ?? '', app.scopes), kept.scopes)
  if (scopes.length === 0) throw fail('scope-missing', { zh: '请至少勾选一项，或选择“不允许”。', en: 'Tick at least one item, or choose "Do not allow".' }, 'scopes')
  const launch = await launchOf(services, ctx, about)
  const patient = launch?.patient ?? (needsPatient(scopes) ? await chosenPatient(services, ctx, kept.patient) : null)
  const grant = new provider.Grant({ accountId: ctx.principal.id, clientId: app.id })
  grant.addOIDCScope(scopes.filter((scope) => (contextScopes as readonly string[]).includes(scope)).join(' '))
  grant.addResourceScope(authority.audience, scopes.join(' '))
  const grantId = await grant.save()
  await inTransaction(db, async (trx) => {
    if (about.params.launch) await takeLaunch(trx, ctx, about.params.launch)
    await openAppSession(trx, ctx, placeOf(c, config.trustedProxies), {
      app: app.id, grantId, scopes, launchPatient: patient, launchEncounter: launch?.encounter ?? null,
      offline: scopes.includes('offline_access'), parent: ctx.principal.sessionId ?? '',
    })
    await recordEvents(trx, ctx, [{ action: 'E', interaction: 'app-allowed', resourceType: null, resourceId: null, pid: patient === null ? null : keyOf(patient), detail: app.id, outcome: 200 }])
  })
  return {
    login: { accountId: ctx.principal.id, remember: false, ...(ctx.principal.authAt ? { ts: Math.floor(Date.parse(ctx.principal.authAt) / 1000) } : {}) },
    consent: { grantId },
  }
}

async function askedOf(services: Services, ctx: Ctx, about: Pending): Promise<AuthorizationAsked> {
  const app = await findApp(services.db, about.params.client_id)
  if (!app) throw unknownApp()
  const grantable = grantableScopes(about.params.scope ?? '', app.scopes)
  const shown = { app: { id: app.id, zh: app.name_zh, en: app.name_en, publisher: app.publisher, host: hostOf(about.params.redirect_uri) }, scopes: grantable.filter(isOptional) }
  if (ctx.principal.kind !== 'person' || mustSignInAgain(ctx, about)) {
    return { ...shown, state: ctx.principal.kind === 'person' ? 'sign-in-again' : 'sign-in', name: null, patients: [], launched: false, untilOnline: null, untilOffline: null }
  }
  if (!app.roles.includes(ctx.principal.role ?? '')) return { ...shown, state: 'wrong-role', name: ctx.principal.name, patients: [], launched: false, untilOnline: null, untilOffline: null }
  const launch = await launchOf(services, ctx, about)
  return {
    ...shown, state: 'ask', name: ctx.principal.name, launched: launch !== null,
    patients: launch ? [await launchedPatient(services, ctx, launch)] : needsPatient(grantable) ? await patientsFor(services, ctx) : [],
    untilOnline: instantInShanghai(addMinutes(ctx.now, onlineMinutes)), untilOffline: instantInShanghai(addMinutes(ctx.now, offlineMinutes)),
  }
}

async function appFor(services: Services, ctx: Ctx, about: Pending): Promise<AppRow> {
  const app = await findApp(services.db, about.params.client_id)
  if (!app) throw unknownApp()
  if (!app.roles.includes(ctx.principal.role ?? '')) throw forbidden()
  return app
}

/** `prompt=login` and `max_age`: the person must have proved themselves after the request, or lately enough. */
function mustSignInAgain({ principal, now }: Ctx, { params, iat }: Pending): boolean {
  if (principal.kind !== 'person') return false
  const provedAt = principal.authAt === null ? 0 : Date.parse(principal.authAt)
  if ((params.prompt ?? '').split(' ').includes('login') && provedAt < iat * 1000) return true
  return params.max_age !== undefined && now.getTime() - provedAt > Number(params.max_age) * 1000
}

async function launchOf(services: Services, ctx: Ctx, about: Pending): Promise<LaunchContext | null> {
  return about.params.launch ? findLaunch(services.db, ctx, about.params.client_id, about.params.launch) : null
}

async function launchedPatient(services: Services, ctx: Ctx, launch: LaunchContext): Promise<AuthorizationPatient> {
  const patient = resourceOf<Patient>(await readResource(services.db, ctx, services.store, 'Patient', launch.patient))
  return { id: launch.patient, name: nameOf(patient), relationship: null, birthDate: patient.birthDate ?? null }
}

/** Whom the app can be about: a citizen and those they act for; for a clinician the patients in their care. */
async function patientsFor(services: Services, ctx: Ctx): Promise<AuthorizationPatient[]> {
  const { principal } = ctx
  if (principal.patient !== null) {
    return (await peopleOf(services.db, ctx, principal.patient)).map((each) => ({ id: each.patient, name: each.name, relationship: each.relationship, birthDate: null }))
  }
  if (principal.practitioner === null) return []
  const { matches } = await search(services.db, ctx, services.store, 'Patient', new URLSearchParams('_count=50&_sort=name'))
  const patients = matches.map((match) => resourceOf<Patient>(match))
  await recordEvents(services.db, ctx, patients.map((patient) => ({
    action: 'R', interaction: 'search-type', resourceType: 'Patient', resourceId: patient.id ?? null, pid: keyOf(patient.id ?? ''), detail: 'app', outcome: 200,
  })))
  return patients.map((patient) => ({ id: patient.id ?? '', name: nameOf(patient), relationship: null, birthDate: patient.birthDate ?? null }))
}

/** @throws OutcomeError `parameter-invalid` when none was chosen, `not-found` for one the caller may not see. */
async function chosenPatient(services: Services, ctx: Ctx, patient: string | null): Promise<string> {
  if (patient === null) throw fail('parameter-invalid', { zh: '请选择就诊人。', en: 'Choose the patient.' }, 'patient')
  await readResource(services.db, ctx, services.store, 'Patient', patient)
  return patient
}

function nameOf(patient: Patient): string {
  const name = patient.name?.[0]
  return name?.text ?? `${name?.family ?? ''}${name?.given?.join('') ?? ''}`
}

function hostOf(uri: string): string {
  const url = new URL(uri)
  return url.host || url.protocol
}

function pair(c: Context): Parameters<Provider['interactionDetails']> {
  const { request, response } = nodePair({ method: c.req.method, url: new URL(c.req.url).pathname, headers: { cookie: c.req.header('Cookie') ?? '' }, body: '' })
  return [request, response]
}

async function pending(c: Context, provider: Provider): Promise<Pending> {
  const found = await provider.interactionDetails(...pair(c)).catch(() => null)
  if (!found || found.uid !== c.req.param('uid')) {
    throw fail('authorization-expired', { zh: '这次请求已过期。请回到应用，重新开始。', en: 'This request has expired. Go back to the app and start again.' })
  }
  return found as unknown as Pending
}

