/**
 * `POST ServiceRequest/$refer`: a GP refers a resident under contract to a department of a hospital or a doctor there. Input: patient, organization,
 * department, reason (words), practitioner?, priority? (routine, urgent). Answers Parameters: `referral` (the ServiceRequest), `code`, `pin`. The PIN is
 * said once; a repeated request with the same `Idempotency-Key` gives the same referral without it. A plain `POST ServiceRequest` of the
 * category `referral` does the same (write-rules.ts), and `$new-pin` makes the PIN then.
 */
import type { Parameters as FhirParameters, ServiceRequest } from '@medplum/fhirtypes'
import type { Ctx } from '../../ctx.ts'
import { addMinutes, dayInShanghai } from '../../fhir/date-time.ts'
import { keyOf, shardOf } from '../../fhir/id.ts'
import { fail, forbidden, type Issue, issue, OutcomeError } from '../../fhir/outcome.ts'
import { writeNotices } from '../../notices/write-notices.ts'
import { loadResource } from '../../records/read-resource.ts'
import type { Operation, OperationCall, OperationResult } from '../../records/store.ts'
import { answerOnce } from '../../storage/answer-once.ts'
import type { Trx } from '../../storage/pool.ts'
import { inTransaction } from '../../storage/transaction.ts'
import { lockPatients } from '../booking-rows.ts'
import { findDepartment } from '../departments.ts'
import { at, codeAmong, freeText, type Input, readInput, referencedId, requiredId } from '../operation-input.ts'
import { noticeTo } from './notices.ts'
import { hashPin, newCode, newPin } from './pin.ts'
import { requestOf, taskOf } from './resources.ts'
import { hasContract, hasOpenReferral, holdsClinics, insertReferral, logReferral } from './rows.ts'
import { type Priority, states, targetSentence, twiceSentence } from './steps.ts'
import { dueFrom, nothingGiven, numbersOf, type Stepped, storeReferral, type Target } from './take-step.ts'

export const referOperation: Operation = {
  name: '$refer', level: 'type', types: ['ServiceRequest'], methods: ['POST'], affectsState: true,
  summary: 'Refers a patient to a department of a hospital; answers the ServiceRequest with the code and PIN to book with.',
  run: refer,
}

export interface ReferralWish extends Target { patient: string; priority: Priority; reason: string; id: string | null }

async function refer({ db, ctx, store, body, idempotencyKey }: OperationCall): Promise<OperationResult> {
  const input = readInput(body, ['patient', 'organization', 'department', 'practitioner', 'priority', 'reason'])
  const reason = freeText(input, 'reason')
  if (reason === null) throw fail('required', { zh: '请写明转诊原因。', en: 'Say why the patient is referred.' }, at('reason'))
  const wish: ReferralWish = {
    patient: requiredId(input, 'patient', 'Patient'), organization: requiredId(input, 'organization', 'Organization'), department: departmentIn(input),
    practitioner: referencedId(input, 'practitioner', 'Practitioner'), priority: codeAmong(input, 'priority', ['routine', 'urgent']) ?? 'routine', reason, id: null,
  }
  const pin = newPin()
  const pinHash = await hashPin(pin)
  const made = await inTransaction(db, async (trx) => {
    let fresh = false
    const request = await answerOnce<ServiceRequest>(trx, ctx, { key: idempotencyKey, request: `$refer ${JSON.stringify(body)}` }, async () => {
      const stepped = await makeReferral(trx, ctx, wish, pinHash)
      await storeReferral(trx, ctx, store, stepped, 'create')
      fresh = true
      return stepped.request
    })
    return { request, fresh }
  })
  return { resource: paper(made.request, made.fresh ? pin : null), patients: [keyOf(wish.patient)] }
}

/** What is handed to the patient; the PIN only when it was just made. */
export function paper(request: ServiceRequest, pin: string | null): FhirParameters {
  return {
    resourceType: 'Parameters',
    parameter: [{ name: 'referral', resource: request }, { name: 'code', valueString: request.identifier?.[0]?.value ?? '' }, ...(pin === null ? [] : [{ name: 'pin', valueString: pin }])],
  }
}

/** Writes the row; ServiceRequest and Task are the caller's to store. @throws OutcomeError `forbidden`, `reference-unresolved`, `referral-no-contract`, `referral-target`, `referral-twice`. */
export async function makeReferral(trx: Trx, ctx: Ctx, wish: ReferralWish, pinHash: string): Promise<Stepped> {
  const { principal } = ctx
  if (principal.kind !== 'person' || principal.role !== 'gp' || principal.practitioner === null || principal.organization === null) throw forbidden()
  const pid = keyOf(wish.patient)
  // A patient without a contract and one that is not there are the same to the caller.
  if (!await hasContract(trx, ctx, pid, principal.practitioner)) {
    throw fail('referral-no-contract', { zh: '该居民未与您签约，家庭医生只能为签约居民转诊。', en: 'This resident has no contract with you. A general practitioner refers contracted residents only.' })
  }
  if (!await loadResource(trx, 'Patient', wish.patient)) throw fail('reference-unresolved', { zh: `没有找到 Patient/${wish.patient}。`, en: `Patient/${wish.patient} was not found.` })
  await lockPatients(trx, [pid])
  const issues = await brokenBy(trx, ctx, wish, pid)
  if (issues.length > 0) throw new OutcomeError(issues)
  const numbers = await numbersOf(trx, ctx, wish)
  const state = numbers['referral.triage'] === 1 ? 'requested' : 'accepted'
  const [request, task] = [wish.id ?? ctx.newId(shardOf(pid)), ctx.newId(shardOf(pid))]
  const expires = addMinutes(ctx.now, numbers['referral.validDays'] * 24 * 60).toISOString()
  const now = ctx.now.toISOString()
  const row = await insertReferral(trx, {
    shard: shardOf(pid), id: keyOf(request), request, task, code: newCode(), pin_hash: pinHash, pid, patient: wish.patient,
    gp: principal.practitioner, gp_organization: principal.organization, organization: wish.organization, department: wish.department, practitioner: wish.practitioner,
    priority: wish.priority, state, booking: null, ...dueFrom(ctx.now, state, { priority: wish.priority, expires_at: expires }, numbers, nothingGiven),
    expires_at: expires, created_at: now, updated_at: now,
  })
  await logReferral(trx, ctx, { referral: row.id, step: 'refer', from: null, to: state })
  const owner = states[state].owner
  await writeNotices(trx, ctx, [noticeTo('patient', 'referral-made', row), ...(owner === null || owner === 'patient' ? [] : [noticeTo(owner, `referral-${state}`, row)])])
  return { row, request: requestOf(row, { reason: wish.reason, added: [] }), task: taskOf(row, { notes: [], answer: null, appointment: null }) }
}

async function brokenBy(trx: Trx, ctx: Ctx, wish: ReferralWish, pid: string): Promise<Issue[]> {
  const issues: Issue[] = []
  if (!await holdsClinics(trx, wish, dayInShanghai(ctx.now))) issues.push(issue('referral-target', targetSentence))
  if (await hasOpenReferral(trx, { pid, ...wish }, null)) issues.push(issue('referral-twice', twiceSentence))
  return issues
}

/** @throws OutcomeError `required`, `value-invalid`. */
export function departmentIn(input: Input): string {
  const given = input.get('department')
  const code: unknown = given?.valueCode ?? given?.valueCoding?.code
  if (typeof code === 'string' && findDepartment(code)) return code
  throw given === undefined
    ? fail('required', { zh: '缺少参数 department。', en: 'The parameter department is missing.' }, at('department'))
    : fail('value-invalid', { zh: '请给出科室代码，例如 03.04。', en: 'Give the code of a department, such as 03.04.' }, at('department'))
}
