/** What the CapabilityStatement names of ours is found by its address, is valid FHIR, and is stored once however often the platform starts. */
import type { CapabilityStatement } from '@medplum/fhirtypes'
import { beforeAll, expect, test } from 'vitest'
import { platform as own } from '../../src/access/principal.ts'
import { ownDefinitions, storeDefinitions } from '../../src/catalogue/definitions.ts'
import { makeCtx } from '../../src/ctx.ts'
import { citizen, system, testPlatform } from '../support/platform.ts'

const { db, services, request } = await testPlatform()
const { store, operations } = services
const start = () => storeDefinitions(db, makeCtx(own, { now: services.now() }), store, operations)
const definitions = ownDefinitions(store.model, operations)

beforeAll(async () => { expect(await start()).toBe(definitions.length) })

test('profiles and operations of ours that the CapabilityStatement names are found by url', async () => {
  const { rest } = (await request('GET', '/fhir/metadata')).json as CapabilityStatement
  const named = [...new Set((rest ?? []).flatMap(({ resource = [], operation = [] }) => [
    ...resource.flatMap((each) => [...each.supportedProfile ?? [], ...(each.operation ?? []).map(({ definition }) => definition)]), ...operation.map(({ definition }) => definition),
  ]))].filter((url) => url.startsWith('https://pujiang.health/'))
  expect(named.length).toBeGreaterThan(30)
  for (const url of named) {
    const type = /fhir\/(\w+)\//.exec(url)?.[1]
    expect([url, (await request('GET', `/fhir/${type}?url=${encodeURIComponent(url)}`, { as: citizen('nobody') })).json.entry?.length]).toEqual([url, 1])
  }
})

test('every one is valid, and read by its id', async () => {
  for (const resource of definitions) {
    const answer = (await request('POST', `/fhir/${resource.resourceType}/$validate`, { as: system, body: resource })).json
    expect([resource.id, answer.issue.filter(({ severity }: { severity: string }) => severity === 'error' || severity === 'fatal')]).toEqual([resource.id, []])
    expect((await request('GET', `/fhir/${resource.resourceType}/${resource.id}`, { as: system })).json).toMatchObject({ id: resource.id, meta: { versionId: '1' } })
  }
})

test('a second start changes nothing; a definition that somebody changed is put right', async () => {
  expect(await start()).toBe(0)
  const changed = (await request('GET', '/fhir/CodeSystem/clinic-type', { as: system })).json
  expect((await request('PUT', '/fhir/CodeSystem/clinic-type', { as: system, body: { ...changed, title: 'Something else' } })).status).toBe(200)
  expect(await start()).toBe(1)
  expect((await request('GET', '/fhir/CodeSystem/clinic-type', { as: system })).json.title).toBe(changed.title)
})

test('what is stored does not stand in for what is built in', async () => {
  const lookup = await request('GET', `/fhir/CodeSystem/$lookup?system=${encodeURIComponent('https://pujiang.health/fhir/CodeSystem/clinic-type')}&code=expert`, { as: system })
  expect(lookup.status).toBe(200)
  expect((await request('GET', `/fhir/CodeSystem/$lookup?system=${encodeURIComponent('http://hl7.org/fhir/administrative-gender')}&code=male&displayLanguage=zh-CN`, { as: system })).text.match(/"男/g)?.length).toBeGreaterThan(0)
})
