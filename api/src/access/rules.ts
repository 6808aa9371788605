/**
 * Who may see and change what: one ordered table of pure rules. The first rule that has an opinion decides; without one the
 * answer is no. `visible.ts` is the same decision as a SQL condition; `access.test.ts` holds the two equal.
 * Source: docs/access.md, PIPL art. 13 and 28, domain table "who may see what".
 */
import type { ResourceType } from '../fhir/resource-types.ts'
import { type Audience, citizenTypes, clinicalTypes } from './audience.ts'
import type { Principal } from './principal.ts'
import { type Permission, scopeGrants } from './scopes.ts'

export interface Question {
  permission: Permission
  type: ResourceType
  audience: Audience
  /** Key of the patient whose compartment the row is in; null outside any. */
  pid: string | null
}

/** What was looked up about the caller and this patient. */
export interface AccessFacts {
  /** The patient is the citizen. */
  own: boolean
  /** The citizen has a proxy grant for the patient that is valid now. */
  actsFor: boolean
  /** The professional has a care relation with the patient that is open now. */
  inCare: boolean
}

type Verdict = 'allow' | 'deny' | undefined
interface AccessRule { name: string; decide: (principal: Principal, question: Question, facts: AccessFacts) => Verdict }

const isRead = (question: Question) => question.permission === 'r' || question.permission === 's'
const isCitizen = (principal: Principal) => principal.kind === 'person' && principal.role === 'citizen'
const isClinical = (principal: Principal) => principal.kind === 'person' && (principal.role === 'clinician' || principal.role === 'gp')

/** Order is precedence. */
export const accessRules: readonly AccessRule[] = [
  { name: 'public-directory', decide: (_, question) => (question.audience === 'directory' && isRead(question) ? 'allow' : undefined) },
  { name: 'system-scope', decide: (principal, question) => (principal.kind === 'client' ? (scopeGrants(principal.scopes, question.type, question.permission) ? 'allow' : 'deny') : undefined) },
  { name: 'no-one-signed-in', decide: (principal) => (principal.kind === 'anonymous' ? 'deny' : undefined) },
  { name: 'staff-catalogue', decide: (principal, question) => (question.audience === 'staff' && isRead(question) && isClinical(principal) ? 'allow' : undefined) },
  { name: 'only-patient-data', decide: (_, question) => (question.audience !== 'patient' || question.pid === null ? 'deny' : undefined) },
  { name: 'own-record', decide: (principal, question, facts) => (isCitizen(principal) && facts.own ? citizenVerdict(question) : undefined) },
  { name: 'acting-for-family', decide: (principal, question, facts) => (isCitizen(principal) && facts.actsFor ? citizenVerdict(question) : undefined) },
  { name: 'care-relation', decide: (principal, question, facts) => (isClinical(principal) && facts.inCare ? (isRead(question) || clinicalTypes.has(question.type) ? 'allow' : 'deny') : undefined) },
]

function citizenVerdict(question: Question): Verdict {
  return isRead(question) || citizenTypes.has(question.type) ? 'allow' : 'deny'
}

/** @returns the verdict and the name of the rule that gave it, which goes into the audit trail. */
export function decide(principal: Principal, question: Question, facts: AccessFacts): { allowed: boolean; rule: string } {
  for (const rule of accessRules) {
    const verdict = rule.decide(principal, question, facts)
    if (verdict) return { allowed: verdict === 'allow', rule: rule.name }
  }
  return { allowed: false, rule: 'default-deny' }
}
