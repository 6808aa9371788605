/**
 * The life of a referral as two tables: states (who has to act, until when, who is told when nobody does) and steps (from where to
 * where, by whom, with what). A step that is not in the table does not exist: the operations, plain writes of ServiceRequest and Task,
 * the sweep and booking all come through `checkStep`, and the trigger `referral_step` keeps the same pairs in the database. Every state
 * that is not an end has an owner and a deadline; ends are reached by time where nobody acts. Pure. Source: docs/booking.md, § Referrals.
 */
import { issue, type OutcomeCode, OutcomeError, type Sentence } from '../../fhir/outcome.ts'
import type { ReferralTable } from '../../storage/tables.ts'
import type { ParameterName } from '../parameter-definitions.ts'
import type { Named } from '../shapes.ts'

export type ReferralState = ReferralTable['state']
export type Priority = ReferralTable['priority']
/** `office`: the desk of the receiving hospital; `gp-office`: that of the GP's centre; `platform`: booking and the sweep. */
export type Party = 'gp' | 'gp-office' | 'department' | 'office' | 'patient' | 'platform'

export interface StateDefinition {
  name: Named
  /** Who has to act; null: nobody any more. */
  owner: Exclude<Party, 'platform'> | null
  /** How long they have, by priority; null for ends. */
  time: Record<Priority, { number: ParameterName; unit: 'hours' | 'days' }> | null
  /** Who is told when the deadline has passed, one after the other. */
  escalation: readonly Exclude<Party, 'platform'>[]
  /** It ends when the referral is no longer valid. */
  expires: boolean
}

const both = (number: ParameterName, unit: 'hours' | 'days') => ({ routine: { number, unit }, urgent: { number, unit } })

export const states: Record<ReferralState, StateDefinition> = {
  requested: {
    name: { zh: '待科室审核', en: 'Waits for the department' }, owner: 'department', escalation: ['office', 'gp'], expires: true,
    time: { routine: { number: 'referral.answerHours', unit: 'hours' }, urgent: { number: 'referral.urgent.answerHours', unit: 'hours' } },
  },
  returned: { name: { zh: '待补充资料', en: 'Waits for information' }, owner: 'gp', escalation: ['gp-office', 'patient'], expires: true, time: both('referral.infoHours', 'hours') },
  accepted: {
    name: { zh: '待患者预约', en: 'To be booked' }, owner: 'patient', escalation: ['gp', 'gp-office'], expires: true,
    time: { routine: { number: 'referral.bookDays', unit: 'days' }, urgent: { number: 'referral.urgent.bookDays', unit: 'days' } },
  },
  'no-place': { name: { zh: '无号，待医院协调', en: 'No place found, the hospital looks for one' }, owner: 'office', escalation: ['gp', 'gp-office'], expires: true, time: both('referral.placeHours', 'hours') },
  booked: { name: { zh: '已预约', en: 'Booked' }, owner: 'department', escalation: ['office', 'gp'], expires: false, time: both('referral.visitHours', 'hours') },
  attended: { name: { zh: '已就诊，待回复', en: 'Seen, the answer is due' }, owner: 'department', escalation: ['office', 'gp'], expires: false, time: both('referral.adviceDays', 'days') },
  answered: { name: { zh: '已回复，待阅读', en: 'Answered, to be read' }, owner: 'gp', escalation: ['gp-office'], expires: false, time: both('referral.readDays', 'days') },
  completed: { name: { zh: '已完成', en: 'Completed' }, owner: null, escalation: [], expires: false, time: null },
  cancelled: { name: { zh: '已撤销', en: 'Cancelled' }, owner: null, escalation: [], expires: false, time: null },
  expired: { name: { zh: '已过期', en: 'Expired' }, owner: null, escalation: [], expires: false, time: null },
}

export const partyNames: Record<Exclude<Party, 'platform'>, Named> = {
  gp: { zh: '家庭医生', en: 'the general practitioner' },
  'gp-office': { zh: '社区卫生服务中心', en: 'the community health centre' },
  department: { zh: '接诊科室', en: 'the receiving department' },
  office: { zh: '接诊医院预约中心', en: 'the booking office of the hospital' },
  patient: { zh: '患者', en: 'the patient' },
}

interface StepRow {
  from: readonly ReferralState[]
  to: ReferralState
  /** Who may take it; a party in `escalated` only after it has been told that the owner did not act. */
  by: readonly Party[]
  escalated?: readonly Party[]
  /** It says something that has to be written down. */
  words?: true
  /** It goes somewhere else, which has to hold clinics. */
  target?: true
  /** It is possible after the validity of the referral has ended. */
  late?: true
}

const open = ['requested', 'returned', 'accepted', 'no-place'] as const

export const steps = {
  accept: [{ from: ['requested'], to: 'accepted', by: ['department'], escalated: ['office'] }],
  return: [{ from: ['requested'], to: 'returned', by: ['department'], words: true }],
  redirect: [
    { from: ['requested'], to: 'requested', by: ['department', 'office'], target: true },
    { from: ['returned'], to: 'requested', by: ['gp'], target: true },
    { from: ['no-place'], to: 'requested', by: ['gp', 'office'], target: true },
  ],
  resubmit: [{ from: ['returned'], to: 'requested', by: ['gp'], words: true }],
  'no-place': [{ from: ['accepted'], to: 'no-place', by: ['patient', 'gp'] }],
  reopen: [{ from: ['no-place'], to: 'accepted', by: ['office', 'department'] }],
  answer: [{ from: ['requested', 'accepted', 'attended'], to: 'answered', by: ['department'], words: true, late: true }],
  read: [{ from: ['answered'], to: 'completed', by: ['gp'], late: true }],
  cancel: [{ from: open, to: 'cancelled', by: ['gp', 'patient'], late: true }],
  // Whether a referral is still valid booking asks before; a visit that is moved keeps it.
  book: [{ from: ['accepted', 'no-place'], to: 'booked', by: ['platform'], late: true }],
  unbook: [{ from: ['booked'], to: 'accepted', by: ['platform'], late: true }],
  missed: [{ from: ['booked'], to: 'accepted', by: ['platform'], late: true }],
  attend: [{ from: ['booked'], to: 'attended', by: ['platform'], late: true }],
  expire: [{ from: open, to: 'expired', by: ['platform'], late: true }],
} as const satisfies Record<string, readonly StepRow[]>

export type StepName = keyof typeof steps
/** The steps that people take by name. */
export const stepNames = ['accept', 'return', 'redirect', 'resubmit', 'no-place', 'reopen', 'answer', 'read', 'cancel'] as const satisfies readonly StepName[]

export interface StepFacts {
  state: ReferralState
  /** How many of the state's `escalation` have been told. */
  escalation: number
  /** What the caller is to this referral. */
  parties: ReadonlySet<Party>
  /** The validity has ended. */
  expired: boolean
  words: string | null
  /** Where it is to go; null: it stays. */
  target: { holdsClinics: boolean; taken: boolean } | null
}

type Check = (facts: StepFacts, step: StepName, row: StepRow | null) => Sentence | null
interface StepRule { check: Check; code: OutcomeCode; gate: boolean }

/** Order is precedence; a gate ends the walk. */
export const stepRules: readonly StepRule[] = [
  { check: stateAllows, code: 'referral-state', gate: true },
  { check: theirTurn, code: 'referral-not-yours', gate: true },
  { check: stillValid, code: 'referral-expired', gate: true },
  { check: saysSomething, code: 'referral-words-missing', gate: false },
  { check: goesSomewhere, code: 'referral-target', gate: false },
  { check: isTheOnly, code: 'referral-twice', gate: false },
]

/** The row of the table for a step from a state; null when there is none. */
export function rowOf(step: StepName, state: ReferralState): StepRow | null {
  return (steps[step] as readonly StepRow[]).find((each) => each.from.includes(state)) ?? null
}

/** @returns the state after the step. @throws OutcomeError with every broken rule. */
export function checkStep(step: StepName, facts: StepFacts): ReferralState {
  const row = rowOf(step, facts.state)
  const issues = []
  for (const rule of stepRules) {
    const sentence = rule.check(facts, step, row)
    if (sentence === null) continue
    issues.push(issue(rule.code, sentence))
    if (rule.gate) break
  }
  if (issues.length > 0 || row === null) throw new OutcomeError(issues)
  return row.to
}

/** The steps that somebody may take now, for buttons. */
export function possibleSteps(facts: Pick<StepFacts, 'state' | 'escalation' | 'parties' | 'expired'>): (typeof stepNames)[number][] {
  return stepNames.filter((step) => {
    const row = rowOf(step, facts.state)
    const given = { ...facts, words: null, target: null }
    return row !== null && theirTurn(given, step, row) === null && stillValid(given, step, row) === null
  })
}

function stateAllows({ state }: StepFacts, _step: StepName, row: StepRow | null): Sentence | null {
  if (row !== null) return null
  const { name } = states[state]
  const hint = state === 'booked' ? { zh: '请先取消预约。', en: ' Cancel the appointment first.' } : { zh: '', en: '' }
  return { zh: `转诊单当前为“${name.zh}”，不能进行此操作。${hint.zh}`, en: `The referral stands at “${name.en}”; this cannot be done now.${hint.en}` }
}

function theirTurn({ parties, state, escalation }: StepFacts, _step: StepName, row: StepRow | null): Sentence | null {
  if (row === null || row.by.some((party) => parties.has(party))) return null
  const told = states[state].escalation.slice(0, escalation)
  if (row.escalated?.some((party) => parties.has(party) && (told as readonly Party[]).includes(party))) return null
  const { owner } = states[state]
  const who = owner === null ? null : partyNames[owner]
  return { zh: `这一步不由您办理${who ? `，目前应由${who.zh}处理` : ''}。`, en: `This step is not yours to take${who ? `; it is the turn of ${who.en}` : ''}.` }
}

function stillValid({ expired }: StepFacts, _step: StepName, row: StepRow | null): Sentence | null {
  if (!expired || row?.late) return null
  return { zh: '转诊单已过有效期，请联系家庭医生重新开具。', en: 'The referral is no longer valid. Ask the general practitioner for a new one.' }
}

function saysSomething({ words }: StepFacts, step: StepName, row: StepRow | null): Sentence | null {
  if (!row?.words || words !== null) return null
  return step === 'answer'
    ? { zh: '请写明给家庭医生的意见。', en: 'Write down what you advise the general practitioner.' }
    : { zh: '请写明需要补充或已补充的内容。', en: 'Write down what is missing or what you add.' }
}

function goesSomewhere({ target }: StepFacts, _step: StepName, row: StepRow | null): Sentence | null {
  if (row?.target ? target?.holdsClinics : true) return null
  return targetSentence
}

export const targetSentence: Sentence = { zh: '所选医院没有开设该科室（或该医生）的门诊，请另选。', en: 'The hospital holds no clinics of this department or doctor. Choose another.' }

function isTheOnly({ target }: StepFacts): Sentence | null {
  return target?.taken ? twiceSentence : null
}

export const twiceSentence: Sentence = { zh: '该患者已有转往本院该科室、尚未结束的转诊单。', en: 'The patient has an open referral to this department already.' }
