import type { Parameters } from '@medplum/fhirtypes'
import { expect, test } from 'vitest'
import { offersOf, type SessionOffer } from './offers.ts'

const offer: SessionOffer = {
  schedule: 's1', organization: { id: 'h1', name: { zh: '第一人民医院', en: 'First Hospital' } },
  department: { code: '03.04', name: { zh: '心血管内科', en: 'Cardiology' } }, practitioner: { id: 'd1', name: { zh: '王建国', en: 'Wang Jianguo' } },
  title: 'chief', clinicType: 'expert', date: '2026-11-24', half: 'am', start: '2026-11-24T08:00:00+08:00', end: '2026-11-24T11:30:00+08:00', feeFen: 6450, insured: true,
  free: 7, capacity: 20,
  segments: [
    { start: '2026-11-24T08:00:00+08:00', end: '2026-11-24T08:30:00+08:00', free: 3, slot: 's1-4' },
    { start: '2026-11-24T08:30:00+08:00', end: '2026-11-24T09:00:00+08:00', free: 0, slot: null },
  ],
}

const named = (name: { zh: string; en: string }) => ({
  display: name.zh,
  _display: { extension: [{ url: 'http://hl7.org/fhir/StructureDefinition/translation', extension: [{ url: 'lang', valueCode: 'en' }, { url: 'content', valueString: name.en }] }] },
})

/** As docs of `$find` describe the answer. */
const written = (each: SessionOffer) => ({
  name: 'session',
  part: [
    { name: 'schedule', valueReference: { reference: `Schedule/${each.schedule}` } },
    { name: 'organization', valueReference: { reference: `Organization/${each.organization.id}`, ...named(each.organization.name) } },
    { name: 'department', valueCoding: { code: each.department.code, ...named(each.department.name) } },
    { name: 'practitioner', valueReference: { reference: `Practitioner/${each.practitioner.id}`, ...named(each.practitioner.name) } },
    { name: 'title', valueCoding: { code: each.title } }, { name: 'clinicType', valueCoding: { code: each.clinicType } }, { name: 'date', valueDate: each.date },
    { name: 'half', valueCode: each.half }, { name: 'start', valueInstant: each.start }, { name: 'end', valueInstant: each.end },
    { name: 'fee', valueMoney: { value: each.feeFen / 100, currency: 'CNY' } }, { name: 'insured', valueBoolean: each.insured },
    { name: 'free', valueInteger: each.free }, { name: 'capacity', valueInteger: each.capacity },
    ...each.segments.map((one) => ({
      name: 'segment',
      part: [
        { name: 'start', valueInstant: one.start }, { name: 'end', valueInstant: one.end }, { name: 'free', valueInteger: one.free },
        ...(one.slot === null ? [] : [{ name: 'slot', valueReference: { reference: `Slot/${one.slot}` } }]),
      ],
    })),
  ],
})

test('the Parameters of $find are read as offers, in the server’s order', () => {
  const offers: SessionOffer[] = [offer, { ...offer, schedule: 's2', half: 'night', insured: false }]
  const answer = { resourceType: 'Parameters', parameter: [...offers.map(written), { name: 'next', valueString: 'more' }] } as unknown as Parameters
  expect(offersOf(answer)).toEqual(offers)
})

test('nothing open is an empty list', () => {
  expect(offersOf({ resourceType: 'Parameters' })).toEqual([])
})
