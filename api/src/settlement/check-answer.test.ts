import type { Claim, ClaimResponse, ClaimResponseItem } from '@medplum/fhirtypes'
import { expect, test } from 'vitest'
import { adjudicationSystem, emptySplit, messageIdSystem, psnSystem, totalsOf } from '../fhir/claim-message.ts'
import { yuan } from '../fhir/money.ts'
import { judgeAnswer } from './check-answer.ts'
import { newMessageId } from './claim-resource.ts'

const person = (psnNo: string) => ({ identifier: { system: psnSystem('310000'), value: psnNo } })
const claim = { identifier: [{ system: messageIdSystem, value: 'M1' }], use: 'claim', patient: person('P1'), total: yuan(100n) } as Claim
const line = (sequence: number, parts: Record<string, bigint>): ClaimResponseItem => ({
  itemSequence: sequence, adjudication: Object.entries(parts).map(([code, fen]) => ({ category: { coding: [{ system: adjudicationSystem, code }] }, amount: yuan(fen) })),
})
const answer = (more: Partial<ClaimResponse> = {}): ClaimResponse => ({
  resourceType: 'ClaimResponse', status: 'active', use: 'claim', outcome: 'complete', request: { identifier: { system: messageIdSystem, value: 'M1' } }, patient: person('P1'),
  total: totalsOf({ ...emptySplit(), submitted: 100n, inscope: 100n, pool: 60n, cash: 40n }),
  item: [line(1, { submitted: 70n, inscope: 70n }), line(2, { submitted: 30n, fullself: 0n, inscope: 30n })], ...more,
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
  ['with more below the deductible than is in scope', { total: totalsOf({ ...emptySplit(), submitted: 100n, inscope: 100n, deductible: 101n, pool: 60n, cash: 40n }) }, 'broken'],
  ['with a negative amount', { total: totalsOf({ ...emptySplit(), submitted: 100n, inscope: 100n, pool: 160n, cash: -60n }) }, 'broken'],
  ['without its lines', { item: [] }, 'broken'],
  ['with a line too few', { item: [line(1, { submitted: 70n, inscope: 70n })] }, 'broken'],
  ['with a line that is not its parts', { item: [line(1, { submitted: 70n, inscope: 60n }), line(2, { submitted: 30n, inscope: 40n })] }, 'broken'],
  ['with a line whose parts are of another kind', { item: [line(1, { submitted: 70n, fullself: 70n }), line(2, { submitted: 30n, inscope: 30n })] }, 'broken'],
  ['with a negative line', { item: [line(1, { submitted: 130n, inscope: 130n }), line(2, { submitted: -30n, inscope: -30n })] }, 'broken'],
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
