import { expect, test } from 'vitest'
import { DatabaseAway, errorOfDriver, isRetryable, outcomeOf, outcomeOfAway } from './sqlstate.ts'

const thrown = (code: string, message = 'as the driver says') => Object.assign(new Error(message), { code, query: 'select secret' })

test.each([
  ['57P03', 'never sent'], ['53300', 'never sent'], ['08001', 'never sent'], ['08004', 'never sent'], ['CONNECT_TIMEOUT', 'never sent'], ['ECONNREFUSED', 'never sent'], ['ENOENT', 'never sent'], ['EAI_AGAIN', 'never sent'],
  ['57P01', 'perhaps sent'], ['57P02', 'perhaps sent'], ['08006', 'perhaps sent'], ['CONNECTION_CLOSED', 'perhaps sent'], ['CONNECTION_ENDED', 'perhaps sent'], ['CONNECTION_DESTROYED', 'perhaps sent'],
  ['ECONNRESET', 'perhaps sent'], ['EPIPE', 'perhaps sent'],
])('%s from the driver says that the database is away: %s', (code, sent) => {
  const error = thrown(code)
  const found = errorOfDriver(error)
  expect(found).toBeInstanceOf(DatabaseAway)
  expect(found).toMatchObject({ name: 'DatabaseAway', code, message: error.message, neverSent: sent === 'never sent' })
  expect(found).not.toHaveProperty('query')
  // Neither run again nor taken for a decision.
  expect([isRetryable(found), outcomeOf(found)]).toEqual([false, null])
  expect(errorOfDriver(found)).toBe(found)
})

// A statement that took too long, a conflict, a fault of ours.
test.each(['57014', '40001', '23505', '42P01', '53200', '08P01', 'ERR_INVALID_ARG_TYPE', 'MAX_PARAMETERS_EXCEEDED'])('%s from the driver is something else', (code) => {
  const error = thrown(code)
  expect(errorOfDriver(error)).toBe(error)
})

test('what has no code stays what it is, and an error without a message says its code', () => {
  for (const error of [new Error('plain'), 'text', null, Object.assign(new Error('number'), { code: 7 })]) expect(errorOfDriver(error)).toBe(error)
  expect(errorOfDriver(thrown('ECONNREFUSED', ''))).toMatchObject({ message: 'ECONNREFUSED' })
})

test('what the caller is told says whether anything was changed, as far as that is known', () => {
  const told = [true, false].map((unchanged) => outcomeOfAway(unchanged)).map(({ status, issues: [first] }) => [status, first?.type, first?.code, first?.text.en])
  expect(told).toEqual([
    [503, 'no-store', 'unavailable', expect.stringContaining('Nothing was changed')],
    [503, 'no-store', 'effect-unknown', expect.stringContaining('not known whether the change took effect')],
  ])
})
