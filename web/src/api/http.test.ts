import { describe, expect, test } from 'vitest'
import { issuesOf, query } from './http.ts'

describe('what a refusal says', () => {
  test('an OperationOutcome names our code, the sentence and the field', () => {
    const body = { resourceType: 'OperationOutcome', issue: [{ code: 'conflict', details: { text: '已被约走', coding: [{ code: 'slot-taken' }] }, expression: ['Appointment.slot'] }] }
    expect(issuesOf(409, body)).toEqual([{ code: 'slot-taken', text: '已被约走', expression: 'Appointment.slot' }])
  })
  test('problem details name the same code', () => {
    const body = { type: 'https://pujiang.health/problems/sign-in-failed', title: '账号或密码不正确', code: 'sign-in-failed', issues: [{ code: 'sign-in-failed', text: '账号或密码不正确', field: null }] }
    expect(issuesOf(401, body)).toEqual([{ code: 'sign-in-failed', text: '账号或密码不正确', expression: null }])
  })
  test('problem details without a list give the code of their type', () => {
    expect(issuesOf(503, { type: 'https://pujiang.health/problems/busy', title: 'busy' })[0]?.code).toBe('busy')
  })
  test.each([[401, 'sign-in-required'], [404, 'not-found'], [503, 'busy'], [500, 'internal'], [418, 'internal']])('a bare %i is %s', (status, code) => {
    expect(issuesOf(status, null)[0]?.code).toBe(code)
  })
})

test('a query string leaves out what is empty and repeats lists', () => {
  expect(query({ a: 'x y', b: '', c: null, d: undefined, e: ['1', '2'], f: 3 })).toBe('?a=x+y&e=1&e=2&f=3')
  expect(query({})).toBe('')
})
