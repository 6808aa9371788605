/**
 * SMART Backend Services: a system proves itself with an assertion signed by its private key and gets a short-lived token.
 * Used on both sides: the platform asks the insurance centre, systems of hospitals and insurers ask the platform. An
 * assertion counts once (used_assertion). Sources: SMART App Launch 2.2 § Backend Services, RFC 7523, RFC 6749 § 5.2.
 */
import {
  createLocalJWKSet, createRemoteJWKSet, decodeJwt, errors, importJWK, type JSONWebKeySet, jwtVerify, type JWTVerifyGetKey, SignJWT,
} from 'jose'
import type { Selectable } from 'kysely'
import { signingAlgorithm, type SigningKey } from '../crypto.ts'
import type { Db } from '../storage/pool.ts'
import type { ClientTable } from '../storage/tables.ts'
import { anonymous, type Principal } from './principal.ts'
import { isSystemScope } from './scopes.ts'
import type { TokenDb, TokenTables } from './signing-keys.ts'
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
  const client = await verifiedClient(db, await clientKeys(db, form), form, audiences, now)
  const scopes = grantedScopes(form.get('scope'), client.scopes.split(' '))
  const principal: Principal = { ...anonymous, kind: 'client', id: client.id, name: client.display_name, organization: client.organization, scopes }
  const token = await issueToken(authority, principal, now, clientTokenMinutes, newId())
  return { access_token: token, token_type: 'Bearer', expires_in: clientTokenMinutes * 60, scope: scopes.join(' ') }
}

/** Whose assertion this claims to be, with the keys that must have signed it; the claim is not checked yet. */
async function clientKeys(db: TokenDb, form: URLSearchParams): Promise<ClientRow> {
  const client = await db.selectFrom('client').selectAll().where('id', '=', claimedClient(form)).executeTakeFirst()
  if (!client) throw invalidClient()
  return client
}

type ClientRow = Selectable<ClientTable>

/**
 * Who sends a request about a token: a system, or an app of people. `system`: a system that has proved itself by an assertion;
 * `any`: also an app, a public one by its id alone.
 * @returns the id. @throws TokenRequestError
 */
export async function authenticateCaller(db: Db, form: URLSearchParams, audiences: string[], now: Date, who: 'system' | 'any'): Promise<string> {
  const tokens = db.$pickTables<keyof TokenTables>()
  if (form.has('client_assertion')) {
    const id = claimedClient(form)
    const app = who === 'any' ? await db.selectFrom('app').select(['id', 'jwks']).where('id', '=', id).where('auth_method', '=', 'private_key_jwt').executeTakeFirst() : undefined
    return (await verifiedClient(tokens, app ?? await clientKeys(tokens, form), form, audiences, now)).id
  }
  const app = who === 'any' ? await db.selectFrom('app').select('id').where('id', '=', form.get('client_id') ?? '').where('auth_method', '=', 'none').executeTakeFirst() : undefined
  if (!app) throw invalidClient()
  return app.id
}

function claimedClient(form: URLSearchParams): string {
  if (form.get('client_assertion_type') !== assertionType) throw new TokenRequestError('invalid_request', `client_assertion_type must be ${assertionType}.`)
  try {
    return decodeJwt(form.get('client_assertion') ?? '').sub ?? ''
  } catch {
    throw invalidClient()
  }
}

function invalidClient(): TokenRequestError {
  return new TokenRequestError('invalid_client', 'The client assertion is not valid.')
}

async function verifiedClient<T extends { id: string; jwks: unknown }>(db: TokenDb, client: T, form: URLSearchParams, audiences: string[], now: Date): Promise<T> {
  const { payload } = await jwtVerify(form.get('client_assertion') ?? '', keysOf(client.jwks), {
    algorithms: [signingAlgorithm, 'ES384', 'RS384'], issuer: client.id, subject: client.id, audience: audiences, currentDate: now,
    requiredClaims: ['exp', 'jti'],
  }).catch(() => { throw invalidClient() })
  const expires = new Date((payload.exp ?? 0) * 1000)
  if (expires.getTime() - now.getTime() > assertionSecondsMax * 1000) throw new TokenRequestError('invalid_client', `An assertion may be valid for ${assertionSecondsMax} seconds at most.`)
  const stored = await db.insertInto('used_assertion').values({ client_id: client.id, jti: payload.jti ?? '', expires_at: expires })
    .onConflict((conflict) => conflict.doNothing()).returning('jti').executeTakeFirst()
  if (!stored) throw new TokenRequestError('invalid_client', 'The client assertion has been used before.')
  return client
}

/**
 * Keys of a client: those registered, and where a `jwks_uri` is registered too, those published there when the signer is not among them,
 * so that a client may rotate its keys. The address is the registration's, never the assertion's.
 */
function keysOf(jwks: unknown): JWTVerifyGetKey {
  const { keys, jwks_uri: uri } = jwks as { keys?: JSONWebKeySet['keys']; jwks_uri?: string }
  const local = createLocalJWKSet({ keys: keys ?? [] })
  if (!uri) return local
  return async (header, token) => local(header, token).catch((error) => {
    if (!(error instanceof errors.JWKSNoMatchingKey)) throw error
    return remoteKeys(uri)(header, token)
  })
}

const remotes = new Map<string, JWTVerifyGetKey>()

function remoteKeys(uri: string): JWTVerifyGetKey {
  const known = remotes.get(uri) ?? createRemoteJWKSet(new URL(uri), { timeoutDuration: 3000 })
  remotes.set(uri, known)
  return known
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
