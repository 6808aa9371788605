/** http.html of FHIR R4: formats, headers, read, vread, update, delete, create, conditions, capabilities, history, paging. */
import { expect } from 'vitest'
import type { TestReply } from '../../support/platform.ts'
import { type Rule, rulesOf } from './rule.ts'

const fhir = { 'Content-Type': 'application/fhir+json' }
const jsonPatch = { 'Content-Type': 'application/json-patch+json' }
const patient = (id: string, more: object = {}) => ({ resourceType: 'Patient', id, active: true, name: [{ family: 'Rule', given: ['One'] }], ...more })
const fresh = (more: object = {}) => ({ resourceType: 'Patient', name: [{ family: 'Fresh' }], ...more })
const identified = (value: string, more: object = {}) => fresh({ identifier: [{ system: 'urn:rule', value }], ...more })
const outcome = { json: { resourceType: 'OperationOutcome' } }
const thisCentury: unknown = expect.stringMatching(/^20[1-9]\d-/)
const startsWith = (text: string): unknown => expect.stringMatching(new RegExp(`^${text}`))
const endsWith = (text: string): unknown => expect.stringMatching(new RegExp(`${text}$`))
const entries = (count: number) => ({ json }: TestReply): void => { expect(json.entry ?? []).toHaveLength(count) }
const empty = ({ text }: TestReply): void => { expect(text).toBe('') }
const httpDate = /^[A-Z][a-z]{2}, \d\d [A-Z][a-z]{2} \d{4} \d\d:\d\d:\d\d GMT$/
const fhirJson = /^application\/fhir\+json;\s*charset=utf-8$/i

const formats: Rule[] = rulesOf('http.html', [
  ['mime-type', 'SHALL', 'answers are FHIR JSON in UTF-8, and say so', ['GET metadata', { status: 200, headers: { 'Content-Type': fhirJson } }]],
  ['mime-type', 'SHALL', 'so are errors', ['GET Patient/nobody', { status: 404, headers: { 'Content-Type': fhirJson }, ...outcome }]],
  ...['json', 'application/json', 'application/fhir+json', 'application/fhir%2Bjson', 'text/json', 'application/fhir+json;fhirVersion=4.0'].map((format) => (
    ['mime-type', 'SHALL', `_format=${format} is JSON, whatever Accept says`, [`GET metadata?_format=${format}`, { headers: { Accept: 'application/fhir+xml' } }, { status: 200, json: { resourceType: 'CapabilityStatement' } }]] as const)),
  ...['xml', 'text/xml', 'application/xml', 'application/fhir+xml', 'ttl', 'text/turtle', 'html', 'text/html', 'nonsense'].map((format) => (
    ['mime-type', 'SHALL', `_format=${format} is not offered`, [`GET metadata?_format=${format}`, { status: 406, headers: { 'Content-Type': fhirJson }, ...outcome }]] as const)),
  ...['application/fhir+json', 'application/json', 'text/json', '*/*', 'application/*', 'application/fhir+xml, application/fhir+json;q=0.5', 'text/html, */*;q=0.1', 'application/fhir+json; charset=UTF-8', 'application/json+fhir', 'application/fhir+json; fhirVersion=4.0'].map((accept) => (
    ['mime-type', 'SHALL', `Accept: ${accept} can be served`, ['GET metadata', { headers: { Accept: accept } }, { status: 200, json: { resourceType: 'CapabilityStatement' } }]] as const)),
  ...['application/fhir+xml', 'application/xml', 'text/turtle', 'text/html', 'application/fhir+json; fhirVersion=3.0', 'application/fhir+json;q=0', 'image/png'].map((accept) => (
    ['mime-type', 'SHALL', `Accept: ${accept} cannot`, ['GET metadata', { headers: { Accept: accept } }, { status: 406, ...outcome }]] as const)),
  ['mime-type', 'SHOULD', 'who asks for a generic type gets that type', ['GET metadata', { headers: { Accept: 'application/json' } }, { status: 200, headers: { 'Content-Type': /^application\/json;\s*charset=utf-8$/i } }]],
  ['mime-type', 'SHOULD', 'who takes anything gets the type of FHIR', ['GET metadata', { headers: { Accept: 'application/json, text/plain, */*' } }, { status: 200, headers: { 'Content-Type': fhirJson } }]],
  ['mime-type', 'SHOULD', 'and who likes the type of FHIR better, that', ['GET metadata', { headers: { Accept: 'application/json;q=0.9, application/fhir+json' } }, { status: 200, headers: { 'Content-Type': fhirJson } }]],
  ['mime-type', 'SHALL', '_format does not change what a body is', ['POST Patient?_format=json', { headers: { 'Content-Type': 'application/fhir+xml' }, body: '<Patient xmlns="http://hl7.org/fhir"/>' }, { status: 415, ...outcome }]],
  ...['application/fhir+json', 'application/json', 'text/json', 'application/fhir+json; charset=utf-8', 'application/fhir+json; fhirVersion=4.0'].map((type) => (
    ['mime-type', 'SHALL', `a body of ${type} is taken`, ['POST Patient', { headers: { 'Content-Type': type }, body: JSON.stringify(fresh()) }, 201]] as const)),
  ...['application/fhir+xml', 'text/plain', 'application/xml', 'text/turtle', 'application/fhir+json; charset=iso-8859-1', 'application/fhir+json; fhirVersion=1.0'].map((type) => (
    ['mime-type', 'SHALL', `a body of ${type} is not`, ['POST Patient', { headers: { 'Content-Type': type }, body: JSON.stringify(fresh()) }, { status: 415, ...outcome }]] as const)),
  ['parameters', 'SHOULD', '_pretty lays the answer out', ['GET metadata?_pretty=true', { status: 200, check: ({ text }) => { expect(text).toContain('\n  "') } }]],
  ['general', 'SHALL', 'addresses are case sensitive', ['GET patient', { status: 404, ...outcome }], ['GET Patient/RULE-ONE', 404]],
  ['general', 'SHALL', 'an unknown type is 404', ['GET Nothing', 404], ['GET Nothing/1', 404], ['POST Nothing', { body: { resourceType: 'Nothing' } }, 404], ['PUT Nothing/1', { body: { resourceType: 'Nothing', id: '1' } }, 404], ['DELETE Nothing/1', 404]],
  ['Http-Headers', 'SHOULD', 'every answer has a request id of the server, and the correlation id that the client sent', ['GET metadata', { headers: { 'X-Correlation-Id': 'rule-1' } }, { status: 200, headers: { 'X-Correlation-Id': 'rule-1', 'X-Request-Id': /.+/ } }], ['GET metadata', { headers: { 'X-Correlation-Id': 'no word' } }, { status: 200, headers: { 'X-Correlation-Id': null, 'X-Request-Id': /.+/ } }]],
  ['summary', 'SHOULD', 'HEAD is GET without a body', ['HEAD metadata', { status: 200, headers: { 'Content-Type': fhirJson } }], ['HEAD Patient/nobody', 404], ['HEAD Patient', 200], ['HEAD Patient/_history', 200]],
])

const reading: Rule[] = rulesOf('http.html', [
  ['read', 'SHALL', 'the resource has the id of the address, and headers with its version', ['PUT Patient/rule-read', { body: patient('rule-read') }, 201],
    ['GET Patient/rule-read', { status: 200, headers: { ETag: 'W/"1"', 'Last-Modified': httpDate, 'Content-Location': null }, json: { id: 'rule-read', meta: { versionId: '1' } } }]],
  ['read', 'SHALL', 'what is unknown is 404, what is deleted 410', ['PUT Patient/rule-gone', { body: patient('rule-gone') }, 201], ['DELETE Patient/rule-gone', 204], ['GET Patient/rule-gone', { status: 410, ...outcome }], ['GET Patient/rule-never', { status: 404, ...outcome }], ['HEAD Patient/rule-gone', 410]],
  ['read', 'MAY', 'the answer to a read of what is deleted names its version', ['PUT Patient/rule-gone2', { body: patient('rule-gone2') }, 201], ['DELETE Patient/rule-gone2', 204], ['GET Patient/rule-gone2', { status: 410, headers: { ETag: 'W/"2"' } }]],
  ['read', 'ours', 'an id that cannot be is 400 or 404', ['GET Patient/a_b', { status: [400, 404], ...outcome }], [`GET Patient/${'a'.repeat(65)}`, { status: [400, 404], ...outcome }]],
  ...['true', 'text', 'data', 'false'].map((value) => (['read', 'SHALL', `_summary=${value} may be asked of a read`, [`GET Patient/rule-seen?_summary=${value}`, { status: 200, json: { resourceType: 'Patient', id: 'rule-seen' } }]] as const)),
  ['read', 'SHOULD', 'a part is marked SUBSETTED', ['GET Patient/rule-seen?_summary=text', { status: 200, json: { meta: { tag: [{ code: 'SUBSETTED' }] } } }], ['GET Patient/rule-seen?_elements=gender', { status: 200, json: { meta: { tag: [{ code: 'SUBSETTED' }] } } }]],
  ['vread', 'SHALL', 'a version is read with its id and version', ['PUT Patient/rule-v', { body: patient('rule-v') }, 201], ['PUT Patient/rule-v', { body: patient('rule-v', { gender: 'male' }) }, 200],
    ['GET Patient/rule-v/_history/1', { status: 200, headers: { ETag: 'W/"1"', 'Last-Modified': httpDate }, json: { id: 'rule-v', meta: { versionId: '1' } } }],
    ['GET Patient/rule-v/_history/2', { status: 200, headers: { ETag: 'W/"2"' }, json: { gender: 'male', meta: { versionId: '2' } } }]],
  ['vread', 'SHOULD', 'the version that is the deletion is 410, one that is not there 404', ['PUT Patient/rule-vd', { body: patient('rule-vd') }, 201], ['DELETE Patient/rule-vd', 204], ['GET Patient/rule-vd/_history/2', { status: 410, ...outcome }], ['GET Patient/rule-vd/_history/1', 200], ['GET Patient/rule-vd/_history/9', { status: 404, ...outcome }], ['GET Patient/rule-vd/_history/abc', { status: [400, 404], ...outcome }]],
  ['cread', 'MAY', 'a conditional read of what has not changed is 304, without a body, with its validators', ...['W/"1"', '"1"', 'W/"9", W/"1"', '*'].map((tag) => (
    ['GET Patient/rule-seen', { headers: { 'If-None-Match': tag } }, { status: 304, headers: { ETag: 'W/"1"' }, check: empty }] as const)),
  ['GET Patient/rule-seen', { headers: { 'If-None-Match': 'W/"9"' } }, 200], ['HEAD Patient/rule-seen', { headers: { 'If-None-Match': 'W/"1"' } }, 304],
  ['GET Patient/rule-seen', { headers: { 'If-Modified-Since': 'Fri, 31 Dec 2100 00:00:00 GMT' } }, 304], ['GET Patient/rule-seen', { headers: { 'If-Modified-Since': 'Mon, 01 Jan 2001 00:00:00 GMT' } }, 200],
  ['GET Patient/rule-seen', { headers: { 'If-None-Match': 'W/"9"', 'If-Modified-Since': 'Fri, 31 Dec 2100 00:00:00 GMT' } }, 200], ['GET Patient/rule-seen', { headers: { 'If-Modified-Since': 'some day' } }, 200]],
])

const writing: Rule[] = rulesOf('http.html', [
  ['update', 'SHALL', 'an update that creates is 201 with Location, ETag and Last-Modified', ['PUT Patient/rule-u1', { body: patient('rule-u1') }, { status: 201, headers: { ETag: 'W/"1"', 'Last-Modified': httpDate, Location: /\/fhir\/Patient\/rule-u1\/_history\/1$/ }, json: { meta: { versionId: '1' } } }]],
  ['update', 'SHALL', 'an update of what is there is 200 with the new version', ['PUT Patient/rule-u2', { body: patient('rule-u2') }, 201], ['PUT Patient/rule-u2', { body: patient('rule-u2', { gender: 'other' }) }, { status: 200, headers: { ETag: 'W/"2"', 'Last-Modified': httpDate, 'Content-Location': /\/Patient\/rule-u2\/_history\/2$/ }, json: { meta: { versionId: '2' }, gender: 'other' } }]],
  ['update', 'SHALL', 'no id, or another than in the address, is 400', ['PUT Patient/rule-u3', { body: fresh() }, { status: 400, issue: 'id-mismatch' }], ['PUT Patient/rule-u3', { body: patient('other') }, { status: 400, issue: 'id-mismatch' }], ['GET Patient/rule-u3', 404]],
  ['update', 'SHALL', 'another type than in the address is 400', ['PUT Patient/rule-u3', { body: { resourceType: 'Basic', id: 'rule-u3', code: { text: 'x' } } }, { status: 400, issue: 'resource-type-mismatch' }]],
  ['update', 'SHALL', 'versionId and lastUpdated of the client are ignored, the rest of meta is kept', ['PUT Patient/rule-u4', { body: patient('rule-u4', { meta: { versionId: '77', lastUpdated: '1999-01-01T00:00:00Z', tag: [{ system: 'urn:t', code: 'kept' }], source: 'urn:source' } }) },
    { status: 201, json: { meta: { versionId: '1', lastUpdated: thisCentury, tag: [{ system: 'urn:t', code: 'kept' }], source: 'urn:source' } } }]],
  ['update', 'SHOULD', 'what is read is what was sent', ['PUT Patient/rule-u5', { body: patient('rule-u5', { multipleBirthInteger: 2, extension: [{ url: 'urn:e', valueString: ' spaces  stay ' }] }) }, 201], ['GET Patient/rule-u5', { json: { multipleBirthInteger: 2, extension: [{ url: 'urn:e', valueString: ' spaces  stay ' }], name: [{ family: 'Rule', given: ['One'] }] } }]],
  ['update', 'SHOULD', 'a resource that was deleted is brought back with 201 and the next version', ['PUT Patient/rule-back', { body: patient('rule-back') }, 201], ['DELETE Patient/rule-back', 204], ['PUT Patient/rule-back', { body: patient('rule-back') }, { status: 201, headers: { ETag: 'W/"3"', Location: /_history\/3$/ } }], ['GET Patient/rule-back', 200]],
  ['update', 'SHOULD', 'without a body, or with one that is no JSON or no resource, 400', ['PUT Patient/rule-u6', { headers: fhir, body: '' }, { status: 400, ...outcome }], ['PUT Patient/rule-u6', { headers: fhir, body: '{' }, { status: 400, ...outcome }], ['PUT Patient/rule-u6', { headers: fhir, body: '[]' }, { status: [400, 422], ...outcome }], ['PUT Patient/rule-u6', { headers: fhir, body: '{"id":"rule-u6"}' }, { status: [400, 422], ...outcome }]],
  ['concurrency', 'SHALL', 'If-Match of another version is 412 and changes nothing, of the current one is done', ['PUT Patient/rule-m', { body: patient('rule-m') }, 201], ['PUT Patient/rule-m', { headers: { 'If-Match': 'W/"2"' }, body: patient('rule-m', { gender: 'male' }) }, { status: 412, ...outcome }], ['GET Patient/rule-m', { headers: {}, body: undefined }, { headers: { ETag: 'W/"1"' } }],
    ['PUT Patient/rule-m', { headers: { 'If-Match': 'W/"1"' }, body: patient('rule-m', { gender: 'male' }) }, { status: 200, headers: { ETag: 'W/"2"' } }], ['PUT Patient/rule-m', { headers: { 'If-Match': '"2"' }, body: patient('rule-m', { gender: 'female' }) }, { status: 200, headers: { ETag: 'W/"3"' } }], ['DELETE Patient/rule-m', { headers: { 'If-Match': 'W/"1"' } }, 412],
    ['PATCH Patient/rule-m', { headers: { ...jsonPatch, 'If-Match': 'W/"1"' }, body: [{ op: 'replace', path: '/gender', value: 'other' }] }, 412], ['DELETE Patient/rule-m', { headers: { 'If-Match': 'W/"3"' } }, 204]],
  ['delete', 'SHALL', 'afterwards it is 410, in no search, and its history stays', ['PUT Patient/rule-d', { body: patient('rule-d') }, 201], ['DELETE Patient/rule-d', { status: 204, headers: { ETag: 'W/"2"', Location: null } }], ['GET Patient/rule-d', 410], ['GET Patient?_id=rule-d', { finds: [] }],
    ['GET Patient/rule-d/_history', { status: 200, json: { total: 2, entry: [{ request: { method: 'DELETE' } }, { request: { method: 'PUT' } }] } }]],
  ['delete', 'SHOULD', 'of what is not there or gone already is 204 (or 200 with a body)', ['DELETE Patient/rule-none', 204], ['PUT Patient/rule-d2', { body: patient('rule-d2') }, 201], ['DELETE Patient/rule-d2', 204], ['DELETE Patient/rule-d2', 204], ['DELETE Patient/rule-none', { headers: { Prefer: 'return=OperationOutcome' } }, { status: 200, ...outcome }], ['GET Patient/rule-d2/_history', { json: { total: 2 } }]],
  ['delete', 'SHALL', 'a type that cannot be deleted is 405, with Allow', ['DELETE AuditEvent/1', { status: 405, headers: { Allow: /GET/ }, ...outcome }]],
  ['create', 'SHALL', '201 with a Location that has id and version, ETag and Last-Modified', ['POST Patient', { body: fresh() }, { status: 201, headers: { Location: /^https?:\/\/.+\/fhir\/Patient\/[A-Za-z0-9\-.]{1,64}\/_history\/1$/, ETag: 'W/"1"', 'Last-Modified': httpDate } }], ['GET Patient/{id}', { json: { name: [{ family: 'Fresh' }], meta: { versionId: '1' } } }]],
  ['create', 'SHALL', 'the client\'s id, versionId and lastUpdated are ignored', ['POST Patient', { body: patient('rule-mine', { meta: { versionId: '9', lastUpdated: '1999-01-01T00:00:00Z' } }) }, { status: 201, json: { meta: { versionId: '1', lastUpdated: thisCentury } } }], ['GET Patient/rule-mine', 404]],
  ['create', 'SHALL', 'what cannot be parsed is 400, what breaks rules 422, each with an outcome; nothing is stored', ['POST Patient', { headers: fhir, body: '{"resourceType":"Patient",}' }, { status: 400, ...outcome }], ['POST Patient', { body: { resourceType: 'Patient', gender: 'unknowable' } }, { status: [400, 422], ...outcome }], ['POST Patient', { body: { resourceType: 'Patient', nonsense: 1 } }, { status: [400, 422], ...outcome }],
    ['POST Patient', { body: { resourceType: 'Patient', birthDate: '2026-02-30' } }, { status: [400, 422], ...outcome }], ['POST Observation', { body: { resourceType: 'Observation' } }, { status: [400, 422], ...outcome }], ['POST Patient', { body: { resourceType: 'Observation', status: 'final', code: { text: 'x' } } }, { status: 400, ...outcome }]],
  ['create', 'SHALL', 'POST to an id is no interaction', ['POST Patient/rule-seen', { body: patient('rule-seen') }, { status: 405, headers: { Allow: /PUT/ }, ...outcome }]],
  ['ops', 'SHOULD', 'Prefer: return=minimal has no body', ['POST Patient', { headers: { Prefer: 'return=minimal' }, body: fresh() }, { status: 201, headers: { Location: /_history\/1$/, ETag: 'W/"1"' }, check: empty }]],
  ['ops', 'SHOULD', 'Prefer: return=representation has the resource', ['POST Patient', { headers: { Prefer: 'return=representation' }, body: fresh() }, { status: 201, json: { resourceType: 'Patient' } }], ['PUT Patient/rule-pr', { headers: { Prefer: 'return=representation' }, body: patient('rule-pr') }, { status: 201, json: { resourceType: 'Patient', id: 'rule-pr' } }], ['PUT Patient/rule-pr', { headers: { Prefer: 'return=minimal' }, body: patient('rule-pr', { gender: 'male' }) }, { status: 200, headers: { ETag: 'W/"2"' }, check: empty }]],
  ['ops', 'SHOULD', 'Prefer: return=OperationOutcome has an outcome without errors', ['POST Patient', { headers: { Prefer: 'return=OperationOutcome' }, body: fresh() }, { status: 201, json: { resourceType: 'OperationOutcome', issue: [{ severity: 'information' }] } }]],
  ['ops', 'SHOULD', 'a failure has its outcome whatever is preferred', ['POST Patient', { headers: { Prefer: 'return=minimal' }, body: { resourceType: 'Patient', nonsense: 1 } }, { status: [400, 422], ...outcome }]],
  ['ops', 'ours', 'a preference that is not known is ignored', ['POST Patient', { headers: { Prefer: 'return=everything, wait=3' }, body: fresh() }, 201]],
])

const conditional: Rule[] = rulesOf('http.html', [
  ['ccreate', 'SHALL', 'no match creates, one match is 200 and where it is, several are 412', ['POST Patient', { headers: { 'If-None-Exist': 'identifier=urn:rule|cc1' }, body: identified('cc1') }, 201],
    ['POST Patient', { headers: { 'If-None-Exist': 'identifier=urn:rule|cc1' }, body: identified('cc1', { gender: 'male' }) }, { status: 200, headers: { Location: /\/Patient\/.+\/_history\/1$/, ETag: 'W/"1"' } }], ['POST Patient', { body: identified('cc1') }, 201], ['POST Patient', { headers: { 'If-None-Exist': 'identifier=urn:rule|cc1' }, body: identified('cc1') }, { status: 412, ...outcome }],
    ['GET Patient?identifier=urn:rule|cc1&_summary=count', { json: { total: 2 } }]],
  ['ccreate', 'ours', 'the condition may stand behind a question mark or an address', ['POST Patient', { headers: { 'If-None-Exist': '?identifier=urn:rule|cc2' }, body: identified('cc2') }, 201], ['POST Patient', { headers: { 'If-None-Exist': 'Patient?identifier=urn:rule|cc2' }, body: identified('cc2') }, 200]],
  ['ccreate', 'ours', 'an empty or unknown condition is 400', ['POST Patient', { headers: { 'If-None-Exist': ' ' }, body: fresh() }, { status: [400, 412], ...outcome }], ['POST Patient', { headers: { 'If-None-Exist': 'nonsense=1' }, body: fresh() }, { status: [400, 412], ...outcome }], ['POST Patient', { headers: { 'If-None-Exist': 'identifier=' }, body: fresh() }, { status: [400, 412], ...outcome }]],
  ['cond-update', 'SHALL', 'no match without an id creates', ['PUT Patient?identifier=urn:rule|cu1', { body: identified('cu1') }, { status: 201, headers: { Location: /_history\/1$/ } }], ['GET Patient?identifier=urn:rule|cu1&_summary=count', { json: { total: 1 } }]],
  ['cond-update', 'SHALL', 'no match with an id that is free creates with that id', ['PUT Patient?identifier=urn:rule|cu2', { body: identified('cu2', { id: 'rule-cu2' }) }, { status: 201, headers: { Location: /Patient\/rule-cu2\/_history\/1$/ } }]],
  ['cond-update', 'SHALL', 'no match with an id that is taken is 409', ['PUT Patient?identifier=urn:rule|cu3', { body: identified('cu3', { id: 'rule-seen' }) }, { status: 409, ...outcome }]],
  ['cond-update', 'SHALL', 'one match without an id or with its own updates; with another id is 400', ['PUT Patient/rule-cu4', { body: identified('cu4', { id: 'rule-cu4' }) }, 201], ['PUT Patient?identifier=urn:rule|cu4', { body: identified('cu4', { gender: 'male' }) }, { status: 200, headers: { ETag: 'W/"2"' } }], ['PUT Patient?identifier=urn:rule|cu4', { body: identified('cu4', { id: 'rule-cu4' }) }, { status: 200, headers: { ETag: 'W/"3"' } }],
    ['PUT Patient?identifier=urn:rule|cu4', { body: identified('cu4', { id: 'rule-else' }) }, { status: 400, ...outcome }]],
  ['cond-update', 'SHALL', 'several matches are 412', ['POST Patient', { body: identified('cu5') }, 201], ['POST Patient', { body: identified('cu5') }, 201], ['PUT Patient?identifier=urn:rule|cu5', { body: identified('cu5') }, { status: 412, ...outcome }]],
  ['cond-update', 'ours', 'a PUT to a type without a condition is refused', ['PUT Patient', { body: fresh() }, { status: [400, 405], ...outcome }]],
  ['cdelete', 'SHALL', 'none or one is an ordinary delete, several are all deleted or 412', ['DELETE Patient?identifier=urn:rule|cd0', 204], ['PUT Patient/rule-cd1', { body: identified('cd1', { id: 'rule-cd1' }) }, 201], ['DELETE Patient?identifier=urn:rule|cd1', 204], ['GET Patient/rule-cd1', 410],
    ['PUT Patient/rule-cd2', { body: identified('cd2', { id: 'rule-cd2' }) }, 201], ['PUT Patient/rule-cd3', { body: identified('cd2', { id: 'rule-cd3' }) }, 201], ['DELETE Patient?identifier=urn:rule|cd2', { status: 412, ...outcome }], ['GET Patient/rule-cd2', 200], ['GET Patient/rule-cd3', 200]],
  ['cdelete', 'ours', 'without a condition nothing is deleted', ['DELETE Patient', { status: [400, 405], ...outcome }], ['DELETE Patient?identifier=', { status: 400, ...outcome }]],
])

const patching: Rule[] = rulesOf('http.html', [
  ['patch', 'SHALL', 'a patch makes the next version and answers as an update', ['PUT Patient/rule-p1', { body: patient('rule-p1') }, 201], ['PATCH Patient/rule-p1', { headers: jsonPatch, body: [{ op: 'add', path: '/gender', value: 'male' }] }, { status: 200, headers: { ETag: 'W/"2"', 'Last-Modified': httpDate }, json: { gender: 'male', meta: { versionId: '2' } } }]],
  ['patch', 'SHALL', 'conditional patch: none is 404, one is patched, several are 412', ['PATCH Patient?identifier=urn:rule|cp0', { headers: jsonPatch, body: [{ op: 'add', path: '/gender', value: 'male' }] }, { status: 404, ...outcome }], ['PUT Patient/rule-cp1', { body: identified('cp1', { id: 'rule-cp1' }) }, 201], ['PATCH Patient?identifier=urn:rule|cp1', { headers: jsonPatch, body: [{ op: 'add', path: '/gender', value: 'male' }] }, { status: 200, json: { gender: 'male' } }],
    ['POST Patient', { body: identified('cp1') }, 201], ['PATCH Patient?identifier=urn:rule|cp1', { headers: jsonPatch, body: [{ op: 'add', path: '/gender', value: 'female' }] }, { status: 412, ...outcome }]],
  ['patch', 'SHALL', 'of what is not there is 404, of what is deleted 410 or 404', ['PATCH Patient/rule-p0', { headers: jsonPatch, body: [] }, { status: 404, ...outcome }], ['PUT Patient/rule-p2', { body: patient('rule-p2') }, 201], ['DELETE Patient/rule-p2', 204], ['PATCH Patient/rule-p2', { headers: jsonPatch, body: [{ op: 'add', path: '/gender', value: 'male' }] }, { status: [404, 410], ...outcome }]],
  ['patch', 'SHALL', 'a patch of another media type is 415 and names what is taken', ['PATCH Patient/rule-seen', { headers: { 'Content-Type': 'application/xml-patch+xml' }, body: '<diff/>' }, { status: 415, headers: { 'Accept-Patch': /json-patch\+json/ }, ...outcome }]],
  ['patch', 'SHALL', 'what a patch makes must be valid', ['PATCH Patient/rule-seen', { headers: jsonPatch, body: [{ op: 'replace', path: '/gender', value: 'unknowable' }] }, { status: 422, ...outcome }], ['GET Patient/rule-seen', { headers: {} }, { headers: { ETag: 'W/"1"' } }]],
])

const capabilities: Rule[] = rulesOf('http.html', [
  ['capabilities', 'SHALL', 'GET metadata is the CapabilityStatement, without a token', ['GET metadata', { as: null }, { status: 200, json: { resourceType: 'CapabilityStatement', kind: 'instance', status: 'active', fhirVersion: '4.0.1' } }]],
  ['capabilities', 'SHOULD', 'with an ETag, so that it can be kept', ['GET metadata', { status: 200, headers: { ETag: /^W\/"[^"]+"$/ } }]],
  ['capabilities', 'MAY', '_elements and _summary make it shorter', ['GET metadata?_elements=fhirVersion', { status: 200, json: { resourceType: 'CapabilityStatement', fhirVersion: '4.0.1', status: 'active', meta: { tag: [{ code: 'SUBSETTED' }] } }, check: (reply) => { expect(reply.json).not.toHaveProperty('rest') } }],
    ['GET metadata?_summary=true', { status: 200, json: { resourceType: 'CapabilityStatement', fhirVersion: '4.0.1' } }], ['GET metadata?_summary=nonsense', 400]],
  ['capabilities', 'SHALL', 'mode chooses the statement', ['GET metadata?mode=full', { json: { resourceType: 'CapabilityStatement' } }], ['GET metadata?mode=normative', { json: { resourceType: 'CapabilityStatement' } }], ['GET metadata?mode=terminology', { json: { resourceType: 'TerminologyCapabilities' } }], ['GET metadata?mode=nonsense', { status: 400, ...outcome }]],
  ['capabilities', 'ours', 'it is read only', ['POST metadata', { body: {} }, { status: 405, headers: { Allow: /GET/ } }], ['DELETE metadata', 405], ['PUT metadata', { body: {} }, 405]],
])

const histories: Rule[] = rulesOf('http.html', [
  ['history', 'SHALL', 'oldest versions last, deletions included, each with the request that made it', ['PUT Patient/rule-h', { body: patient('rule-h') }, 201], ['PUT Patient/rule-h', { body: patient('rule-h', { gender: 'male' }) }, 200], ['DELETE Patient/rule-h', 204], ['PUT Patient/rule-h', { body: patient('rule-h') }, 201],
    ['GET Patient/rule-h/_history', { status: 200, json: { resourceType: 'Bundle', type: 'history', total: 4, link: [{ relation: 'self' }], entry: [
      { fullUrl: endsWith('/Patient/rule-h'), resource: { meta: { versionId: '4' } }, request: { method: 'PUT', url: 'Patient/rule-h' }, response: { status: startsWith('201'), etag: 'W/"4"' } },
      { request: { method: 'DELETE', url: 'Patient/rule-h' }, response: { status: startsWith('204') } },
      { resource: { meta: { versionId: '2' }, gender: 'male' }, request: { method: 'PUT' }, response: { status: startsWith('200') } },
      { resource: { meta: { versionId: '1' } }, request: { method: 'PUT' }, response: { status: startsWith('201') } }] },
    check: (reply) => { expect(reply.json.entry[1]).not.toHaveProperty('resource') } }]],
  ['history', 'SHALL', 'a create is a POST to the type', ['POST Patient', { body: fresh() }, 201], ['GET Patient/{id}/_history', { json: { entry: [{ request: { method: 'POST', url: 'Patient' }, response: { status: startsWith('201') } }] } }]],
  ['history', 'SHALL', '_count, and next and previous versions by links', ['PUT Patient/rule-h3', { body: patient('rule-h3') }, 201], ['PUT Patient/rule-h3', { body: patient('rule-h3', { gender: 'male' }) }, 200], ['PUT Patient/rule-h3', { body: patient('rule-h3', { gender: 'female' }) }, 200], ['GET Patient/rule-h3/_history?_count=2', { status: 200, json: { total: 3 }, check: entries(2) }], ['GET {link:next}', { status: 200, json: { entry: [{ resource: { meta: { versionId: '1' } } }] } }]],
  ['history', 'SHALL', '_since leaves what came at or after it', ['GET Patient/rule-h3/_history?_since=2000-01-01T00:00:00Z', { json: { entry: [{}, {}, {}] } }], ['GET Patient/rule-h3/_history?_since=2099-01-01T00:00:00Z', { status: 200, check: entries(0) }], ['GET Patient/rule-h3/_history?_since=yesterday', { status: 400, ...outcome }]],
  ['history', 'SHALL', '_at leaves what was current at that time', ['GET Patient/rule-h3/_history?_at=2099', { json: { entry: [{ resource: { meta: { versionId: '3' } } }] } }], ['GET Patient/rule-h3/_history?_at=1999', { status: 200, check: entries(0) }]],
  ['history', 'SHALL', 'of a type and of the system', ['GET Patient/_history?_count=1', { status: 200, json: { type: 'history', entry: [{ request: {}, response: {} }] } }], ['GET _history?_count=1', { status: 200, json: { type: 'history' } }]],
  ['history', 'SHALL', 'of what never was is 404; of a deleted resource is there', ['GET Patient/rule-never/_history', { status: 404, ...outcome }], ['GET Patient/rule-gone/_history', 200]],
  ['history', 'ours', 'other parameters are 400', ['GET Patient/rule-h3/_history?name=x', { status: 400, issue: 'parameter-unknown' }], ['GET Patient/rule-h3/_history?_count=-1', 400], ['GET Patient/rule-h3/_history?_count=x', 400]],
])

const methods: Rule[] = rulesOf('http.html', [
  ...([['DELETE metadata', 'GET'], ['PUT _history', 'GET'], ['DELETE Patient/_history', 'GET'], ['PUT Patient/x/_history/1', 'GET'], ['PATCH Patient', 'GET'], ['GET Patient/_search', 'POST'], ['GET _search', 'POST'], ['PUT Patient/_search', 'POST']] as const).map(([line, allow]) => (
    ['summary', 'SHALL', `${line} is not offered, and Allow says what is`, [line, line.startsWith('GET') ? {} : { body: {} }, { status: 405, headers: { Allow: new RegExp(allow) }, ...outcome }]] as const)),
  ['general', 'ours', 'an address that means nothing is 404', ['GET Patient/x/y/z', 404], ['GET Patient/x/_history/1/2', 404], ['GET _nothing', 404], ['GET Patient/x/nothing', 404]],
  ['security', 'SHALL', 'without a token a record is 401 with a challenge; with a wrong one too', ['GET Patient/rule-seen', { as: null }, { status: 401, headers: { 'WWW-Authenticate': /Bearer/ }, ...outcome }], ['GET Patient/rule-seen', { as: null, headers: { Authorization: 'Bearer nonsense' } }, { status: 401, headers: { 'WWW-Authenticate': /invalid_token/ }, ...outcome }], ['POST Patient', { as: null, body: fresh() }, { status: 401, ...outcome }]],
])

export const httpRules: readonly Rule[] = [...formats, ...reading, ...writing, ...conditional, ...patching, ...capabilities, ...histories, ...methods]
