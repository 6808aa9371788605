/** The benchmarks as a table: what is asked of the platform, and the same work asked of the bare server. */
import { existsSync, globSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { keyOf, shardOf } from '../../api/src/fhir/id.ts'
import { observation, stay } from './documents.ts'
import type { Order } from './measure.ts'

/** What one side is asked, without the load that is put on it. */
export type Work = Pick<Order, 'method' | 'paths' | 'bodies'>

export interface Benchmark {
  name: string
  what: string
  /** Resources in one request, on average. */
  resources: number
  /** Requests under way at a time. Fewer where one request is much work, so that each ends within the window. */
  connections: number
  platform: Work
  bare: Work
}

export interface Stored { observations: readonly string[]; patient: string }

/** Where the real bundles lie beside a checkout; absent elsewhere. */
export const realBundles = join(import.meta.dirname, '..', '..', '..', 'shared', 'data', 'synthea-r4')

export const benchmarkNames = ['read', 'create', 'bundle', 'real-bundle'] as const
export type BenchmarkName = (typeof benchmarkNames)[number]

/** Null when what it needs is not there. */
export function benchmark(name: BenchmarkName, stored: Stored): Benchmark | null {
  switch (name) {
    case 'read': return {
      name, what: 'read an Observation by id', resources: 1, connections: 64,
      platform: { method: 'GET', bodies: [], paths: stored.observations.map((id) => `/fhir/Observation/${id}`) },
      bare: { method: 'GET', bodies: [], paths: stored.observations.map((id) => `/read/${keyOf(id)}/${shardOf(keyOf(id))}`) },
    }
    case 'create': {
      const bodies = Array.from({ length: 200 }, (_, n) => JSON.stringify(observation(n, { reference: `Patient/${stored.patient}` })))
      return { name, what: 'create an Observation', resources: 1, connections: 64, platform: post('/fhir/Observation', bodies), bare: post('/create', bodies) }
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

function post(path: string, bodies: string[]): Work {
  return { method: 'POST', paths: [path], bodies }
}

function readBundle(path: string): string {
  const bytes = readFileSync(path)
  return (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8')
}
