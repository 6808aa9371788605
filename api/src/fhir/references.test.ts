/** What a reference string points to. */
import { describe, expect, test } from 'vitest'
import { parseReference, referencedType, referenceTarget } from './references.ts'

describe('references', () => {
  test.each([
    ['Patient/7', { kind: 'local', type: 'Patient', id: '7', version: null }, 'Patient/7'],
    ['Patient/7/_history/2', { kind: 'local', type: 'Patient', id: '7', version: '2' }, 'Patient/7'],
    ['http://other.org/fhir/Patient/7', { kind: 'absolute', type: 'Patient', id: '7', address: 'http://other.org/fhir/Patient/7' }, 'http://other.org/fhir/Patient/7'],
    ['https://other.org/fhir/Patient/7/_history/2', { kind: 'absolute', type: 'Patient', id: '7', address: 'https://other.org/fhir/Patient/7' }, 'https://other.org/fhir/Patient/7'],
    ['http://other.org/anything', { kind: 'absolute', type: null, id: null, address: 'http://other.org/anything' }, 'http://other.org/anything'],
    ['urn:uuid:0195d3a2-0000-7000-8000-000000000001', { kind: 'urn' }, 'urn:uuid:0195d3a2-0000-7000-8000-000000000001'],
    ['#a', { kind: 'contained', id: 'a' }, null],
    ['Patient?identifier=x|1', { kind: 'conditional', type: 'Patient', query: 'identifier=x|1' }, null],
    ['Patient', { kind: 'invalid' }, null], ['Pateint/7', { kind: 'invalid' }, null], ['/Patient/7', { kind: 'invalid' }, null],
    ['Patient/7/8', { kind: 'invalid' }, null], ['Patient/a b', { kind: 'invalid' }, null], [`Patient/${'x'.repeat(65)}`, { kind: 'invalid' }, null],
    ['', { kind: 'invalid' }, null], ['http://', { kind: 'invalid' }, null], ['a/Patient/7', { kind: 'invalid' }, null],
  ])('%s', (text, parsed, target) => {
    expect(parseReference(text)).toEqual(parsed)
    expect(referenceTarget(text)).toBe(target)
  })

  test('the type comes from the text, the contained resource or Reference.type', () => {
    const resource = { contained: [null, { resourceType: 'Practitioner', id: 'p' }] }
    expect(referencedType({ reference: 'Group/1' }, resource)).toBe('Group')
    expect(referencedType({ reference: '#p' }, resource)).toBe('Practitioner')
    expect(referencedType({ reference: '#q' }, resource)).toBeNull()
    expect(referencedType({ reference: 'urn:uuid:1', type: 'Device' }, resource)).toBe('Device')
    expect(referencedType({}, null)).toBeNull()
  })
})
