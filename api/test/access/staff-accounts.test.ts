/** Accounts of professionals from their opening to their end, as `npm run account` and the person's browser meet them. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { watchIdentity } from '../../src/watch-identity.ts'
import { createAccounts } from '../../src/access/accounts.ts'
import { keyOf, newResourceId } from '../../src/fhir/id.ts'
import { residentId, residentIdSystem } from '../../src/fhir/resident-id.ts'
import { addStaff, endStaff, listStaff, renewStaffPassword, roleOfStaff } from '../../src/staff-commands.ts'
import { inTransaction } from '../../src/storage/transaction.ts'
import { browser } from '../support/app-flow.ts'
import { system, testPlatform } from '../support/platform.ts'

const platform = await testPlatform({ now: new Date() })
const { request, clock, db, url } = platform
const watched = await watchIdentity(platform.services, url)
afterAll(() => watched.stop())
const ids = { hospital: '', other: '', doctor: '', clerk: '' }
const idNumber = residentId('31011519800101001')
const chosen = 'seven quiet herons at dusk'

beforeAll(async () => {
  const make = async (body: { resourceType: string } & Record<string, unknown>): Promise<string> => {
    const reply = await request('POST', `/fhir/${body.resourceType}`, { as: system, body })
    expect(reply.status).toBe(201)
    return reply.json.id
  }
  ids.hospital = await make({ resourceType: 'Organization', name: '第一人民医院' })
  ids.other = await make({ resourceType: 'Organization', name: '第二人民医院' })
  ids.doctor = await make({ resourceType: 'Practitioner', name: [{ text: '李娜' }] })
  ids.clerk = await make({ resourceType: 'Patient', name: [{ text: '郑晔' }], identifier: [{ system: residentIdSystem, value: idNumber }] })
})

/** The password that was printed. */
const printed = (lines: readonly string[]) => /password: (\S+)/.exec(lines.join('\n'))?.[1] ?? ''
const signIn = (login: string, password: string) => browser(platform).signIn(login, { password })
const days = (count: number) => new Date(clock.now.getTime() + count * 24 * 3_600_000)

test('a doctor gets an account, signs in with what was printed, chooses a password, and is out when it ends', async () => {
  const lines = await addStaff(db, clock.now, { login: 'Li.Na', name: '李娜', role: 'clinician', practitioner: ids.doctor, organization: ids.hospital })
  const password = printed(lines)
  expect(password).toMatch(/^(?:[a-z2-9]{5}-){3}[a-z2-9]{5}$/)
  const person = browser(platform)
  const me = await person.signIn('li.na', { password })
  expect(me.json).toMatchObject({ name: '李娜', role: 'clinician', practitioner: ids.doctor, organization: ids.hospital, organizationName: '第一人民医院', passwordUntil: expect.stringContaining('+08:00') })
  expect((await person.request('GET', '/api/account')).json.passwordUntil).toContain('+08:00')
  expect(await listStaff(db)).toEqual([expect.stringMatching(/^li\.na\t李娜\tclinician @ 第一人民医院\tno second factor\tinitial password until /)])
  expect((await person.request('POST', '/api/account/password', { body: { current: password, password: chosen } })).status).toBe(204)
  expect((await person.request('GET', '/api/account')).json.passwordUntil).toBeNull()
  clock.now = days(5)
  expect((await signIn('li.na', chosen)).status).toBe(200)
  await roleOfStaff(db, clock.now, { login: 'li.na', role: 'clinician', practitioner: ids.doctor, organization: ids.other })
  expect((await signIn('li.na', chosen)).json.choose).toHaveLength(2)
  await expect(roleOfStaff(db, clock.now, { login: 'li.na', role: 'clinician', practitioner: ids.doctor, organization: ids.other })).rejects.toThrow(/has this role already/)
  await endStaff(db, clock.now, { login: 'li.na', organization: ids.other })
  const again = browser(platform)
  expect((await again.signIn('li.na', { password: chosen })).json.organization).toBe(ids.hospital)
  await expect(endStaff(db, clock.now, { login: 'li.na', organization: 'nowhere' })).rejects.toThrow(/no such role/)
  await endStaff(db, clock.now, { login: 'li.na' })
  await expect(endStaff(db, clock.now, { login: 'li.na' })).rejects.toThrow(/no such role/)
  await expect.poll(async () => (await again.request('GET', '/api/me')).status).toBe(401)
  expect((await signIn('li.na', chosen)).status).toBe(401)
})

test('a password that was handed out counts for three days, and says so only to whoever knows it', async () => {
  const password = printed(await addStaff(db, clock.now, { login: 'late', name: '何迟', role: 'public-health' }))
  clock.now = days(3.1)
  const late = await signIn('late', password)
  expect([late.status, late.json.code]).toEqual([401, 'password-expired'])
  expect((await signIn('late', 'wrong')).json.code).toBe('sign-in-failed')
  const renewed = printed(await renewStaffPassword(db, clock.now, { login: 'late', 'factor-lost': true }))
  const person = browser(platform)
  expect((await person.signIn('late', { password: renewed })).status).toBe(200)
  await renewStaffPassword(db, clock.now, { login: 'late' })
  await expect.poll(async () => (await person.request('GET', '/api/me')).status).toBe(401)
  expect((await signIn('late', renewed)).status).toBe(401)
})

test('an administrator is a person of the index, and nobody is two of the three, under whatever accounts', async () => {
  const admin = { name: '郑晔', 'id-number': idNumber }
  await addStaff(db, clock.now, { login: 'zheng', role: 'admin-security', ...admin })
  await expect(addStaff(db, clock.now, { login: 'zheng2', role: 'admin-audit', ...admin })).rejects.toThrow(/Nobody is two of/)
  await expect(roleOfStaff(db, clock.now, { login: 'zheng', role: 'admin-system', ...admin })).rejects.toThrow(/Nobody is two of/)
  expect((await listStaff(db)).some((line) => line.startsWith('zheng2'))).toBe(false)
  await expect(addStaff(db, clock.now, { login: 'ghost', role: 'admin-audit', name: '曹瑛', 'id-number': idNumber })).rejects.toThrow(/person index/)
  // Whatever writes them: the database holds it.
  const role = { role: 'admin-audit' as const, patient: null, practitioner: null, organization: null, organizationName: null }
  const raw = (person: string | null) => inTransaction(db, (trx) => createAccounts(trx, [{ id: newResourceId(null), login: `raw-${person}`, passwordHash: 'x', displayName: 'x', demo: false, roles: [{ ...role, person }] }], clock.now))
  await expect(raw(null)).rejects.toThrow(/account_role_administrator_person/)
  await expect(raw(keyOf(ids.clerk))).rejects.toThrow(/Nobody is two of/)
  const racing = await Promise.allSettled(['x1', 'x2'].map(() => raw(newResourceId(null)).then(() => raw(keyOf('one person')))))
  expect(racing.filter((each) => each.status === 'fulfilled').length).toBeLessThanOrEqual(1)
})

test.each<[Record<string, string>, RegExp]>([
  [{ login: 'x1', name: 'x', role: 'clinician', organization: 'no' }, /--practitioner is missing/], [{ login: 'x2', name: 'x', role: 'scheduler', organization: 'no' }, /no Organization\/no/],
  [{ login: 'x3', name: 'x', role: 'king' }, /no role "king"/], [{ login: '13800000000', name: 'x', role: 'public-health' }, /login/], [{ name: 'x', role: 'public-health' }, /--login is missing/],
  [{ login: 'x4', name: 'x', role: 'citizen' }, /no role "citizen"/],
])('nonsense gets a sentence and leaves nothing: %j', async (options, sentence) => {
  await expect(addStaff(db, clock.now, options)).rejects.toThrow(sentence)
  expect((await listStaff(db)).filter((line) => /^(?:x\d|138)/.test(line))).toEqual([])
})

test('the command prints usage, works on the database it is given, and says no in words', async () => {
  const run = (...args: string[]) => promisify(execFile)(process.execPath, ['src/account.ts', ...args], { cwd: new URL('../..', import.meta.url), env: { ...process.env, DATABASE_URL: url } })
  await expect(run()).rejects.toMatchObject({ stderr: expect.stringContaining('Usage: npm run --silent account') })
  expect((await run('add', '--login', 'han', '--name', '韩文斌', '--role', 'public-health')).stdout).toMatch(/^han: 韩文斌, public-health\npassword: \S+\nIt counts until /)
  await expect(run('add', '--login', 'han', '--name', '韩文斌', '--role', 'public-health')).rejects.toMatchObject({ stderr: expect.stringContaining('registered already') })
  await expect(run('end', '--login', 'nobody')).rejects.toMatchObject({ stderr: expect.stringContaining('There is no account "nobody".') })
}, 60_000)
