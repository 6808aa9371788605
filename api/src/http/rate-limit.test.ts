import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { anonymous, type Principal } from '../access/principal.ts'
import { makeCtx } from '../ctx.ts'
import { OutcomeError } from '../fhir/outcome.ts'
import type { AppEnv } from './auth.ts'
import { costOf, rateLimit } from './rate-limit.ts'

test.each([
  ['GET', '/fhir/Patient/1', 1], ['GET', '/fhir/Patient', 2], ['POST', '/fhir/Patient/_search', 2], ['GET', '/fhir/Patient/1/_history', 2], ['PUT', '/fhir/Patient/1', 3], ['POST', '/fhir/Patient', 3],
  ['POST', '/fhir', 10], ['GET', '/fhir/Patient/1/$everything', 25], ['GET', '/fhir/$export', 25], ['GET', '/api/me', 1],
])('%s %s costs %i', (method, path, points) => {
  expect(costOf(method, path)).toBe(points)
})

test('each caller has points of their own; a system without a limit has no end of them', async () => {
  const callers: Record<string, Principal> = {
    anyone: anonymous, one: { ...anonymous, kind: 'person', id: 'one' }, two: { ...anonymous, kind: 'person', id: 'two' },
    app: { ...anonymous, kind: 'person', id: 'one', scopes: ['patient/*.rs'], sessionId: 's' }, system: { ...anonymous, kind: 'client', id: 'system' },
  }
  const app = new Hono<AppEnv>()
  app.onError((error, c) => c.text('', error instanceof OutcomeError ? error.status as 429 : 500, error instanceof OutcomeError ? error.headers : {}))
  app.use(async (c, next) => { c.set('ctx', makeCtx(callers[c.req.query('as') ?? ''] ?? anonymous)); await next() })
  app.get('/fhir/*', rateLimit({ person: 4, system: 0, anonymous: 2 }, 0), (c) => c.text('ok'))
  const ask = async (as: string, path = '/fhir/Patient/1') => app.request(`${path}?as=${as}`)
  const statuses = async (as: string, times: number) => Promise.all(Array.from({ length: times }, async () => (await ask(as)).status))
  expect(await statuses('one', 5)).toEqual([200, 200, 200, 200, 429])
  expect(await statuses('two', 4)).toEqual([200, 200, 200, 200])
  expect(await statuses('app', 1)).toEqual([200])
  expect(await statuses('anyone', 3)).toEqual([200, 200, 429])
  expect(new Set(await statuses('system', 50))).toEqual(new Set([200]))
  const refused = await ask('one')
  expect(Number(refused.headers.get('Retry-After'))).toBeGreaterThan(0)
  expect((await ask('two', '/fhir/Patient/1/$everything')).status).toBe(429)
})
