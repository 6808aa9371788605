import { expect, test } from 'vitest'
import type { SessionOffer } from '../api/offers.ts'
import { doctorsOf } from './doctors-of.ts'

const session = (practitioner: string, organization: string, date: string, free: number, feeFen = 5000, clinicType = 'expert'): SessionOffer => ({
  schedule: `${practitioner}${organization}${date}${clinicType}`, organization: { id: organization, name: { zh: organization, en: organization } },
  department: { code: '03.04', name: { zh: '', en: '' } }, practitioner: { id: practitioner, name: { zh: practitioner, en: practitioner } }, title: 'chief', clinicType, date, half: 'am',
  start: `${date}T08:00:00+08:00`, end: `${date}T11:30:00+08:00`, feeFen, insured: true, free, capacity: 20, segments: [],
})

test('a doctor stands once for each hospital, the soonest open place first', () => {
  const doctors = doctorsOf([session('a', 'h1', '2026-11-26', 3), session('b', 'h1', '2026-11-25', 0), session('b', 'h1', '2026-11-27', 2), session('a', 'h2', '2026-11-25', 1)])
  expect(doctors.map((each) => each.key)).toEqual(['a@h2', 'a@h1', 'b@h1'])
})

test('places of a day are added, the lowest fee and all clinics are named', () => {
  const [doctor] = doctorsOf([session('a', 'h1', '2026-11-26', 3), session('a', 'h1', '2026-11-26', 4, 3800, 'ordinary')])
  expect(doctor).toMatchObject({ free: 7, feeFromFen: 3800, clinicTypes: ['expert', 'ordinary'], days: [{ date: '2026-11-26', free: 7 }] })
})
