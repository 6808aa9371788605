import type { BillState, SelfPayCause } from '@pujiang/api/settlement/shapes.ts'
import { expect, test } from 'vitest'
import { isSelfPaid, isWaiting, maySettle, mayUseInsurance } from './bill-choices.ts'

const bill = (state: BillState, selfPay: SelfPayCause | null = null, claim: string | null = null) => ({ state, selfPay, claim })

test.each([
  ['open', true, true], ['refused', true, true], ['reversed', true, true], ['settling', true, false], ['settled', false, false],
] as const)('a bill that is %s waits: %s, may be settled: %s', (state, waits, may) => {
  expect([isWaiting(bill(state)), maySettle(bill(state))]).toEqual([waits, may])
})

test.each([
  ['an open one of someone insured', bill('open'), true], ['one without insurance', bill('open', 'no-coverage'), false], ['a refused one', bill('refused', 'refused'), true],
  ['a reversed one', bill('reversed'), true], ['a reversed one without insurance', bill('reversed', 'no-coverage'), false], ['a settled one', bill('settled'), false],
])('insurance for %s: %j', (_name, of, expected) => {
  expect(mayUseInsurance(of)).toBe(expected)
})

test.each([
  ['settled with a claim', bill('settled', null, 'claim-1'), false], ['settled without one', bill('settled'), true], ['open without insurance', bill('open', 'no-coverage'), true],
  ['open', bill('open'), false], ['refused', bill('refused', 'refused'), false], ['reversed with the claim of before', bill('reversed', 'no-coverage', 'claim-1'), true],
])('is self-pay when %s', (_name, of, expected) => {
  expect(isSelfPaid(of)).toBe(expected)
})
