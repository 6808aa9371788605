/**
 * Who may see and change what: one ordered table of pure rules. The first rule that has an opinion decides; without one the answer is
 * no. A refusal outweighs what follows it; only break-glass and what the law asks for pass it. `visible.ts` is the same decision as a
 * SQL condition; api/test/access/visible.test.ts holds the two equal. Source: docs/access.md, PIPL art. 13 and 28.
 */
import { keyOf } from '../fhir/id.ts'
import type { ResourceType } from '../fhir/resource-types.ts'
import { type Audience, citizenTypes, cityTypes, clinicalReadable, clinicalTypes, deskTypes, insurerTypes } from './audience.ts'
import { adolescentBit, barredBit, hiddenBit, sensitiveBits, statutoryBit, unhideableBit, unjudged } from './labels.ts'
import { groupBit, groupBitOf } from './data-groups.ts'
import type { Principal } from './principal.ts'
import { keysOf, type Permission, scopesFor } from './scopes.ts'

export interface Question {
  permission: Permission
  type: ResourceType
  audience: Audience
  /** Key of the patient whose compartment the row is in; null outside any. */
  pid: string | null
  /** Bits of labels.ts; null when the row has not been judged. */
  labels: number | null
  /** Keys and code of placement.ts; null when not known. */
  organization: string | null
  department: string | null
  author: string | null
  /** The row's keys, for scopes that name a category. */
  keys: readonly bigint[]
}

/** A grant to act for the patient that is valid now. */
export interface Grant {
  kind: 'guardian' | 'authorization'
  /** Bits of data-groups.ts, as they are at the patient's age. */
  groups: number
}

/** A reason why the record is open to the caller now. */
export interface Relation { organization: string; department: string | null; opens: number }

/** What was looked up about the caller and this patient. */
export interface AccessFacts {
  /** The patient is the citizen. */
  own: boolean
  grants: readonly Grant[]
  relations: readonly Relation[]
  /** The patient has barred the caller or the caller's hospital. */
  barred: boolean
  /** Somebody of the caller's organization treats the patient now. */
  known: boolean
  /** The caller's organization pays a Coverage of the patient. */
  insured: boolean
  /** Keys of the organizations a system acts for: its own and those that are part of it, at any depth. Empty for everybody else. */
  members: readonly string[]
}

type Verdict = 'allow' | 'deny' | undefined
interface AccessRule {
  name: string
  /** In one sentence, for docs/access.md and the audit trail. */
  why: string
  decide: (principal: Principal, question: Question, facts: AccessFacts) => Verdict
}

export const isRead = (question: Pick<Question, 'permission'>) => question.permission === 'r' || question.permission === 's'
const isCitizen = (principal: Principal) => principal.kind === 'person' && principal.role === 'citizen'
const isClinical = (principal: Principal) => principal.kind === 'person' && (principal.role === 'clinician' || principal.role === 'gp')
const hasRole = (principal: Principal, role: Principal['role']) => principal.kind === 'person' && principal.role === role
const ownHospital = (principal: Principal, { organization }: Question) => principal.organization !== null && organization === keyOf(principal.organization)
const wrote = (principal: Principal, { author }: Question) => principal.practitioner !== null && author === keyOf(principal.practitioner)
const labelsOf = ({ labels }: Question) => labels ?? unjudged

/** Order is precedence. */
export const accessRules: readonly AccessRule[] = [
  { name: 'public-directory', why: 'everyone reads the directory of hospitals, doctors, clinics, prices and terms', decide: (_, question) => (question.audience === 'directory' && isRead(question) ? 'allow' : undefined) },
  { name: 'no-one-signed-in', why: 'without a token nothing else', decide: (principal) => (principal.kind === 'anonymous' ? 'deny' : undefined) },
  { name: 'scope', why: 'a system, or an app of a person, stays within its scopes', decide: (principal, question) => ((principal.kind === 'client' || principal.scopes.length > 0) && !inScope(principal, question) ? 'deny' : undefined) },
  { name: 'system-of-a-hospital', why: 'a system that acts for a hospital or a region has the entries and patients of its hospitals only; it writes what those keep in the directory, and nothing that holds for the whole city', decide: systemOfAHospital },
  { name: 'system-scope', why: 'a system does what its scopes say', decide: (principal) => (principal.kind === 'client' ? 'allow' : undefined) },
  { name: 'staff-catalogue', why: 'doctors read medication and device catalogues', decide: (principal, question) => (question.audience === 'staff' && isRead(question) && isClinical(principal) ? 'allow' : undefined) },
  { name: 'only-patient-data', why: 'people have nothing outside patients\' records', decide: (_, question) => (question.audience !== 'patient' || question.pid === null ? 'deny' : undefined) },
  { name: 'barred-by-citizen', why: 'the citizen keeps a doctor or hospital out; allergies and blood group, and what that hospital wrote itself, stay', decide: barredByCitizen },
  { name: 'hidden-by-citizen', why: 'the citizen hid the entry from everyone but its author', decide: hiddenByCitizen },
  { name: 'sensitive-label', why: 'a sensitive entry is for the department it comes from, its author, and whom the citizen opened it to', decide: sensitiveLabel },
  { name: 'own-record', why: 'a citizen has all of their own record', decide: (principal, question, facts) => (isCitizen(principal) && facts.own ? citizenVerdict(question) : undefined) },
  { name: 'acting-for-family', why: 'a guardian or an authorized relative has the groups they were given', decide: (principal, question, facts) => (isCitizen(principal) && facts.grants.some((grant) => covers(grant, question)) ? citizenVerdict(question) : undefined) },
  { name: 'care-relation', why: 'who treats the patient now reads the record and writes clinical entries', decide: (principal, question, facts) => (isClinical(principal) && facts.relations.length > 0 ? clinicalVerdict(question) : undefined) },
  { name: 'hospital-desk', why: 'the desk of a hospital has its own bookings and bills, and the particulars of its patients', decide: hospitalDesk },
  { name: 'insurer-claim', why: 'by law the insurance centre has claims and coverage of those it insures', decide: (principal, question, facts) => (hasRole(principal, 'insurer') && facts.insured && isRead(question) && insurerTypes.includes(question.type) ? 'allow' : undefined) },
  { name: 'statutory-report', why: 'by law public health has cases of notifiable diseases', decide: (principal, question) => (hasRole(principal, 'public-health') && isRead(question) && question.type === 'Condition' && question.labels !== null && (question.labels & statutoryBit) !== 0 ? 'allow' : undefined) },
]

function citizenVerdict(question: Question): Verdict {
  return isRead(question) || citizenTypes.has(question.type) ? 'allow' : 'deny'
}

function clinicalVerdict(question: Question): Verdict {
  return (isRead(question) ? clinicalReadable.includes(question.type) : clinicalTypes.has(question.type)) ? 'allow' : 'deny'
}

function inScope(principal: Principal, question: Question): boolean {
  return scopesFor(principal, question.type, question.permission).some((scope) => {
    if (scope.context === 'patient' && (question.pid === null || principal.launchPatient === null || question.pid !== keyOf(principal.launchPatient))) return false
    return keysOf(scope, question.type).every((key) => question.keys.includes(key))
  })
}

function systemOfAHospital(principal: Principal, question: Question, facts: AccessFacts): Verdict {
  if (principal.kind !== 'client' || principal.organization === null) return undefined
  const theirs = question.organization !== null && facts.members.includes(question.organization)
  if (question.audience !== 'patient') return isRead(question) || (theirs && !cityTypes.includes(question.type)) ? undefined : 'deny'
  return theirs || (question.type === 'Patient' && facts.known) ? undefined : 'deny'
}

function barredByCitizen(principal: Principal, question: Question, facts: AccessFacts): Verdict {
  if (!isClinical(principal) || !facts.barred || ownHospital(principal, question) || (labelsOf(question) & unhideableBit) !== 0) return undefined
  return facts.relations.some((each) => (each.opens & barredBit) !== 0) ? undefined : 'deny'
}

function hiddenByCitizen(principal: Principal, question: Question, facts: AccessFacts): Verdict {
  if (!isClinical(principal) || (labelsOf(question) & hiddenBit) === 0 || wrote(principal, question)) return undefined
  return facts.relations.some((each) => (each.opens & hiddenBit) !== 0) ? undefined : 'deny'
}

function sensitiveLabel(principal: Principal, question: Question, { relations }: AccessFacts): Verdict {
  const labels = labelsOf(question) & sensitiveBits
  if (!isClinical(principal) || labels === 0 || wrote(principal, question)) return undefined
  const opened = relations.some((each) => (labels & ~each.opens) === 0
    || (question.organization !== null && each.organization === question.organization && question.department !== null && each.department === question.department))
  return opened ? undefined : 'deny'
}

/** Labels that a grant leaves closed: whoever has `sensitive` sees all but a minor's own; others nothing sensitive and nothing hidden. */
export function closedTo(groups: number): number {
  return (groups & groupBit('sensitive')) !== 0 ? adolescentBit : sensitiveBits | hiddenBit
}

function covers({ groups }: Grant, question: Question): boolean {
  return (groups & groupBitOf(question.type)) !== 0 && (labelsOf(question) & closedTo(groups)) === 0
}

function hospitalDesk(principal: Principal, question: Question, facts: AccessFacts): Verdict {
  if (!hasRole(principal, 'scheduler') || !isRead(question)) return undefined
  if (question.type === 'Patient') return facts.known ? 'allow' : undefined
  return deskTypes.includes(question.type) && ownHospital(principal, question) ? 'allow' : undefined
}

/** @returns the verdict and the name of the rule that gave it, which goes into the audit trail. */
export function decide(principal: Principal, question: Question, facts: AccessFacts): { allowed: boolean; rule: string } {
  for (const rule of accessRules) {
    const verdict = rule.decide(principal, question, facts)
    if (verdict) return { allowed: verdict === 'allow', rule: rule.name }
  }
  return { allowed: false, rule: 'default-deny' }
}
