/** Keys are stored for ever: these samples hold them still. */
import { expect, test } from 'vitest'
import { compartmentKey, orderKey, paramKey, referenceIdentifierKey, referenceKey, systemKey, tokenKey, unitKey, uriKey } from './keys.ts'

const samples: [string, bigint, bigint][] = [
  ['tokenKey(Observation, code, http://loinc.org, 8480-6)', tokenKey('Observation', 'code', 'http://loinc.org', '8480-6'), 6895199131851224667n],
  ['tokenKey(Observation, code, null, 8480-6)', tokenKey('Observation', 'code', null, '8480-6'), -7981706292339665742n],
  ['tokenKey(Observation, code, undefined, 8480-6)', tokenKey('Observation', 'code', undefined, '8480-6'), 146108853263451548n],
  ['tokenKey(Patient, identifier, urn:oid:2.16.156.10011.1.3, 310101199003074477)', tokenKey('Patient', 'identifier', 'urn:oid:2.16.156.10011.1.3', '310101199003074477'), 2985572792387305652n],
  ['systemKey(Observation, code, http://loinc.org)', systemKey('Observation', 'code', 'http://loinc.org'), -2845048728116505815n],
  ['referenceKey(Observation, subject, Patient/7)', referenceKey('Observation', 'subject', 'Patient/7'), 9184553489706488638n],
  ['referenceKey(Observation, subject, Patient/0195d3a2-0000-7abc-8000-000000000001)', referenceKey('Observation', 'subject', 'Patient/0195d3a2-0000-7abc-8000-000000000001'), 8758848138216076840n],
  ['referenceKey(Observation, subject, http://other.org/fhir/Patient/7)', referenceKey('Observation', 'subject', 'http://other.org/fhir/Patient/7'), 3893049845723750261n],
  ['referenceIdentifierKey(Observation, subject, urn:x, 7)', referenceIdentifierKey('Observation', 'subject', 'urn:x', '7'), -2897880891434676415n],
  ['referenceIdentifierKey(Observation, subject, undefined, 7)', referenceIdentifierKey('Observation', 'subject', undefined, '7'), -4998534554133875907n],
  ['uriKey(Patient, _profile, http://x)', uriKey('Patient', '_profile', 'http://x'), 3352096114033807305n],
  ['paramKey(Patient, name)', paramKey('Patient', 'name'), -2147704786388092981n],
  ['unitKey(Observation, value-quantity, http://unitsofmeasure.org, mmol/L)', unitKey('Observation', 'value-quantity', 'http://unitsofmeasure.org', 'mmol/L'), -4930283200317245598n],
  ['unitKey(Observation, value-quantity, null, mmol/L)', unitKey('Observation', 'value-quantity', null, 'mmol/L'), 8381766687120688977n],
  ['orderKey(Patient, gender)', orderKey('Patient', 'gender'), 6070953883329281856n],
  ['compartmentKey(0195d3a2-0000-7000-8000-000000000001)', compartmentKey('0195d3a2-0000-7000-8000-000000000001'), 8799958268043792455n],
]

test.each(samples)('%s', (_, key, stored) => { expect(key).toBe(stored) })

test('every way of asking has a key of its own', () => {
  const keys = samples.map(([, key]) => key)
  expect(new Set(keys).size).toBe(keys.length)
  for (const key of keys) expect(BigInt.asIntN(64, key)).toBe(key)
})
