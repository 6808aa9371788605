/**
 * What is done with a referral: `POST ServiceRequest/[id]/$referral-step` (step, words?, organization?, department?, practitioner?) answers the Task;
 * `POST ServiceRequest/[id]/$new-pin` makes a new PIN for the patient's paper and ends the old one. Steps, who takes them and when: steps.ts.
 */
import type { Task } from '@medplum/fhirtypes'
import type { Ctx } from '../../ctx.ts'
import { keyOf } from '../../fhir/id.ts'
import { fail, notFound } from '../../fhir/outcome.ts'
import { loadResource } from '../../records/read-resource.ts'
import type { Operation, OperationCall, OperationResult } from '../../records/store.ts'
import { answerOnce } from '../../storage/answer-once.ts'
import type { Trx } from '../../storage/pool.ts'
import { inTransaction } from '../../storage/transaction.ts'
import { at, codeAmong, freeText, type Input, readInput, referencedId } from '../operation-input.ts'
import { partiesOf } from './parties.ts'
import { hashPin, newPin } from './pin.ts'
import { departmentIn, paper } from './refer.ts'
import { changeReferral, lockReferral, logReferral, readReferral, type ReferralRow } from './rows.ts'
import { states, stepNames } from './steps.ts'
import { takeStep, type Target } from './take-step.ts'

export const referralStepOperation: Operation = {
  name: '$referral-step', level: 'instance', types: ['ServiceRequest'], methods: ['POST'], affectsState: true,
  summary: 'Takes a step of a referral: accept, return, redirect, resubmit, no-place, reopen, answer, read or cancel; answers the Task.',
  run: step,
}

export const newPinOperation: Operation = {
  name: '$new-pin', level: 'instance', types: ['ServiceRequest'], methods: ['POST'], affectsState: true,
  summary: 'Makes a new PIN to book with; the old one ends. Answers Parameters: referral, code, pin.',
  run: replacePin,
}

async function step({ db, ctx, store, id, body, idempotencyKey }: OperationCall): Promise<OperationResult> {
  if (id === null) throw notFound('ServiceRequest')
  const input = readInput(body, ['step', 'words', 'organization', 'department', 'practitioner'])
  const name = codeAmong(input, 'step', stepNames)
  if (name === null) throw fail('required', { zh: '缺少参数 step。', en: 'The parameter step is missing.' }, at('step'))
  const given = { words: freeText(input, 'words'), target: name === 'redirect' ? targetIn(input) : null, visit: null }
  const resource = await inTransaction(db, (trx) => answerOnce<Task>(trx, ctx, { key: idempotencyKey, request: `${id} $referral-step ${JSON.stringify(body)}` }, async () => {
    const row = await ownReferral(trx, ctx, id)
    return (await takeStep(trx, ctx, store, row, name, given)).task
  }))
  return { resource }
}

function targetIn(input: Input): Target | null {
  const organization = referencedId(input, 'organization', 'Organization')
  return organization === null ? null : { organization, department: departmentIn(input), practitioner: referencedId(input, 'practitioner', 'Practitioner') }
}

async function replacePin({ db, ctx, id, body }: OperationCall): Promise<OperationResult> {
  readInput(body, [])
  if (id === null) throw notFound('ServiceRequest')
  const pin = newPin()
  const pinHash = await hashPin(pin)
  const { request, pid } = await inTransaction(db, async (trx) => {
    const row = await ownReferral(trx, ctx, id)
    const parties = await partiesOf(trx, ctx, row)
    if (!parties.has('gp') && !parties.has('patient')) {
      throw fail('referral-not-yours', { zh: '只有患者本人（或其代办人）和家庭医生可以重新生成密码。', en: 'Only the patient, who acts for them, and the general practitioner make a new PIN.' })
    }
    if (states[row.state].owner === null) throw fail('referral-state', { zh: '转诊单已结束，不再需要密码。', en: 'The referral is over and needs no PIN any more.' })
    await changeReferral(trx, ctx, row, { pin_hash: pinHash })
    await logReferral(trx, ctx, { referral: row.id, step: 'new-pin', from: row.state, to: row.state })
    const found = await loadResource(trx, 'ServiceRequest', row.request)
    if (found?.resourceType !== 'ServiceRequest') throw notFound(`ServiceRequest/${id}`)
    return { request: found, pid: row.pid }
  })
  return { resource: paper(request, pin), patients: [pid] }
}

/** The referral, locked, when the caller is something to it. @throws OutcomeError `not-found`. */
async function ownReferral(trx: Trx, ctx: Ctx, id: string): Promise<ReferralRow> {
  const seen = await readReferral(trx, keyOf(id))
  // A stranger makes nobody wait and learns nothing.
  const row = seen && (await partiesOf(trx, ctx, seen)).size > 0 ? await lockReferral(trx, seen.id) : null
  if (!row) throw notFound(`ServiceRequest/${id}`)
  return row
}
