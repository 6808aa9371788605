/** SMART App Launch 2.x scopes of systems: `system/Observation.rs`, `system/*.cruds`. Source: SMART 2.2 § Scopes. */
import type { ResourceType } from '../fhir/resource-types.ts'

export type Permission = 'c' | 'r' | 'u' | 'd' | 's'

const scopePattern = /^system\/(\*|[A-Z][A-Za-z]+)\.(c?r?u?d?s?)$/

/** True when one of the scopes grants the permission on the type. */
export function scopeGrants(scopes: readonly string[], type: ResourceType, permission: Permission): boolean {
  return scopes.some((scope) => {
    const match = scopePattern.exec(scope)
    return match !== null && (match[1] === '*' || match[1] === type) && (match[2] ?? '').includes(permission)
  })
}

/** True when a scope is well formed for a system client. */
export function isSystemScope(scope: string): boolean {
  const match = scopePattern.exec(scope)
  return match !== null && match[2] !== ''
}

/** Types a client may read or search; null means all. */
export function typesGranted(scopes: readonly string[], permission: Permission): string[] | null {
  const types: string[] = []
  for (const scope of scopes) {
    const match = scopePattern.exec(scope)
    if (!match || !(match[2] ?? '').includes(permission)) continue
    if (match[1] === '*') return null
    types.push(match[1] ?? '')
  }
  return types
}
