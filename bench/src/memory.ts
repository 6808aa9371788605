/**
 * Memory of the platform's process: at rest after its start, and over a load of transactions. Resident memory is what the machine gives,
 * the heap after collection is what the process holds; flat means that the last third of the load needs no more than the second.
 */
import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { stay } from './documents.ts'
import { drive } from './measure.ts'
import type { Servers } from './servers.ts'

const loadSeconds = 45
const sampleMs = 500

export interface MemoryOutcome {
  /** Megabytes. */
  idle: number
  thirds: { resident: number; heap: number }[]
  resources: number
  perSecond: number
}

/** Before anything else is measured: what a platform needs that has only been started. Null where there is no /proc. */
export function residentMegabytes(pid: number): number | null {
  try {
    const kilobytes = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]
    return kilobytes === undefined ? null : Number(kilobytes) / 1024
  } catch {
    return null
  }
}

export async function measureMemory(servers: Servers, idle: number): Promise<MemoryOutcome> {
  const bodies = Array.from({ length: 20 }, (_, n) => JSON.stringify(stay(n)))
  const load = drive({
    url: servers.platform.url, requests: bodies.map((body) => ({ method: 'POST', path: '/fhir', body })), connections: 16, seconds: loadSeconds,
    headers: { Authorization: `Bearer ${servers.token}` },
  })
  const samples: { resident: number; heap: number }[] = []
  let running = true
  const sampling = (async () => {
    while (running) {
      samples.push({ resident: residentMegabytes(servers.platform.pid) ?? 0, heap: await heapMegabytes(servers.platform.url) })
      await sleep(sampleMs)
    }
  })()
  const answer = await load
  running = false
  await sampling
  const third = Math.ceil(samples.length / 3)
  const thirds = [0, 1, 2].map((index) => {
    const part = samples.slice(index * third, (index + 1) * third)
    return { resident: Math.max(...part.map((each) => each.resident)), heap: Math.min(...part.map((each) => each.heap)) }
  })
  return { idle, thirds, resources: answer.requests * 100, perSecond: (answer.requests * 100) / answer.seconds }
}

/** Bytes in use as the process itself reports them; the least of many samples is near what is left after a collection. */
async function heapMegabytes(url: string): Promise<number> {
  const text = await fetch(`${url}/metrics`).then((answer) => answer.text(), () => '')
  return Number(/^nodejs_heap_size_used_bytes(?:\{[^}]*\})? (\S+)/m.exec(text)?.[1] ?? 0) / 1024 / 1024
}
