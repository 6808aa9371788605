/**
 * Patient bundles that a generator wrote which nobody here wrote: every entry is stored and comes back equal, but for its server id, its
 * meta and its rewritten references; every reference resolves; totals agree; a second load adds nothing. The files are not
 * part of the repository: they lie beside it, in ../shared/data/synthea-r4; without them the test says so.
 */
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { parseJson } from '../../src/fhir/json.ts'
import { findFiles, unitsOf, type LoadUnit } from '../../src/load-units.ts'
import { sendable, storedOf, type StoredRow } from '../../src/records/content.ts'
import { typeCode, typeName, type ResourceType } from '../../src/fhir/resource-types.ts'
import { system, testPlatform } from '../support/platform.ts'

const folder = fileURLToPath(new URL('../../../../shared/data/synthea-r4', import.meta.url))

interface Entry { fullUrl: string; resource: Record<string, unknown> & { resourceType: ResourceType } }

if (existsSync(folder)) {
  const { request, db } = await testPlatform()
  const units: LoadUnit[] = []
  for (const file of findFiles([folder])) for await (const unit of unitsOf(file)) units.push(unit)

  const load = (unit: LoadUnit) => request('POST', '/fhir', { as: system, body: unit.text, headers: { 'X-Load-Sha256': unit.sha256, 'X-Load-Name': unit.name } })
  const totals = async () => Object.fromEntries((await db.selectFrom('resource').select(['t', (eb) => eb.fn.countAll<string>().as('n')]).groupBy('t').execute())
    .map((row) => [typeName(row.t), Number(row.n)]))

  test('the real bundles are stored whole, come back equal, and a second load adds nothing', { timeout: 300_000 }, async () => {
    const sent = new Map<string, number>()
    /** By `Type/id` in the store: the entry, and what the full urls of its file became. (Files name some organisations alike.) */
    const originals = new Map<string, { resource: Entry['resource']; names: Map<string, string> }>()
    for (const unit of units) {
      const reply = await load(unit)
      expect([unit.name, reply.status, reply.json.issue ?? []]).toEqual([unit.name, 200, []])
      for (const [type, count] of unit.types) sent.set(type, (sent.get(type) ?? 0) + count)
      const { entry } = parseJson(unit.text) as { entry: Entry[] }
      expect(reply.json.entry).toHaveLength(entry.length)
      const names = new Map<string, string>()
      entry.forEach((each, index) => {
        const name = reply.json.entry[index].response.location.replace(/\/_history\/1$/, '')
        names.set(each.fullUrl, name)
        originals.set(name, { resource: each.resource, names })
      })
    }
    expect(originals.size).toBe([...sent.values()].reduce((sum, each) => sum + each, 0))
    expect(await totals()).toEqual(Object.fromEntries(sent))

    const rows = await db.selectFrom('resource').select(['t', 'id', 'version', 'last_updated', 'pid', 'content']).execute() as StoredRow[]
    expect(rows).toHaveLength(originals.size)
    let references = 0
    for (const row of rows) {
      const stored = storedOf(typeName(row.t), row)
      expect(row.t).toBe(typeCode(stored.type))
      const { id: _id, meta, ...content } = parseJson(sendable(stored)) as Record<string, unknown>
      const sentAs = originals.get(`${stored.type}/${stored.id}`)
      const { id: _old, meta: oldMeta, ...original } = sentAs?.resource ?? { resourceType: 'Basic' as const }
      const { versionId: _v, lastUpdated: _l, ...keptMeta } = meta as Record<string, unknown>
      const { versionId: _ov, lastUpdated: _ol, ...originalMeta } = (oldMeta ?? {}) as Record<string, unknown>
      const text = JSON.stringify(original, (key, value: unknown) => {
        if (key !== 'reference' || typeof value !== 'string' || !value.startsWith('urn:uuid:')) return value
        references++
        return sentAs?.names.get(value) ?? `unresolved ${value}`
      })
      expect(content).toEqual(JSON.parse(text))
      expect(keptMeta).toEqual(originalMeta)
    }
    expect(references).toBeGreaterThan(rows.length)
    expect(rows.some((row) => (row.content ?? '').includes('urn:uuid:') && /"reference":"urn:uuid:/.test(row.content ?? ''))).toBe(false)

    for (const unit of units) expect((await load(unit)).headers.get('X-Load-Skipped')).toBe('true')
    expect(await totals()).toEqual(Object.fromEntries(sent))
    expect((await db.selectFrom('resource_history').select('id').execute())).toEqual([])
  })
} else {
  test(`the real bundles are not here (${folder}): nothing to compare`, () => {
    expect(existsSync(folder)).toBe(false)
  })
}
