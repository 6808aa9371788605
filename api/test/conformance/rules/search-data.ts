/** What the rules of search.html are tried on: a few resources of the types that its examples use, all with the tag `search`. */

type Resource = { resourceType: string; id: string } & Record<string, unknown>

const tagged = (resource: Resource, meta: object = {}): Resource => ({ ...resource, meta: { tag: [{ system: 'urn:rules', code: 'search' }], ...meta } })
const ref = (reference: string) => ({ reference })
const loinc = (code: string, display?: string) => ({ coding: [{ system: 'http://loinc.org', code, ...(display ? { display } : {}) }] })
const ucum = (value: number, code: string) => ({ value, unit: code, system: 'http://unitsofmeasure.org', code })
const observation = (id: string, more: object, subject = 'Patient/s-p1'): Resource => ({ resourceType: 'Observation', id, status: 'final', code: loinc('1-1'), subject: ref(subject), ...more })
const risk = (id: string, probability: number): Resource => ({ resourceType: 'RiskAssessment', id, status: 'final', subject: ref('Patient/s-p1'), prediction: [{ probabilityDecimal: probability }] })
const pressure = (id: string, systolic: number, diastolic: number): Resource => observation(id, { code: loinc('85354-9', 'Blood pressure panel'), effectiveDateTime: '2014-05-01',
  component: [{ code: loinc('8480-6'), valueQuantity: ucum(systolic, 'mm[Hg]') }, { code: loinc('8462-4'), valueQuantity: ucum(diastolic, 'mm[Hg]') }] })

export const searchData: readonly Resource[] = [
  { resourceType: 'Patient', id: 'rule-seen', active: true, gender: 'female', name: [{ family: 'Seen' }], text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">Seen</div>' } },
  ...[
    { resourceType: 'Organization', id: 's-top', name: 'Top Health', active: true },
    { resourceType: 'Organization', id: 's-org', name: 'Good Health Clinic', partOf: ref('Organization/s-top') },
    { resourceType: 'Practitioner', id: 's-dr', name: [{ family: 'Careful', given: ['Adam'] }], identifier: [{ system: 'urn:npi', value: '17' }] },
    { resourceType: 'Patient', id: 's-p1', active: true, gender: 'female', birthDate: '1974-12-25', name: [{ use: 'official', family: 'Éverywoman', given: ['Eve', 'Anne'] }, { use: 'nickname', given: ['Evie'] }],
      identifier: [{ system: 'urn:ids', value: 'a|1,x$y' }, { value: 'bare' }, { type: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v2-0203', code: 'MR', display: 'Medical record number' }] }, system: 'urn:mr', value: '446053' }],
      telecom: [{ system: 'phone', value: '(03) 5555 6473' }, { system: 'email', value: 'eve@example.org' }], address: [{ city: 'PleasantVille', postalCode: '3999', use: 'home' }], generalPractitioner: [ref('Practitioner/s-dr')], managingOrganization: ref('Organization/s-org'), deceasedBoolean: false,
      maritalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-MaritalStatus', code: 'M', display: 'Married' }] } },
    { resourceType: 'Patient', id: 's-p2', active: false, gender: 'male', birthDate: '1974-12', name: [{ family: 'Chalmers', given: ['Peter', 'James'] }], identifier: [{ system: 'urn:ids', value: '2' }], managingOrganization: ref('Organization/s-top'), deceasedDateTime: '2015-02-14T13:42:00+10:00' },
    { resourceType: 'Patient', id: 's-p3', birthDate: '1980', name: [{ text: 'Evelyn Smith', family: 'Smith-Jones' }], link: [{ other: ref('Patient/s-p1'), type: 'seealso' }], generalPractitioner: [ref('Practitioner/absent')] },
    observation('s-d1', { effectiveDateTime: '2013-01-14' }), observation('s-d2', { effectiveDateTime: '2013-01-14T10:00:00+08:00' }), observation('s-d3', { effectiveDateTime: '2013-01' }), observation('s-d4', { effectiveDateTime: '2013' }),
    observation('s-d5', { effectivePeriod: { start: '2013-01-14', end: '2013-01-16' } }), observation('s-d6', { effectivePeriod: { start: '2013-03-14' } }),
    risk('s-r1', 0.8), risk('s-r2', 0.85), risk('s-r3', 100),
    observation('s-q1', { code: loinc('2-2'), valueQuantity: ucum(5.4, 'mg') }), observation('s-q2', { code: loinc('2-2'), valueQuantity: ucum(5400, 'ug') }), observation('s-q3', { code: loinc('2-2'), valueQuantity: { value: 5.4, unit: 'mg' } }), observation('s-q4', { code: loinc('2-2'), valueQuantity: ucum(9, 'mg') }),
    pressure('s-b1', 140, 70), pressure('s-b2', 110, 95),
    observation('s-t1', { code: { coding: [{ system: 'http://loinc.org', code: '3-3', display: 'Headache score' }], text: 'Severe headache' }, status: 'amended', valueString: 'half, or more' }, 'Patient/s-p2'),
    observation('s-t2', { code: { coding: [{ code: '3-3' }] }, status: 'preliminary', subject: { identifier: { system: 'urn:ids', value: 'logical' }, type: 'Patient' }, performer: [ref('Practitioner/s-dr')] }),
    observation('s-t3', { code: { text: 'no coding' }, subject: ref('http://elsewhere.example.org/fhir/Patient/9'), hasMember: [ref('Observation/s-t1')] }),
    { resourceType: 'Encounter', id: 's-e1', status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' }, subject: ref('Patient/s-p1'), serviceProvider: ref('Organization/s-org'), length: ucum(90, 'min'), period: { start: '2014-01-01', end: '2014-01-02' } },
    { resourceType: 'DiagnosticReport', id: 's-dx', status: 'final', code: loinc('58410-2'), subject: ref('Patient/s-p1'), result: [ref('Observation/s-t1'), ref('Observation/absent')], encounter: ref('Encounter/s-e1') },
    { resourceType: 'Questionnaire', id: 's-qu', url: 'http://example.org/forms/intake', version: '2.0', status: 'active', title: 'Intake' },
    { resourceType: 'Questionnaire', id: 's-qv', url: 'http://example.org/forms/intake/child', version: '1', status: 'draft', title: 'Child' },
    { resourceType: 'QuestionnaireResponse', id: 's-qr', status: 'completed', questionnaire: 'http://example.org/forms/intake|2.0', subject: ref('Patient/s-p1') },
    { resourceType: 'List', id: 's-list', status: 'current', mode: 'working', entry: [{ item: ref('Patient/s-p2') }, { item: ref('Observation/s-d1') }] },
    { resourceType: 'Location', id: 's-lo', name: 'Tower', status: 'active', position: { latitude: 31.2, longitude: 121.5 }, managingOrganization: ref('Organization/s-org') },
    { resourceType: 'Location', id: 's-lo2', name: 'Room', partOf: ref('Location/s-lo') },
    { resourceType: 'ValueSet', id: 's-oid', url: 'urn:oid:1.2.3.4.5', status: 'draft' },
    { resourceType: 'Condition', id: 's-c1', subject: ref('Patient/s-p1'), code: { coding: [{ system: 'http://snomed.info/sct', code: '25064002', display: 'Headache' }] }, clinicalStatus: { coding: [{ system: 'http://terminology.hl7.org/CodeSystem/condition-clinical', code: 'active' }] }, onsetDateTime: '2012', text: { status: 'generated', div: '<div xmlns="http://www.w3.org/1999/xhtml">bone metastases</div>' } },
    { resourceType: 'Media', id: 's-me', status: 'completed', content: { contentType: 'image/png', url: 'http://example.org/i.png' }, subject: ref('Patient/s-p1') },
  ].map((resource) => tagged(resource as Resource)),
  tagged({ resourceType: 'Basic', id: 's-meta', code: { text: 'x' } }, { profile: ['http://hl7.org/fhir/StructureDefinition/Basic'], security: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-Confidentiality', code: 'R' }], source: 'http://example.org/source#7' }),
]
