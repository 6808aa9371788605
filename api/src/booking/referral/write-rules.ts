/**
 * Referrals through plain FHIR. `POST ServiceRequest` of the category `referral` refers as `$refer` does; the words a GP adds later are notes. A Task of a
 * referral is moved by its status: each move is the step of that name, or refused, so that a plain PUT, PATCH or bundle goes through the same
 * table as everything else. Nothing of a referral is deleted. Other ServiceRequests and Tasks are none of ours.
 */
import { isDeepStrictEqual } from 'node:util'
import type { ServiceRequest, Task } from '@medplum/fhirtypes'
import type { Ctx } from '../../ctx.ts'
import { keyOf } from '../../fhir/id.ts'
import { fail, type OutcomeError } from '../../fhir/outcome.ts'
import { parseReference } from '../../fhir/references.ts'
import type { ResourceType } from '../../fhir/resource-types.ts'
import type { Change, Store } from '../../records/store.ts'
import type { Trx } from '../../storage/pool.ts'
import { findDepartment } from '../departments.ts'
import { systems } from '../fhir-names.ts'
import { hashPin, newPin } from './pin.ts'
import { makeReferral, type ReferralWish } from './refer.ts'
import { referralSystems } from './resources.ts'
import { lockReferral, type ReferralRow } from './rows.ts'
import type { StepName } from './steps.ts'
import { makeStep, nothingGiven, storeReferral } from './take-step.ts'

export async function writeServiceRequest(trx: Trx, ctx: Ctx, store: Store, change: Change): Promise<ServiceRequest | undefined> {
  const before = change.before as ServiceRequest | null
  const after = change.after as ServiceRequest | null
  const row = before === null ? null : await lockReferral(trx, keyOf(change.id))
  if (row && before) return changed(trx, ctx, store, row, before, after)
  if (after === null || !isReferral(after)) return undefined
  // An order does not become a referral, and systems bring referrals of elsewhere as they are.
  if (before !== null) throw bySteps('ServiceRequest.category')
  if (ctx.principal.kind === 'client') return undefined
  // The PIN that nobody has seen is replaced by `$new-pin` when the paper is made.
  const stepped = await makeReferral(trx, ctx, wishOf(change.id, after), await hashPin(newPin()))
  await storeReferral(trx, ctx, store, stepped, 'create', 'ServiceRequest')
  return stepped.request
}

export async function writeTask(trx: Trx, ctx: Ctx, store: Store, change: Change): Promise<Task | undefined> {
  const before = change.before as Task | null
  const after = change.after as Task | null
  const row = before === null ? null : await referralOfTask(trx, change.id)
  if (!row || !before) {
    // A Task that says it is a referral's, and is not, would stand in somebody's list.
    if (after !== null && ctx.principal.kind === 'person' && isReferralTask(after)) throw bySteps('Task.code')
    return undefined
  }
  if (after === null) throw notDeleted()
  const step = after.status === before.status ? null : stepOf[after.status as string] ?? null
  if (after.status !== before.status && step === null) throw bySteps('Task.status')
  assertSame('Task', before, after, step === null ? ['meta'] : ['meta', 'status', 'statusReason', 'businessStatus', 'output', 'note', 'lastModified'])
  if (step === null) return before
  const stepped = await makeStep(trx, ctx, row, step, { ...nothingGiven, words: wordsSaid(step, before, after) })
  await storeReferral(trx, ctx, store, stepped, 'update', 'Task')
  return stepped.task
}

/** What a change of Task.status means. `rejected` gives it back to the GP, `requested` is the GP's answer to that. */
const stepOf: Readonly<Record<string, StepName>> = { accepted: 'accept', rejected: 'return', requested: 'resubmit', completed: 'answer', cancelled: 'cancel', 'on-hold': 'no-place' }

function wordsSaid(step: StepName, before: Task, after: Task): string | null {
  const answer = after.output?.find((each) => each.type.text === 'answer')?.valueString
  const note = after.note?.[before.note?.length ?? 0]?.text
  const words = (step === 'answer' ? answer ?? note : after.statusReason?.text ?? note)?.trim() ?? ''
  return words === '' ? null : words.slice(0, wordsMax)
}

const wordsMax = 500

/** A PUT of the ServiceRequest: a note more by the GP, or its end. */
async function changed(trx: Trx, ctx: Ctx, store: Store, row: ReferralRow, before: ServiceRequest, after: ServiceRequest | null): Promise<ServiceRequest> {
  if (after === null) throw notDeleted()
  const step = after.status === before.status ? null : ({ revoked: 'cancel', completed: 'read' } as const)[after.status as string] ?? null
  if (after.status !== before.status && step === null) throw bySteps('ServiceRequest.status')
  const more = step === null && (after.note?.length ?? 0) > (before.note?.length ?? 0) ? after.note?.[before.note?.length ?? 0]?.text?.trim() ?? null : null
  assertSame('ServiceRequest', before, after, step === null ? ['meta', ...(more ? ['note'] : [])] : ['meta', 'status'])
  if (step === null && more === null) return before
  const stepped = await makeStep(trx, ctx, row, step ?? 'resubmit', { ...nothingGiven, words: more })
  await storeReferral(trx, ctx, store, stepped, 'update', 'ServiceRequest')
  return stepped.request
}

function isReferral({ category = [] }: ServiceRequest): boolean {
  return category.some((each) => each.coding?.some(({ system, code }) => system === referralSystems.category && code === 'referral'))
}

function isReferralTask({ code }: Task): boolean {
  return code?.coding?.some((each) => each.system === referralSystems.task && each.code === 'referral') === true
}

async function referralOfTask(trx: Trx, id: string): Promise<ReferralRow | null> {
  const row = await trx.selectFrom('referral').select('id').where('task', '=', id).executeTakeFirst()
  return row ? lockReferral(trx, row.id) : null
}

function wishOf(id: string, request: ServiceRequest): ReferralWish {
  const one = (type: ResourceType) => request.performer?.map((each) => parseReference(each.reference ?? '')).flatMap((each) => (each.kind === 'local' && each.type === type ? [each.id] : [])) ?? []
  const subject = parseReference(request.subject.reference ?? '')
  const [organization, practitioner] = [one('Organization')[0], one('Practitioner')[0] ?? null]
  const department = request.performerType?.coding?.find((each) => each.system === systems.department)?.code
  const reason = request.reasonCode?.[0]?.text?.trim() ?? ''
  if (subject.kind !== 'local' || subject.type !== 'Patient') throw fail('reference-invalid', { zh: '应为指向 Patient 的引用。', en: 'This must be a reference to a Patient.' }, 'ServiceRequest.subject')
  if (organization === undefined) throw fail('required', { zh: '请给出转往的医院（performer）。', en: 'Name the hospital as a performer.' }, 'ServiceRequest.performer')
  if (department === undefined || !findDepartment(department)) throw fail('required', { zh: '请以国家科室代码给出转往的科室（performerType）。', en: 'Give the department as performerType, by its national code.' }, 'ServiceRequest.performerType')
  if (reason === '' || reason.length > wordsMax) throw fail('required', { zh: `请在 reasonCode.text 写明转诊原因（不超过 ${wordsMax} 字）。`, en: `Say in reasonCode.text why the patient is referred, in up to ${wordsMax} characters.` }, 'ServiceRequest.reasonCode')
  return { id, patient: subject.id, organization, department, practitioner, priority: request.priority === 'urgent' || request.priority === 'asap' || request.priority === 'stat' ? 'urgent' : 'routine', reason }
}

/** @throws OutcomeError `business-rule` naming the first element that may not change. */
function assertSame(type: string, before: object, after: object, free: readonly string[]): void {
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    const [was, is] = [before, after].map((each) => (each as Record<string, unknown>)[name])
    if (!free.includes(name) && !isDeepStrictEqual(was, is)) throw bySteps(`${type}.${name}`)
  }
}

function bySteps(expression: string): OutcomeError {
  return fail('business-rule', { zh: '转诊单只能按步骤办理，此项不能直接修改。', en: 'A referral goes by its steps; this cannot be changed directly.' }, expression)
}

function notDeleted(): OutcomeError {
  return fail('business-rule', { zh: '转诊单不能删除，请撤销。', en: 'A referral cannot be deleted. Cancel it instead.' })
}
