/**
 * What an app may ask a person for: SMART App Launch 2.2 scopes of version 2 (`patient/Observation.rs?category=…`), launch
 * context, identity and staying. Pure. What a scope then opens is `scopes.ts`, together with the role of the person.
 */
import { isResourceType } from '../fhir/resource-types.ts'

/** Scopes that are no resource scopes, in the order a person reads them. */
export const contextScopes = ['openid', 'fhirUser', 'profile', 'launch', 'launch/patient', 'launch/encounter', 'online_access', 'offline_access'] as const

const pattern = /^(patient|user)\/(\*|[A-Z][A-Za-z]+)\.(c?r?u?d?s?)(?:\?([A-Za-z0-9_.:-]+=[^\s&"\\]+(?:&[A-Za-z0-9_.:-]+=[^\s&"\\]+)*))?$/

export interface AppScope { level: 'patient' | 'user'; type: string; permissions: string; query: string | null }

/** Null for everything that is no well-formed resource scope of version 2. */
export function parseAppScope(scope: string): AppScope | null {
  const [, level, type = '', permissions = '', query] = pattern.exec(scope) ?? []
  if ((level !== 'patient' && level !== 'user') || permissions === '' || (type !== '*' && !isResourceType(type))) return null
  return { level, type, permissions, query: query ?? null }
}

/** Asked scopes that we know and that lie within the most the app may ask for; the rest is left out, as OAuth allows. */
export function grantableScopes(asked: string, most: string): string[] {
  const allowed = most.split(' ')
  return [...new Set(asked.split(' '))].filter((scope) => {
    if ((contextScopes as readonly string[]).includes(scope)) return allowed.includes(scope)
    const wanted = parseAppScope(scope)
    return wanted !== null && allowed.some((each) => covers(parseAppScope(each), wanted))
  })
}

function covers(allowed: AppScope | null, asked: AppScope): boolean {
  return allowed !== null && allowed.level === asked.level && (allowed.type === '*' || allowed.type === asked.type)
    && [...asked.permissions].every((each) => allowed.permissions.includes(each))
    && (allowed.query === null || allowed.query === asked.query)
}

/** True when the app needs to know which patient it is about. */
export function needsPatient(scopes: readonly string[]): boolean {
  return scopes.some((scope) => scope === 'launch/patient' || scope === 'launch' || scope.startsWith('patient/'))
}

/** Scopes a person may untick. A launch is what brought them here and opens nothing by itself. */
export function isOptional(scope: string): boolean {
  return !scope.startsWith('launch')
}

/**
 * What the person leaves the app: of the grantable scopes those they kept, and what cannot be unticked.
 * @returns empty when nothing is left that opens anything.
 */
export function keptScopes(grantable: readonly string[], kept: readonly string[]): string[] {
  const left = grantable.filter((scope) => !isOptional(scope) || kept.includes(scope))
  return left.some(isOptional) ? left : []
}
