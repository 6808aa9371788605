/**
 * The centre's answers as FHIR: settled, refused, reversed. Totals always carry every category of the code system, so that a
 * reader never has to guess whether something is missing or nought. Pure.
 */
import type { ClaimResponse, ClaimResponseItem, ClaimResponseProcessNote } from '@medplum/fhirtypes'
import {
  adjudicationSystem, deductibleLeftUrl, emptySplit, institutionSystem, linesFault, messageIdSystem, policyUrl, psnSystem, refusalSystem, regionSystem, schemeSystem,
  schemeUrl, settlementIdSystem, type Split, splitCategories, splitFault, totalsOf, traceUrl,
} from '../fhir/claim-message.ts'
import { yuan, yuanText } from '../fhir/money.ts'
import type { Sentence } from '../fhir/outcome.ts'
import { processNotes } from '../fhir/process-notes.ts'
import type { Adjudication, LineSplit } from './adjudicate.ts'
import type { Scheme } from './enrolment.ts'
import type { ClaimRequest } from './read-claim.ts'
import type { Policy } from './rules.ts'
import { stepText } from './step-labels.ts'
import { replayTrace, traceJson, type TraceStep } from './trace.ts'

/** Why the centre says no. A refusal is a decision: kept, and given again to whoever asks. */
export const refusals = {
  'cross-region': { zh: '参保地不在本市。跨省市直接结算尚未开通，本次费用由个人全额支付，请保留票据回参保地报销。', en: 'The person is insured in another city. Direct settlement across cities is not open yet: please pay in full, keep the receipts and claim at the place of insurance.' },
  'not-insured': { zh: '未查到该参保人员编号。', en: 'This insured-person number is not known.' },
  'coverage-inactive': { zh: '就诊当日没有有效的医保待遇。', en: 'There was no valid insurance on the day of service.' },
  'waiting-period': { zh: '参保后尚在待遇等待期内，本次费用由个人支付。', en: 'The insurance is still in its waiting time, so no benefits are due yet.' },
  'disease-not-filed': { zh: '门诊慢特病须先在参保地备案，且诊断与备案病种一致。', en: 'Outpatient care of chronic and special diseases needs a filing at the place of insurance for the same diagnosis.' },
  'policy-missing': { zh: '没有就诊当日适用的待遇政策。', en: 'No benefit policy is known for the day of service.' },
  'category-not-offered': { zh: '该医疗类别暂不能联网结算。', en: 'This kind of care can not be settled online yet.' },
} as const satisfies Record<string, Sentence>
export type Refusal = keyof typeof refusals

interface Frame { id: string; region: string; regionName: Sentence; at: Date }

export function settledResponse(frame: Frame, request: ClaimRequest, scheme: Scheme, policy: Policy, adjudication: Adjudication): ClaimResponse {
  // The trace alone gives every amount again; before anything is kept.
  if (request.use === 'claim') replayTrace(adjudication.trace)
  return sound(adjudication.split, request.totalFen, {
    ...base(frame, request),
    outcome: 'complete',
    disposition: request.use === 'claim' ? '已结算' : '预结算，未记账',
    extension: [
      { url: schemeUrl, valueCoding: { system: schemeSystem, code: String(scheme), display: policy.name.zh } },
      { url: policyUrl, valueString: policy.id },
      { url: deductibleLeftUrl, valueMoney: yuan(adjudication.deductibleLeftFen) },
      { url: traceUrl, valueAttachment: { contentType: 'application/json', data: Buffer.from(traceJson(adjudication.trace)).toString('base64') } },
    ],
    item: adjudication.lines.map(lineItem),
    total: totalsOf(adjudication.split),
    processNote: notes(policy, adjudication.trace),
  })
}

/** What holds of every answer, whoever made it: its amounts and lines add up to the claim. @throws Error otherwise; nothing is kept then. */
function sound(split: Split, totalFen: bigint, response: ClaimResponse): ClaimResponse {
  const fault = splitFault(split) ?? linesFault(response.item, split) ?? (split.submitted === totalFen ? null : 'the answer is about another amount')
  if (fault !== null) throw new Error(`An answer does not add up: ${fault}.`)
  return response
}

/** All cash: what the person pays when no fund does. */
export function refusedResponse(frame: Frame, request: ClaimRequest, refusal: Refusal): ClaimResponse {
  const split: Split = { ...emptySplit(), submitted: request.totalFen, fullself: request.totalFen, cash: request.totalFen }
  return sound(split, request.totalFen, {
    ...base(frame, request),
    outcome: 'error',
    disposition: refusals[refusal].zh,
    error: [{ code: { coding: [{ system: refusalSystem, code: refusal, display: refusals[refusal].zh }], text: refusals[refusal].zh } }],
    item: request.lines.map((line) => lineItem({
      sequence: line.sequence, amountFen: line.amountFen, fullSelfFen: line.amountFen, overLimitFen: 0n, firstPayFen: 0n, inScopeFen: 0n,
    })),
    total: totalsOf(split),
    processNote: processNotes([refusals[refusal]]),
  })
}

/** The settlement with its sign turned; of a refused or unknown message, all noughts. */
export function reversalResponse(id: string, messageId: string, original: ClaimResponse | null, split: Split | null, region: string, at: Date): ClaimResponse {
  const negative = emptySplit()
  if (split) for (const category of splitCategories) negative[category] = -split[category]
  const nothing = split === null
  const fault = splitFault(negative, -1)
  if (fault !== null) throw new Error(`A reversal does not add up: ${fault}.`)
  return {
    resourceType: 'ClaimResponse',
    id,
    identifier: [{ system: settlementIdSystem, value: id }],
    status: 'cancelled',
    type: original?.type ?? { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/claim-type', code: 'professional' }] },
    use: 'claim',
    patient: original?.patient ?? { display: '未知' },
    created: at.toISOString(),
    insurer: { identifier: { system: regionSystem, value: region } },
    request: { identifier: { system: messageIdSystem, value: messageId } },
    outcome: 'complete',
    disposition: nothing ? '没有需要撤销的记账；该报文不会再被受理' : '结算已撤销',
    total: totalsOf(negative),
  }
}

function base({ id, region, regionName, at }: Frame, request: ClaimRequest): Omit<ClaimResponse, 'outcome'> {
  return {
    resourceType: 'ClaimResponse',
    id,
    identifier: [{ system: settlementIdSystem, value: id }],
    status: 'active',
    type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/claim-type', code: 'professional' }] },
    use: request.use,
    patient: { identifier: { system: psnSystem(request.region), value: request.psnNo } },
    created: at.toISOString(),
    insurer: { identifier: { system: regionSystem, value: region }, display: `${regionName.zh}医疗保险事业管理中心` },
    requestor: { identifier: { system: institutionSystem, value: request.provider } },
    request: { identifier: { system: messageIdSystem, value: request.messageId } },
  }
}

/** The amount of a line, and of its parts those that are not nought. */
export function lineItem(line: LineSplit): ClaimResponseItem {
  const parts = Object.entries({ fullself: line.fullSelfFen, overlimit: line.overLimitFen, firstpay: line.firstPayFen, inscope: line.inScopeFen }).filter(([, fen]) => fen !== 0n)
  return {
    itemSequence: line.sequence,
    adjudication: [['submitted', line.amountFen] as const, ...parts].map(([code, fen]) => ({ category: { coding: [{ system: adjudicationSystem, code }] }, amount: yuan(fen) })),
  }
}

/** What a citizen reads: the policy, then each amount that is not nought, in the order it arose. */
function notes(policy: Policy, trace: readonly TraceStep[]): ClaimResponseProcessNote[] {
  return processNotes([
    { zh: `适用政策：${policy.name.zh}（${policy.id}）`, en: `Policy: ${policy.name.en} (${policy.id})` },
    ...trace.flatMap((step) => (step.fen > 0n ? stepSentence(step) ?? [] : [])),
  ])
}

function stepSentence(step: TraceStep): Sentence | null {
  const text = stepText(step)
  if (text === null) return null
  const amount = yuanText(step.fen)
  const percent = step.parts === null ? '' : ` × ${step.parts / 100}%`
  const source = step.parts === null ? { zh: '', en: '' } : shareSource[step.name] ?? { zh: '', en: '' }
  return { zh: `${text.zh} ${amount} 元${source.zh && `（${source.zh}${percent}）`}`, en: `${text.en}: ¥${amount}${source.en && ` (${source.en}${percent})`}` }
}

/** What each share is a share of. */
const shareSource: Record<string, Sentence> = {
  pool: { zh: '封顶线以内费用', en: 'of what is below the cap' },
  supplementary: { zh: '封顶线以上费用', en: 'of what is above the cap' },
  critical: { zh: '范围内自负', en: 'of the own share within scope' },
}
