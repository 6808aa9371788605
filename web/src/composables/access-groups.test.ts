import type { AuditEvent } from '@medplum/fhirtypes'
import { expect, test } from 'vitest'
import { accessGroups } from './access-groups.ts'

const event = (recorded: string, name: string, action: AuditEvent['action'], touched: string, more: Partial<AuditEvent> = {}): AuditEvent => ({
  resourceType: 'AuditEvent', type: { code: 'rest' }, recorded, action, outcome: '0', source: { observer: {} },
  agent: [{
    requestor: true, name, role: [{ coding: [{ code: 'clinician' }] }], who: { display: name }, location: { display: '第一人民医院' }, policy: ['https://pujiang.health/fhir/access-rule/appointment'],
  } as never],
  purposeOfEvent: [{ coding: [{ code: 'TREAT' }] }],
  entity: [{ what: { reference: 'Patient/p1' }, role: { code: '1' } }, { what: { reference: touched }, role: { code: '4' } }, { type: { code: 'XrequestId' }, what: { identifier: { value: 'r' } } }], ...more,
})

test('one entry a day and person says what was read and written, from when to when, and on what ground', () => {
  const groups = accessGroups([
    event('2026-11-24T09:20:00+08:00', '王建国', 'C', 'Condition/c1'), event('2026-11-24T09:00:00+08:00', '王建国', 'R', 'Patient/p1'),
    event('2026-11-24T09:05:00+08:00', '王建国', 'R', 'Observation/o1'), event('2026-11-24T09:06:00+08:00', '王建国', 'R', 'Observation/o2'), event('2026-11-20T09:05:00+08:00', '王建国', 'R', 'Patient/p1'),
  ])
  expect(groups).toHaveLength(2)
  expect(groups[0]).toMatchObject({
    day: '2026-11-24', name: '王建国', role: 'clinician', organization: '第一人民医院', purpose: 'TREAT', grounds: ['appointment'],
    read: [{ type: 'Patient', count: 1 }, { type: 'Observation', count: 2 }], written: [{ type: 'Condition', count: 1 }], count: 4,
    first: '2026-11-24T09:00:00+08:00', last: '2026-11-24T09:20:00+08:00', refused: false, emergency: false,
  })
  expect(groups[1]?.day).toBe('2026-11-20')
})

test('a search counts by its words, and one that found nothing names nothing', () => {
  const listed = event('2026-11-24T09:00:00+08:00', '王建国', 'R', 'x', { entity: [{ what: { reference: 'Patient/p1' } }, { what: { type: 'Encounter' }, role: { code: '24' }, description: 'Encounter: 3, Condition: 0' }] })
  expect(accessGroups([listed])[0]?.read).toEqual([{ type: 'Encounter', count: 3 }])
})

test('an emergency and a refusal are told apart from the rest', () => {
  const emergency = event('2026-11-24T09:00:00+08:00', '周医生', 'R', 'Patient/p1')
  if (emergency.agent?.[0]) emergency.agent[0].policy = ['https://pujiang.health/fhir/access-rule/break-glass']
  const refused = event('2026-11-25T09:00:00+08:00', '李医生', 'E', 'Condition/c1', { outcome: '4' })
  const [later, earlier] = accessGroups([emergency, refused])
  expect([later?.refused, later?.read, earlier?.emergency]).toEqual([true, [], true])
})
