/** Registration with the real name: everything must agree, one account a citizen, and nobody is looked up this way. */
import { beforeAll, describe, expect, test } from 'vitest'
import { keyOf, newResourceId } from '../../src/fhir/id.ts'
import { residentId } from '../../src/fhir/resident-id.ts'
import { browser } from '../support/app-flow.ts'
import { system, testPlatform } from '../support/platform.ts'

const platform = await testPlatform({ now: new Date() })
const people = [0, 1, 2, 3, 4, 5, 6].map((index) => ({ id: newResourceId(index), residentId: residentId(`999901199${index}0101001`), name: index === 0 ? '阿依古丽·买买提' : `王小${'一二三四五六七'[index]}`, card: `T00${index}` }))

beforeAll(async () => {
  for (const { id, residentId: number, name, card } of people) {
    const reply = await platform.request('PUT', `/fhir/Patient/${id}`, { as: system, body: { resourceType: 'Patient', id, name: [{ text: name }], identifier: [{ system: 'urn:oid:2.16.156.10011.1.3', value: number }, { system: 'urn:x-sh:ssc', value: card }] } })
    expect(reply.status).toBeLessThan(300)
  }
})

const claim = (index: number, more: object = {}) => ({ login: `person${index}`, password: 'four quiet river stones', name: people[index]?.name, residentId: people[index]?.residentId, card: people[index]?.card, ...more })

test('who proves to be the citizen gets an account for that record, and is signed in', async () => {
  const person = browser(platform)
  const reply = await person.request('POST', '/api/register', { body: claim(0, { name: '阿依古丽 • 买买提', card: 't000', residentId: ` ${people[0]?.residentId.toLowerCase()} ` }) })
  expect([reply.status, reply.json.role, reply.json.patient]).toEqual([201, 'citizen', people[0]?.id])
  expect((await person.request('GET', '/api/me')).json.patient).toBe(people[0]?.id)
  expect((await browser(platform).signIn('person0', { password: 'four quiet river stones' })).status).toBe(200)
})

test('what does not agree is refused alike, whatever it is', async () => {
  const answers = []
  for (const more of [{ name: '王小三' }, { card: 'T999' }, { residentId: residentId('99990119850101001') }]) answers.push((await browser(platform).request('POST', '/api/register', { body: claim(1, more) })).json)
  expect(answers[0].code).toBe('account-unproven')
  expect(new Set(answers.map((each) => JSON.stringify(each))).size).toBe(1)
})

test('a number that cannot be one, a weak password and a phone number as account are said before anything is looked up', async () => {
  const faultOf = async (more: object) => (await browser(platform).request('POST', '/api/register', { body: claim(1, more) })).json
  expect(await faultOf({ residentId: '999901199001010011' })).toMatchObject({ code: 'parameter-invalid', issues: [{ field: 'residentId' }] })
  expect((await faultOf({ password: 'short' })).code).toBe('password-weak')
  expect(await faultOf({ login: '13912345678' })).toMatchObject({ code: 'parameter-invalid', issues: [{ field: 'login' }] })
})

test('of two who register the same citizen at once one succeeds; a taken account name is refused', async () => {
  const both = await Promise.all(['first', 'second'].map((login) => browser(platform).request('POST', '/api/register', { body: claim(2, { login }) })))
  expect(both.map((each) => each.status).sort()).toEqual([201, 409])
  expect((await browser(platform).request('POST', '/api/register', { body: claim(3, { login: 'PERSON0' }) })).json.code).toBe('account-exists')
})

test('guesses of a card are slowed down', async () => {
  const statuses: number[] = []
  for (let tries = 0; tries < 7; tries++) statuses.push((await browser(platform).request('POST', '/api/register', { body: claim(3, { card: `T90${tries}` }) })).status)
  expect(statuses.slice(0, 4)).toEqual([422, 422, 422, 422])
  expect(statuses.at(-1)).toBe(429)
})

test('the number of the e-voucher proves as the card does', async () => {
  const { status } = await platform.request('POST', '/fhir/Coverage', { as: system, body: { resourceType: 'Coverage', status: 'active', identifier: [{ system: 'urn:x-nhsa:psn_no:310000', value: '310000004' }], beneficiary: { reference: `Patient/${people[4]?.id}` }, payor: [{ display: '医保中心' }] } })
  expect(status).toBe(201)
  expect((await browser(platform).request('POST', '/api/register', { body: claim(5, { card: '310000004' }) })).json.code).toBe('account-unproven')
  const reply = await browser(platform).request('POST', '/api/register', { body: claim(4, { card: '3100 00004' }) })
  expect([reply.status, reply.json.patient]).toEqual([201, people[4]?.id])
})

describe('a forgotten password', () => {
  const { login: _, ...proof } = claim(5)
  const recover = (body: object) => browser(platform).request('POST', '/api/recover-password', { body })
  const fresh = 'seven green paper boats'

  test('is replaced by who proves to be the citizen; sessions end; the answer is the same without an account', async () => {
    const without = await recover({ ...proof, password: fresh })
    const person = browser(platform)
    expect((await person.request('POST', '/api/register', { body: claim(5) })).status).toBe(201)
    const done = await recover({ ...proof, password: fresh })
    const plain = (reply: typeof done) => [reply.status, reply.text, [...reply.headers].filter(([name]) => !['x-request-id', 'date'].includes(name))]
    expect(plain(done)).toEqual(plain(without))
    expect(done.status).toBe(204)
    expect((await person.request('GET', '/api/me')).status).toBe(401)
    expect((await browser(platform).signIn('person5', { password: 'four quiet river stones' })).status).toBe(401)
    expect((await browser(platform).signIn('person5', { password: fresh })).status).toBe(200)
    const log = await platform.db.selectFrom('audit_event').select('interaction').where('pid', '=', keyOf(people[5]?.id ?? '')).where('interaction', '=', 'recover-password').execute()
    expect(log).toHaveLength(2)
  })

  test('is not by who proves nothing, chooses a weak one, or guesses; and not for an account that holds another role', async () => {
    const { login: __, ...other } = claim(6)
    expect((await recover({ ...other, password: 'short' })).json.code).toBe('password-weak')
    const unproven = await recover({ ...other, password: fresh, name: '王小三' })
    expect([unproven.status, unproven.json.code]).toEqual([422, 'account-unproven'])
    const registered = await browser(platform).request('POST', '/api/register', { body: claim(6) })
    expect(registered.status).toBe(201)
    const account = await platform.db.selectFrom('account').select('id').where('login', '=', 'person6').executeTakeFirstOrThrow()
    await platform.db.insertInto('account_role').values({ account_id: account.id, role: 'scheduler', patient: null, practitioner: null, organization: 'h', organization_name: 'h' }).execute()
    expect((await recover({ ...other, password: fresh })).status).toBe(204)
    expect((await browser(platform).signIn('person6', { password: fresh })).status).toBe(401)
    const statuses: number[] = []
    for (let tries = 0; tries < 7; tries++) statuses.push((await recover({ ...other, password: fresh, card: `T90${tries}` })).status)
    expect([statuses[0], statuses.at(-1)]).toEqual([422, 429])
  })
})
