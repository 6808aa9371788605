/**
 * What platform and insurance centre offer alike: the published keys and tokens for systems by signed client assertion (SMART
 * Backend Services). What an app of a person needs is in `oidc-routes.ts`.
 */
import { type Context, Hono } from 'hono'
import { exchangeAssertion, TokenRequestError } from '../access/client-credentials.ts'
import type { TokenDb } from '../access/signing-keys.ts'
import type { TokenAuthority } from '../access/tokens.ts'
import { newResourceId } from '../fhir/id.ts'
import { readBytes } from './body.ts'

const formBytesMax = 32 * 1024

export interface TokenEndpoint { db: TokenDb; authority: TokenAuthority; now(): Date }

export function oidcRoutes(endpoint: TokenEndpoint): Hono {
  return new Hono()
    .get('/jwks', (c) => jwksReply(c, endpoint.authority))
    .post('/token', async (c) => {
      try {
        return await tokenByAssertion(c, endpoint, (await readForm(c)).form)
      } catch (error) {
        if (!(error instanceof TokenRequestError)) throw error
        return tokenErrorReply(c, error)
      }
    })
}

export function jwksReply(c: Context, authority: TokenAuthority): Response {
  return c.json({ keys: authority.keys.map((key) => key.publicJwk) }, 200, { 'Cache-Control': 'public, max-age=300' })
}

/** @throws TokenRequestError */
export async function tokenByAssertion(c: Context, { db, authority, now }: TokenEndpoint, form: URLSearchParams): Promise<Response> {
  const grant = await exchangeAssertion(db, authority, form, [`${authority.issuer}/oidc/token`, authority.issuer], now(), () => newResourceId(null))
  return c.json(grant, 200, { 'Cache-Control': 'no-store' })
}

/** @throws TokenRequestError when it is no form, is too long or gives a parameter twice (RFC 6749 § 3.2). */
export async function readForm(c: Context): Promise<{ form: URLSearchParams; text: string }> {
  if (!/^application\/x-www-form-urlencoded\b/i.test(c.req.header('Content-Type') ?? '')) {
    throw new TokenRequestError('invalid_request', 'Send the request as application/x-www-form-urlencoded.')
  }
  const text = new TextDecoder().decode(await readBytes(c, formBytesMax).catch(() => { throw new TokenRequestError('invalid_request', 'The request is too long.') }))
  const form = new URLSearchParams(text)
  for (const name of new Set(form.keys())) {
    if (form.getAll(name).length > 1) throw new TokenRequestError('invalid_request', `Parameter ${name} is given twice.`)
  }
  return { form, text }
}

export function tokenErrorReply(c: Context, error: TokenRequestError): Response {
  return c.json({ error: error.code, error_description: error.message }, error.status, { 'Cache-Control': 'no-store' })
}

/** Discovery of a server that knows systems only: an insurance centre. */
export function discovery(issuer: string): Record<string, unknown> {
  return {
    issuer,
    token_endpoint: `${issuer}/oidc/token`,
    jwks_uri: `${issuer}/oidc/jwks`,
    grant_types_supported: ['client_credentials'],
    token_endpoint_auth_methods_supported: ['private_key_jwt'],
    token_endpoint_auth_signing_alg_values_supported: ['ES256', 'ES384', 'RS384'],
    scopes_supported: ['system/*.cruds'],
    capabilities: ['client-confidential-asymmetric', 'permission-v2'],
  }
}

/** Discovery of the platform: `/.well-known/openid-configuration` and `/fhir/.well-known/smart-configuration`, only what is there. */
export function platformDiscovery(issuer: string): Record<string, unknown> {
  return {
    issuer,
    authorization_endpoint: `${issuer}/oidc/auth`,
    token_endpoint: `${issuer}/oidc/token`,
    introspection_endpoint: `${issuer}/oidc/introspect`,
    revocation_endpoint: `${issuer}/oidc/revoke`,
    userinfo_endpoint: `${issuer}/oidc/userinfo`,
    end_session_endpoint: `${issuer}/sign-out`,
    management_endpoint: `${issuer}/account`,
    jwks_uri: `${issuer}/oidc/jwks`,
    response_types_supported: ['code'],
    response_modes_supported: ['query', 'fragment', 'form_post'],
    grant_types_supported: ['authorization_code', 'refresh_token', 'client_credentials'],
    code_challenge_methods_supported: ['S256'],
    subject_types_supported: ['public'],
    id_token_signing_alg_values_supported: ['ES256'],
    token_endpoint_auth_methods_supported: ['private_key_jwt', 'none'],
    token_endpoint_auth_signing_alg_values_supported: ['ES256', 'ES384', 'RS384'],
    introspection_endpoint_auth_methods_supported: ['private_key_jwt'],
    revocation_endpoint_auth_methods_supported: ['private_key_jwt', 'none'],
    claims_supported: ['sub', 'iss', 'aud', 'exp', 'iat', 'auth_time', 'nonce', 'fhirUser', 'name'],
    prompt_values_supported: ['login', 'consent', 'none'],
    authorization_response_iss_parameter_supported: true,
    scopes_supported: ['openid', 'fhirUser', 'profile', 'launch', 'launch/patient', 'launch/encounter', 'offline_access', 'online_access', 'patient/*.cruds', 'user/*.cruds', 'system/*.cruds'],
    capabilities: [
      'launch-ehr', 'launch-standalone', 'client-public', 'client-confidential-asymmetric', 'sso-openid-connect', 'context-banner',
      'context-ehr-patient', 'context-ehr-encounter', 'context-standalone-patient', 'permission-offline', 'permission-online', 'permission-patient', 'permission-user', 'permission-v2',
    ],
  }
}
