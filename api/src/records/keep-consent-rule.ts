/**
 * What a citizen may write as Consent: one of our categories, complete, about their own record, and something the law lets them decide. A
 * choice that could not be kept is refused rather than stored. Who is named by identity number and name becomes a reference; a share
 * for one visit gets the times and the doctor of its appointment. Source: docs/access.md, "A citizen's choices".
 */
import type { Appointment, Consent, ConsentProvisionActor, Patient } from '@medplum/fhirtypes'
import { sql } from 'kysely'
import { consentCategories, readConsent, shareDaysMax } from '../access/consent-rules.ts'
import { unhideableBit } from '../access/labels.ts'
import type { Ctx } from '../ctx.ts'
import { addMinutes } from '../fhir/date-time.ts'
import { keyOf } from '../fhir/id.ts'
import { fail, type OutcomeError } from '../fhir/outcome.ts'
import { residentIdSystem } from '../fhir/resident-id.ts'
import { parseReference } from '../fhir/references.ts'
import { typeCode } from '../fhir/resource-types.ts'
import type { Trx } from '../storage/pool.ts'
import { personByDocument } from './person-by-document.ts'
import { loadResource } from './read-resource.ts'
import type { Change, Store } from './store.ts'

const dayMinutes = 24 * 60

/** Systems write Consents of any kind; only those of our categories have an effect. */
export async function keepConsentRule(trx: Trx, ctx: Ctx, _store: Store, change: Change): Promise<Consent | undefined> {
  const before = change.before as Consent | null
  const after = change.after as Consent | null
  if (after === null || ctx.principal.kind === 'client') return
  const completed = await complete(trx, after)
  const read = readConsent(completed)
  if (read === null) throw refuse('category', `授权的类别应为 ${consentCategories.join('、')}。`, `The category must be one of ${consentCategories.join(', ')}.`)
  if (before !== null && (readConsent(before)?.patient !== read.patient || readConsent(before)?.category !== read.category)) throw refuse('category', '不能改变授权的类别或本人，请另建一份。', 'Category and patient of a consent stay. Make another one.')
  if (completed.status === 'inactive' && before !== null) return completed
  if (completed.status !== 'active') throw refuse('status', '状态应为 active（生效）或 inactive（撤销）。', 'The status is active, or inactive to revoke it.')
  if (read.rules.length === 0) throw refuse('provision', '授权内容不完整：请写明对象、内容和截止日期。', 'The choice is not complete: say whom it is about, what, and until when.')
  for (const rule of read.rules) {
    if (rule.kind === 'hide') await assertMayHide(trx, read.patient, rule)
    if ((rule.kind === 'share' || rule.kind === 'family') && !isWithinTerm(ctx, rule.until)) throw refuse('provision.period', `截止日期应在今后 ${shareDaysMax} 天以内。`, `It may last ${shareDaysMax} days from now at most.`)
    if (rule.kind === 'family' && rule.grantee === read.patient) throw refuse('provision.actor', '不能授权给本人。', 'You cannot authorize yourself.')
    if (rule.kind === 'family' && await loadResource<Patient>(trx, 'Patient', rule.grantee) === null) throw noSuchPerson()
  }
  return completed
}

function isWithinTerm(ctx: Ctx, until: string): boolean {
  return Date.parse(until) > ctx.now.getTime() && Date.parse(until) <= addMinutes(ctx.now, shareDaysMax * dayMinutes).getTime()
}

async function assertMayHide(trx: Trx, patient: string, { type, id }: { type: string; id: string }): Promise<void> {
  const { rows: [row] } = await sql<{ labels: number | null }>`select r.labels from resource r
    where r.id = ${keyOf(id)}::uuid and r.t = ${typeCode(type as never)}::smallint and r.pid = ${keyOf(patient)}::uuid`.execute(trx)
  if (!row || type === 'Patient') throw fail('reference-unresolved', { zh: '本人档案中没有这条记录。', en: 'There is no such entry in this record.' }, 'Consent.provision.data')
  if (((row.labels ?? 0) & unhideableBit) !== 0) throw refuse('provision.data', '过敏和血型关系到抢救安全，不能隐藏。', 'Allergies and blood group are needed in an emergency and cannot be hidden.')
}

async function complete(trx: Trx, consent: Consent): Promise<Consent> {
  const { provision } = consent
  if (!provision) return consent
  const actor = await Promise.all((provision.actor ?? []).map((each) => named(trx, each)))
  const visit = provision.data?.find((each) => each.reference?.reference?.startsWith('Appointment/'))
  const shared = { ...consent, provision: { ...provision, ...(actor.length > 0 ? { actor } : {}) } }
  return visit === undefined || provision.type !== 'permit' ? shared : forVisit(trx, shared, visit.reference.reference ?? '')
}

/** Somebody named by identity number and name: both must fit, and who does not exist and who does not fit get one answer. */
async function named(trx: Trx, actor: ConsentProvisionActor): Promise<ConsentProvisionActor> {
  const { identifier, display, reference } = actor.reference
  if (reference !== undefined || identifier?.value === undefined) return actor
  const found = await personByDocument(trx, identifier.system ?? residentIdSystem, identifier.value, display ?? '')
  if (found === null) throw noSuchPerson()
  return { ...actor, reference: { reference: `Patient/${found}`, display: display ?? '' } }
}

/** The doctor of an appointment, from the day before until the day after it. */
async function forVisit(trx: Trx, consent: Consent, reference: string): Promise<Consent> {
  const target = parseReference(reference)
  const appointment = target.kind === 'local' ? await loadResource<Appointment>(trx, 'Appointment', target.id) : null
  const own = appointment?.participant.some((each) => each.actor?.reference === consent.patient?.reference)
  const doctor = appointment?.participant.find((each) => each.actor?.reference?.startsWith('Practitioner/'))?.actor
  if (!appointment?.start || !own || !doctor) throw fail('reference-unresolved', { zh: '没有找到本人的这次预约。', en: 'There is no such appointment of this patient.' }, 'Consent.provision.data')
  const start = new Date(appointment.start)
  return {
    ...consent,
    provision: {
      ...consent.provision,
      period: { start: addMinutes(start, -dayMinutes).toISOString(), end: addMinutes(start, dayMinutes).toISOString() },
      actor: [{ role: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ParticipationType', code: 'PRCP' }] }, reference: { reference: doctor.reference ?? '', ...(doctor.display === undefined ? {} : { display: doctor.display }) } }],
    },
  }
}

function noSuchPerson(): OutcomeError {
  return fail('reference-unresolved', { zh: '没有找到姓名与证件号码相符的人，请核对。', en: 'Nobody has this name and identity number. Please check both.' }, 'Consent.provision.actor')
}

function refuse(element: string, zh: string, en: string): OutcomeError {
  return fail('business-rule', { zh, en }, `Consent.${element}`)
}
