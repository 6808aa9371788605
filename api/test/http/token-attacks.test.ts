/** What an attacker tries with tokens, codes and links, each with what must happen. The flows that work are in oidc.test.ts. */
import { createSign, generateKeyPairSync } from 'node:crypto'
import { exportJWK, generateKeyPair, importJWK, SignJWT } from 'jose'
import { beforeAll, expect, test } from 'vitest'
import { issueToken } from '../../src/access/tokens.ts'
import { newResourceId } from '../../src/fhir/id.ts'
import { addAccount, addApp, authorize, authorizePath, browser, obtain, pkce, redirectUri, target, tokenRequest } from '../support/app-flow.ts'
import { citizen, testPlatform } from '../support/platform.ts'

const platform = await testPlatform({ now: new Date() })
const { request, services, clock } = platform
const { issuer } = services.authority
const patient = newResourceId(5)
const person = browser(platform)
const scope = 'openid launch/patient offline_access patient/Observation.rs'

beforeAll(async () => {
  await addAccount(platform, 'wang', [{ role: 'citizen', patient }])
  await addApp(platform, 'diary')
  await addApp(platform, 'other')
  await person.signIn('wang')
  await request('PUT', `/fhir/Patient/${patient}`, { as: { ...citizen(patient), kind: 'client', role: null, patient: null, scopes: ['system/*.cruds'] }, body: { resourceType: 'Patient', id: patient, name: [{ text: '王小兰' }] } })
})

const use = async (token: string) => (await request('GET', '/fhir/Observation?_count=1', { headers: { Authorization: `Bearer ${token}` } })).status
const flow = (more: Parameters<typeof authorize>[4] = {}, client = 'diary') => authorize(platform, person, client, scope, { patient, ...more })
const redeem = (code: string, verifier: string, client = 'diary', uri = redirectUri) => tokenRequest(platform, { grant_type: 'authorization_code', code, redirect_uri: uri, client_id: client, code_verifier: verifier })
const refresh = (token: string, client = 'diary', more = {}) => tokenRequest(platform, { grant_type: 'refresh_token', refresh_token: token, client_id: client, ...more })
const part = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')

test('a forged access token is 401, however it is forged', async () => {
  const good = await platform.token(citizen(patient))
  expect(await use(good)).toBe(200)
  const [, body = ''] = good.split('.')
  const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
  const signer = services.authority.keys[0]
  const publicPem = JSON.stringify(signer?.publicJwk)
  const own = await importJWK(signer?.privateJwk ?? {}, 'ES256') as CryptoKey
  const stranger = await generateKeyPair('ES256', { extractable: true })
  const strangerJwk = await exportJWK(stranger.publicKey)
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const sign = (header: object, key: CryptoKey | Uint8Array = own, given: object = {}) => new SignJWT({ ...claims, ...given }).setProtectedHeader({ alg: 'ES256', kid: signer?.kid, typ: 'at+jwt', ...header } as never).sign(key as CryptoKey)
  const rsBody = `${part({ alg: 'RS256', kid: signer?.kid, typ: 'at+jwt' })}.${body}`
  const forged: Record<string, string> = {
    'no algorithm': `${part({ alg: 'none', typ: 'at+jwt' })}.${body}.`,
    'no algorithm, in odd letters': `${part({ alg: 'nOnE', kid: signer?.kid, typ: 'at+jwt' })}.${body}.`,
    'the public key as a shared secret': await sign({ alg: 'HS256' }, Buffer.from(publicPem)),
    'an RSA key under our key id': `${rsBody}.${createSign('RSA-SHA256').update(rsBody).sign(rsa.privateKey, 'base64url')}`,
    'another key under our key id': await sign({}, stranger.privateKey),
    'an unknown key id': await sign({ kid: 'unknown' }),
    'its own key in the header': await sign({ jwk: strangerJwk, kid: undefined }, stranger.privateKey),
    'a key address in the header': await sign({ jku: 'https://evil.example/jwks', kid: 'evil' }, stranger.privateKey),
    'another audience': await sign({}, own, { aud: 'https://elsewhere.example/fhir' }),
    'another issuer': await sign({}, own, { iss: 'https://elsewhere.example' }),
    'another type': await sign({ typ: 'JWT' }),
    'no type': await sign({ typ: undefined }),
    'no expiry': await sign({}, own, { exp: undefined }),
    'a changed body': good.replace(body, part({ ...claims, role: 'admin-audit' })),
    'a cut signature': good.slice(0, -4),
    'a role that does not exist': await sign({}, own, { role: 'mayor' }),
  }
  expect(await use(await sign({}))).toBe(200)
  for (const [how, token] of Object.entries(forged)) expect([how, await use(token)]).toEqual([how, 401])
  expect(await use(await issueToken(services.authority, citizen(patient), new Date(clock.now.getTime() - 7_200_000), 60, 'j'))).toBe(401)
})

test('an id token and a refresh token are no access tokens', async () => {
  const answer = (await obtain(platform, person, 'diary', scope, { patient })).json
  expect(await use(answer.access_token)).toBe(200)
  expect([await use(answer.id_token), await use(answer.refresh_token)]).toEqual([401, 401])
})

test('a code counts once; its second use ends everything that came of the first', async () => {
  const { callback, verifier } = await flow()
  const first = (await redeem(callback.get('code') ?? '', verifier)).json
  expect(await use(first.access_token)).toBe(200)
  expect((await redeem(callback.get('code') ?? '', verifier)).json.error).toBe('invalid_grant')
  expect(await use(first.access_token)).toBe(401)
  expect((await refresh(first.refresh_token)).json.error).toBe('invalid_grant')
})

test('of many who redeem a code at the same time one gets a token at most, and it is worth nothing', async () => {
  const { callback, verifier } = await flow()
  const answers = await Promise.all(Array.from({ length: 6 }, () => redeem(callback.get('code') ?? '', verifier)))
  const won = answers.filter((each) => each.status === 200)
  expect(won.length).toBeLessThanOrEqual(1)
  expect(answers.filter((each) => each.status === 400).length).toBeGreaterThanOrEqual(5)
  for (const each of won) expect(await use(each.json.access_token)).toBe(401)
})

test('a refresh token that is used again ends the whole family', async () => {
  const first = (await obtain(platform, person, 'diary', scope, { patient })).json
  const second = (await refresh(first.refresh_token)).json
  expect(await use(second.access_token)).toBe(200)
  expect((await refresh(first.refresh_token)).json.error).toBe('invalid_grant')
  expect((await refresh(second.refresh_token)).json.error).toBe('invalid_grant')
  expect([await use(first.access_token), await use(second.access_token)]).toEqual([401, 401])
})

test('refreshing never widens the scopes', async () => {
  const { refresh_token: token } = (await obtain(platform, person, 'diary', scope, { patient, kept: ['offline_access', 'patient/Observation.rs'] })).json
  for (const wider of ['patient/*.rs', 'patient/Condition.rs', 'patient/Observation.cruds', 'openid', 'system/*.cruds']) {
    expect([wider, (await refresh(token, 'diary', { scope: `patient/Observation.rs ${wider}` })).json.error]).toEqual([wider, 'invalid_scope'])
  }
  expect((await refresh(token)).json.scope).not.toMatch(/openid|Condition/)
})

test('the answer page grants nothing that was not asked, and an app nothing beyond its registration', async () => {
  const { callback, verifier } = await flow({ kept: ['patient/*.cruds', 'patient/Condition.rs', 'patient/Observation.rs', 'system/*.cruds'] })
  expect((await redeem(callback.get('code') ?? '', verifier)).json.scope.split(' ').sort()).toEqual(['launch/patient', 'patient/Observation.rs'])
  const greedy = await authorize(platform, person, 'diary', 'system/*.cruds patient/*.cruds', { patient })
  expect(greedy.answered?.json.code).toBe('scope-missing')
})

test('a code or refresh token of one app is worth nothing to another', async () => {
  const { callback, verifier } = await flow()
  expect((await redeem(callback.get('code') ?? '', verifier, 'other')).json.error).toBe('invalid_grant')
  const answer = (await obtain(platform, person, 'diary', scope, { patient })).json
  expect((await refresh(answer.refresh_token, 'other')).json.error).toBe('invalid_grant')
  expect(await use(answer.access_token)).toBe(200)
})

test('PKCE cannot be left out, weakened or guessed', async () => {
  const { challenge } = pkce()
  const errorOf = async (more: Record<string, string | undefined>) => new URL(target(platform, await person.request('GET', authorizePath(platform, 'diary', scope, challenge, more))), issuer).searchParams.get('error')
  expect(await errorOf({ code_challenge: undefined, code_challenge_method: undefined })).toBe('invalid_request')
  expect(await errorOf({ code_challenge_method: 'plain' })).toBe('invalid_request')
  expect(await errorOf({ code_challenge_method: undefined })).toBe('invalid_request')
  const { callback } = await flow()
  expect((await redeem(callback.get('code') ?? '', pkce().verifier)).json.error).toBe('invalid_grant')
  const next = await flow()
  const { code_verifier: _, ...without } = { grant_type: 'authorization_code', code: next.callback.get('code') ?? '', redirect_uri: redirectUri, client_id: 'diary', code_verifier: '' }
  expect((await tokenRequest(platform, without)).json.error).toBe('invalid_grant')
})

test.each([
  'https://app.example/callback/', 'https://app.example/callback?x=1', 'https://app.example/callback#f', 'https://app.example.evil.example/callback', 'https://evil.example/callback',
  'https://app.example@evil.example/callback', 'http://app.example/callback', 'https://app.example:444/callback', 'https://app.example/x/../callback', 'https://APP.example/Callback', '//app.example/callback',
  'javascript:alert(1)', '/callback', '',
])('nobody is sent to the address %s', async (uri) => {
  const reply = await person.request('GET', authorizePath(platform, 'diary', scope, pkce().challenge, { redirect_uri: uri || undefined }), { headers: { Accept: 'text/html' } })
  const location = target(platform, reply)
  if (uri === '') expect(location).toBe('/authorize/error?reason=invalid_request')
  else expect([reply.status, location]).toEqual([303, '/authorize/error?reason=invalid_redirect_uri'])
})

test('a code is redeemed for the address it was sent to only', async () => {
  await addApp(platform, 'two-homes', { redirect_uris: [redirectUri, 'https://app.example/second'] })
  const { callback, verifier } = await flow({}, 'two-homes')
  expect((await redeem(callback.get('code') ?? '', verifier, 'two-homes', 'https://app.example/second')).json.error).toBe('invalid_grant')
})

test('a request for another server, without an address, or twice the same parameter is refused', async () => {
  const errorOf = async (path: string) => new URL(target(platform, await person.request('GET', path)), issuer).searchParams.get('error')
  const path = (more: Record<string, string | undefined>) => authorizePath(platform, 'diary', scope, pkce().challenge, more)
  expect(await errorOf(path({ aud: 'https://evil.example/fhir' }))).toBe('invalid_request')
  expect(await errorOf(path({ aud: undefined }))).toBe('invalid_request')
  expect(await errorOf(path({ resource: 'https://evil.example/fhir' }))).toBe('invalid_target')
  expect(await errorOf(path({ launch: 'guessed' }))).toBe('invalid_request')
  expect(await errorOf(`${path({})}&scope=patient/*.rs`)).toBe('invalid_request')
  expect(await errorOf(path({ prompt: 'none' }))).toBe('login_required')
  expect((await tokenRequest(platform, { grant_type: 'password', username: 'wang', password: 'x', client_id: 'diary' })).json.error).toBe('unsupported_grant_type')
})

test('a link made by an attacker does not let their request through in another\'s browser', async () => {
  const attacker = browser(platform)
  const begun = await attacker.request('GET', authorizePath(platform, 'diary', scope, pkce().challenge))
  const path = target(platform, begun)
  const answer = { decision: 'allow', scopes: ['patient/Observation.rs'], patient }
  expect((await person.request('GET', `${path}/request`)).status).toBe(410)
  expect((await person.request('POST', `${path}/answer`, { body: answer })).status).toBe(410)
  const own = target(platform, await person.request('GET', authorizePath(platform, 'diary', scope, pkce().challenge)))
  for (const headers of [{ 'Sec-Fetch-Site': 'cross-site' }, { Origin: 'https://evil.example', Host: 'localhost' }] as Record<string, string>[]) {
    expect((await person.request('POST', `${own}/answer`, { body: answer, headers })).status).toBe(403)
  }
  expect((await attacker.request('POST', `${path}/answer`, { body: answer })).status).toBe(401)
})

test('the provider\'s own session never reaches a browser, and one that is sent is not believed', async () => {
  await flow()
  expect(Object.keys(person.cookies('/oidc/auth')).filter((name) => name.startsWith('_provider'))).toEqual([])
  const begun = await person.request('GET', authorizePath(platform, 'diary', scope, pkce().challenge), { headers: { Cookie: '_provider=made-up' } })
  expect(target(platform, begun)).toMatch(/^\/oidc\/interaction\//)
})

test('an app that acts for a person does not get into the portal\'s own endpoints', async () => {
  const { access_token: token } = (await obtain(platform, person, 'diary', scope, { patient })).json
  const ask = async (method: string, path: string) => (await request(method, path, { headers: { Authorization: `Bearer ${token}` }, ...(method === 'POST' ? { body: {} } : {}) })).status
  for (const [method, path] of [['GET', '/api/me'], ['GET', '/api/account'], ['GET', '/api/sessions'], ['POST', '/api/sessions/end-all'], ['POST', '/api/step-up'], ['POST', '/api/launches'], ['GET', '/api/bills']] as const) {
    expect([path, await ask(method, path)]).toEqual([path, 403])
  }
})

test('nothing the provider keeps contains a secret that opens anything', async () => {
  const { callback } = await flow()
  const { refresh_token: token } = (await obtain(platform, person, 'diary', scope, { patient })).json
  const rows = JSON.stringify(await platform.db.selectFrom('oidc_artefact').selectAll().where('model', '<>', 'Session').execute())
  expect(rows).not.toContain(callback.get('code') ?? '-')
  expect(rows).not.toContain(token)
})
