import { expect, test } from 'vitest'
import { orderKeys, publishMinutes, rotationDue } from './signing-keys.ts'

const now = new Date('2026-11-23T08:00:00Z')
const key = (kid: string, minutesOld: number) => ({ kid, created_at: new Date(now.getTime() - minutesOld * 60_000).toISOString() })
const day = 1440

test.each([
  ['the only key signs at once', [key('a', 0)], ['a']],
  ['a new key is published and does not sign yet', [key('old', 40 * day), key('new', publishMinutes - 1)], ['old', 'new']],
  ['a new key signs once everybody can know it', [key('old', 40 * day), key('new', publishMinutes)], ['new', 'old']],
  ['of two first keys the elder signs while both are young', [key('b', 1), key('a', 2)], ['a', 'b']],
])('%s', (_, rows, order) => {
  expect(orderKeys(rows, now).map((each) => each.kid)).toEqual(order)
})

test.each([
  ['no key', [], { make: true, forget: [] }],
  ['a key in its days', [key('a', 29 * day)], { make: false, forget: [] }],
  ['a key past its days', [key('a', 30 * day)], { make: true, forget: [] }],
  ['the next key has just been made', [key('a', 30 * day), key('b', 1)], { make: false, forget: [] }],
  ['tokens of the old key may still live', [key('a', 31 * day), key('b', day)], { make: false, forget: [] }],
  ['the last token of the old key has expired', [key('a', 32 * day), key('b', day + publishMinutes)], { make: false, forget: ['a'] }],
])('what is due: %s', (_, rows, due) => {
  expect(rotationDue(rows, 30, now)).toEqual(due)
})
