import { Writable } from 'node:stream'
import { Hono } from 'hono'
import { pino } from 'pino'
import { expect, test } from 'vitest'
import { changesSent, commitIsSent } from '../storage/changes-sent.ts'
import { DatabaseAway } from '../storage/sqlstate.ts'
import type { AppEnv } from './auth.ts'
import { errorReply } from './errors.ts'

const lines: { level: number; msg: string; code?: string }[] = []
const log = pino({ level: 'trace' }, new Writable({ write(chunk, _encoding, done) { lines.push(JSON.parse(String(chunk))); done() } }))

/** An app whose handler fails, after it has perhaps sent a change. */
function failing(error: Error, sends: boolean, counts = true): Hono<AppEnv> {
  const app = new Hono<AppEnv>()
  app.onError((thrown, c) => errorReply(log, thrown, c))
  app.use(async (c, next) => {
    c.set('requestId', 'r1')
    if (counts) c.set('changesBefore', changesSent())
    await next()
  })
  app.all('*', () => {
    if (sends) commitIsSent()
    throw error
  })
  return app
}

const away = new DatabaseAway('57P01', 'terminating connection')

test.each([
  ['GET', false, 'unavailable'], ['GET', true, 'unavailable'], ['HEAD', true, ''], ['PUT', false, 'unavailable'], ['PUT', true, 'effect-unknown'], ['POST', true, 'effect-unknown'], ['DELETE', true, 'effect-unknown'],
])('%s while the database is away, a change sent: %s, answers 503 %s', async (method, sends, code) => {
  const answer = await failing(away, sends).request('/fhir/Patient/1', { method, headers: { 'Accept-Language': 'en' } })
  expect([answer.status, answer.headers.get('Retry-After'), answer.headers.get('Cache-Control')]).toEqual([503, '2', 'no-store'])
  if (method !== 'HEAD') expect(await answer.json()).toMatchObject({ resourceType: 'OperationOutcome', issue: [{ severity: 'error', code: 'no-store', details: { coding: [{ code }] } }] })
})

test('a change is not called undone where nobody counted', async () => {
  expect(await (await failing(away, false, false).request('/fhir/Patient', { method: 'POST' })).json()).toMatchObject({ issue: [{ details: { coding: [{ code: 'effect-unknown' }] } }] })
})

test('the sentence is in the language of the reader, under /api as problem details', async () => {
  const sentence = async (language: string) => (await (await failing(away, false).request('/api/bills', { method: 'POST', headers: { 'Accept-Language': language } })).json() as { title: string; code: string }).title
  expect([await sentence('zh-CN'), await sentence('en')]).toEqual(['数据库此刻不可用，没有做任何更改，请稍后再试。', 'The database is not available at this moment. Nothing was changed; please try again shortly.'])
})

test('the log has a warning without what the statement was about; a fault of ours stays an error', async () => {
  lines.length = 0
  await failing(away, false).request('/fhir/Patient/1')
  // The same word of the system, of another connection than the database's.
  const other = await failing(Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }), false).request('/fhir/Patient/1')
  expect(other.status).toBe(500)
  expect(lines.map(({ level, msg, code }) => [level, msg, code])).toEqual([[40, 'the database is away', '57P01'], [50, 'request failed', undefined]])
})

test('a statement that took too long outside a transaction is no fault of ours', async () => {
  lines.length = 0
  const answer = await failing(Object.assign(new Error('canceling statement due to statement timeout'), { code: '57014' }), false).request('/fhir/Observation', { headers: { 'Accept-Language': 'en' } })
  expect([answer.status, answer.headers.get('Retry-After')]).toEqual([503, '2'])
  expect(await answer.json()).toMatchObject({ issue: [{ code: 'timeout', diagnostics: expect.stringContaining('took too long') }] })
  expect(lines.map(({ level, msg, code }) => [level, msg, code])).toEqual([[40, 'the database refused', '57014']])
})
