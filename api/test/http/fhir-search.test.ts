/** Search through the whole app: each parameter type with its modifiers and prefixes as a table of queries and what they find. */
import { beforeAll, describe, expect, test } from 'vitest'
import { system, testPlatform, type TestReply } from '../support/platform.ts'

const { request, clock, db } = await testPlatform()

const loinc = 'http://loinc.org'
const ucum = 'http://unitsofmeasure.org'
const put = (resource: { resourceType: string; id: string }) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } })
const observation = (id: string, patient: string, extra: object) => put({
  resourceType: 'Observation', id, status: 'final', code: { coding: [{ system: loinc, code: '2339-0' }] }, subject: { reference: `Patient/${patient}` }, ...extra,
} as { resourceType: string; id: string })

beforeAll(async () => {
  const reply = await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry: [
    put({ resourceType: 'Organization', id: 'hospital', name: '浦江第一医院' } as never),
    put({ resourceType: 'Patient', id: 'zhang', active: true, name: [{ use: 'official', text: '张三丰', family: '张', given: ['三丰'] }], gender: 'male', birthDate: '1980-05-01',
      identifier: [{ system: 'urn:id', value: '1,1' }], telecom: [{ system: 'phone', value: '138 0000 0001' }], address: [{ text: '上海市黄浦区人民大道200号' }],
      managingOrganization: { reference: 'Organization/hospital' }, meta: { tag: [{ system: 'urn:tag', code: 'demo' }], profile: ['http://hl7.org/fhir/StructureDefinition/Patient|4.0.1'], security: [{ system: 'urn:sec', code: 'R' }] } } as never),
    put({ resourceType: 'Patient', id: 'li', active: false, name: [{ text: '李四' }, { text: 'José O\'Brien', family: 'O\'Brien', given: ['José'] }], gender: 'female', birthDate: '1980-05-02',
      identifier: [{ value: 'bare' }], deceasedBoolean: false } as never),
    put({ resourceType: 'Patient', id: 'wang', name: [{ text: '王五' }], birthDate: '1981', managingOrganization: { identifier: { system: 'urn:org', value: '7' } } } as never),
    put({ resourceType: 'Encounter', id: 'e1', status: 'finished', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' }, subject: { reference: 'Patient/zhang' },
      serviceProvider: { reference: 'Organization/hospital' }, period: { start: '2024-03-01T08:00:00+08:00', end: '2024-03-03T09:00:00+08:00' } } as never),
    put({ resourceType: 'Encounter', id: 'e2', status: 'in-progress', class: { code: 'IMP' }, subject: { reference: 'Patient/zhang' }, period: { start: '2024-03-10T08:00:00+08:00' } } as never),
    observation('o1', 'zhang', { effectiveDateTime: '2024-01-31T23:30:00+08:00', valueQuantity: { value: 5.4, unit: 'mmol/L', system: ucum, code: 'mmol/L' }, encounter: { reference: 'Encounter/e1' } }),
    observation('o2', 'zhang', { effectiveDateTime: '2024-02-01', valueQuantity: { value: 5.42, unit: 'mmol/L', system: ucum, code: 'mmol/L' }, category: [{ coding: [{ system: 'urn:cat', code: 'lab' }] }] }),
    observation('o3', 'zhang', { effectiveDateTime: '2024', valueQuantity: { value: 6, unit: '毫摩尔' } }),
    observation('o4', 'li', { effectivePeriod: { start: '2024-02-15', end: '2024-03-15' }, status: 'amended', valueQuantity: { value: 100, unit: 'mg/dL', system: ucum, code: 'mg/dL' } }),
    observation('o5', 'li', { code: { coding: [{ system: loinc, code: '8867-4' }] } }),
    put({ resourceType: 'RiskAssessment', id: 'r1', status: 'final', subject: { reference: 'Patient/zhang' }, prediction: [{ probabilityDecimal: 0.8 }] } as never),
    put({ resourceType: 'RiskAssessment', id: 'r2', status: 'final', subject: { reference: 'Patient/zhang' }, prediction: [{ probabilityDecimal: 0.25 }] } as never),
    put({ resourceType: 'ValueSet', id: 'v1', status: 'active', url: 'http://example.org/vs/a', version: '1' } as never),
    put({ resourceType: 'ValueSet', id: 'v2', status: 'active', url: 'http://example.org/vs/a/b' } as never),
    put({ resourceType: 'Provenance', id: 'pr', recorded: '2024-01-01T00:00:00Z', agent: [{ who: { reference: 'Organization/hospital' } }], target: [{ reference: 'Patient/zhang' }, { reference: 'Patient/li' }] } as never),
  ] } })
  expect(reply.json.issue ?? []).toEqual([])
  expect(reply.status).toBe(200)
})

const ids = (reply: TestReply, mode = 'match'): string[] => (reply.json.entry ?? [])
  .filter((each: { search: { mode: string } }) => each.search.mode === mode).map((each: { resource: { id: string } }) => each.resource.id).sort()

function linkOf(reply: TestReply, relation: string): string | undefined {
  return reply.json.link.find((each: { relation: string }) => each.relation === relation)?.url.replace('http://127.0.0.1:8080', '')
}

async function find(query: string): Promise<string[]> {
  const reply = await request('GET', `/fhir/${query}`, { as: system })
  expect(reply.json.issue ?? []).toEqual([])
  return ids(reply)
}

test('what begins with a name stands before what has it in its middle, by which nothing is sorted', async () => {
  for (const [id, name] of [['org-a', '仁济东院'], ['org-b', '上海仁济'], ['org-c', '仁济医院仁济楼']]) expect((await request('PUT', `/fhir/Organization/${id}`, { as: system, body: { resourceType: 'Organization', id, name } })).status).toBe(201)
  const found = async (query: string) => (await request('GET', `/fhir/Organization?${query}`, { as: system })).json.entry.map((each: { resource: { id: string } }) => each.resource.id)
  expect(await found('name=仁济')).toEqual(['org-a', 'org-c', 'org-b'])
  expect(await found('name=仁济&_sort=name')).toEqual(['org-a', 'org-c', 'org-b'])
  for (const id of ['org-a', 'org-b', 'org-c']) await request('DELETE', `/fhir/Organization/${id}`, { as: system })
})

test.each([
  ['*', ['7', null, 'not-a-key']], ['*', ['12345678901234567890', null, '00000000-0000-0000-0000-000000000000']], ['*', ['x', null, '00000000-0000-0000-0000-000000000000']], ['*', [7, null, '00000000-0000-0000-0000-000000000000']],
  ['*', ['7', null, '00000000-0000-0000-0000-000000000000']], ['~*', ["' or 1=1", null, '00000000-0000-0000-0000-000000000000']], ['*', []],
] as const)('a page that the server never named is refused: %s %j', async (mark, parts) => {
  const token = mark + Buffer.from(JSON.stringify(parts)).toString('base64url')
  for (const query of ['', '&subject:Patient.name=张', '&_sort=-date', '&performer:Practitioner.name=x']) {
    const reply = await request('GET', `/fhir/Observation?_page=${encodeURIComponent(token)}${query}`, { as: system })
    expect([reply.status, reply.json.issue?.[0]?.details.coding[0].code]).toEqual([400, 'parameter-invalid'])
  }
})

describe('what a query finds', () => {
  test.each([
    // string
    ['Patient?name=张', ['zhang']], ['Patient?name=三丰', ['zhang']], ['Patient?name=zhang', ['zhang']], ['Patient?name=zsf', ['zhang']],
    ['Patient?name=jose', ['li']], ['Patient?name=JOSÉ', ['li']], [`Patient?name=O'B`, ['li']], ['Patient?family=张', ['zhang']],
    ['Patient?name:contains=三', ['zhang']], ['Patient?name:exact=张三丰', ['zhang']], ['Patient?name:exact=张三', []], ['Patient?name:exact=zhangsanfeng', []],
    ['Organization?name=浦江', ['hospital']], ['Organization?name=第一医院', ['hospital']], ['Organization?name=医院', ['hospital']], ['Organization?name=diyi', ['hospital']], ['Organization?name=dyyy', ['hospital']], ['Organization?name=江一', []],
    ['Organization?name=院', []], ['Organization?name:exact=第一医院', []], ['Organization?name:missing=true', []], ['Encounter?service-provider.name=第一', ['e1']],
    [`Patient?name:exact=José O'Brien`, ['li']], [`Patient?name:exact=jose o'brien`, []], ['Patient?name=张,李', ['li', 'zhang']], ['Patient?name=张&name=三', ['zhang']],
    ['Patient?name=%25', []], ['Patient?name=_', []], ['Patient?address=上海市黄浦', ['zhang']], ['Patient?address:missing=false', ['zhang']], ['Patient?address:missing=true', ['li', 'wang']],
    // token
    ['Patient?gender=male', ['zhang']], ['Patient?gender=http://hl7.org/fhir/administrative-gender|male', ['zhang']], ['Patient?gender:not=male', ['li', 'wang']],
    ['Patient?gender=male,female', ['li', 'zhang']], ['Patient?gender:missing=true', ['wang']], ['Patient?gender:missing=false', ['li', 'zhang']],
    ['Patient?identifier=urn:id|1\\,1', ['zhang']], ['Patient?identifier=1\\,1', ['zhang']], ['Patient?identifier=urn:id|', ['zhang']], ['Patient?identifier=|bare', ['li']], ['Patient?identifier=|1\\,1', []],
    ['Patient?active=true', ['zhang']], ['Patient?deceased=false', ['li', 'wang', 'zhang']], ['Patient?phone=13800000001', ['zhang']], ['Patient?telecom=phone|138 0000 0001', ['zhang']],
    ['Patient?_tag=urn:tag|demo', ['zhang']], ['Patient?_security=R', ['zhang']], ['Patient?_profile=http://hl7.org/fhir/StructureDefinition/Patient', ['zhang']], ['Patient?_id=zhang,li,nobody', ['li', 'zhang']],
    ['Observation?code=2339-0&status=final', ['o1', 'o2', 'o3']], [`Observation?code=${loinc}|8867-4`, ['o5']], ['Observation?category=lab', ['o2']], ['Observation?status:not=final', ['o4']],
    [`Observation?combo-code=${loinc}|8867-4`, ['o5']],
    // reference
    ['Observation?subject=Patient/zhang', ['o1', 'o2', 'o3']], ['Observation?patient=zhang', ['o1', 'o2', 'o3']], ['Observation?subject=zhang', ['o1', 'o2', 'o3']], ['Observation?subject:Patient=zhang', ['o1', 'o2', 'o3']],
    ['Observation?subject=http://127.0.0.1:8080/fhir/Patient/li', ['o4', 'o5']], ['Observation?patient=zhang,li', ['o1', 'o2', 'o3', 'o4', 'o5']], ['Observation?patient=nobody', []],
    ['Observation?encounter=Encounter/e1', ['o1']], ['Observation?encounter:missing=true&patient=zhang', ['o2', 'o3']], ['Patient?organization:identifier=urn:org|7', ['wang']], ['Patient?organization:identifier=urn:org|', ['wang']], ['Patient?organization:identifier=urn:other|', []], ['Patient?organization:identifier=|7', []], ['Patient?organization:identifier=7', ['wang']], ['Patient?organization=hospital', ['zhang']],
    ['Observation?subject:Group=zhang', []], ['Provenance?patient=zhang', ['pr']], ['Provenance?patient=li', ['pr']], ['Provenance?target=Patient/li', ['pr']],
    // date
    ['Observation?date=2024-01-31', ['o1']], ['Observation?date=2024-02', ['o2']], ['Observation?date=2024', ['o1', 'o2', 'o3', 'o4']], ['Observation?date=ne2024-02', ['o1', 'o3', 'o4']],
    ['Observation?date=gt2024-02-01', ['o3', 'o4']], ['Observation?date=ge2024-02-01', ['o2', 'o3', 'o4']], ['Observation?date=lt2024-02-01', ['o1', 'o3']], ['Observation?date=le2024-02-01', ['o1', 'o2', 'o3']],
    ['Observation?date=sa2024-01-31', ['o2', 'o4']], ['Observation?date=eb2024-02-01', ['o1']], ['Observation?date=ge2024-02-01&date=le2024-02-28', ['o2', 'o3', 'o4']],
    ['Observation?date=2024-01-31T15:30:00Z', ['o1']], ['Observation?date=2024-01-31T23:30:00+08:00', ['o1']], ['Observation?date=2024-01-31,2024-02-01', ['o1', 'o2']], ['Observation?date:missing=true', ['o5']],
    ['Patient?birthdate=1980-05', ['li', 'zhang']], ['Patient?birthdate=1981', ['wang']], ['Patient?birthdate=lt1980-05-02', ['zhang']], ['Patient?birthdate=ap1981', ['li', 'wang', 'zhang']],
    ['Encounter?date=2024-03-02', []], ['Encounter?date=ge2024-03-02&date=le2024-03-02', ['e1']], ['Encounter?date=ge2024-03-04&date=lt2024-03-31', ['e2']], ['Encounter?date=sa2024-03-05', ['e2']],
    ['Encounter?date=ap2024-03-02', ['e1', 'e2']], ['Patient?_lastUpdated=2026-11-23', ['li', 'wang', 'zhang']], ['Patient?_lastUpdated=lt2026-11-23', []], ['Patient?_lastUpdated=ge2026-11-23T07:30:00%2B08:00', ['li', 'wang', 'zhang']],
    // number and quantity
    ['RiskAssessment?probability=0.8', ['r1']], ['RiskAssessment?probability=gt0.25', ['r1']], ['RiskAssessment?probability=ge0.25', ['r1', 'r2']], ['RiskAssessment?probability=lt0.8', ['r2']], ['RiskAssessment?probability=ap0.78', ['r1']], ['RiskAssessment?probability=ne0.8', ['r2']],
    ['Observation?value-quantity=5.4', ['o1', 'o2']], ['Observation?value-quantity=5.42', ['o2']], ['Observation?value-quantity=5.40', ['o1']], ['Observation?value-quantity=5.41', []], [`Observation?value-quantity=5.40e-3|${ucum}|mol/L`, ['o1']], [`Observation?value-quantity=5400|${ucum}|umol/L`, ['o1']], [`Observation?value-quantity=gt5410|${ucum}|umol/L`, ['o2']], [`Observation?value-quantity=5.4|${ucum}|g`, []], [`Observation?value-quantity=5.4|${ucum}|mmol/L`, ['o1', 'o2']], [`Observation?value-quantity=5.4|${ucum}|mg/dL`, []],
    ['Observation?value-quantity=gt5.4', ['o2', 'o3', 'o4']], ['Observation?value-quantity=ge5.4||mmol/L', ['o1', 'o2']], ['Observation?value-quantity=6||毫摩尔', ['o3']], ['Observation?value-quantity=le6', ['o1', 'o2', 'o3']], ['Observation?value-quantity=1e2', ['o4']],
    ['Observation?value-quantity:missing=true', ['o5']],
    // uri
    ['ValueSet?url=http://example.org/vs/a', ['v1']], ['ValueSet?url=http://example.org/vs/a,http://example.org/vs/a/b', ['v1', 'v2']],
  ])('%s', async (query, expected) => {
    expect(await find(query.replaceAll('+08:00', '%2B08:00'))).toEqual(expected)
  })

  test('the same by POST _search, form and address together', async () => {
    const reply = await request('POST', '/fhir/Observation/_search?code=2339-0', { as: system, body: 'patient=zhang&date=2024-02', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })
    expect(ids(reply)).toEqual(['o2'])
    expect((await request('POST', '/fhir/Observation/_search', { as: system, body: '{}', headers: { 'Content-Type': 'application/json' } })).status).toBe(415)
  })
})

describe('pages, order and totals', () => {
  test.each([
    ['', ['o5', 'o4', 'o2', 'o1', 'o3']], ['_sort=-date', ['o5', 'o4', 'o2', 'o1', 'o3']], ['_sort=date', ['o3', 'o1', 'o2', 'o4', 'o5']], ['_sort=value-quantity', ['o1', 'o2', 'o3', 'o4', 'o5']],
    ['_sort=-value-quantity', ['o4', 'o3', 'o2', 'o1', 'o5']], ['_sort=status,-value-quantity', ['o4', 'o3', 'o2', 'o1', 'o5']], ['_sort=-status,date', ['o3', 'o1', 'o2', 'o5', 'o4']],
    ['_sort=category,_id', ['o2', 'o1', 'o3', 'o4', 'o5']], ['_sort=encounter,-_id', ['o1', 'o5', 'o4', 'o3', 'o2']], ['_sort=-code,date', ['o5', 'o3', 'o1', 'o2', 'o4']], ['_sort=-_lastUpdated,value-quantity', ['o1', 'o2', 'o3', 'o4', 'o5']],
  ])('every page of Observation?%s in order, none repeated, none lost', async (query, expected) => {
    for (const count of [1, 2, 5, 100]) {
      const seen: string[] = []
      let url: string | undefined = `/fhir/Observation?${query}&_count=${count}`.replace('?&', '?')
      let last: TestReply | null = null
      while (url !== undefined) {
        const reply: TestReply = await request('GET', url, { as: system })
        const page = (reply.json.entry ?? []).map((each: { resource: { id: string } }) => each.resource.id)
        expect(page.length).toBeLessThanOrEqual(count)
        seen.push(...page)
        url = linkOf(reply, 'next')
        last = reply
      }
      expect(seen).toEqual(expected)
      const back: string[] = seen.slice(seen.length - (last?.json.entry ?? []).length)
      for (url = last ? linkOf(last, 'previous') : undefined; url !== undefined;) {
        const reply: TestReply = await request('GET', url, { as: system })
        back.unshift(...(reply.json.entry ?? []).map((each: { resource: { id: string } }) => each.resource.id))
        expect(linkOf(reply, 'next')).toBeDefined()
        url = linkOf(reply, 'previous')
      }
      expect(back).toEqual(expected)
    }
  })

  test('strings sort by their text, _id by key', async () => {
    const sorted = (await request('GET', '/fhir/Patient?_sort=-name&_count=2', { as: system })).json
    expect(sorted.entry).toHaveLength(2)
    expect((await request('GET', '/fhir/Patient?_sort=_id', { as: system })).json.entry).toHaveLength(3)
  })

  test('without _total it is said where one page holds all; _count=0 and _summary=count give it alone', async () => {
    expect((await request('GET', '/fhir/Observation', { as: system })).json).toMatchObject({ total: 5 })
    for (const query of ['_count=2', '_total=none']) expect((await request('GET', `/fhir/Observation?${query}`, { as: system })).json.total).toBeUndefined()
    const last = (await request('GET', '/fhir/Observation?_count=4', { as: system })).json.link.find(({ relation }: { relation: string }) => relation === 'next').url
    expect((await request('GET', last.slice(last.indexOf('/fhir/')), { as: system })).json.total).toBeUndefined()
    expect((await request('GET', '/fhir/Observation?_total=accurate&_count=2', { as: system })).json).toMatchObject({ total: 5 })
    expect((await request('GET', '/fhir/Observation?_total=estimate&_count=2', { as: system })).json).toMatchObject({ total: 5 })
    for (const query of ['_count=0', '_summary=count']) {
      const { json } = await request('GET', `/fhir/Observation?patient=zhang&${query}`, { as: system })
      expect([json.total, json.entry]).toEqual([3, undefined])
    }
  })

  test('the self link lists exactly what was applied', async () => {
    const { json } = await request('GET', '/fhir/Observation?patient=zhang&nonsense=1&code:txet=x&_count=5000&_sort=-date,statsu', { as: system, headers: { Prefer: 'handling=lenient' } })
    expect(json.link[0]).toEqual({ relation: 'self', url: 'http://127.0.0.1:8080/fhir/Observation?patient=zhang&_count=1000&_sort=-date' })
    const outcome = json.entry.find((each: { search: { mode: string } }) => each.search.mode === 'outcome').resource
    expect(outcome.issue.map((each: { severity: string }) => each.severity)).toEqual(['warning', 'warning', 'warning'])
  })

  test('_elements leaves what was named, and says so', async () => {
    const { json } = await request('GET', '/fhir/Observation?_id=o1&_elements=status,value', { as: system })
    expect(json.entry[0].resource).toEqual({
      resourceType: 'Observation', id: 'o1', status: 'final', code: { coding: [{ system: loinc, code: '2339-0' }] }, valueQuantity: { value: 5.4, unit: 'mmol/L', system: ucum, code: 'mmol/L' },
      meta: { versionId: '1', lastUpdated: clock.now.toISOString(), tag: [{ system: 'http://terminology.hl7.org/CodeSystem/v3-ObservationValue', code: 'SUBSETTED' }] },
    })
  })
})

describe('included resources', () => {
  test('_include by parameter, by target type, more than one', async () => {
    const one = await request('GET', '/fhir/Observation?_id=o1,o4&_include=Observation:subject', { as: system })
    expect([ids(one), ids(one, 'include')]).toEqual([['o1', 'o4'], ['li', 'zhang']])
    const two = await request('GET', '/fhir/Observation?_id=o1&_include=Observation:subject:Patient&_include=Observation:encounter', { as: system })
    expect(ids(two, 'include')).toEqual(['e1', 'zhang'])
    expect(ids(await request('GET', '/fhir/Observation?_id=o1&_include=Observation:subject:Group', { as: system }), 'include')).toEqual([])
  })

  test('_include and _revinclude go on with :iterate, and take *', async () => {
    const include = async (query: string) => ids(await request('GET', `/fhir/${query}`, { as: system }), 'include')
    expect(await include('Observation?_id=o1&_include=Observation:encounter&_include:iterate=Encounter:service-provider')).toEqual(['e1', 'hospital'])
    expect(await include('Observation?_id=o1&_include=Observation:encounter&_include=Observation:subject&_include:iterate=Patient:organization')).toEqual(['e1', 'hospital', 'zhang'])
    expect(await include('Observation?_id=o1&_include=*')).toEqual(['e1', 'zhang'])
    expect(await include('Observation?_id=o1&_include=Observation:*')).toEqual(['e1', 'zhang'])
    expect(await include('Observation?_id=o1&_include:iterate=*')).toEqual(['e1', 'hospital', 'zhang'])
    expect(await include('Organization?_id=hospital&_revinclude=Patient:organization&_revinclude:iterate=Observation:patient')).toEqual(['o1', 'o2', 'o3', 'zhang'])
    expect(await include('Encounter?_id=e1&_revinclude=*')).toEqual(['o1'])
    expect(await include('Patient?_id=li&_revinclude=*')).toEqual(['o4', 'o5', 'pr'])
    expect(await include('Encounter?_id=e1&_revinclude=Observation:*')).toEqual(['o1'])
  })

  test('_summary leaves parts out, and says so', async () => {
    const keysOf = async (summary: string) => Object.keys((await request('GET', `/fhir/Patient?_id=zhang&_summary=${summary}`, { as: system })).json.entry[0].resource).sort()
    expect(await keysOf('true')).toEqual(['active', 'address', 'birthDate', 'gender', 'id', 'identifier', 'managingOrganization', 'meta', 'name', 'resourceType', 'telecom'])
    expect(await keysOf('text')).toEqual(['id', 'meta', 'resourceType'])
    expect(await keysOf('data')).toContain('birthDate')
    expect(await keysOf('false')).toContain('birthDate')
  })
})

describe('several types together', () => {
  test.each([
    ['Patient/zhang/Observation', ['o1', 'o2', 'o3']], ['Patient/zhang/Observation?date=2024-02', ['o2']], ['Patient/zhang/*', ['e1', 'e2', 'o1', 'o2', 'o3', 'pr', 'r1', 'r2', 'zhang']],
    ['Patient/li/Provenance', ['pr']], ['Patient/li/*', ['li', 'o4', 'o5', 'pr']], ['Patient/nobody/*', []], ['Patient/zhang/*?_type=Encounter,RiskAssessment', ['e1', 'e2', 'r1', 'r2']], ['Patient/zhang/*?_tag=demo', ['zhang']],
    ['?_type=Patient,Encounter', ['e1', 'e2', 'li', 'wang', 'zhang']], ['?_type=Patient,Encounter&_lastUpdated=lt2020', []], ['?_type=Patient,Encounter&_type:not=Encounter', ['li', 'wang', 'zhang']], ['?_type:not=Patient,Observation&_id=o1,zhang,e1', ['e1']], ['Patient/zhang/*?_type:not=Observation,Condition,Patient,RiskAssessment&_id=e1,zhang,r1', ['e1']], ['?_type=Patient,ValueSet&_tag=urn:tag|demo', ['zhang']], ['?_tag=urn:tag|demo', ['zhang']], ['?_type=Patient,Observation&_id=o1,zhang', ['o1', 'zhang']],
  ])('%s', async (query, expected) => {
    expect(await find(query)).toEqual(expected)
  })

  test('their pages', async () => {
    for (const sort of ['', '&_sort=_lastUpdated', '&_sort=-_id']) {
      const seen: string[] = []
      for (let url: string | undefined = `/fhir/Patient/zhang/*?_count=2${sort}`; url !== undefined;) {
        const reply: TestReply = await request('GET', url, { as: system })
        seen.push(...ids(reply))
        url = linkOf(reply, 'next')
      }
      expect(seen.sort()).toEqual(['e1', 'e2', 'o1', 'o2', 'o3', 'pr', 'r1', 'r2', 'zhang'])
    }
  })

  test('what has no place in a compartment is refused', async () => {
    for (const [path, status] of [['Patient/zhang/Organization', 400], ['Patient/zhang/Nonsense', 404], ['Encounter/e1/Patient', 400], ['Organization/hospital/Patient', 404], ['Encounter/e1/Nonsense', 404], ['?_type=Patent', 400], ['?_type:not=Patent', 400], ['?_type=Patient&_type:not=Patient', 400], ['Patient?_pretty=yes', 400], ['metadata?_pretty=1', 400], ['?_type=Patient,Encounter&_sort=date', 400], ['?_type=Patient,Observation&name=x', 400]] as const) {
      expect([path, (await request('GET', `/fhir/${path}`, { as: system })).status]).toEqual([path, status])
    }
  })

  test('_revinclude, and only what the caller may see', async () => {
    const reply = await request('GET', '/fhir/Patient?_id=zhang&_revinclude=Observation:subject&_revinclude=Encounter:patient', { as: system })
    expect(ids(reply, 'include')).toEqual(['e1', 'e2', 'o1', 'o2', 'o3'])
    expect(ids(await request('GET', '/fhir/Organization?_id=hospital&_revinclude=Patient:organization'), 'include')).toEqual([])
    expect(ids(await request('GET', '/fhir/Organization?_id=hospital&_revinclude=Patient:organization', { as: system }), 'include')).toEqual(['zhang'])
  })
})

describe('what is refused, with the nearest that is valid', () => {
  test.each([
    ['Patient?nmae=x', 'parameter-unknown', /nearest is name/], ['Patient?nmae=', 'parameter-unknown', /nearest is name/], ['Patient?_elements=Patient.name', 'parameter-invalid', /Valid: name/], ['Observation?_elements=valueQuantity', 'parameter-invalid', /Valid: value\./],
    ['Patient?birthDate=1980', 'parameter-unknown', /nearest is birthdate/], ['Patient?name:exakt=x', 'parameter-unknown', /nearest is :exact/],
    ['Patient?gender:txet=x', 'parameter-unknown', /nearest is :text/], ['Observation?date:not=2024', 'parameter-unknown', /modifier/], ['Observation?date=2024-13', 'parameter-invalid', /2026-11/],
    ['Observation?date=2024-02-30', 'parameter-invalid', /date/], ['Observation?date=yesterday', 'parameter-invalid', /2026-11/], ['Observation?date=gs2024', 'parameter-invalid', /nearest is (?:ge|gt|sa)/], ['Observation?value-quantity=la5', 'parameter-invalid', /nearest is (?:lt|le|sa|eb)/], ['Observation?value-quantity=five', 'parameter-invalid', /number/], ['Observation?value-quantity=5|x', 'parameter-invalid', /number/],
    ['Observation?patient=a b', 'parameter-invalid', /Patient\/id/], ['Observation?subjct.name=x', 'parameter-unknown', /nearest is subject/], ['Observation?subject:Patent.name=x', 'parameter-unknown', /subject:Patient\.name/], ['Observation?subject.nmae=x', 'parameter-unknown', /nearest is name/],
    ['Patient?_has:Observation:patint:code=1', 'parameter-unknown', /nearest is (patient|part-of)/], ['Patient?_has:Observation:patient:kode=1', 'parameter-unknown', /nearest is code/], ['Patient?_has:Observation:encounter:code=1', 'parameter-unknown', /_has:Observation:/], ['Observation?code-value-quantity=1', 'parameter-invalid', /value1\$value2/], ['Observation?code:in=x', 'parameter-invalid', /canonical/], ['Observation?code:below=x', 'parameter-invalid', /system\|code/], ['Patient?identifier:of-type=x', 'parameter-invalid', /type system/], ['Location?near=x', 'parameter-invalid', /latitude/], ['Patient?_list=$current', 'parameter-invalid', /current-problems \(Condition\)/], ['Patient?_list=$current-problems', 'parameter-invalid', /current-problems \(Condition\)/], ['Condition?_list=x,$current-problems', 'parameter-invalid', /by itself/], ['Patient?name=,', 'parameter-invalid', /value/],
    ['Patient?_count=many', 'parameter-invalid', /_count/], ['Patient?_sort=identifier', 'parameter-invalid', /identifier/], ['Patient?_sort=gendre', 'parameter-invalid', /Try gender/], ['Patient?_total=some', 'parameter-invalid', /accurate/], ['Patient?_page=abc', 'parameter-invalid', /next link/],
    ['Patient?_include=Patient:organisation', 'parameter-invalid', /organization/], ['Patient?_include:itreate=Patient:organization', 'parameter-invalid', /_include:iterate/], ['Patient?_revinclude=Observation:code', 'parameter-invalid', /nearest/],
    ['Patient?_summary=txt', 'parameter-invalid', /count/], ['Patient?_elements=nam', 'parameter-invalid', /name/], ['Patient?identifier=|', 'parameter-invalid', /system\|code/], ['Patient?_id=a%20b', 'parameter-invalid', /id/], ['Patient?gender:missing=maybe', 'parameter-invalid', /true or false/],
  ])('%s', async (query, code, text) => {
    const reply = await request('GET', `/fhir/${query}`, { as: system, headers: { 'Accept-Language': 'en' } })
    expect([reply.status, reply.json.issue?.[0]?.details.coding[0].code]).toEqual([400, code])
    expect(reply.json.issue[0].details.text).toMatch(text)
  })

  test('a page token of another query, or one made up, is refused and never a fault', async () => {
    for (const token of [Buffer.from('["x","y"]').toString('base64url'), Buffer.from('{}').toString('base64url'), Buffer.from('["2024-01-01T00:00:00.000Z","not-a-key"]').toString('base64url'), 'null', '%00']) {
      expect((await request('GET', `/fhir/Observation?_page=${token}`, { as: system })).status).toBe(400)
    }
  })
})

test('a search writes one audit row for each patient it discloses, with counts and no values', async () => {
  clock.now = new Date(clock.now.getTime() + 3_600_000)
  await request('GET', '/fhir/Observation?code=2339-0', { as: system })
  const rows = await db.selectFrom('audit_event').select(['interaction', 'detail', 'resource_type']).where('recorded_at', '=', clock.now.toISOString()).execute()
  expect(rows.map((row) => row.detail).sort()).toEqual(['Observation: 1', 'Observation: 3'])
  expect(new Set(rows.map((row) => `${row.interaction} ${row.resource_type}`))).toEqual(new Set(['search-type Observation']))
})
