import { expect, test } from 'vitest'
import { changesSent, commitIsSent, hasSentNothing, mayChange, sendChange } from './changes-sent.ts'
import { DatabaseAway } from './sqlstate.ts'

test.each([
  ['select 1', false], ['  SELECT *\nfrom resource where content like \'%update%\'', false], ['/* one plan */ select id from resource', false],
  ['with found as (select 1) select * from found', false], ['with gone as (delete from account_role returning 1) select * from gone', true],
  ['WITH made AS (INSERT INTO account values (1)) select 1', true], ['insert into audit_event select 1', true], ['update "bill" set x = 1', true], ['delete from "bill"', true],
  ['/* one plan */ update bill set x = 1', true], ['truncate bill', true], ['create table t ()', true], ['do $$ begin end $$', true], ['selection', true],
])('%s may change something: %s', (statement, changes) => {
  expect(mayChange(statement)).toBe(changes)
})

test('a commit counts as it is sent', () => {
  const before = changesSent()
  expect(hasSentNothing(before)).toBe(true)
  commitIsSent()
  expect([hasSentNothing(before), hasSentNothing(changesSent())]).toEqual([false, true])
})

test.each([
  ['done', null, false], ['refused', Object.assign(new Error('twice'), { code: '23505' }), false],
  ['lost on its way', new DatabaseAway('57P01', ''), false], ['left without a connection', new DatabaseAway('ECONNREFUSED', ''), true],
])('a statement outside a transaction that is %s', async (_, failure, nothingSent) => {
  const before = changesSent()
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  const sending = sendChange(() => promise)
  // Until its end is known nobody is told that nothing was sent.
  expect(hasSentNothing(before)).toBe(false)
  if (failure) reject(failure)
  else resolve(1)
  await sending.catch(() => {})
  expect(hasSentNothing(before)).toBe(nothingSent)
})
