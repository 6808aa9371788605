/** A production process of the platform: what it starts with and what it refuses, its cookie, its headers, and nothing of the demo. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, expect, test } from 'vitest'
import { createAccounts } from '../src/access/accounts.ts'
import { hashPassword, newSecret, newSigningKey } from '../src/crypto.ts'
import { newResourceId } from '../src/fhir/id.ts'
import { inTransaction } from '../src/storage/transaction.ts'
import { testDatabase } from './support/database.ts'
import { testProcess } from './support/process.ts'

const { db, url } = await testDatabase()
const folder = mkdtempSync(join(tmpdir(), 'pujiang-production-'))
afterAll(() => { rmSync(folder, { recursive: true, force: true }) })
const file = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return join(folder, name)
}
const key = await newSigningKey()
const settings = {
  NODE_ENV: 'production', DATABASE_URL: url, PUBLIC_URL: 'https://health.example', INSURER_URL: 'http://127.0.0.1:9',
  SIGNING_KEY_FILE: file('signing.json', JSON.stringify({ ...key.privateJwk, kid: key.kid })), SECRETS_KEY_FILE: file('secrets', newSecret()),
}
const platform = await testProcess('main.ts', '/health/ready', settings)
await platform.start()

const post = (path: string, body: object, headers: Record<string, string> = {}) => fetch(`${platform.address}${path}`, {
  method: 'POST', body: JSON.stringify(body), headers: { 'Content-Type': 'application/json', ...headers },
})

test('nothing of the demo: no accounts shown, no code, no token command', async () => {
  expect(await (await fetch(`${platform.address}/api/settings`)).json()).toEqual({ demo: false, accounts: [], demoCode: null })
  const done = spawnSync(process.execPath, [fileURLToPath(new URL('../src/token.ts', import.meta.url)), '--client', 'demo'], { env: { ...process.env, ...settings }, encoding: 'utf8' })
  expect([done.status, done.stdout]).toEqual([1, ''])
  expect(done.stderr).toContain('production')
})

test('the session cookie is bound to this host and to https, and no other counts', async () => {
  const passwordHash = await hashPassword('a long enough sentence')
  await inTransaction(db, (trx) => createAccounts(trx, [{
    id: newResourceId(null), login: 'citizen-one', passwordHash, displayName: '测试', demo: false,
    roles: [{ role: 'citizen', patient: newResourceId(1), practitioner: null, organization: null, organizationName: null }],
  }], new Date()))
  const signedIn = await post('/api/sign-in', { login: 'citizen-one', password: 'a long enough sentence' })
  expect(signedIn.status).toBe(200)
  const cookie = signedIn.headers.getSetCookie().find((each) => each.includes('session')) ?? ''
  expect(cookie).toMatch(/^__Host-pujiang_session=/)
  for (const part of ['Path=/', 'Secure', 'HttpOnly', 'SameSite=Strict']) expect(cookie).toContain(part)
  expect(cookie).not.toContain('Domain')
  const token = /=([^;]+)/.exec(cookie)?.[1] ?? ''
  const me = async (name: string) => (await fetch(`${platform.address}/api/me`, { headers: { Cookie: `${name}=${token}` } })).status
  expect([await me('__Host-pujiang_session'), await me('pujiang_session')]).toEqual([200, 401])
})

test('every answer asks for https from now on', async () => {
  const { headers } = await fetch(`${platform.address}/`)
  expect(headers.get('Strict-Transport-Security')).toMatch(/max-age=\d{7,}/)
})

test.each([
  ['no secrets', { SIGNING_KEY_FILE: '', SECRETS_KEY_FILE: '' }, ['SIGNING_KEY_FILE must be given', 'SECRETS_KEY_FILE must be given']],
  ['a short secret', { SECRETS_KEY_FILE: file('short', 'c2hvcnQ') }, ['short']],
  ['a key of another kind', { SIGNING_KEY_FILE: file('rsa.json', JSON.stringify({ kty: 'RSA', n: 'x', e: 'AQAB', kid: 'k' })) }, ['SIGNING_KEY_FILE', 'P-256']],
  ['plain http', { PUBLIC_URL: 'http://health.example' }, ['PUBLIC_URL must be https']],
  ['a clock that is moved', { CLOCK_OFFSET_MINUTES: '60' }, ['CLOCK_OFFSET_MINUTES']],
])('it does not start with %s', (_name, changed, said) => {
  const done = spawnSync(process.execPath, [fileURLToPath(new URL('../src/main.ts', import.meta.url))], { env: { ...process.env, ...settings, ...changed, PORT: '0' }, encoding: 'utf8', timeout: 30_000 })
  expect(done.status).not.toBe(0)
  for (const each of said) expect(done.stderr + done.stdout).toContain(each)
})
