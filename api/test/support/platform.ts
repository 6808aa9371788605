/**
 * A whole platform in the test's process: the real app on a database of its own, with a clock that the test moves and tokens
 * for anybody. The gateway to the insurance centre is the test's to give.
 */
import type { Hono } from 'hono'
import { anonymous, type Principal } from '../../src/access/principal.ts'
import { issueToken } from '../../src/access/tokens.ts'
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import type { AppEnv } from '../../src/http/auth.ts'
import { newResourceId } from '../../src/fhir/id.ts'
import { makeServices } from '../../src/platform-services.ts'
import type { Logger } from '../../src/log.ts'
import type { Services } from '../../src/services.ts'
import type { SystemCaller } from '../../src/access/system-call.ts'
import type { SettlementGateway } from '../../src/settlement/gateway.ts'
import type { Db } from '../../src/storage/pool.ts'
import { testDatabase } from './database.ts'

export interface TestPlatform {
  db: Db
  url: string
  services: Services
  app: Hono<AppEnv>
  /** The clock every request sees; assign to move it. */
  clock: { now: Date }
  token(principal: Principal): Promise<string>
  /** `request('GET', '/fhir/Patient/1', { as: system })`; a body that is not a string is sent as FHIR JSON. */
  request(method: string, path: string, options?: { as?: Principal; body?: unknown; headers?: Record<string, string> }): Promise<TestReply>
}

// biome-ignore lint/suspicious/noExplicitAny: tests read replies of every shape.
export interface TestReply { status: number; headers: Headers; text: string; json: any }

export const system: Principal = { ...anonymous, kind: 'client', id: 'test', name: 'Test system', scopes: ['system/*.cruds'] }

export function citizen(patient: string, name = '测试市民'): Principal {
  return { ...anonymous, kind: 'person', id: `account-${patient}`, name, role: 'citizen', patient }
}

export function clinician(practitioner: string, organization: string, name = '测试医生', organizationName = '测试医院'): Principal {
  return { ...anonymous, kind: 'person', id: `account-${practitioner}`, name, role: 'clinician', practitioner, organization, organizationName }
}

/** Call at the top level of a test file. @param given.now first instant of the clock; Monday 2026-11-23 07:30 in Shanghai unless said. @param given.database one of the test's own, in place of a clone. */
export async function testPlatform(given: { database?: { db: Db; url: string }; log?: Logger; gateway?: SettlementGateway; centreDesk?: SystemCaller; now?: Date; publicUrl?: string } = {}): Promise<TestPlatform> {
  const { db, url } = given.database ?? await testDatabase()
  const clock = { now: given.now ?? new Date('2026-11-23T07:30:00+08:00') }
  // A test asks faster than any person; limits have tests of their own.
  const config = readConfig({ LOG_LEVEL: process.env.TEST_LOG ?? 'silent', PORT: '8080', RATE_PERSON: '0', RATE_ANONYMOUS: '0', ...(given.publicUrl ? { PUBLIC_URL: given.publicUrl } : {}) })
  const services = await makeServices(config, 'test', { db, now: () => clock.now, ...(given.log ? { log: given.log } : {}), ...(given.gateway ? { gateway: given.gateway } : {}), ...(given.centreDesk ? { centreDesk: given.centreDesk } : {}) })
  const app = createApp(services)
  const token = (principal: Principal) => issueToken(services.authority, principal, clock.now, 60, newResourceId(null))
  return {
    db, url, services, app, clock, token,
    async request(method, path, { as, body, headers = {} } = {}) {
      const sent: Record<string, string> = { ...headers }
      if (as) sent.Authorization = `Bearer ${await token(as)}`
      if (body !== undefined && !Object.keys(sent).some((name) => name.toLowerCase() === 'content-type')) sent['Content-Type'] = path.startsWith('/api') ? 'application/json' : 'application/fhir+json'
      const reply = await app.request(path, { method, headers: sent, ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }) })
      const text = await reply.text()
      return { status: reply.status, headers: reply.headers, text, json: /[/+]json/.test(reply.headers.get('Content-Type') ?? '') && !reply.headers.has('Content-Encoding') && text !== '' ? JSON.parse(text) : null }
    },
  }
}
