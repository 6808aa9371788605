/** Every kind of file becomes transactions; what is broken says why. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, expect, test } from 'vitest'
import { findFiles, type LoadUnit, unitsOf } from '../src/load-units.ts'

const folder = mkdtempSync(join(tmpdir(), 'pujiang-load-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

async function units(name: string, content: unknown): Promise<LoadUnit[]> {
  const path = join(folder, name)
  const text = typeof content === 'string' ? content : JSON.stringify(content)
  writeFileSync(path, name.endsWith('.gz') ? gzipSync(text) : text)
  return Array.fromAsync(unitsOf({ path, bytes: text.length }))
}

const patient = { resourceType: 'Patient', id: 'p' }

test('a transaction stays as it is, packed or not, with the same hash', async () => {
  const bundle = { resourceType: 'Bundle', type: 'transaction', entry: [{ resource: patient, request: { method: 'PUT', url: 'Patient/p' } }] }
  const [plain, packed] = [await units('t.json', bundle), await units('t.json.gz', bundle)]
  expect(plain).toHaveLength(1)
  expect(plain[0]?.text).toBe(JSON.stringify(bundle))
  expect(packed[0]?.sha256).toBe(plain[0]?.sha256)
  expect([...plain[0]?.types ?? []]).toEqual([['Patient', 1]])
})

test('a batch becomes a transaction', async () => {
  const [unit] = await units('b.json', { resourceType: 'Bundle', type: 'batch', entry: [] })
  expect(JSON.parse(unit?.text ?? '')).toMatchObject({ type: 'transaction' })
})

test('a collection becomes PUTs with its ids, references by full url resolved across parts', async () => {
  const uuid = '00000000-0000-4000-8000-000000000001'
  const entry = [
    { fullUrl: `urn:uuid:${uuid}`, resource: { resourceType: 'Patient' } },
    ...Array.from({ length: 700 }, (_, index) => ({ resource: { resourceType: 'Observation', id: `o${index}`, subject: { reference: `urn:uuid:${uuid}` } } })),
  ]
  const parts = await units('c.json', { resourceType: 'Bundle', type: 'collection', entry })
  expect(parts.map((part) => part.name)).toEqual(['c.json #1', 'c.json #2'])
  const entries = parts.flatMap((part) => JSON.parse(part.text).entry)
  expect(entries).toHaveLength(701)
  expect(entries[0].request).toEqual({ method: 'PUT', url: `Patient/${uuid}` })
  expect(entries.slice(1).every((each) => each.resource.subject.reference === `Patient/${uuid}`)).toBe(true)
})

test('a single resource and a bulk file', async () => {
  const [single] = await units('s.json', patient)
  expect(JSON.parse(single?.text ?? '').entry).toEqual([{ resource: patient, request: { method: 'PUT', url: 'Patient/p' } }])
  const parts = await units('bulk.ndjson.gz', Array.from({ length: 1201 }, (_, index) => JSON.stringify({ resourceType: 'Patient', id: `n${index}` })).join('\n\n'))
  expect(parts.map((part) => part.types.get('Patient'))).toEqual([500, 500, 201])
  expect(new Set(parts.map((part) => part.sha256)).size).toBe(3)
})

test.each([
  ['broken.json', '{"resourceType":', /JSON is broken/], ['type.json', '{"resourceType":"Pateint"}', /no resource type "Pateint"/], ['line.ndjson', `${JSON.stringify(patient)}\n{nope}`, /^Line 2: The JSON is broken/],
  ['message.json', '{"resourceType":"Bundle","type":"message"}', /type message/], ['cut.json.gz', 'not packed', /header/], ['note.txt', 'x', /\.json and \.ndjson/],
])('%s says why it is not loaded', async (name, content, reason) => {
  const path = join(folder, name)
  writeFileSync(path, content)
  await expect(Array.fromAsync(unitsOf({ path, bytes: 1 }))).rejects.toThrow(reason)
})

test('folders are searched, other files in them left alone, paths that are not there refused', () => {
  const names = findFiles([folder]).map((file) => file.path)
  expect(names).toContain(join(folder, 'bulk.ndjson.gz'))
  expect(names).not.toContain(join(folder, 'note.txt'))
  expect(() => findFiles([join(folder, 'missing')])).toThrow(/missing is not there/)
})
