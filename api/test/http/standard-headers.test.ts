/** The headers of every answer, through a real server, where they go another way than in a test without one. */
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { system, testPlatform } from '../support/platform.ts'

const platform = await testPlatform()
let server: Server
let base = ''

beforeAll(async () => {
  server = await new Promise<Server>((done) => {
    const started = serve({ fetch: platform.app.fetch, port: 0, hostname: '127.0.0.1' }, () => done(started as Server))
  })
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
})
afterAll(() => new Promise((done) => { server.close(done); server.closeAllConnections() }))

test.each(['/fhir/metadata', '/fhir/Patient/none', '/fhir/Organization?name=x', '/api/none', '/health/live', '/nowhere'])('%s', async (path) => {
  const headers = { Authorization: `Bearer ${await platform.token(system)}` }
  const [direct, served] = await Promise.all([platform.app.request(path, { headers }), fetch(`${base}${path}`, { headers })])
  expect(served.status).toBe(direct.status)
  for (const reply of [direct, served]) {
    expect(reply.headers.get('X-Request-Id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(reply.headers.get('Content-Security-Policy')).toContain("default-src 'self'")
    expect(reply.headers.get('X-Content-Type-Options')).toBe('nosniff')
  }
  const names = (reply: Response) => [...reply.headers.keys()].filter((name) => !['connection', 'content-length', 'date', 'keep-alive', 'transfer-encoding', 'content-encoding', 'vary'].includes(name))
  expect(names(served)).toEqual(names(direct))
})

test('a long answer is compressed for who can read it, and says how it varies', async () => {
  const [plain, small] = await Promise.all([fetch(`${base}/fhir/metadata`), fetch(`${base}/fhir/Organization?_count=0`)])
  expect(plain.headers.get('Content-Encoding')).toBe('gzip')
  expect(plain.headers.get('Vary')).toContain('Accept-Encoding')
  expect(small.headers.get('Content-Encoding')).toBeNull()
  expect((await plain.json() as { resourceType: string }).resourceType).toBe('CapabilityStatement')
})

test('a prettied answer says its own length', async () => {
  const [plain, pretty] = await Promise.all(['', '?_pretty=true'].map((query) => fetch(`${base}/fhir/Organization${query}`).then((reply) => reply.text())))
  expect(JSON.parse(pretty as string).resourceType).toBe('Bundle')
  expect((pretty as string).length).toBeGreaterThan((plain as string).length)
})
