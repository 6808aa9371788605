/** Searches along links that are not plain references: compartments of visits, professionals, relatives and devices. */
import { beforeAll, describe, expect, test } from 'vitest'
import { citizen, system, testPlatform, type TestReply } from '../support/platform.ts'

const { request } = await testPlatform()

const put = (resource: { resourceType: string; id: string; [element: string]: unknown }) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } })
const to = (reference: string) => ({ reference })
const observation = (id: string, extra: object) => put({ resourceType: 'Observation', id, status: 'final', code: { coding: [{ system: 'http://loinc.org', code: 'a' }] }, ...extra })

beforeAll(async () => {
  const reply = await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: [
    put({ resourceType: 'Practitioner', id: 'gp', name: [{ text: '王医生' }] }), put({ resourceType: 'Device', id: 'pump' }),
    put({ resourceType: 'Patient', id: 'zhang', name: [{ text: '张三' }], generalPractitioner: [to('Practitioner/gp')] }), put({ resourceType: 'Patient', id: 'li', name: [{ text: '李四' }] }),
    put({ resourceType: 'RelatedPerson', id: 'mother', patient: to('Patient/zhang') }),
    put({ resourceType: 'Encounter', id: 'e1', status: 'finished', class: { code: 'AMB' }, subject: to('Patient/zhang'), participant: [{ individual: to('Practitioner/gp') }] }),
    put({ resourceType: 'Encounter', id: 'e2', status: 'finished', class: { code: 'AMB' }, subject: to('Patient/li') }),
    observation('o1', { subject: to('Patient/zhang'), encounter: to('Encounter/e1'), device: to('Device/pump'), valueQuantity: { value: 2 } }),
    observation('o2', { subject: to('Patient/zhang'), encounter: to('Encounter/e1'), performer: [to('RelatedPerson/mother')], valueQuantity: { value: 1 } }),
    observation('o3', { subject: to('Patient/li'), encounter: to('Encounter/e2'), performer: [to('Practitioner/gp')] }),
    put({ resourceType: 'Condition', id: 'c1', subject: to('Patient/zhang'), encounter: to('Encounter/e1'), code: { text: 'x' } }),
    put({ resourceType: 'MedicationAdministration', id: 'i1', status: 'completed', medicationCodeableConcept: { text: 'x' }, subject: to('Patient/zhang'), context: to('Encounter/e1'), effectiveDateTime: '2024-01-01' }),
  ] } })
  expect(reply.json.issue ?? []).toEqual([])
})

const ids = (reply: TestReply): string[] => (reply.json.entry ?? []).map((each: { resource: { id: string } }) => each.resource.id)
const sorted = (reply: TestReply): string[] => ids(reply).sort()

describe('compartments', () => {
  test.each([
    ['Encounter/e1/Observation', ['o1', 'o2']], ['Encounter/e1/*', ['c1', 'e1', 'i1', 'o1', 'o2']], ['Encounter/e1/*?_type=Condition,Encounter', ['c1', 'e1']], ['Encounter/e1/Encounter', ['e1']], ['Encounter/none/*', []],
    ['Practitioner/gp/*', ['e1', 'gp', 'o3', 'zhang']], ['Practitioner/gp/Patient?name=张', ['zhang']], ['RelatedPerson/mother/Observation?code=a', ['o2']], ['RelatedPerson/mother/*', ['mother', 'o2']],
    ['Device/pump/*', ['o1']], ['Device/pump/Observation?code=b', []],
  ])('%s', async (path, expected) => {
    const reply = await request('GET', `/fhir/${path}`, { as: system })
    expect(reply.json.issue ?? []).toEqual([])
    expect(sorted(reply)).toEqual(expected)
  })

  test('are sorted, paged and posted to like any other search', async () => {
    expect(ids(await request('GET', '/fhir/Encounter/e1/Observation?_sort=value-quantity', { as: system }))).toEqual(['o2', 'o1'])
    const first = await request('GET', '/fhir/Encounter/e1/*?_count=2', { as: system })
    const next = first.json.link.find((each: { relation: string }) => each.relation === 'next').url as string
    expect(next).toContain('/fhir/Encounter/e1/*?')
    const rest = await request('GET', `${new URL(next).pathname}${new URL(next).search}`, { as: system })
    expect(new Set([...ids(first), ...ids(rest)]).size).toBe(4)
    const posted = await request('POST', '/fhir/Encounter/e1/Observation/_search', { as: system, body: 'code=a', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })
    expect(sorted(posted)).toEqual(['o1', 'o2'])
  })

  test('show nobody what they may not see', async () => {
    expect(sorted(await request('GET', '/fhir/Practitioner/gp/*', { as: citizen('zhang') }))).toEqual(['e1', 'gp', 'zhang'])
    expect(sorted(await request('GET', '/fhir/Practitioner/gp/*'))).toEqual(['gp'])
    expect(sorted(await request('GET', '/fhir/Encounter/e1/*', { as: citizen('li') }))).toEqual([])
  })
})
