import { expect, test } from 'vitest'
import { fenOfText, paymentChoices } from './payment-choices.ts'

const bill = { state: 'settled' as const, dueFen: 0, depositFen: 0, inpatient: false, totalFen: 80_717 }

test.each([
  ['a settled bill that is paid', {}, []],
  ['one that is owed', { dueFen: 31_990 }, ['payment 31990']],
  ['one that owes the patient', { dueFen: -18_144 }, ['refund 18144']],
  ['one in doubt', { state: 'settling' as const, dueFen: -5 }, []],
  ['a stay that goes on', { state: 'open' as const, inpatient: true }, ['deposit null']],
  ['a settled stay with a deposit', { inpatient: true, dueFen: 9000, depositFen: 5000 }, ['payment 5000']],
  ['a paid stay with a deposit left', { inpatient: true, depositFen: 700 }, ['deposit-refund 700']],
])('%s', (_name, more, expected) => {
  expect(paymentChoices({ ...bill, ...more }).map(({ kind, mostFen }) => `${kind} ${mostFen}`)).toEqual(expected)
})

test.each([['138.46', 13_846], ['138', 13_800], ['138.4', 13_840], [' 1.00 ', 100], ['0', null], ['-1', null], ['1.234', null], ['1,000', null], ['', null]])('%s is %s fen', (text, fen) => {
  expect(fenOfText(text)).toBe(fen)
})
