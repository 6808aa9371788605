import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { OutcomeError } from '../../fhir/outcome.ts'
import { parameterDefinitions } from '../parameter-definitions.ts'
import { checkStep, type Party, possibleSteps, type ReferralState, rowOf, type StepFacts, type StepName, stepNames, stepRules, states, steps } from './steps.ts'

const facts = (given: Partial<StepFacts>): StepFacts => ({ state: 'requested', escalation: 0, parties: new Set<Party>(['department']), expired: false, words: null, target: null, ...given })
const party = (...list: Party[]) => new Set<Party>(list)

function outcome(step: StepName, given: Partial<StepFacts>): string {
  try {
    return checkStep(step, facts(given))
  } catch (error) {
    if (error instanceof OutcomeError) return error.issues.map((each) => each.code).join(' ')
    throw error
  }
}

/** What breaks a rule, then the nearest that does not. */
const cases: readonly [string, StepName, Partial<StepFacts>, string][] = [
  ['the department accepts', 'accept', {}, 'accepted'],
  ['accepting twice', 'accept', { state: 'accepted' }, 'referral-state'],
  ['a GP accepts their own referral', 'accept', { parties: party('gp') }, 'referral-not-yours'],
  ['the office accepts before the department is late', 'accept', { parties: party('office') }, 'referral-not-yours'],
  ['the office accepts when it has been told that the department is late', 'accept', { parties: party('office'), escalation: 1 }, 'accepted'],
  ['accepting what is no longer valid', 'accept', { expired: true }, 'referral-expired'],
  ['cancelling what is no longer valid', 'cancel', { expired: true, parties: party('patient') }, 'cancelled'],
  ['returning without a question', 'return', {}, 'referral-words-missing'],
  ['returning with a question', 'return', { words: '请补充心电图' }, 'returned'],
  ['answering without advice', 'answer', { state: 'attended' }, 'referral-words-missing'],
  ['answering after the visit', 'answer', { state: 'attended', words: '继续用药，三个月复查' }, 'answered'],
  ['advice instead of a visit', 'answer', { words: '可在社区随访' }, 'answered'],
  ['advice while the visit is booked', 'answer', { state: 'booked', words: '可在社区随访' }, 'referral-state'],
  ['redirecting to nowhere', 'redirect', {}, 'referral-target'],
  ['redirecting to a hospital without such clinics', 'redirect', { target: { holdsClinics: false, taken: false } }, 'referral-target'],
  ['redirecting where the patient is referred to already', 'redirect', { target: { holdsClinics: true, taken: true } }, 'referral-twice'],
  ['redirecting', 'redirect', { target: { holdsClinics: true, taken: false } }, 'requested'],
  ['the GP redirects while the department looks', 'redirect', { parties: party('gp'), target: { holdsClinics: true, taken: false } }, 'referral-not-yours'],
  ['the GP redirects when no place is found', 'redirect', { state: 'no-place', parties: party('gp'), target: { holdsClinics: true, taken: false } }, 'requested'],
  ['the patient finds no place', 'no-place', { state: 'accepted', parties: party('patient') }, 'no-place'],
  ['the office opens places', 'reopen', { state: 'no-place', parties: party('office') }, 'accepted'],
  ['the GP adds what was asked for', 'resubmit', { state: 'returned', parties: party('gp'), words: '已补充' }, 'requested'],
  ['the department reads its own answer', 'read', { state: 'answered' }, 'referral-not-yours'],
  ['the GP reads the answer', 'read', { state: 'answered', parties: party('gp') }, 'completed'],
  ['the patient cancels a booked one', 'cancel', { state: 'booked', parties: party('patient') }, 'referral-state'],
  ['a person says that it was booked', 'book', { state: 'accepted', parties: party('patient', 'gp', 'office') }, 'referral-not-yours'],
  ['booking says so', 'book', { state: 'accepted', parties: party('platform') }, 'booked'],
]

test.each(cases)('%s: %s', (_name, step, given, expected) => {
  expect(outcome(step, given)).toBe(expected)
})

test('every code of the table has a case that breaks it and the same step has one that passes', () => {
  for (const { code } of stepRules) {
    const broken = cases.filter((each) => each[3].split(' ').includes(code))
    expect(broken.length, code).toBeGreaterThan(0)
    expect(cases.some(([, step, , expected]) => Object.hasOwn(states, expected) && broken.some((each) => each[1] === step)), code).toBe(true)
  }
})

test('a state that is not an end has an owner, a time and somebody who is told; each can be left, and an end cannot', () => {
  for (const [state, { owner, time, escalation }] of Object.entries(states) as [ReferralState, (typeof states)[ReferralState]][]) {
    const leaves = (Object.keys(steps) as StepName[]).filter((step) => rowOf(step, state) !== null)
    const over = ['completed', 'cancelled', 'expired'].includes(state)
    expect([owner === null, time === null, escalation.length === 0, leaves.length === 0], state).toEqual([over, over, over, over])
    for (const each of Object.values(time ?? {})) expect(parameterDefinitions[each.number].unit.en, state).toBe(each.unit)
  }
})

test('the owner of a state can do something about it, or booking does', () => {
  for (const [state, { owner }] of Object.entries(states) as [ReferralState, (typeof states)[ReferralState]][]) {
    if (owner === null || state === 'booked') continue
    expect(possibleSteps({ state, escalation: 0, parties: party(owner), expired: false }).length, state).toBeGreaterThan(0)
  }
  expect(possibleSteps({ state: 'requested', escalation: 0, parties: party('department'), expired: false })).toEqual(['accept', 'return', 'redirect', 'answer'])
  expect(stepNames.length).toBe(9)
})

test('the database knows the same pairs', () => {
  const sql = readFileSync(new URL('../../../../migrations/platform/0085-referral.sql', import.meta.url), 'utf8')
  const list = /any \(array\[([\s\S]*?)\]\)/.exec(sql)?.[1] ?? ''
  const inSql = [...list.matchAll(/'([a-z-]+ [a-z-]+)'/g)].map((each) => each[1]).sort()
  const rows = Object.values(steps).flat() as readonly { from: readonly string[]; to: string }[]
  const inTable = [...new Set(rows.flatMap(({ from, to }) => from.filter((each) => each !== to).map((each) => `${each} ${to}`)))].sort()
  expect(inSql).toEqual(inTable)
})
