/**
 * The pages of the specification, rule by rule: HL7 FHIR R4 (4.0.1) RESTful API, Search, Bundle, Operations and FHIRPath Patch, and Bulk Data Access 2.0. What it leaves
 * to the server stands in the tables too, as decided in docs/fhir.md.
 */
import { beforeAll, describe, expect, test } from 'vitest'
import { system, testPlatform } from '../support/platform.ts'
import { keep, type Rule } from './rules/rule.ts'
import { httpRules } from './rules/http.ts'
import { searchData, searchRules } from './rules/search.ts'
import { bundleRules } from './rules/bundle.ts'
import { operationRules } from './rules/operations.ts'
import { patchRules } from './rules/patch.ts'

const { request, services } = await testPlatform()
const base = `${services.config.publicUrl}/fhir`

beforeAll(async () => {
  const entry = searchData.map((resource) => ({ resource, request: { method: 'PUT', url: `${resource.resourceType}/${resource.id}` } }))
  const reply = await request('POST', '/fhir', { as: system, body: { resourceType: 'Bundle', type: 'transaction', entry } })
  expect(reply.json.issue ?? []).toEqual([])
})

describe.each<[string, readonly Rule[]]>([
  ['RESTful API', httpRules], ['Search', searchRules], ['Bundle', bundleRules], ['Operations', operationRules], ['Patch', patchRules],
])('%s', (_, rules) => {
  test.each(rules.map((rule) => [`${rule.at} ${rule.level}: ${rule.says}`, rule] as const))('%s', async (_name, rule) => {
    await keep(rule, request, base)
  })
})
