/**
 * SMART Backend Services: a system proves itself with an assertion signed by its private key and gets a short-lived token.
 * Used on both sides: the platform asks the insurance centre, systems of hospitals and insurers ask the platform. An
 * assertion counts once (used_assertion). Sources: SMART App Launch 2.2 § Backend Services, RFC 7523, RFC 6749 § 5.2.
 */
import { createLocalJWKSet, decodeJwt, importJWK, type JSONWebKeySet, jwtVerify, SignJWT } from 'jose'
import { signingAlgorithm, type SigningKey } from '../crypto.ts'
import { anonymous, type Principal } from './principal.ts'
import { isSystemScope } from './scopes.ts'
import type { TokenDb } from './signing-keys.ts'
import { clientTokenMinutes, issueToken, type TokenAuthority } from './tokens.ts'

export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
const assertionSecondsMax = 300

/** An error of RFC 6749 § 5.2, answered as JSON with its status. */
export class TokenRequestError extends Error {
  readonly code: 'invalid_request' | 'invalid_client' | 'unsupported_grant_type' | 'invalid_scope'
  readonly status: 400 | 401
  constructor(code: TokenRequestError['code'], description: string) {
    super(description)
    this.name = 'TokenRequestError'
    this.code = code
    this.status = code === 'invalid_client' ? 401 : 400
  }
}

/** A signed client assertion for a token endpoint. @param audience URL of that endpoint. @param id fresh `jti`. */
export async function makeClientAssertion(clientId: string, key: SigningKey, audience: string, now: Date, id: string): Promise<string> {
  const seconds = Math.floor(now.getTime() / 1000)
  return new SignJWT({}).setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'JWT' })
    .setIssuer(clientId).setSubject(clientId).setAudience(audience).setJti(id)
    .setIssuedAt(seconds).setExpirationTime(seconds + 240)
    .sign(await importJWK(key.privateJwk, key.alg))
}

export interface TokenGrant { access_token: string; token_type: 'Bearer'; expires_in: number; scope: string }

/**
 * Answers a token request (form parameters of RFC 6749).
 * @param audiences accepted `aud` of the assertion: the token endpoint's URL and the issuer.
 * @throws TokenRequestError
 */
export async function exchangeAssertion(
  db: TokenDb, authority: TokenAuthority, form: URLSearchParams, audiences: string[], now: Date, newId: () => string,
): Promise<TokenGrant> {
  if (form.get('grant_type') !== 'client_credentials') throw new TokenRequestError('unsupported_grant_type', 'grant_type must be client_credentials.')
  if (form.get('client_assertion_type') !== assertionType) throw new TokenRequestError('invalid_request', `client_assertion_type must be ${assertionType}.`)
  const assertion = form.get('client_assertion') ?? ''
  const client = await verifiedClient(db, assertion, audiences, now)
  const scopes = grantedScopes(form.get('scope'), client.scopes.split(' '))
  const principal: Principal = { ...anonymous, kind: 'client', id: client.id, name: client.display_name, organization: client.organization, scopes }
  const token = await issueToken(authority, principal, now, clientTokenMinutes, newId())
  return { access_token: token, token_type: 'Bearer', expires_in: clientTokenMinutes * 60, scope: scopes.join(' ') }
}

async function verifiedClient(db: TokenDb, assertion: string, audiences: string[], now: Date) {
  const refuse = () => new TokenRequestError('invalid_client', 'The client assertion is not valid.')
  let clientId: string
  try {
    clientId = decodeJwt(assertion).sub ?? ''
  } catch {
    throw refuse()
  }
  const client = await db.selectFrom('client').selectAll().where('id', '=', clientId).executeTakeFirst()
  if (!client) throw refuse()
  const { payload } = await jwtVerify(assertion, createLocalJWKSet(client.jwks as JSONWebKeySet), {
    algorithms: [signingAlgorithm, 'ES384', 'RS384'], issuer: clientId, subject: clientId, audience: audiences, currentDate: now,
    requiredClaims: ['exp', 'jti'],
  }).catch(() => { throw refuse() })
  const expires = new Date((payload.exp ?? 0) * 1000)
  if (expires.getTime() - now.getTime() > assertionSecondsMax * 1000) throw new TokenRequestError('invalid_client', `An assertion may be valid for ${assertionSecondsMax} seconds at most.`)
  const stored = await db.insertInto('used_assertion').values({ client_id: clientId, jti: payload.jti ?? '', expires_at: expires })
    .onConflict((conflict) => conflict.doNothing()).returning('jti').executeTakeFirst()
  if (!stored) throw new TokenRequestError('invalid_client', 'The client assertion has been used before.')
  return client
}

/** Asked scopes, each within what the client may have; all of its scopes when none are asked. */
function grantedScopes(asked: string | null, allowed: string[]): string[] {
  if (asked === null || asked.trim() === '') return allowed
  const scopes = asked.trim().split(/\s+/)
  for (const scope of scopes) {
    if (!isSystemScope(scope) || !allowed.some((each) => covers(each, scope))) throw new TokenRequestError('invalid_scope', `Scope ${scope} is not allowed for this client.`)
  }
  return scopes
}

function covers(allowed: string, asked: string): boolean {
  const [allowedType = '', allowedPermissions = ''] = allowed.replace('system/', '').split('.')
  const [askedType = '', askedPermissions = ''] = asked.replace('system/', '').split('.')
  return (allowedType === '*' || allowedType === askedType) && [...askedPermissions].every((each) => allowedPermissions.includes(each))
}
