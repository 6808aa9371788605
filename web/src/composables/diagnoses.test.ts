import { expect, test } from 'vitest'
import { commonDiagnoses, matchDiagnoses } from './diagnoses.ts'

test('every diagnosis has an ICD-10 code of its own and both names', () => {
  expect(new Set(commonDiagnoses.map((each) => each.code)).size).toBe(commonDiagnoses.length)
  for (const each of commonDiagnoses) expect(each).toMatchObject({ code: expect.stringMatching(/^[A-Z]\d\d(\.\d)?$/), zh: expect.stringMatching(/\S/), en: expect.stringMatching(/^[A-Z]/) })
})

test.each([['高血压', 'I10'], ['i10', 'I10'], ['gout', 'M10.9'], ['E11', 'E11.9']])('“%s” finds %s', (typed, code) => {
  expect(matchDiagnoses(commonDiagnoses, typed)[0]?.code).toBe(code)
})
