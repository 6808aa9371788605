/**
 * The access decision of a write. Every patient the resource is about, before and after, must be one the caller may write
 * for, so that nobody moves an entry into or out of a record that is closed to them.
 */
import type { Resource } from '@medplum/fhirtypes'
import type { Kysely } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { fail, forbidden, notFound, refused } from '../fhir/outcome.ts'
import type { ResourceType } from '../fhir/resource-types.ts'
import type { Tables } from '../storage/tables.ts'
import { audienceOf, citizenTypes, clinicalTypes } from './audience.ts'
import { loadAccessFacts } from './facts.ts'
import type { Placement } from './placement.ts'
import { decide } from './rules.ts'
import { type Permission, scopesFor } from './scopes.ts'

/** A write to be judged; null before at create, null after at delete. `was` and `will` say where the entry stands before and after. */
export interface JudgedChange {
  type: ResourceType
  id: string
  /** The caller named the id, as in an update. */
  named: boolean
  before: Resource | null
  after: Resource | null
  was: (Placement & { keys: readonly bigint[] }) | null
  will: (Placement & { keys: readonly bigint[] }) | null
}

/**
 * Judges all writes of a request. Nothing in a refusal tells whether an entry that the caller may not see is there: changing one is
 * `not-found`, as if it were not, and deleting one does nothing, as if it were not.
 * @returns for each change whether the caller may not see what is there now.
 * @throws OutcomeError `sign-in-required` (401) without a token, `forbidden` (403) when a rule says no, `not-found`.
 */
export async function judgeWrites(db: Kysely<Tables>, ctx: Ctx, changes: readonly JudgedChange[]): Promise<boolean[]> {
  const pids = changes.map(patientsOf)
  const facts = await loadAccessFacts(db, ctx, [...new Set(pids.flatMap((each) => [...each.before, ...each.after]))])
  const allowed = (permission: Permission, type: ResourceType, where: JudgedChange['was'], patients: readonly string[]): boolean =>
    (patients.length > 0 ? patients : [null]).every((pid) => decide(ctx.principal, {
      permission, type, audience: audienceOf(type), pid, ...(where ?? nowhere),
    }, facts.get(pid)).allowed)
  return changes.map((change, index) => {
    const { before, after } = pids[index] as Patients
    const permission = permissionOf(change)
    const { type, was, will } = change
    if (change.before !== null && !allowed(permission, type, was, before)) {
      if (ctx.principal.kind === 'anonymous') throw signInRequired()
      // One of the patients is enough to see it.
      const seen = (before.length > 0 ? before : [null]).some((pid) => allowed('r', type, was, pid === null ? [] : [pid]))
      if (seen) throw refused(forbidden(), [...before, ...after])
      if (change.after === null && mayDeleteSome(ctx, type)) return true
      if (change.after === null) throw refused(forbidden(), before)
      throw refused(notFound(`${type}/${change.id}`), before)
    }
    // Only systems choose ids: to a person an id that is not there and one they may not see are the same.
    if (change.before === null && change.after !== null && change.named && ctx.principal.kind === 'person') throw allowed(permission, type, will, after) ? notFound(`${type}/${change.id}`) : refused(notFound(`${type}/${change.id}`), after)
    if (change.after !== null && !allowed(permission, type, will, after)) throw ctx.principal.kind === 'anonymous' ? signInRequired() : refused(forbidden(), after)
    if (change.before === null && change.after === null && !mayDeleteSome(ctx, type)) throw ctx.principal.kind === 'anonymous' ? signInRequired() : forbidden()
    return false
  })
}

const nowhere = { labels: 0, organization: null, department: null, author: null, keys: [] }

/** Nothing is there to be deleted: who could not delete anything of the type is told so all the same. */
function mayDeleteSome({ principal }: Ctx, type: ResourceType): boolean {
  if (principal.kind === 'client' || principal.scopes.length > 0) return scopesFor(principal, type, 'd').length > 0
  return principal.role === 'citizen' ? citizenTypes.has(type) : (principal.role === 'clinician' || principal.role === 'gp') && clinicalTypes.has(type)
}

export function signInRequired() {
  return fail('sign-in-required', { zh: '请先登录。', en: 'Please sign in first.' })
}

function permissionOf(change: Pick<JudgedChange, 'before' | 'after'>): Permission {
  if (change.after === null) return 'd'
  return change.before === null ? 'c' : 'u'
}

interface Patients { before: string[]; after: string[] }

/** Keys of all patients a change is about, as it was and as it will be. */
function patientsOf({ type, id, before, after }: JudgedChange): Patients {
  const idsIn = (resource: Resource | null) => (resource === null ? [] : [...new Set([...(type === 'Patient' ? [id] : []), ...patientIdsOf(resource)])].map(keyOf))
  return { before: idsIn(before), after: idsIn(after) }
}

const subjectElements = ['subject', 'patient', 'beneficiary', 'for', 'individual', 'individualSubject', 'participant', 'member', 'target', 'subscriber', 'requester', 'entity', 'link', 'actor'] as const

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
