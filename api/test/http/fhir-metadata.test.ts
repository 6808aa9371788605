/** The CapabilityStatement is true: what it declares for a type answers, and what it does not is refused. */
import { describe, expect, test } from 'vitest'
import { system, testPlatform } from '../support/platform.ts'

const { request } = await testPlatform()
const statement = (await request('GET', '/fhir/metadata')).json
interface Declared { type: string; interaction: { code: string }[]; conditionalUpdate: boolean; conditionalDelete: string; operation?: { name: string }[] }
const declared = statement.rest[0].resource as Declared[]

const jsonPatch = { 'Content-Type': 'application/json-patch+json' }
/** A request for each interaction and the status that it has when there is nothing to find or the body is wrong. */
const probes: Record<string, (type: string) => [method: string, path: string, body: unknown, headers: Record<string, string>, offered: number[], refused: number[]]> = {
  'read': (type) => ['GET', `/fhir/${type}/none`, undefined, {}, [404], []],
  'vread': (type) => ['GET', `/fhir/${type}/none/_history/1`, undefined, {}, [404], [404]],
  'search-type': (type) => ['GET', `/fhir/${type}`, undefined, {}, [200], []],
  'history-instance': (type) => ['GET', `/fhir/${type}/none/_history`, undefined, {}, [404], [404]],
  'history-type': (type) => ['GET', `/fhir/${type}/_history`, undefined, {}, [200], [400]],
  'create': (type) => ['POST', `/fhir/${type}`, { resourceType: type, nothing: 1 }, {}, [422], [405]],
  'update': (type) => ['PUT', `/fhir/${type}/none`, { resourceType: type, id: 'none', nothing: 1 }, {}, [422], [405]],
  'patch': (type) => ['PATCH', `/fhir/${type}/none`, [{ op: 'remove', path: '/x' }], jsonPatch, [404], [405]],
  'delete': (type) => ['DELETE', `/fhir/${type}/none`, undefined, {}, [204], [405]],
}

describe.each(declared.map((each) => [each.type, each] as const))('%s', (type, { interaction, conditionalUpdate, conditionalDelete }) => {
  const codes = new Set(interaction.map((each) => each.code))

  test('answers what it declares and refuses what it does not', async () => {
    expect([...codes].filter((code) => !(code in probes))).toEqual([])
    for (const [code, probe] of Object.entries(probes)) {
      const [method, path, body, headers, offered, refused] = probe(type)
      const { status } = await request(method, path, { as: system, headers, ...(body === undefined ? {} : { body }) })
      expect([code, (codes.has(code) ? offered : refused).includes(status) ? 'as declared' : status]).toEqual([code, 'as declared'])
    }
    const query = `/fhir/${type}?_id=none`
    expect((await request('DELETE', query, { as: system })).status).toBe(conditionalDelete === 'single' ? 204 : 405)
    expect((await request('PUT', query, { as: system, body: { resourceType: type, nothing: 1 } })).status).toBe(conditionalUpdate ? 422 : 405)
  })
})
