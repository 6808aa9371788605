/** Which pages of other origins get an answer they may read. */
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { fhirCors } from './cors.ts'

const named = 'https://app.example.org'

test.each<[string, readonly string[], string, string | null]>([
  ['a named origin', [named], '/fhir/Patient', named], ['another origin', ['https://other.example.org'], '/fhir/Patient', null], ['no origins', [], '/fhir/Patient', null],
  ['every origin', ['*'], '/fhir/Patient', '*'], ['public metadata', [], '/fhir/metadata', '*'],
])('%s', async (_, origins, path, allowed) => {
  const app = new Hono()
  app.use(fhirCors(origins))
  app.get('*', (c) => c.text('x'))
  for (const method of ['GET', 'OPTIONS']) {
    const reply = await app.request(path, { method, headers: { Origin: named, 'Access-Control-Request-Method': 'PATCH' } })
    expect(reply.headers.get('Access-Control-Allow-Origin')).toBe(allowed)
    expect(reply.headers.get('Access-Control-Allow-Credentials')).toBeNull()
    if (method === 'OPTIONS') expect(reply.headers.get('Access-Control-Allow-Methods')).toContain('PATCH')
  }
})
