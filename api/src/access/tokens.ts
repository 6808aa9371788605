/**
 * Access tokens: JWT of type `at+jwt` (RFC 9068), verified locally. Algorithm, type, issuer, audience, expiry and key id are
 * pinned; whatever else a token says is ignored. Invariant: a Principal only ever comes from `verifyToken`.
 */
import { createLocalJWKSet, errors, importJWK, type JWTPayload, jwtVerify, SignJWT } from 'jose'
import { signingAlgorithm, type SigningKey } from '../crypto.ts'
import { fail } from '../fhir/outcome.ts'
import { type Principal, type Role, roles } from './principal.ts'

export interface TokenAuthority {
  /** `iss` of our tokens: the public URL of this server. */
  issuer: string
  /** `aud`: the FHIR base. */
  audience: string
  /** The first one signs. Replaced as a whole when keys rotate. */
  keys: readonly SigningKey[]
}

export const personTokenMinutes = 8 * 60
export const clientTokenMinutes = 15
/** Of an app that acts for a person; it refreshes. */
export const appTokenMinutes = 15

/** Signs a token for a principal. @param minutes lifetime. */
export async function issueToken(authority: TokenAuthority, principal: Principal, now: Date, minutes: number, id: string): Promise<string> {
  const key = authority.keys[0]
  if (!key) throw new Error('There is no signing key.')
  const seconds = Math.floor(now.getTime() / 1000)
  return new SignJWT({ ...claimsOf(principal), ...(principal.kind === 'client' ? { client_id: principal.id } : {}), scope: principal.scopes.join(' ') })
    .setProtectedHeader({ alg: key.alg, kid: key.kid, typ: 'at+jwt' })
    .setIssuer(authority.issuer).setAudience(authority.audience).setSubject(principal.id).setJti(id)
    .setIssuedAt(seconds).setExpirationTime(seconds + minutes * 60)
    .sign(await importJWK(key.privateJwk, key.alg))
}

/** What a token says of its holder beside the registered claims; `principalOf` reads it back. */
export function claimsOf(principal: Principal): Record<string, string | number | null> {
  const { kind, name, role, patient, practitioner, organization, organizationName, sessionId, authLevel, authAt, launchPatient, launchEncounter } = principal
  return {
    kind, name, role, patient, practitioner, organization, organization_name: organizationName, sid: sessionId,
    auth_level: authLevel, auth_time: authAt === null ? null : Math.floor(Date.parse(authAt) / 1000),
    launch_patient: launchPatient, launch_encounter: launchEncounter,
  }
}

export type TokenVerifier = (token: string, now: Date) => Promise<Principal>

/** Tokens whose signature has been checked, with the second they expire: a signature check costs more than a read. */
const rememberedMax = 20_000

/** A verifier that keeps the imported keys and remembers verified tokens until they expire. @throws OutcomeError `token-expired` or `token-invalid` (401) from the returned function. */
export function tokenVerifier(authority: TokenAuthority): TokenVerifier {
  const remembered = new Map<string, { principal: Principal; expires: number; issued: number }>()
  let keys: readonly SigningKey[] = []
  let keySet = createLocalJWKSet({ keys: [] })
  return async (token, now) => {
    if (keys !== authority.keys) {
      keys = authority.keys
      keySet = createLocalJWKSet({ keys: keys.map((key) => key.publicJwk) })
      remembered.clear()
    }
    const seconds = now.getTime() / 1000
    const known = remembered.get(token)
    if (known && seconds < known.expires && seconds >= known.issued) return known.principal
    remembered.delete(token)
    try {
      const { payload } = await jwtVerify(token, keySet, {
        algorithms: [signingAlgorithm], typ: 'at+jwt', issuer: authority.issuer, audience: authority.audience,
        currentDate: now, requiredClaims: ['sub', 'exp', 'iat', 'jti'],
      })
      const principal = principalOf(payload)
      if (remembered.size >= rememberedMax) remembered.delete(remembered.keys().next().value ?? '')
      remembered.set(token, { principal, expires: payload.exp ?? 0, issued: payload.iat ?? 0 })
      return principal
    } catch (error) {
      if (error instanceof errors.JWTExpired) {
        throw fail('token-expired', { zh: '登录已过期，请重新登录。', en: 'Your sign-in has expired. Please sign in again.' })
      }
      if (error instanceof errors.JOSEError || error instanceof TypeError) throw invalidToken()
      throw error
    }
  }
}

export function invalidToken() {
  return fail('token-invalid', { zh: '登录凭证无效，请重新登录。', en: 'The access token is not valid. Please sign in again.' })
}

function principalOf(payload: JWTPayload): Principal {
  const text = (name: string): string | null => (typeof payload[name] === 'string' ? payload[name] : null)
  const kind = payload.kind === 'client' || payload.kind === 'person' ? payload.kind : null
  const role = text('role')
  const level = text('auth_level')
  if (kind === null || !payload.sub || (role !== null && !(roles as readonly string[]).includes(role))) throw invalidToken()
  return {
    kind, id: payload.sub, name: text('name') ?? payload.sub, role: role as Role | null,
    patient: text('patient'), practitioner: text('practitioner'),
    organization: text('organization'), organizationName: text('organization_name'),
    scopes: (text('scope') ?? '').split(' ').filter((scope) => scope !== ''),
    sessionId: text('sid'), authLevel: level === 'password' || level === 'second-factor' ? level : null,
    authAt: typeof payload.auth_time === 'number' ? new Date(payload.auth_time * 1000).toISOString() : null,
    launchPatient: text('launch_patient'), launchEncounter: text('launch_encounter'),
  }
}
