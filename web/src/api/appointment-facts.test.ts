import type { Appointment } from '@medplum/fhirtypes'
import { expect, test } from 'vitest'
import { appointmentFacts, isUpcoming, practitionerId } from './appointment-facts.ts'

const base = 'https://pujiang.health/fhir/StructureDefinition/'
const appointment: Appointment = {
  resourceType: 'Appointment', id: '0190-abc-123456', status: 'pending', start: '2026-11-24T09:00:00+08:00', end: '2026-11-24T09:30:00+08:00',
  specialty: [{ coding: [{ code: '03.04', display: '心血管内科' }] }],
  extension: [
    { url: `${base}fee`, valueMoney: { value: 64.5, currency: 'CNY' } }, { url: `${base}serial-number`, valuePositiveInt: 9 },
    { url: `${base}expires-at`, valueInstant: '2026-11-24T08:05:00+08:00' }, { url: `${base}organization`, valueReference: { reference: 'Organization/h1', display: '第一人民医院' } },
  ],
  participant: [
    { actor: { reference: 'Patient/p1' }, status: 'accepted' }, { actor: { reference: 'PractitionerRole/r1' }, status: 'accepted' },
    { actor: { reference: 'Practitioner/d1' }, status: 'accepted' }, { actor: { reference: 'Location/l1', display: '3 楼' }, status: 'accepted' },
  ],
}

test('the facts of an appointment are read from its participants and extensions', () => {
  const facts = appointmentFacts(appointment)
  expect(facts).toMatchObject({ departmentCode: '03.04', feeFen: 6450, number: 9, expiresAt: '2026-11-24T08:05:00+08:00', code: '123456' })
  expect(practitionerId(facts)).toBe('d1')
  expect(facts.location?.display).toBe('3 楼')
})

test.each([
  ['booked', '2026-11-24T01:00:00Z', true], ['booked', '2026-11-24T02:00:00Z', false], ['cancelled', '2026-11-23T00:00:00Z', false], ['fulfilled', '2026-11-23T00:00:00Z', false],
] as const)('%s is upcoming at %s: %s', (status, now, upcoming) => {
  expect(isUpcoming(appointmentFacts({ ...appointment, status }), new Date(now))).toBe(upcoming)
})
