/**
 * The access decision of a write. Every patient the resource is about, before and after, must be one the caller may write
 * for, so that nobody moves an entry into or out of a record that is closed to them.
 */
import type { Resource } from '@medplum/fhirtypes'
import type { Kysely } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { fail, forbidden } from '../fhir/outcome.ts'
import type { ResourceType } from '../fhir/resource-types.ts'
import type { Tables } from '../storage/tables.ts'
import { audienceOf } from './audience.ts'
import { loadAccessFacts, noAccessFacts } from './facts.ts'
import { decide } from './rules.ts'
import type { Permission } from './scopes.ts'

/** A write to be judged; null before at create, null after at delete. */
export interface JudgedChange { type: ResourceType; id: string; before: Resource | null; after: Resource | null }

/** @throws OutcomeError `sign-in-required` (401) without a token, `forbidden` (403) when a rule says no. */
export async function assertMayWrite(db: Kysely<Tables>, ctx: Ctx, changes: readonly JudgedChange[]): Promise<void> {
  const judged = changes.map((change) => ({ change, pids: patientsOf(change) }))
  const facts = await loadAccessFacts(db, ctx, [...new Set(judged.flatMap((each) => each.pids))])
  for (const { change, pids } of judged) {
    for (const pid of pids.length > 0 ? pids : [null]) {
      const question = { permission: permissionOf(change), type: change.type, audience: audienceOf(change.type), pid }
      const verdict = decide(ctx.principal, question, (pid === null ? undefined : facts.get(pid)) ?? noAccessFacts)
      if (!verdict.allowed) throw ctx.principal.kind === 'anonymous' ? signInRequired() : forbidden()
    }
  }
}

export function signInRequired() {
  return fail('sign-in-required', { zh: '请先登录。', en: 'Please sign in first.' })
}

function permissionOf(change: JudgedChange): Permission {
  if (change.after === null) return 'd'
  return change.before === null ? 'c' : 'u'
}

/** Keys of all patients a change is about. */
function patientsOf(change: JudgedChange): string[] {
  const ids = new Set<string>()
  if (change.type === 'Patient') ids.add(change.id)
  for (const resource of [change.before, change.after]) {
    if (resource) for (const id of patientIdsOf(resource)) ids.add(id)
  }
  return [...ids].map(keyOf)
}

const subjectElements = ['subject', 'patient', 'beneficiary', 'for', 'individual', 'individualSubject', 'participant', 'member', 'target', 'subscriber', 'requester', 'entity', 'link'] as const

/** Ids of patients named by the elements that put a resource into a compartment. */
function patientIdsOf(resource: Resource): string[] {
  const found: string[] = []
  const take = (value: unknown): void => {
    if (Array.isArray(value)) for (const item of value) take(item)
    else if (typeof value === 'object' && value !== null) {
      const { reference, actor, individual, entity, what, target, other } = value as Record<string, unknown>
      const match = typeof reference === 'string' ? /(?:^|\/)Patient\/([A-Za-z0-9\-.]{1,64})/.exec(reference) : null
      if (match?.[1]) found.push(match[1])
      for (const inner of [actor, individual, entity, what, target, other]) if (inner !== undefined) take(inner)
    }
  }
  for (const element of subjectElements) take((resource as unknown as Record<string, unknown>)[element])
  return found
}
