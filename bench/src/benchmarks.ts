/** The benchmarks as a table: what is asked of the platform, and the same work asked of the bare server. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { keyOf, shardOf } from '../../api/src/fhir/id.ts'
import { condition, encounter, observation, patient, prescription, stay } from './documents.ts'
import type { Planned } from './measure.ts'

export interface Benchmark {
  name: string
  what: string
  /** Resources in one request, on average. */
  resources: number
  /** Requests under way at a time. Fewer where one request is much work, so that each ends within the window. */
  connections: number
  platform: Planned[]
  bare: Planned[]
}

/** The types of the mix and their share in percent. */
export const mixedTypes = { Observation: 50, Patient: 20, Condition: 15, Encounter: 10, MedicationRequest: 5 } as const
export type MixedType = keyof typeof mixedTypes
const types = Object.keys(mixedTypes) as MixedType[]

/** Ids of what is stored before anything is measured. */
export type Stored = Record<MixedType, readonly string[]>

/** The n-th document of a type, about one of the stored patients. */
export function documentOf(type: MixedType, n: number, patients: readonly string[]): Record<string, unknown> {
  const subject = { reference: `Patient/${patients[n % Math.max(1, patients.length)] ?? ''}` }
  switch (type) {
    case 'Observation': return observation(n, subject)
    case 'Patient': return patient(n)
    case 'Condition': return condition(n, subject)
    case 'Encounter': return encounter(n, subject)
    case 'MedicationRequest': return prescription(n, subject)
  }
}

/** Where the real bundles lie beside a checkout; absent elsewhere. */
export const realBundles = join(import.meta.dirname, '..', '..', '..', 'shared', 'data', 'synthea-r4')

export const benchmarkNames = ['read', 'create', 'update', 'mix', 'bundle', 'real-bundle'] as const
export type BenchmarkName = (typeof benchmarkNames)[number]

/** Null when what it needs is not there. */
export function benchmark(name: BenchmarkName, stored: Stored): Benchmark | null {
  switch (name) {
    case 'read': return {
      name, what: 'read an Observation by id', resources: 1, connections: 64,
      platform: stored.Observation.map((id) => ({ method: 'GET', path: `/fhir/Observation/${id}` })),
      bare: stored.Observation.map((id) => ({ method: 'GET', path: bareRow('read', 'Observation', id) })),
    }
    case 'create': {
      const bodies = Array.from({ length: 200 }, (_, n) => JSON.stringify(documentOf('Observation', n, stored.Patient)))
      return { name, what: 'create an Observation', resources: 1, connections: 64, platform: post('/fhir/Observation', bodies), bare: post('/create/Observation', bodies) }
    }
    case 'update': return {
      name, what: 'update an Observation', resources: 1, connections: 64,
      platform: stored.Observation.map((id, n) => updateOf('Observation', id, n, stored, `/fhir/Observation/${id}`)),
      bare: stored.Observation.map((id, n) => updateOf('Observation', id, n, stored, bareRow('row', 'Observation', id))),
    }
    case 'mix': return {
      name, what: '60 % read, 25 % update, 10 % create, 5 % delete of five types', resources: 1, connections: 64,
      platform: mix(stored, (type, id) => (id === null ? `/fhir/${type}` : `/fhir/${type}/${id}`)),
      bare: mix(stored, (type, id) => (id === null ? `/create/${type}` : bareRow('row', type, id))),
    }
    case 'bundle': {
      const bodies = Array.from({ length: 20 }, (_, n) => JSON.stringify(stay(n)))
      return { name, what: 'transaction of 100 resources', resources: 100, connections: 16, platform: post('/fhir', bodies), bare: post('/bundle', bodies) }
    }
    case 'real-bundle': {
      if (!existsSync(realBundles)) return null
      const bodies = globSync('**/*.json{,.gz}', { cwd: realBundles }).sort().map((file) => readBundle(join(realBundles, file)))
      if (bodies.length === 0) return null
      const resources = bodies.reduce((sum, body) => sum + (JSON.parse(body) as { entry: unknown[] }).entry.length, 0) / bodies.length
      return { name, what: 'transaction of a real patient', resources, connections: 8, platform: post('/fhir', bodies), bare: post('/bundle', bodies) }
    }
  }
}

function bareRow(kind: 'read' | 'row', type: MixedType, id: string): string {
  return `/${kind}/${type}/${keyOf(id)}/${shardOf(keyOf(id))}`
}

function post(path: string, bodies: readonly string[]): Planned[] {
  return bodies.map((body) => ({ method: 'POST', path, body }))
}

/** An update that changes a value each time: the load generator puts a growing number in place of "@turn@". */
function updateOf(type: MixedType, id: string, n: number, stored: Stored, path: string): Planned {
  const document: Record<string, unknown> = { ...documentOf(type, n, stored.Patient), id }
  const turn = { url: 'https://pujiang.health/fhir/StructureDefinition/bench-turn', valueDecimal: '@turn@' }
  const { valueQuantity } = document as { valueQuantity?: object }
  return { method: 'PUT', path, body: JSON.stringify(valueQuantity ? { ...document, valueQuantity: { ...valueQuantity, value: '@turn@' } } : { ...document, extension: [turn] }) }
}

/** Two thousand requests in an order that is mixed and always the same. What is deleted was created by the mix itself. */
function mix(stored: Stored, pathOf: (type: MixedType, id: string | null) => string): Planned[] {
  const below = generator(20_241_118)
  const byPercent = types.flatMap((type) => Array.from({ length: mixedTypes[type] }, () => type))
  return Array.from({ length: 2000 }, (_, n): Planned => {
    const type = byPercent[below(100)] ?? 'Observation'
    const id = stored[type][below(stored[type].length)] ?? ''
    const action = below(100)
    if (action < 60) return { method: 'GET', path: pathOf(type, id) }
    if (action < 85) return updateOf(type, id, n, stored, pathOf(type, id))
    if (action < 95) return { method: 'POST', path: pathOf(type, null), body: JSON.stringify(documentOf(type, n, stored.Patient)), keeps: type }
    return { method: 'DELETE', path: pathOf(type, id), removes: type }
  })
}

/** Numbers that look random and are the same in every run (a linear congruential generator). */
function generator(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

function readBundle(path: string): string {
  const bytes = readFileSync(path)
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}
