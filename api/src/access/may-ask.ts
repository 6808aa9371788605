/**
 * Whether a caller may ask about a type at all, before any row is looked at. Only what says nothing about a row is said aloud: that
 * nobody is signed in, or that a system or an app has no scope for the type. Everything else is for `visible`, which hides rows silently.
 */
import type { Ctx } from '../ctx.ts'
import { forbidden } from '../fhir/outcome.ts'
import type { ResourceType } from '../fhir/resource-types.ts'
import { audienceOf } from './audience.ts'
import { signInRequired } from './may-write.ts'
import { grantsEverything, type Permission, scopesFor } from './scopes.ts'

/** Throws sign-in-required (401) and forbidden (403). */
export function assertMayAsk({ principal }: Pick<Ctx, 'principal'>, type: ResourceType, permission: Permission): void {
  if (audienceOf(type) === 'directory' && (permission === 'r' || permission === 's')) return
  if (principal.kind === 'anonymous') throw signInRequired()
  if ((principal.kind === 'client' || principal.scopes.length > 0) && scopesFor(principal, type, permission).length === 0) throw forbidden()
}

/** Whether the caller may load files past the write rules: a system that may do everything with every type. */
export function mayImport({ principal }: Pick<Ctx, 'principal'>): boolean {
  return principal.kind === 'client' && principal.organization === null && (['c', 'u', 'd'] as const).every((permission) => grantsEverything(principal.scopes, permission))
}
