import { SignJWT, generateKeyPair } from 'jose'
import { beforeAll, expect, test } from 'vitest'
import { createAccounts } from '../../src/access/accounts.ts'
import { anonymous } from '../../src/access/principal.ts'
import { issueToken } from '../../src/access/tokens.ts'
import { makeClientAssertion, assertionType } from '../../src/access/client-credentials.ts'
import { hashPassword, newSigningKey } from '../../src/crypto.ts'
import { newResourceId } from '../../src/fhir/id.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { citizen, testPlatform } from '../support/platform.ts'

const platform = await testPlatform()
const { request, services, clock, db } = platform
const patient = newResourceId(5)
const json = { 'Content-Type': 'application/json' }

beforeAll(async () => {
  await inTransaction(db, async (trx) => createAccounts(trx, [
    { id: newResourceId(null), login: 'wang', passwordHash: await hashPassword('right'), displayName: '王小兰', demo: true, roles: [{ role: 'citizen', patient, practitioner: null, organization: null, organizationName: null }] },
    { id: newResourceId(null), login: 'li', passwordHash: await hashPassword('right'), displayName: '李医生', demo: true, roles: [
      { role: 'clinician', patient: null, practitioner: newResourceId(1), organization: 'a', organizationName: '甲医院' },
      { role: 'clinician', patient: null, practitioner: newResourceId(1), organization: 'b', organizationName: '乙医院' },
    ] },
  ], clock.now))
})

const signIn = (body: unknown, headers = {}) => request('POST', '/api/sign-in', { body, headers: { ...json, ...headers } })

test('a right password opens a session that the cookie alone carries', async () => {
  const reply = await signIn({ login: 'Wang ', password: 'right' })
  expect(reply.status).toBe(200)
  expect(reply.json).toMatchObject({ name: '王小兰', role: 'citizen', patient, people: [{ patient, relationship: 'self' }] })
  const cookie = reply.headers.get('Set-Cookie') ?? ''
  expect(cookie).toMatch(/HttpOnly/)
  expect(cookie).toMatch(/SameSite=Strict/)
  const me = await request('GET', '/api/me', { headers: { Cookie: cookie.split(';')[0] ?? '' } })
  expect(me.json.name).toBe('王小兰')
})

test('a wrong password and an unknown login get the same answer, in the reader\'s language', async () => {
  const wrong = await signIn({ login: 'wang', password: 'wrong' })
  const unknown = await signIn({ login: 'nobody', password: 'wrong' })
  expect([wrong.status, wrong.json.code, wrong.json.title]).toEqual([401, 'sign-in-failed', '用户名或密码不正确。'])
  expect(unknown.json).toEqual(wrong.json)
  expect((await signIn({ login: 'wang', password: 'wrong' }, { 'Accept-Language': 'en-GB' })).json.title).toMatch(/password is not right/)
})

test('a person with several roles chooses one', async () => {
  const reply = await signIn({ login: 'li', password: 'right' })
  expect(reply.json.choose).toHaveLength(2)
  const chosen = await signIn({ login: 'li', password: 'right', role: 'clinician', organization: 'b' })
  expect(chosen.json).toMatchObject({ role: 'clinician', organizationName: '乙医院', workplace: { zh: '乙医院', en: '乙医院' }, people: [] })
})

test('a sign-in request that is not as it should be is refused by field', async () => {
  expect((await signIn({ login: 'wang' })).json).toMatchObject({ status: 400, code: 'parameter-invalid', issues: [{ field: 'password' }] })
  expect((await request('POST', '/api/sign-in', { body: '{"login":', headers: json })).status).toBe(400)
  expect((await request('POST', '/api/sign-in', { body: 'login=wang', headers: { 'Content-Type': 'application/x-www-form-urlencoded' } })).status).toBe(415)
})

test('another site can not use the cookie to change anything', async () => {
  const cookie = ((await signIn({ login: 'wang', password: 'right' })).headers.get('Set-Cookie') ?? '').split(';')[0] ?? ''
  const crossSite: Record<string, string>[] = [{ 'Sec-Fetch-Site': 'cross-site' }, { Origin: 'https://evil.example', Host: 'localhost' }]
  for (const headers of crossSite) {
    expect((await request('POST', '/api/sign-out', { headers: { Cookie: cookie, ...headers } })).status).toBe(403)
  }
})

test('a token that is expired, forged, for others, of another kind or broken is 401 and says which', async () => {
  const token = await platform.token(citizen(patient))
  const use = (value: string) => request('GET', '/api/me', { headers: { Authorization: `Bearer ${value}` } })
  expect((await use(token)).status).toBe(200)
  const [head = '', body = '', signature = ''] = token.split('.')
  const tampered = Buffer.from(JSON.stringify({ ...JSON.parse(Buffer.from(body, 'base64url').toString()), role: 'clinician' })).toString('base64url')
  const stranger = await generateKeyPair('ES256')
  const kid = services.authority.keys[0]?.kid ?? ''
  const base = { kind: 'person', role: 'citizen', patient, name: 'x' }
  const seconds = Math.floor(clock.now.getTime() / 1000)
  const forged = await new SignJWT(base).setProtectedHeader({ alg: 'ES256', kid, typ: 'at+jwt' }).setIssuer(services.authority.issuer)
    .setAudience(services.authority.audience).setSubject('x').setJti('1').setIssuedAt(seconds).setExpirationTime(seconds + 60).sign(stranger.privateKey)
  const unsigned = `${Buffer.from('{"alg":"none","typ":"at+jwt"}').toString('base64url')}.${body}.`
  const otherAudience = await issueToken({ ...services.authority, audience: 'https://elsewhere.example/fhir' }, citizen(patient), clock.now, 60, 'j')
  for (const bad of [`${head}.${tampered}.${signature}`, forged, unsigned, otherAudience, 'rubbish', `${token}x`]) {
    const reply = await use(bad)
    expect([reply.status, reply.json.code]).toEqual([401, 'token-invalid'])
    expect(reply.headers.get('WWW-Authenticate')).toMatch(/invalid_token/)
  }
  const old = await issueToken(services.authority, citizen(patient), new Date(clock.now.getTime() - 7_200_000), 60, 'j')
  expect((await use(old)).json.code).toBe('token-expired')
})

test('a system gets a token for its signed assertion, once, within its scopes', async () => {
  const key = await newSigningKey()
  await db.insertInto('client').values({ id: 'his', display_name: 'HIS', jwks: { keys: [key.publicJwk] }, scopes: 'system/Observation.rs', organization: null }).execute()
  const ask = async (assertion: string, scope?: string) => request('POST', '/oidc/token', {
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
    body: new URLSearchParams({ grant_type: 'client_credentials', client_assertion_type: assertionType, client_assertion: assertion, ...(scope ? { scope } : {}) }).toString(),
  })
  const assertion = (id: string, signer = key) => makeClientAssertion('his', signer, `${services.authority.issuer}/oidc/token`, clock.now, id)
  const first = await assertion('one')
  const granted = await ask(first)
  expect(granted.json).toMatchObject({ token_type: 'Bearer', scope: 'system/Observation.rs' })
  expect((await services.verifyToken(granted.json.access_token, clock.now))).toMatchObject({ ...anonymous, kind: 'client', id: 'his', name: 'HIS', scopes: ['system/Observation.rs'] })
  expect((await ask(first)).json.error).toBe('invalid_client')
  expect((await ask(await assertion('two'), 'system/Patient.rs')).json.error).toBe('invalid_scope')
  expect((await ask(await assertion('three', await newSigningKey()))).json.error).toBe('invalid_client')
  expect((await ask('rubbish')).json.error).toBe('invalid_client')
})

test('settings name the demo accounts and an unknown address is a clear 404', async () => {
  expect((await request('GET', '/api/settings')).json.demo).toBe(true)
  expect((await request('GET', '/api/nothing')).json.code).toBe('not-found')
})
