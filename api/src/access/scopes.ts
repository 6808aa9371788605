/**
 * SMART App Launch 2.2 scopes: `system/Observation.rs`, `user/*.cruds`, `patient/Condition.rs`, narrowed by a token parameter
 * (`patient/Observation.rs?category=http://…|laboratory`). The same reading serves clients, apps of people, and the SQL twin. A scope
 * that is not understood grants nothing. Source: SMART 2.2 § Scopes.
 */
import { isResourceType, type ResourceType } from '../fhir/resource-types.ts'
import { tokenKey } from '../records/search/keys.ts'
import type { Principal } from './principal.ts'

export type Permission = 'c' | 'r' | 'u' | 'd' | 's'

export interface Scope {
  context: 'system' | 'user' | 'patient'
  type: ResourceType | '*'
  permissions: string
  /** Each of these tokens must be among the entry's; a parameter other than a token is not taken. */
  tokens: readonly { param: string; system: string | null | undefined; code: string }[]
}

const pattern = /^(system|user|patient)\/(\*|[A-Z][A-Za-z]+)\.(c?r?u?d?s?|read|write|\*)(?:\?(.+))?$/
/** Scopes of SMART 1.0 as the second version reads them. */
const older: Readonly<Record<string, string>> = { read: 'rs', write: 'cud', '*': 'cruds' }
/** Parameters that a scope may be narrowed by. */
const narrowing: ReadonlySet<string> = new Set(['category', 'code', 'status', 'class', 'type', 'clinical-status', 'verification-status'])

const parsed = new Map<string, Scope | null>()
const rememberedMax = 5000

export function parseScope(text: string): Scope | null {
  const known = parsed.get(text)
  if (known !== undefined) return known
  if (parsed.size >= rememberedMax) parsed.clear()
  const scope = readScope(text)
  parsed.set(text, scope)
  return scope
}

function readScope(text: string): Scope | null {
  const [, context, type = '', letters = '', query] = pattern.exec(text) ?? []
  if (context === undefined || letters === '' || (type !== '*' && !isResourceType(type))) return null
  const tokens = [...new URLSearchParams(query ?? '')].map(([param, value]) => {
    const bar = value.indexOf('|')
    return { param, system: bar < 0 ? undefined : bar === 0 ? null : value.slice(0, bar), code: value.slice(bar + 1) }
  })
  if (tokens.some((each) => !narrowing.has(each.param) || each.code === '' || each.code.includes(','))) return null
  if (tokens.length > 0 && type === '*') return null
  return { context: context as Scope['context'], type: type as Scope['type'], permissions: older[letters] ?? letters, tokens }
}

/** Scopes of the caller that say anything of this type and permission. A client's are `system/…`, those of an app of a person `user/…` and `patient/…`. */
export function scopesFor({ kind, scopes }: Pick<Principal, 'kind' | 'scopes'>, type: ResourceType | null, permission: Permission): Scope[] {
  return scopes.map(parseScope).filter((scope): scope is Scope => scope !== null && (scope.context === 'system') === (kind === 'client')
    && scope.permissions.includes(permission) && (type === null || scope.type === '*' || scope.type === type))
}

/** True when one of the scopes grants the permission on the type, for some entries at least. */
export function scopeGrants(scopes: readonly string[], type: ResourceType, permission: Permission): boolean {
  return scopesFor({ kind: 'client', scopes }, type, permission).length > 0
}

/** True when the client may do this with every entry of every type. */
export function grantsEverything(scopes: readonly string[], permission: Permission): boolean {
  return scopesFor({ kind: 'client', scopes }, null, permission).some((scope) => scope.type === '*' && scope.tokens.length === 0)
}

/** True when a scope is well formed for a system client. */
export function isSystemScope(scope: string): boolean {
  return parseScope(scope)?.context === 'system'
}

/** Keys that an entry of the type must all have to fall under the scope. */
export function keysOf(scope: Scope, type: ResourceType): bigint[] {
  return scope.tokens.map(({ param, system, code }) => tokenKey(type, param, system, code))
}
