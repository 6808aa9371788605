import type { AuditEvent } from '@medplum/fhirtypes'
import { expect, test } from 'vitest'
import { accessGroups } from './access-groups.ts'

const event = (recorded: string, name: string, action: AuditEvent['action'], touched: string): AuditEvent => ({
  resourceType: 'AuditEvent', type: { code: 'rest' }, recorded, action, outcome: '0', source: { observer: {} },
  agent: [{ requestor: true, name, role: [{ coding: [{ code: 'clinician' }] }], who: { display: name }, location: { display: '第一人民医院' } } as never],
  purposeOfEvent: [{ coding: [{ code: 'TREAT' }] }],
  entity: [{ what: { reference: 'Patient/p1' }, role: { code: '1' } }, { what: { reference: touched }, role: { code: '4' } }],
})

test('one entry a day and person says what was read and written, from when to when', () => {
  const groups = accessGroups([
    event('2026-11-24T09:20:00+08:00', '王建国', 'C', 'Condition/c1'), event('2026-11-24T09:00:00+08:00', '王建国', 'R', 'Patient/p1'),
    event('2026-11-24T09:05:00+08:00', '王建国', 'R', 'Observation/o1'), event('2026-11-20T09:05:00+08:00', '王建国', 'R', 'Patient/p1'),
  ])
  expect(groups).toHaveLength(2)
  expect(groups[0]).toMatchObject({
    day: '2026-11-24', name: '王建国', role: 'clinician', organization: '第一人民医院', purpose: 'TREAT', read: ['Patient', 'Observation'], written: ['Condition'], count: 3,
    first: '2026-11-24T09:00:00+08:00', last: '2026-11-24T09:20:00+08:00', refused: false,
  })
  expect(groups[1]?.day).toBe('2026-11-20')
})

test('a look at the type alone is named by the type', () => {
  const listed = event('2026-11-24T09:00:00+08:00', '王建国', 'R', 'x')
  listed.entity = [{ what: { reference: 'Patient/p1' } }, { what: { type: 'Encounter' }, role: { code: '4' } }]
  expect(accessGroups([listed])[0]?.read).toEqual(['Encounter'])
})
