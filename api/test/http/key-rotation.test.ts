/** Keys change and nobody notices: ours, that sign tokens, and those of a system that publishes its own. Sign-out asked for by an app. */
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { decodeProtectedHeader } from 'jose'
import { expect, test } from 'vitest'
import { makeClientAssertion } from '../../src/access/client-credentials.ts'
import { rotateSigningKeys } from '../../src/access/signing-keys.ts'
import { newSigningKey } from '../../src/crypto.ts'
import { newResourceId } from '../../src/fhir/id.ts'
import { signingKeys } from '../../src/platform-services.ts'
import { addAccount, addApp, browser, obtain, tokenRequest } from '../support/app-flow.ts'
import { citizen, testPlatform } from '../support/platform.ts'

const platform = await testPlatform({ now: new Date() })
const { request, services, db, clock } = platform
const minutes = (count: number) => new Date(clock.now.getTime() + count * 60_000)
const tokens = db.$pickTables<'client' | 'signing_key' | 'used_assertion'>()
const person = browser(platform)
await addAccount(platform, 'wang', [{ role: 'citizen', patient: newResourceId(5) }])
await addApp(platform, 'diary')
await person.signIn('wang')
const online = () => obtain(platform, person, 'diary', 'openid online_access user/*.rs')
const use = async (token: string) => (await request('GET', '/fhir/Observation?_count=1', { headers: { Authorization: `Bearer ${token}` } })).status

test('a rotation of our keys refuses no token, and the old key is forgotten once its last token has expired', async () => {
  const [first] = services.authority.keys
  const before = (await online()).json
  expect(await rotateSigningKeys(tokens, minutes(31 * 1440), 30)).toBe(1)
  // The new key is published at once and signs a quarter of an hour later.
  for (const [later, signer] of [[31 * 1440 + 1, first?.kid], [31 * 1440 + 16, 'new']] as const) {
    services.authority.keys = await signingKeys(services.config, db, minutes(later))
    expect((await request('GET', '/oidc/jwks')).json.keys).toHaveLength(2)
    expect(services.authority.keys[0]?.kid === first?.kid).toBe(signer === first?.kid)
  }
  const after = (await online()).json
  expect(decodeProtectedHeader(after.access_token).kid).toBe(services.authority.keys[0]?.kid)
  expect(decodeProtectedHeader(after.access_token).kid).not.toBe(decodeProtectedHeader(before.access_token).kid)
  expect([await use(before.access_token), await use(after.access_token), await use(await platform.token(citizen(newResourceId(5))))]).toEqual([200, 200, 200])
  expect((await tokenRequest(platform, { grant_type: 'refresh_token', refresh_token: before.refresh_token, client_id: 'diary' })).status).toBe(200)
  expect(await rotateSigningKeys(tokens, minutes(31 * 1440 + 60), 30)).toBe(0)
  expect(await rotateSigningKeys(tokens, minutes(32 * 1440 + 60), 30)).toBe(1)
  services.authority.keys = await signingKeys(services.config, db, minutes(32 * 1440 + 61))
  expect([await use(before.access_token), await use(after.access_token)]).toEqual([401, 200])
})

test('a system that publishes its keys may change them; the address is the registration\'s', async () => {
  const [old, next, thief] = await Promise.all([newSigningKey(), newSigningKey(), newSigningKey()])
  let asked = 0
  const server = createServer((_request, response) => { asked++; response.setHeader('Content-Type', 'application/json').end(JSON.stringify({ keys: [next.publicJwk] })) })
  await new Promise<void>((done) => { server.listen(0, '127.0.0.1', done) })
  const uri = `http://127.0.0.1:${(server.address() as AddressInfo).port}/jwks`
  await db.insertInto('client').values({ id: 'his', display_name: 'HIS', jwks: { keys: [old.publicJwk], jwks_uri: uri }, scopes: 'system/Observation.rs', organization: null }).execute()
  const ask = async (key: typeof old, id: string) => (await tokenRequest(platform, {
    grant_type: 'client_credentials', client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await makeClientAssertion('his', key, `${services.authority.issuer}/oidc/token`, clock.now, id),
  })).status
  expect([await ask(old, '1'), asked]).toEqual([200, 0])
  expect([await ask(next, '2'), asked]).toEqual([200, 1])
  expect(await ask(thief, '3')).toBe(401)
  await new Promise((done) => { server.close(done) })
})

test('an app that asks for the sign-out gets the person back at an address of its own, and nowhere else', async () => {
  await person.signIn('wang')
  const { id_token: hint } = (await online()).json
  expect(hint).toBeTypeOf('string')
  const out = async (redirectUri: string, idTokenHint = hint) => (await person.request('POST', '/api/sign-out', { body: { idTokenHint, redirectUri, state: 's' } })).json.location
  expect(await out('https://evil.example/')).toBe(null)
  expect(await out('https://app.example/bye', 'nonsense')).toBe(null)
  expect(await out('https://app.example/bye')).toBe('https://app.example/bye?state=s')
  expect((await person.request('GET', '/api/me')).status).toBe(401)
})

test('bodies outside FHIR have a limit of their own', async () => {
  const long = 'x'.repeat(70_000)
  expect((await request('POST', '/api/sign-in', { body: { login: 'wang', password: long } })).json.code).toBe('body-too-large')
  expect((await tokenRequest(platform, { grant_type: 'refresh_token', refresh_token: long, client_id: 'diary' })).json.error).toBe('invalid_request')
})
