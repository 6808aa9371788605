import type { Claim, ClaimResponse } from '@medplum/fhirtypes'
import { expect, test } from 'vitest'
import { emptySplit, messageIdSystem, psnSystem, totalsOf } from '../fhir/claim-message.ts'
import { yuan } from '../fhir/money.ts'
import { judgeAnswer } from './check-answer.ts'
import { newMessageId } from './claim-resource.ts'

const person = (psnNo: string) => ({ identifier: { system: psnSystem('310000'), value: psnNo } })
const claim = { identifier: [{ system: messageIdSystem, value: 'M1' }], use: 'claim', patient: person('P1'), total: yuan(100n) } as Claim
const answer = (more: Partial<ClaimResponse> = {}): ClaimResponse => ({
  resourceType: 'ClaimResponse', status: 'active', use: 'claim', outcome: 'complete', request: { identifier: { system: messageIdSystem, value: 'M1' } }, patient: person('P1'),
  total: totalsOf({ ...emptySplit(), submitted: 100n, inscope: 100n, pool: 60n, cash: 40n }), ...more,
} as ClaimResponse)

test.each<[string, Partial<ClaimResponse>, string]>([
  ['an answer that adds up', {}, 'settled'],
  ['of another person under the same message id', { patient: person('P2') }, 'foreign'],
  ['of another person, reversed', { patient: person('P2'), status: 'cancelled' }, 'foreign'],
  ['of another message', { request: { identifier: { system: messageIdSystem, value: 'M2' } } }, 'broken'],
  ['reversed meanwhile', { status: 'cancelled' }, 'reversed'],
  ['barred before it came, of nobody', { status: 'cancelled', patient: { display: '未知' } }, 'reversed'],
  ['one fen off', { total: totalsOf({ ...emptySplit(), submitted: 100n, inscope: 100n, pool: 60n, cash: 41n }) }, 'broken'],
  ['about another amount', { total: totalsOf({ ...emptySplit(), submitted: 90n, inscope: 90n, cash: 90n }) }, 'broken'],
  ['without a category', { total: answer().total?.slice(1) ?? [] }, 'broken'],
  ['of a question about the price', { use: 'predetermination' }, 'broken'],
])('%s', (_name, more, kind) => {
  expect(judgeAnswer(claim, answer(more)).kind).toBe(kind)
})

test('message ids of one second never meet within a process', () => {
  const at = new Date('2026-11-23T07:30:00+08:00')
  const ids = Array.from({ length: 50_000 }, () => newMessageId('H31010100001', at, () => '0192f3a0-0000-7000-8000-00000000002a'))
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids.every((id) => /^H3101010000120261123073000[A-Z0-9]{4}$/.test(id))).toBe(true)
})
