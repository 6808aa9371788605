/**
 * The OpenID provider for people and their apps (oidc-provider): authorization code with PKCE, refresh with rotation. We give
 * it our storage, our pages and our sessions; what a token says comes from the row of the app's session, never from the
 * provider's. Why it is built like this: docs/decisions/0016-openid-provider.md. Source: SMART App Launch 2.2, OpenID Connect Core.
 *
 * Invariants: every authorization passes through our page and makes a Grant of its own, so that no launch ever finds the
 * patient of an earlier one; the provider's own session cookie never reaches a browser.
 */
import Provider, { type Adapter, type AdapterPayload, type Configuration, errors, interactionPolicy, type KoaContextWithOIDC } from 'oidc-provider'
import { contextScopes, grantableScopes } from '../access/app-scopes.ts'
import { type AppRow, findApp } from '../access/apps.ts'
import { ArtefactReplayed, artefacts } from '../access/oidc-artefacts.ts'
import { sessionOfGrant, type SessionRow } from '../access/sessions.ts'
import { appTokenMinutes, claimsOf } from '../access/tokens.ts'
import { anonymous, type Principal, type Role } from '../access/principal.ts'
import { sha256Hex } from '../crypto.ts'
import type { Services } from '../services.ts'
import { DatabaseAway } from '../storage/sqlstate.ts'
import { logFailure, retryAfterSeconds } from './errors.ts'
import { callNode, type NodeCall } from './node-bridge.ts'

const second = 1
const minute = 60 * second
const day = 24 * 60 * minute

/** The provider's own session: neither taken from a browser nor given to one. */
export const sessionCookie = '_provider'
export const interactionPath = '/oidc/interaction'
const routes = { authorization: '/oidc/auth', token: '/oidc/token', jwks: '/oidc/jwks', revocation: '/oidc/revoke' } as const
export const assertionAlgorithms = ['ES256', 'ES384', 'RS384'] as const

/** What an app is told while the database is away, in the words of RFC 6749 § 4.1.2.1. */
const away = { error: 'temporarily_unavailable', error_description: 'the database is not available at this moment' } as const

/** The provider for the keys as they are now; made anew when they rotate. `revokeGrant` ends the app's session behind a grant. */
export function makeProvider(services: Services, revokeGrant: (grantId: string) => Promise<void>): Provider {
  const { authority, config } = services
  const fhirBase = authority.audience
  const configuration: Configuration = {
    allowOmittingSingleRegisteredRedirectUri: false,
    adapter: (model: string) => adapterOf(services, model, revokeGrant),
    clientAuthMethods: ['none', 'private_key_jwt'],
    clientBasedCORS: (_ctx, origin, client) => client.clientAuthMethod === 'none' && (client.redirectUris ?? []).some((uri) => URL.canParse(uri) && new URL(uri).origin === origin),
    claims: { openid: ['sub'], fhirUser: ['fhirUser'], profile: ['name'] },
    conformIdTokenClaims: false,
    cookies: {
      names: { session: sessionCookie, interaction: 'pujiang_authorize', resume: 'pujiang_authorize_resume' },
      // Of all keys, so that a rotation does not break what people are about to answer.
      keys: authority.keys.map((key) => sha256Hex(`cookies ${key.privateJwk.d}`)),
      short: { httpOnly: true, sameSite: 'lax', secure: config.production, signed: true },
      long: { httpOnly: true, sameSite: 'lax', secure: config.production },
    },
    enabledJWA: { clientAuthSigningAlgValues: [...assertionAlgorithms], idTokenSigningAlgValues: ['ES256'] } as never,
    expiresWithSession: () => false,
    extraParams: {
      aud: (_ctx: KoaContextWithOIDC, value: string | undefined) => {
        if (value?.replace(/\/$/, '') !== fhirBase) throw new errors.InvalidRequest(`aud must be ${fhirBase}`)
      },
      launch: (ctx: KoaContextWithOIDC, value: string | undefined) => {
        const asks = String(ctx.oidc.params?.scope ?? '').split(' ').includes('launch')
        if (asks !== (value !== undefined)) throw new errors.InvalidRequest('scope launch and the parameter launch come together')
      },
    } as never,
    features: {
      devInteractions: { enabled: false }, dPoP: { enabled: false }, pushedAuthorizationRequests: { enabled: false }, rpInitiatedLogout: { enabled: false },
      userinfo: { enabled: false }, revocation: { enabled: true, allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => fhirBase,
        useGrantedResource: () => true,
        getResourceServerInfo: async (ctx, resource, client) => {
          if (resource !== fhirBase) throw new errors.InvalidTarget()
          return { scope: await scopesInPlay(services, ctx, client.clientId), audience: fhirBase, accessTokenFormat: 'jwt', accessTokenTTL: appTokenMinutes * minute, jwt: { sign: { alg: 'ES256' } } }
        },
      },
    },
    findAccount: async (_ctx, sub, token) => {
      // A code or refresh token is worth something only while the app's session lives.
      const grantId = (token as { grantId?: string } | undefined)?.grantId
      const row = grantId ? await aliveSession(services, grantId) : null
      if (grantId && !row) return undefined
      return { accountId: sub, claims: async () => (row ? identityClaims(fhirBase, row, await nameOf(services, sub)) : { sub }) }
    },
    formats: {
      customizers: {
        jwt: async (_ctx, token, parts) => {
          const row = await aliveSession(services, (token as { grantId?: string }).grantId ?? '')
          const granted = String(parts.payload.scope ?? '')
          if (!row || granted === '') throw new errors.InvalidGrant('the session of this grant has ended')
          const issued = Math.floor(services.now().getTime() / 1000)
          Object.assign(parts.payload, claimsOf(principalOfSession(row, await nameWithApp(services, row))), { scope: granted, iat: issued, exp: issued + appTokenMinutes * minute })
        },
      },
    },
    interactions: { policy: ourPolicy(), url: (_ctx, interaction) => `${interactionPath}/${interaction.uid}` },
    issueRefreshToken: (_ctx, client, code) => client.grantTypeAllowed('refresh_token') && (code.scopes.has('offline_access') || code.scopes.has('online_access')),
    jwks: { keys: authority.keys.map((key) => ({ ...key.privateJwk, alg: key.alg, use: 'sig' })) } as never,
    loadExistingGrant: async (ctx) => {
      const grantId = ctx.oidc.result?.consent?.grantId
      return grantId ? ctx.oidc.provider.Grant.find(grantId) : undefined
    },
    pkce: { required: () => true },
    renderError: (ctx, out, error) => {
      if (ctx.method === 'GET' && ctx.accepts('json', 'html') === 'html') {
        ctx.status = 303
        ctx.redirect(`/authorize/error?reason=${encodeURIComponent(error instanceof DatabaseAway ? away.error : out.error)}`)
      } else ctx.body = out
    },
    responseTypes: ['code'],
    revokeGrantPolicy: () => true,
    rotateRefreshToken: () => true,
    routes: { ...routes } as never,
    scopes: [...contextScopes],
    ttl: {
      AccessToken: appTokenMinutes * minute, AuthorizationCode: minute, ClientCredentials: 15 * minute, Grant: 91 * day, IdToken: 60 * minute,
      Interaction: 15 * minute, RefreshToken: 90 * day, Session: 10 * minute,
    },
  }
  const provider = new Provider(authority.issuer, configuration)
  provider.proxy = true
  provider.on('server_error', (ctx, error) => {
    logFailure(services.log, error, {}, 'provider failed')
    if (!(error instanceof DatabaseAway) || ctx.status !== 500) return
    ctx.status = 503
    ctx.set('Retry-After', retryAfterSeconds)
    ctx.body = away
  })
  return provider
}

/** Runs a request in the provider. Address and scheme are those of PUBLIC_URL, whatever the caller says. */
export async function callProvider(provider: Provider, call: NodeCall): Promise<Response> {
  const issuer = new URL(provider.issuer)
  const headers = { ...call.headers, host: issuer.host, 'x-forwarded-host': issuer.host, 'x-forwarded-proto': issuer.protocol.slice(0, -1) }
  const response = await callNode(provider.callback() as never, { ...call, headers })
  const cookies = response.headers.getSetCookie().filter((cookie) => !cookie.startsWith(sessionCookie))
  response.headers.delete('Set-Cookie')
  for (const cookie of cookies) response.headers.append('Set-Cookie', cookie)
  return response
}

/** Each authorization asks the person anew: nothing of an earlier one is taken over. */
function ourPolicy() {
  const { Check, Prompt, base } = interactionPolicy
  const policy = base()
  policy.remove('consent')
  policy.get('login')?.checks.add(new Check('each_time', 'sign-in is asked for', 'login_required', (ctx) => !ctx.oidc.result?.login))
  policy.add(new Prompt({ name: 'consent', requestable: true }, new Check('each_time', 'consent is asked for', 'consent_required', (ctx) => !ctx.oidc.result?.consent?.grantId)))
  return policy
}

/** Scopes that this request can be about: what it asks, or what its code or refresh token carries, within the app's most. */
async function scopesInPlay(services: Services, ctx: KoaContextWithOIDC, clientId: string): Promise<string> {
  const app = await findApp(services.db, clientId)
  const { entities, params } = ctx.oidc as unknown as { entities: { AuthorizationCode?: { scope?: string }; RefreshToken?: { scope?: string } }; params?: { scope?: string } }
  const asked = [entities.AuthorizationCode?.scope, entities.RefreshToken?.scope, params?.scope].filter((each) => each !== undefined).join(' ')
  return app ? grantableScopes(asked, app.scopes).join(' ') : ''
}

function adapterOf(services: Services, model: string, revokeGrant: (grantId: string) => Promise<void>): Adapter {
  const store = artefacts(services.db, model, revokeGrant)
  const guarded = async <T>(action: Promise<T>): Promise<T> => action.catch((error) => {
    if (!(error instanceof ArtefactReplayed)) throw error
    throw model === 'ReplayDetection' ? new errors.InvalidClientAuth(error.message) : new errors.InvalidGrant(error.message)
  })
  return {
    upsert: (id, payload, seconds) => guarded(store.upsert(id, payload as Record<string, unknown>, seconds ?? 600)),
    find: async (id) => (model === 'Client' ? clientMetadata(await findApp(services.db, id)) : store.find(id)) as Promise<AdapterPayload | undefined>,
    findByUid: (uid) => store.findByUid(uid) as Promise<AdapterPayload | undefined>,
    findByUserCode: () => Promise.resolve(undefined),
    consume: (id) => guarded(store.consume(id)),
    destroy: (id) => store.destroy(id),
    revokeByGrantId: (grantId) => store.revokeByGrantId(grantId),
  }
}

function clientMetadata(app: AppRow | null): AdapterPayload | undefined {
  if (!app) return undefined
  return {
    client_id: app.id, client_name: app.name_en, redirect_uris: app.redirect_uris, grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
    token_endpoint_auth_method: app.auth_method, id_token_signed_response_alg: 'ES256',
    application_type: app.redirect_uris.every((uri) => uri.startsWith('https:')) ? 'web' : 'native',
    ...(app.jwks ? { jwks: app.jwks as { keys: [] } } : {}),
  }
}

/** The app's session of a grant, when neither it nor, unless it is offline, its portal session has ended. */
async function aliveSession(services: Services, grantId: string): Promise<SessionRow | null> {
  const row = await sessionOfGrant(services.db, grantId)
  if (!row) return null
  const alive = await services.sessions.alive({ ...anonymous, kind: 'person', id: row.account_id, sessionId: row.id }, services.now()).catch(() => null)
  return alive ? row : null
}

export async function nameOf(services: Services, account: string): Promise<string> {
  const row = await services.db.selectFrom('account').select('display_name').where('id', '=', account).executeTakeFirst()
  return row?.display_name ?? account
}

/** As the audit trail shows it to citizens: who, by which app. */
async function nameWithApp(services: Services, row: SessionRow): Promise<string> {
  const app = await findApp(services.db, row.app ?? '')
  return `${await nameOf(services, row.account_id)} · ${app?.name_zh ?? row.app}`
}

function principalOfSession(row: SessionRow, name: string): Principal {
  return {
    kind: 'person', id: row.account_id, name, role: row.role as Role, patient: row.patient, practitioner: row.practitioner, organization: row.organization,
    organizationName: row.organization_name, scopes: (row.scopes ?? '').split(' '), sessionId: row.id, authLevel: row.auth_level, authAt: row.auth_at,
    launchPatient: row.launch_patient, launchEncounter: row.launch_encounter,
  }
}

function identityClaims(fhirBase: string, row: SessionRow, name: string): { sub: string; name: string; fhirUser?: string } {
  return { sub: row.account_id, name, ...fhirUserOf(fhirBase, row) }
}

/** The resource that stands for the person; officers and administrators have none. */
export function fhirUserOf(fhirBase: string, { patient, practitioner }: Pick<Principal, 'patient' | 'practitioner'>): { fhirUser?: string } {
  if (patient !== null) return { fhirUser: `${fhirBase}/Patient/${patient}` }
  return practitioner === null ? {} : { fhirUser: `${fhirBase}/Practitioner/${practitioner}` }
}
