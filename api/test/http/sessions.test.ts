/** Sessions that end, guesses that are slowed down, the second factor and step-up, as a person's browser meets them. */
import { beforeAll, beforeEach, expect, test } from 'vitest'
import { codeOf, stepAt } from '../../src/access/totp.ts'
import { newResourceId } from '../../src/fhir/id.ts'
import { watchIdentity } from '../../src/watch-identity.ts'
import { createApp } from '../../src/app.ts'
import { readConfig } from '../../src/config.ts'
import { makeServices } from '../../src/platform-services.ts'
import { addAccount, addApp, browser, obtain, password, tokenRequest } from '../support/app-flow.ts'
import { testPlatform } from '../support/platform.ts'

const platform = await testPlatform({ now: new Date() })
const { request, clock, db } = platform
const later = (minutes: number) => { clock.now = new Date(clock.now.getTime() + minutes * 60_000) }
let logins = 0
let login = ''
let doctor = ''

beforeAll(async () => { await addApp(platform, 'diary') })
// Each test has people of its own, so that none meets another's sessions or failures.
beforeEach(async () => {
  login = `citizen-${logins++}`
  doctor = `doctor-${logins}`
  await addAccount(platform, login, [{ role: 'citizen', patient: newResourceId(5) }], { phone: `139${String(logins).padStart(8, '0')}` })
  await addAccount(platform, doctor, [{ role: 'clinician', practitioner: newResourceId(1), organization: 'h' }])
})

const signedIn = async (who: string, headers = {}) => {
  const person = browser(platform, headers)
  expect((await person.signIn(who)).status).toBe(200)
  return person
}
const me = async (person: ReturnType<typeof browser>) => (await person.request('GET', '/api/me')).status
const wrong = (person: ReturnType<typeof browser>, who = login) => person.signIn(who, { password: 'wrong' })

test('a sign-in shows in the list of sessions, and ends on its own or all at once, from the next request on', async () => {
  const phone = await signedIn(login, { 'User-Agent': 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/604.1' })
  const desk = await signedIn(login, { 'User-Agent': 'Mozilla/5.0 (Windows NT 10.0) Chrome/153.0.0.0 Safari/537.36' })
  const third = await signedIn(login)
  const list = (await desk.request('GET', '/api/sessions')).json
  expect(list.map((each: { device: string; current: boolean }) => [each.device, each.current]).sort()).toEqual([['?', false], ['Chrome · Windows', true], ['Safari · iOS', false]])
  const other = list.find((each: { device: string }) => each.device === 'Safari · iOS').id
  expect((await desk.request('DELETE', `/api/sessions/${other}`)).status).toBe(204)
  expect([await me(phone), await me(desk), await me(third)]).toEqual([401, 200, 200])
  expect((await desk.request('POST', '/api/sessions/end-all', { body: {} })).status).toBe(204)
  expect([await me(desk), await me(third)]).toEqual([401, 401])
})

test('nobody ends the session of another', async () => {
  const victim = await signedIn(login)
  const attacker = await signedIn(doctor)
  const [{ id }] = (await victim.request('GET', '/api/sessions')).json
  expect((await attacker.request('DELETE', `/api/sessions/${id}`)).status).toBe(404)
  expect((await attacker.request('DELETE', '/api/sessions/nonsense')).status).toBe(404)
  expect(await me(victim)).toBe(200)
})

test('a copied cookie is worth nothing after sign-out', async () => {
  const person = await signedIn(login)
  const cookie = `pujiang_session=${person.cookies('/').pujiang_session}`
  expect((await person.request('POST', '/api/sign-out', { body: {} })).json).toEqual({ location: null })
  const reply = await request('GET', '/api/me', { headers: { Cookie: cookie } })
  expect([reply.status, reply.json.code]).toEqual([401, 'session-ended'])
  expect((await person.request('GET', '/api/settings', { headers: { Cookie: cookie } })).status).toBe(200)
})

test('an idle session ends: a citizen\'s after 30 minutes, a professional\'s after 15; use keeps it, for 8 hours at most', async () => {
  const [citizen, clinician] = [await signedIn(login), await signedIn(doctor)]
  later(14)
  expect([await me(citizen), await me(clinician)]).toEqual([200, 200])
  later(16)
  expect([await me(citizen), await me(clinician)]).toEqual([200, 401])
  later(31)
  expect(await me(citizen)).toBe(401)
  const busy = await signedIn(login)
  for (let minutes = 0; minutes < 7 * 60; minutes += 29) { later(29); expect(await me(busy)).toBe(200) }
  later(29)
  later(29)
  expect(await me(busy)).toBe(401)
})

test('sign-out ends the apps that were to end with it, and sign-out everywhere ends them all', async () => {
  const use = async (token: string) => (await request('GET', '/fhir/Observation?_count=1', { headers: { Authorization: `Bearer ${token}` } })).status
  const refresh = async (token: string) => (await tokenRequest(platform, { grant_type: 'refresh_token', refresh_token: token, client_id: 'diary' })).status
  const person = await signedIn(login)
  const online = (await obtain(platform, person, 'diary', 'openid online_access user/*.rs')).json
  const offline = (await obtain(platform, person, 'diary', 'openid offline_access user/*.rs')).json
  expect([await use(online.access_token), await use(offline.access_token)]).toEqual([200, 200])
  expect((await person.request('GET', '/api/sessions')).json.map((each: { app: { id: string; offline: boolean } | null }) => each.app?.offline ?? null).sort()).toEqual([false, null, true])
  await person.request('POST', '/api/sign-out', { body: {} })
  expect([await use(online.access_token), await refresh(online.refresh_token)]).toEqual([401, 400])
  expect(await use(offline.access_token)).toBe(200)
  const again = await signedIn(login)
  await again.request('POST', '/api/sessions/end-all', { body: {} })
  expect([await use(offline.access_token), await refresh(offline.refresh_token)]).toEqual([401, 400])
})

test('an ended session is ended in every process', async () => {
  const services = await makeServices(readConfig({ LOG_LEVEL: 'silent', PORT: '8080' }), 'second', { db, now: () => clock.now })
  const second = createApp(services)
  const watched = await watchIdentity(services, platform.url)
  const person = await signedIn(login)
  const cookie = `pujiang_session=${person.cookies('/').pujiang_session}`
  const elsewhere = async () => (await second.request('/api/me', { headers: { Cookie: cookie } })).status
  expect(await elsewhere()).toBe(200)
  await person.request('POST', '/api/sessions/end-all', { body: {} })
  // The notice travels on a line of its own; what is asked is that it arrives, not how soon.
  for (let tries = 0; tries < 100 && await elsewhere() === 200; tries++) await new Promise((done) => { setTimeout(done, 20) })
  expect(await elsewhere()).toBe(401)
  await watched.stop()
})

test('where two factors are asked of staff, one opens no more than the way to the second', async () => {
  const strict = createApp({ ...platform.services, config: { ...platform.services.config, staffSecondFactor: true } })
  const ask = async (person: ReturnType<typeof browser>, path: string) => (await strict.request(path, { headers: { Cookie: `pujiang_session=${person.cookies('/').pujiang_session}` } })).status
  const [staff, citizen] = [await signedIn(doctor), await signedIn(login)]
  expect([await ask(staff, '/fhir/Patient'), await ask(staff, '/api/sessions'), await ask(staff, '/api/account')]).toEqual([403, 403, 200])
  expect(await ask(citizen, '/fhir/Patient')).toBe(200)
  const { person } = await withAuthenticator(doctor)
  expect(await ask(person, '/fhir/Patient')).toBe(200)
})

test('where notices are lost, an ended session is noticed within half a minute', async () => {
  const services = await makeServices(readConfig({ LOG_LEVEL: 'silent', PORT: '8080' }), 'deaf', { db, now: () => clock.now })
  const deaf = createApp(services)
  const person = await signedIn(login)
  const cookie = `pujiang_session=${person.cookies('/').pujiang_session}`
  const elsewhere = async () => (await deaf.request('/api/me', { headers: { Cookie: cookie } })).status
  expect(await elsewhere()).toBe(200)
  await person.request('POST', '/api/sessions/end-all', { body: {} })
  later(31 / 60)
  expect(await elsewhere()).toBe(401)
})

test('five wrong passwords block that network, say for how long, and not the owner on a browser of their own', async () => {
  const owner = await signedIn(login)
  await owner.request('POST', '/api/sign-out', { body: {} })
  const attacker = browser(platform)
  for (let tries = 0; tries < 5; tries++) expect((await wrong(attacker)).status).toBe(401)
  const blocked = await attacker.signIn(login)
  expect([blocked.status, blocked.json.code]).toEqual([429, 'sign-in-throttled'])
  expect(Number(blocked.headers.get('Retry-After'))).toBeGreaterThan(500)
  expect((await owner.signIn(login)).status).toBe(200)
  later(11)
  expect((await wrong(attacker)).status).toBe(401)
  expect(Number((await attacker.signIn(login)).headers.get('Retry-After'))).toBeGreaterThan(1100)
  later(21)
  expect((await attacker.signIn(login)).status).toBe(200)
})

test('a browser known to one account is a stranger to another', async () => {
  const owner = await signedIn(login)
  for (let tries = 0; tries < 5; tries++) await wrong(owner, doctor)
  expect((await owner.signIn(doctor)).status).toBe(429)
  expect((await browser(platform).signIn(login)).status).toBe(200)
})

test('many guesses at once count as many', async () => {
  const attacker = browser(platform)
  const statuses = (await Promise.all(Array.from({ length: 20 }, () => wrong(attacker)))).map((each) => each.status)
  expect(statuses.filter((each) => each === 401).length).toBeLessThanOrEqual(5)
  expect(statuses.filter((each) => each === 429).length).toBeGreaterThanOrEqual(15)
})

test('an unknown login is slowed down like a known one', async () => {
  const attacker = browser(platform)
  for (let tries = 0; tries < 5; tries++) expect((await wrong(attacker, `nobody-${logins}`)).status).toBe(401)
  expect((await wrong(attacker, `nobody-${logins}`)).status).toBe(429)
})

test('people sign in with their phone number as they write it', async () => {
  const { phone } = await db.selectFrom('account').select('phone').where('login', '=', login).executeTakeFirstOrThrow()
  expect((await browser(platform).signIn(`+86 ${phone?.slice(0, 3)} ${phone?.slice(3, 7)} ${phone?.slice(7)}`)).status).toBe(200)
})

test('a changed password must be a good one, ends the other sessions, and the old one is wrong then', async () => {
  const [person, other] = [await signedIn(login), await signedIn(login)]
  const change = (current: string, next: string) => person.request('POST', '/api/account/password', { body: { current, password: next } })
  expect((await change('wrong', 'four quiet river stones')).json.code).toBe('sign-in-failed')
  expect((await change(password, 'short')).json.code).toBe('password-weak')
  expect((await change(password, 'four quiet river stones')).status).toBe(204)
  expect([await me(person), await me(other)]).toEqual([200, 401])
  expect((await browser(platform).signIn(login)).status).toBe(401)
  expect((await browser(platform).signIn(login, { password: 'four quiet river stones' })).status).toBe(200)
})

async function withAuthenticator(who: string) {
  const person = await signedIn(who)
  const begun = (await person.request('POST', '/api/account/second-factor', { body: { password } })).json
  const secret = unbase32(begun.secret)
  const code = () => codeOf(secret, stepAt(clock.now))
  expect(begun.uri).toContain(`secret=${begun.secret}`)
  expect((await person.request('POST', '/api/account/second-factor/confirm', { body: { code: '000000' } })).json.code).toBe('second-factor-failed')
  const { recoveryCodes } = (await person.request('POST', '/api/account/second-factor/confirm', { body: { code: code() } })).json as { recoveryCodes: string[] }
  expect(new Set(recoveryCodes).size).toBe(10)
  later(1)
  return { person, code, recoveryCodes }
}

test('with an authenticator a password is not enough, a code counts once, and a recovery code stands in once', async () => {
  const { code, recoveryCodes } = await withAuthenticator(doctor)
  const person = browser(platform)
  expect((await person.signIn(doctor)).json).toEqual({ secondFactor: true })
  expect(await me(person)).toBe(401)
  expect((await person.signIn(doctor, { code: '123456' })).json.code).toBe('second-factor-failed')
  const used = code()
  expect((await person.signIn(doctor, { code: used })).json.role).toBe('clinician')
  expect((await browser(platform).signIn(doctor, { code: used })).json.code).toBe('second-factor-failed')
  const lost = browser(platform)
  expect((await lost.signIn(doctor, { code: recoveryCodes[0]?.toUpperCase() })).status).toBe(200)
  expect((await browser(platform).signIn(doctor, { code: recoveryCodes[0] })).status).toBe(401)
  expect((await lost.request('GET', '/api/account')).json).toMatchObject({ secondFactor: 'on', recoveryCodesLeft: 9, authLevel: 'second-factor' })
})

test('a known password does not buy endless guesses of codes', async () => {
  await withAuthenticator(doctor)
  const attacker = browser(platform)
  const statuses: number[] = []
  for (let tries = 0; tries < 6; tries++) statuses.push((await attacker.signIn(doctor)).status, (await attacker.signIn(doctor, { code: String(100_000 + tries) })).status)
  expect(statuses.filter((each) => each === 429).length).toBeGreaterThanOrEqual(6)
})

test('the secret of an authenticator is sealed in the database', async () => {
  const person = await signedIn(doctor)
  const { secret } = (await person.request('POST', '/api/account/second-factor', { body: { password } })).json
  const rows = JSON.stringify(await db.selectFrom('account').select(['login', 'totp_secret']).where('login', '=', doctor).execute())
  expect(rows).not.toContain(secret)
  expect(rows).not.toContain(unbase32(secret).toString('base64url'))
})

test('step-up raises this session for a while, and only with a code', async () => {
  const { person, code } = await withAuthenticator(doctor)
  later(10)
  const remove = () => person.request('DELETE', '/api/account/second-factor')
  expect((await remove()).json.code).toBe('step-up-required')
  expect((await person.request('POST', '/api/step-up', { body: { code: '000000' } })).json.code).toBe('second-factor-failed')
  expect((await remove()).json.code).toBe('step-up-required')
  expect((await person.request('POST', '/api/step-up', { body: { code: code() } })).status).toBe(204)
  later(6)
  expect((await remove()).json.code).toBe('step-up-required')
  expect((await person.request('POST', '/api/step-up', { body: { code: code() } })).status).toBe(204)
  expect((await remove()).status).toBe(204)
  expect((await browser(platform).signIn(doctor)).json.role).toBe('clinician')
})

test('the demo code serves demo accounts, and no one in production', async () => {
  expect((await (await signedIn(doctor)).request('POST', '/api/step-up', { body: { code: '246810' } })).json.code).toBe('second-factor-missing')
  await db.updateTable('account').set({ demo: true }).where('login', '=', doctor).execute()
  const person = await signedIn(doctor)
  expect((await person.request('POST', '/api/step-up', { body: { code: '246810' } })).status).toBe(204)
  platform.services.factors.demoCode = null
  expect((await person.request('POST', '/api/step-up', { body: { code: '246810' } })).json.code).toBe('second-factor-missing')
})

function unbase32(text: string): Buffer {
  const bits = [...text].map((letter) => 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'.indexOf(letter).toString(2).padStart(5, '0')).join('')
  return Buffer.from((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)))
}
