/** Registration with the real name: everything must agree, one account a citizen, and nobody is looked up this way. */
import { beforeAll, expect, test } from 'vitest'
import { newResourceId } from '../../src/fhir/id.ts'
import { residentId } from '../../src/fhir/resident-id.ts'
import { browser } from '../support/app-flow.ts'
import { system, testPlatform } from '../support/platform.ts'

const platform = await testPlatform({ now: new Date() })
const people = [0, 1, 2, 3].map((index) => ({ id: newResourceId(index), residentId: residentId(`999901199${index}0101001`), name: index === 0 ? '阿依古丽·买买提' : `王小${'一二三四'[index]}`, card: `T00${index}` }))

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
