import { expect, test } from 'vitest'
import { careKinds } from './categories.ts'

test.each([
  ['11', 'outpatient', null, ''], ['12', 'outpatient', null, ''], ['13', 'outpatient', null, 'urgent'], ['14', 'outpatient-major', null, 'disease'],
  ['15', 'home-sickbed', null, ''], ['21', 'inpatient', null, 'stay'], ['22', 'inpatient', null, 'stay urgent'], ['23', 'inpatient', null, 'stay'],
  ['24', 'inpatient', null, 'stay urgent'], ['41', 'outpatient', 1, ''],
])('med_type %s is %s', (code, category, level, marks) => {
  const kind = careKinds[code]
  expect({ category: kind?.category, level: kind?.level }).toEqual({ category, level })
  expect([kind?.stay && 'stay', kind?.urgent && 'urgent', kind?.needsDiseaseFiling && 'disease'].filter(Boolean).join(' ')).toBe(marks)
})

test('no other kind of care is settled', () => {
  expect(Object.keys(careKinds)).toHaveLength(10)
})
