/** The OpenID provider as an app and a person's browser meet it. Attacks are in token-attacks.test.ts. */
import { createLocalJWKSet, jwtVerify } from 'jose'
import { beforeAll, expect, test } from 'vitest'
import { makeClientAssertion } from '../../src/access/client-credentials.ts'
import { newSigningKey } from '../../src/crypto.ts'
import { newResourceId } from '../../src/fhir/id.ts'
import { addAccount, addApp, authorize, authorizePath, browser, obtain, pkce, redirectUri, target, tokenRequest } from '../support/app-flow.ts'
import { system, testPlatform } from '../support/platform.ts'

// The provider goes by the machine's clock; so does this platform.
const platform = await testPlatform({ now: new Date() })
const { request, services } = platform
const issuer = services.authority.issuer
const own = newResourceId(7)
const child = newResourceId(8)
const stranger = newResourceId(9)
const doctorId = newResourceId(1)
let account = ''

beforeAll(async () => {
  for (const [id, name] of [[own, '王小兰'], [child, '王小宝'], [stranger, '陌生人']] as const) {
    await request('PUT', `/fhir/Patient/${id}`, { as: system, body: { resourceType: 'Patient', id, name: [{ text: name, family: name.slice(0, 1), given: [name.slice(1)] }], gender: 'female', birthDate: '1980-01-01' } })
    await request('POST', '/fhir/Observation', { as: system, body: { resourceType: 'Observation', status: 'final', subject: { reference: `Patient/${id}` }, code: { coding: [{ system: 'http://loinc.org', code: '8867-4' }] } } })
  }
  account = await addAccount(platform, 'wang', [{ role: 'citizen', patient: own }], { displayName: '王小兰' })
  await platform.db.insertInto('proxy_grant').values({ shard: 8, pid: child, patient: child, grantee_pid: own, relationship: 'CHILD', patient_name: '王小宝', from_at: new Date(platform.clock.now.getTime() - 1000), until_at: null }).execute()
  await addAccount(platform, 'doctor', [{ role: 'clinician', practitioner: doctorId, organization: 'h', organizationName: '甲医院' }], { displayName: '李医生' })
  for (const [index, pid] of [own, child].entries()) {
    await platform.db.insertInto('care_relation').values({ shard: 7, pid, practitioner: doctorId, organization: newResourceId(2), reason: 'appointment', reason_id: newResourceId(20 + index), from_at: new Date(platform.clock.now.getTime() - 1000), until_at: new Date(Date.now() + 3_600_000) }).execute()
  }
  await addApp(platform, 'diary')
  await addApp(platform, 'tool', { roles: ['clinician'] })
})

async function signedIn(login: string) {
  const person = browser(platform)
  await person.signIn(login)
  return person
}

test('discovery says what is there, at both addresses', async () => {
  const openid = (await request('GET', '/.well-known/openid-configuration')).json
  expect(openid).toEqual((await request('GET', '/fhir/.well-known/smart-configuration')).json)
  expect(openid).toMatchObject({ issuer, authorization_endpoint: `${issuer}/oidc/auth`, code_challenge_methods_supported: ['S256'], grant_types_supported: expect.arrayContaining(['authorization_code', 'refresh_token', 'client_credentials']) })
  expect((await request('GET', '/oidc/jwks')).json.keys[0]).not.toHaveProperty('d')
})

test('an app gets a token, an id token and the launch context for what the person left it', async () => {
  const person = await signedIn('wang')
  const scope = 'openid fhirUser profile launch/patient offline_access patient/Observation.rs patient/Condition.rs patient/Nonsense.rs'
  const begun = await person.request('GET', authorizePath(platform, 'diary', scope, pkce().challenge))
  expect(begun.status).toBe(303)
  const asked = (await person.request('GET', `${target(platform, begun)}/request`)).json
  expect(asked).toMatchObject({
    state: 'ask', name: '王小兰', launched: false, app: { id: 'diary', host: 'app.example', publisher: 'Example' },
    scopes: ['openid', 'fhirUser', 'profile', 'offline_access', 'patient/Observation.rs', 'patient/Condition.rs'],
    patients: [{ id: own, relationship: 'self' }, { id: child, name: '王小宝', relationship: 'child' }],
  })
  const answer = await obtain(platform, person, 'diary', scope, { kept: ['openid', 'fhirUser', 'offline_access', 'patient/Observation.rs'], patient: child, more: { nonce: 'n-1' } })
  expect(answer.json).toMatchObject({ token_type: 'Bearer', expires_in: 900, patient: child, need_patient_banner: true })
  expect(new Set(answer.json.scope.split(' '))).toEqual(new Set(['openid', 'fhirUser', 'launch/patient', 'offline_access', 'patient/Observation.rs']))
  const { payload } = await jwtVerify(answer.json.id_token, createLocalJWKSet((await request('GET', '/oidc/jwks')).json), { issuer, audience: 'diary' })
  expect(payload).toMatchObject({ sub: account, fhirUser: `${issuer}/fhir/Patient/${own}`, nonce: 'n-1' })
  expect(payload).not.toHaveProperty('name')
  expect(await services.verifyToken(answer.json.access_token, new Date())).toMatchObject({
    kind: 'person', id: account, role: 'citizen', patient: own, launchPatient: child, launchEncounter: null, authLevel: 'password',
    scopes: expect.arrayContaining(['patient/Observation.rs', 'openid']), sessionId: expect.stringMatching(/^[0-9a-f-]{36}$/),
  })
  const userinfo = await request('GET', '/oidc/userinfo', { headers: { Authorization: `Bearer ${answer.json.access_token}` } })
  expect(userinfo.json).toEqual({ sub: account, fhirUser: `${issuer}/fhir/Patient/${own}` })
})

test('refresh gives a new pair, may narrow the scopes, and keeps the launch context', async () => {
  const person = await signedIn('wang')
  const first = (await obtain(platform, person, 'diary', 'openid launch/patient online_access patient/*.rs', { patient: own })).json
  const second = await tokenRequest(platform, { grant_type: 'refresh_token', refresh_token: first.refresh_token, client_id: 'diary', scope: 'patient/*.rs' })
  expect(second.json).toMatchObject({ scope: 'patient/*.rs', patient: own })
  expect(second.json.refresh_token).not.toBe(first.refresh_token)
  expect((await services.verifyToken(second.json.access_token, new Date())).scopes).toEqual(['patient/*.rs'])
})

test('without a wish to stay there is no refresh token', async () => {
  const answer = await obtain(platform, await signedIn('wang'), 'diary', 'launch/patient patient/*.rs', { patient: own })
  expect(answer.json).not.toHaveProperty('refresh_token')
  expect(answer.json).not.toHaveProperty('id_token')
})

test('an app is refused when the person says no, and told so', async () => {
  const person = await signedIn('wang')
  const begun = await person.request('GET', authorizePath(platform, 'diary', 'patient/*.rs', pkce().challenge))
  const answered = await person.request('POST', `${target(platform, begun)}/answer`, { body: { decision: 'refuse' } })
  const back = new URL(target(platform, await person.request('GET', answered.json.location.replace(issuer, ''))))
  expect([back.origin + back.pathname, back.searchParams.get('error'), back.searchParams.get('state'), back.searchParams.get('iss')]).toEqual([redirectUri, 'access_denied', 'st', issuer])
})

test('an EHR launch carries its patient, counts once, and a second one never meets the first patient', async () => {
  const person = await signedIn('doctor')
  expect((await person.request('GET', '/api/apps')).json.map((each: { id: string }) => each.id)).toEqual(['diary', 'tool'])
  const launch = async (patient: string) => {
    const { json } = await person.request('POST', '/api/launches', { body: { app: 'tool', patient } })
    const url = new URL(json.location)
    expect([url.origin + url.pathname, url.searchParams.get('iss')]).toEqual(['https://app.example/launch', `${issuer}/fhir`])
    return url.searchParams.get('launch') ?? ''
  }
  const one = await launch(own)
  const first = await obtain(platform, person, 'tool', 'launch openid fhirUser patient/*.rs', { more: { launch: one } })
  expect(first.json.patient).toBe(own)
  const again = await authorize(platform, person, 'tool', 'launch patient/*.rs', { more: { launch: one } })
  expect(again.answered?.json.code).toBe('launch-invalid')
  const second = await obtain(platform, person, 'tool', 'launch patient/*.rs', { more: { launch: await launch(child) } })
  expect(second.json.patient).toBe(child)
  expect((await person.request('POST', '/api/launches', { body: { app: 'tool', patient: stranger } })).status).toBe(404)
  const other = await signedIn('doctor')
  const stolen = await authorize(platform, other, 'tool', 'launch patient/*.rs', { more: { launch: await launch(own) } })
  expect(stolen.answered?.json.code).toBe('launch-invalid')
})

test('an EHR launch carries the visit too, through a refresh, and the next launch knows nothing of it', async () => {
  const person = await signedIn('doctor')
  const visits = new Map([own, child].map((patient) => [patient, newResourceId(patient === own ? 7 : 8)]))
  for (const [patient, id] of visits) {
    expect((await request('PUT', `/fhir/Encounter/${id}`, { as: system, body: {
      resourceType: 'Encounter', id, status: 'in-progress', class: { system: 'http://terminology.hl7.org/CodeSystem/v3-ActCode', code: 'AMB' }, subject: { reference: `Patient/${patient}` },
      participant: [{ individual: { reference: `Practitioner/${doctorId}` } }], serviceProvider: { reference: `Organization/${newResourceId(2)}` },
    } })).status).toBe(201)
  }
  const launch = (body: object) => person.request('POST', '/api/launches', { body: { app: 'tool', ...body } })
  const codeOf = ({ json }: Awaited<ReturnType<typeof launch>>) => new URL(json.location).searchParams.get('launch') ?? ''
  const scope = 'launch online_access patient/*.rs'
  const first = (await obtain(platform, person, 'tool', scope, { more: { launch: codeOf(await launch({ patient: own, encounter: visits.get(own) })) } })).json
  expect([first.patient, first.encounter]).toEqual([own, visits.get(own)])
  const second = (await obtain(platform, person, 'tool', scope, { more: { launch: codeOf(await launch({ patient: child })) } })).json
  expect([second.patient, second]).toEqual([child, expect.not.objectContaining({ encounter: expect.anything() })])
  const refreshed = (await tokenRequest(platform, { grant_type: 'refresh_token', refresh_token: first.refresh_token, client_id: 'tool' })).json
  expect([refreshed.patient, refreshed.encounter]).toEqual([own, visits.get(own)])
  // Each token is for its own patient, also after the other launch.
  for (const [{ access_token: token }, mine, other] of [[first, own, child], [refreshed, own, child], [second, child, own]] as const) {
    const asked = (patient: string) => request('GET', `/fhir/Encounter/${visits.get(patient)}`, { headers: { Authorization: `Bearer ${token}` } })
    expect([(await asked(mine)).status, (await asked(other)).status]).toEqual([200, 404])
  }
  // A visit of another patient is not of this one, whoever may see it.
  expect((await launch({ patient: own, encounter: visits.get(child) })).status).toBe(404)
  expect((await launch({ patient: own, encounter: newResourceId(7) })).status).toBe(404)
})

test('a clinician chooses among patients in care, and none other', async () => {
  const person = await signedIn('doctor')
  const begun = await person.request('GET', authorizePath(platform, 'tool', 'launch/patient patient/*.rs', pkce().challenge))
  const asked = (await person.request('GET', `${target(platform, begun)}/request`)).json
  expect(asked.patients.map((each: { id: string }) => each.id).sort()).toEqual([own, child].sort())
  expect((await authorize(platform, person, 'tool', 'launch/patient patient/*.rs', { patient: stranger })).answered?.status).toBe(404)
  expect((await authorize(platform, person, 'tool', 'launch/patient patient/*.rs')).answered?.json.code).toBe('parameter-invalid')
  expect((await obtain(platform, person, 'tool', 'launch/patient patient/*.rs', { patient: child })).json.patient).toBe(child)
})

test('an app for other roles, an app that wants a fresh sign-in, and nobody signed in are told apart', async () => {
  const stateOf = async (person: ReturnType<typeof browser>, app: string, more = {}) => {
    const begun = await person.request('GET', authorizePath(platform, app, 'patient/*.rs', pkce().challenge, more))
    return (await person.request('GET', `${target(platform, begun)}/request`)).json.state
  }
  expect(await stateOf(await signedIn('wang'), 'tool')).toBe('wrong-role')
  expect(await stateOf(browser(platform), 'diary')).toBe('sign-in')
  expect(await stateOf(await signedIn('wang'), 'diary', { scope: 'openid patient/*.rs', max_age: '1' })).toBe('ask')
  const person = await signedIn('wang')
  platform.clock.now = new Date(platform.clock.now.getTime() + 10_000)
  expect(await stateOf(person, 'diary', { scope: 'openid patient/*.rs', max_age: '1' })).toBe('sign-in-again')
})

test('a confidential app proves itself by its key', async () => {
  const key = await newSigningKey()
  await addApp(platform, 'clinic-suite', { auth_method: 'private_key_jwt', jwks: { keys: [key.publicJwk] } })
  const person = await signedIn('wang')
  const { callback, verifier } = await authorize(platform, person, 'clinic-suite', 'launch/patient patient/*.rs', { patient: own })
  const form = { grant_type: 'authorization_code', code: callback.get('code') ?? '', redirect_uri: redirectUri, code_verifier: verifier }
  expect((await tokenRequest(platform, { ...form, client_id: 'clinic-suite' })).json.error).toBe('invalid_client')
  const assertion = await makeClientAssertion('clinic-suite', key, `${issuer}/oidc/token`, new Date(), 'a-1')
  const signed = { ...form, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer', client_assertion: assertion }
  expect((await tokenRequest(platform, signed)).json.patient).toBe(own)
  const next = await authorize(platform, person, 'clinic-suite', 'launch/patient patient/*.rs', { patient: own })
  expect((await tokenRequest(platform, { ...signed, code: next.callback.get('code') ?? '', code_verifier: next.verifier })).json).toMatchObject({ error: 'invalid_client' })
})

test('introspection answers systems about access and refresh tokens; revocation ends both', async () => {
  const key = await newSigningKey()
  await platform.db.insertInto('client').values({ id: 'gateway', display_name: 'Gateway', jwks: { keys: [key.publicJwk] }, scopes: 'system/Observation.rs', organization: null }).execute()
  let count = 0
  const introspect = async (token: string) => (await tokenRequest(platform, {
    token, client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: await makeClientAssertion('gateway', key, `${issuer}/oidc/introspect`, platform.clock.now, `i-${count++}`),
  }, '/oidc/introspect')).json
  const person = await signedIn('wang')
  const { access_token: access, refresh_token: refresh } = (await obtain(platform, person, 'diary', 'openid fhirUser launch/patient offline_access patient/*.rs', { patient: own })).json
  expect(await introspect(access)).toMatchObject({ active: true, client_id: 'diary', sub: account, patient: own, fhirUser: `${issuer}/fhir/Patient/${own}`, token_type: 'Bearer' })
  expect(await introspect(refresh)).toMatchObject({ active: true, client_id: 'diary', sub: account })
  expect(await introspect('nonsense')).toEqual({ active: false })
  expect((await tokenRequest(platform, { token: access, client_id: 'diary' }, '/oidc/introspect')).json.error).toBe('invalid_client')
  await addApp(platform, 'other')
  await tokenRequest(platform, { token: access, client_id: 'other' }, '/oidc/revoke')
  expect((await introspect(access)).active).toBe(true)
  expect((await tokenRequest(platform, { token: access, client_id: 'diary' }, '/oidc/revoke')).status).toBe(200)
  expect([await introspect(access), await introspect(refresh)]).toEqual([{ active: false }, { active: false }])
  const next = (await obtain(platform, person, 'diary', 'launch/patient offline_access patient/*.rs', { patient: own })).json
  expect((await tokenRequest(platform, { token: next.refresh_token, client_id: 'diary' }, '/oidc/revoke')).status).toBe(200)
  expect([await introspect(next.access_token), await introspect(next.refresh_token)]).toEqual([{ active: false }, { active: false }])
})

test('a browser app may ask the token endpoint from its own origin only', async () => {
  const ask = (origin: string) => request('POST', '/oidc/token', { body: 'grant_type=refresh_token&refresh_token=x&client_id=diary', headers: { 'Content-Type': 'application/x-www-form-urlencoded', Origin: origin } })
  expect((await ask('https://app.example')).headers.get('Access-Control-Allow-Origin')).toBe('https://app.example')
  expect((await ask('https://evil.example')).headers.get('Access-Control-Allow-Origin')).not.toBe('https://evil.example')
})
