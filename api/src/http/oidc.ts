/**
 * The part of the OpenID provider that systems need: discovery, keys and tokens by signed client assertion (SMART Backend
 * Services). The same routes serve the platform and an insurance centre.
 */
import { Hono } from 'hono'
import { exchangeAssertion, TokenRequestError } from '../access/client-credentials.ts'
import type { TokenDb } from '../access/signing-keys.ts'
import type { TokenAuthority } from '../access/tokens.ts'
import { newResourceId } from '../fhir/id.ts'

export interface TokenEndpoint { db: TokenDb; authority: TokenAuthority; now(): Date }

export function oidcRoutes({ db, authority, now }: TokenEndpoint): Hono {
  const tokenUrl = `${authority.issuer}/oidc/token`
  return new Hono()
    .get('/jwks', (c) => c.json({ keys: authority.keys.map((key) => key.publicJwk) }, 200, { 'Cache-Control': 'public, max-age=300' }))
    .post('/token', async (c) => {
      try {
        if (!/^application\/x-www-form-urlencoded\b/i.test(c.req.header('Content-Type') ?? '')) {
          throw new TokenRequestError('invalid_request', 'Send the token request as application/x-www-form-urlencoded.')
        }
        const form = new URLSearchParams(await c.req.text())
        const grant = await exchangeAssertion(db, authority, form, [tokenUrl, authority.issuer], now(), () => newResourceId(null))
        return c.json(grant, 200, { 'Cache-Control': 'no-store' })
      } catch (error) {
        if (!(error instanceof TokenRequestError)) throw error
        return c.json({ error: error.code, error_description: error.message }, error.status, { 'Cache-Control': 'no-store' })
      }
    })
}

/** `/.well-known/openid-configuration` and `/fhir/.well-known/smart-configuration`: only what is there. */
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
