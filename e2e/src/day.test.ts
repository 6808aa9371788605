/**
 * Around the visit: a citizen is reminded and chooses how, checks in at the desk with the right document only, is called by the doctor and sees
 * the number in the hall; the scheduler changes a weekly pattern after seeing whom it touches; a draw is entered and computed again.
 */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import { atScreen, type Person, signIn } from './person.ts'
import { morning, type Platform, startPlatform } from './platform.ts'

let browser: Browser
let platform: Platform
let citizen: Person
let scheduler: Person
let doctor: Person
let visitor: Person
let patient = { name: '', document: '' }
let appointment = ''
let organization = ''

beforeAll(async () => {
  browser = await launchBrowser()
  platform = await startPlatform({ name: 'day', citizens: 60 })
  citizen = await atScreen(browser, platform.url, 'phone', 'zh')
  scheduler = await atScreen(browser, platform.url, 'desktop', 'zh')
  doctor = await atScreen(browser, platform.url, 'desktop', 'en')
  visitor = await atScreen(browser, platform.url, 'desktop', 'en')
  await signIn(citizen, 'citizen')
  await citizen.link(citizen.word('nav.departments')).waitFor()
  await signIn(scheduler, 'scheduler')
  await scheduler.heading(scheduler.word('title.office')).waitFor()
  await signIn(doctor, 'doctor')
  await doctor.heading(doctor.word('title.clinic')).waitFor()
})
afterAll(async () => {
  for (const each of [citizen, scheduler, doctor, visitor]) await each?.leave()
  await platform?.stop()
  await browser?.close()
})

/** JSON of an address, asked with the person's own session. */
function ask<T>(person: Person, method: string, path: string, body: unknown = null): Promise<T> {
  return person.page.evaluate(async (call) => {
    const reply = await fetch(call.path, { method: call.method, headers: { 'content-type': call.path.startsWith('/fhir') ? 'application/fhir+json' : 'application/json' }, ...(call.body === null ? {} : { body: JSON.stringify(call.body) }) })
    return await reply.json() as never
  }, { method, path, body }) as Promise<T>
}

test('a citizen who booked is told at once, and chooses how to be reminded', async () => {
  const me = await ask<{ patient: string }>(citizen, 'GET', '/api/me')
  const work = await ask<{ practitioner: string; organization: string }>(doctor, 'GET', '/api/me')
  organization = work.organization
  const person = await ask<{ name: { text: string }[]; identifier: { value: string }[] }>(citizen, 'GET', `/fhir/Patient/${me.patient}`)
  patient = { name: person.name[0]?.text ?? '', document: person.identifier[0]?.value ?? '' }
  const day = morning.toLocaleDateString('sv-SE', { timeZone: 'Asia/Shanghai' })
  const found = await ask<{ parameter: { part: { name: string; part?: { name: string; valueReference?: { reference: string } }[] }[] }[] }>(citizen, 'GET', `/fhir/Appointment/$find?practitioner=${work.practitioner}&start=${day}&end=${day}`)
  const slot = found.parameter.flatMap((each) => each.part ?? []).flatMap((each) => each.part ?? []).find((each) => each.name === 'slot')?.valueReference?.reference
  expect(slot).toBeTruthy()
  const booked = await ask<{ id: string }>(citizen, 'POST', '/fhir/Appointment/$book', {
    resourceType: 'Parameters', parameter: [{ name: 'slot', valueReference: { reference: slot } }, { name: 'patient', valueReference: { reference: `Patient/${me.patient}` } }],
  })
  appointment = booked.id
  await citizen.page.goto('/account/messages')
  await citizen.page.getByText('您已约好').first().waitFor({ timeout: 30_000 })
  await citizen.see('day-01-messages', citizen.word('title.messages'))
  await citizen.page.getByLabel(citizen.word('messages.first', { count: 1 })).selectOption('sms')
  await citizen.button(citizen.word('messages.save')).click()
  await citizen.page.getByText(citizen.word('messages.chooseTwice')).waitFor()
  await citizen.page.getByLabel(citizen.word('messages.first', { count: 2 })).selectOption('app')
  await citizen.button(citizen.word('messages.save')).click()
  await citizen.page.waitForLoadState('networkidle')
  await citizen.page.reload()
  await expect.poll(() => citizen.page.getByLabel(citizen.word('messages.first', { count: 1 })).inputValue()).toBe('sms')
  await citizen.button(citizen.word('messages.markRead')).first().click()
  await citizen.page.getByText(citizen.word('messages.read'), { exact: true }).first().waitFor()
})

test('the desk checks the patient in with the right document only; then code and cancelling are gone', async () => {
  await citizen.page.goto(`/appointments/${appointment}`)
  await citizen.heading(citizen.word('done.codeTitle')).waitFor()
  await citizen.button(citizen.word('appointments.cancel')).waitFor()
  await scheduler.page.goto('/office/check-in')
  await scheduler.see('day-02-check-in', scheduler.word('title.checkIn'))
  const fill = async (name: string) => {
    await scheduler.page.getByLabel(scheduler.word('arrival.code')).fill(`pujiang:appointment:${appointment}`)
    await scheduler.page.getByLabel(scheduler.word('arrival.name'), { exact: true }).fill(name)
    await scheduler.page.getByLabel(scheduler.word('arrival.document'), { exact: true }).fill(patient.document)
    await scheduler.button(scheduler.word('arrival.submit')).click()
  }
  await fill('别的人')
  await scheduler.page.getByText(scheduler.word('outcome.identity-mismatch')).waitFor()
  await scheduler.see('day-03-mismatch', scheduler.word('title.checkIn'))
  await fill(patient.name)
  await scheduler.page.getByRole('status').filter({ hasText: scheduler.word('arrival.next') }).waitFor()
  await scheduler.see('day-04-checked-in', scheduler.word('title.checkIn'))
  await citizen.page.reload()
  await citizen.heading(citizen.word('queue.title')).waitFor()
  await citizen.see('day-05-queue', citizen.word('title.appointment'))
  expect(await citizen.heading(citizen.word('done.codeTitle')).count()).toBe(0)
  expect(await citizen.button(citizen.word('appointments.cancel')).count()).toBe(0)
})

test('the doctor calls, and the hall shows the number to everybody', async () => {
  await doctor.page.reload()
  await doctor.button(doctor.word('queue.call')).waitFor()
  await doctor.see('day-06-call-bar', doctor.word('title.clinic'))
  await doctor.button(doctor.word('queue.call')).click()
  await doctor.button(doctor.word('queue.skip')).waitFor()
  await doctor.see('day-07-called', doctor.word('title.clinic'))
  await visitor.page.goto(`/halls/${organization}`)
  const english = visitor.button('English')
  await visitor.page.getByRole('table').waitFor()
  if (await english.isVisible()) await english.click()
  await visitor.page.getByRole('row').filter({ has: visitor.page.getByRole('cell', { name: '1', exact: true }) }).first().waitFor()
  await visitor.see('day-08-hall', visitor.word('title.hall'))
})

test('the scheduler sees what a change of a pattern would do, then makes it', async () => {
  await scheduler.page.goto('/office/supply')
  await scheduler.see('day-09-supply', scheduler.word('title.supply'))
  await scheduler.page.getByRole('table', { name: scheduler.word('supply.patterns') }).getByRole('button', { name: new RegExp(scheduler.word('action.change')) }).first().click()
  await scheduler.page.getByRole('dialog').getByLabel(scheduler.word('supply.segment')).fill('20')
  await scheduler.button(scheduler.word('supply.preview')).click()
  await scheduler.button(scheduler.word('supply.confirm')).waitFor()
  await scheduler.see('day-10-effects', scheduler.word('title.supply'))
  await scheduler.button(scheduler.word('supply.confirm')).click()
  const history = scheduler.page.getByRole('table', { name: scheduler.word('parameters.history') })
  await history.getByText(scheduler.word('supply.changeKind.pattern-changed')).waitFor()
  const clinics = scheduler.page.getByRole('region', { name: scheduler.word('supply.services') })
  await clinics.getByLabel(scheduler.word('supply.inDepartment')).fill('变态')
  await clinics.getByRole('listbox').getByRole('option').first().click()
  await clinics.getByRole('button', { name: scheduler.word('supply.addService') }).click()
  await history.getByText(scheduler.word('supply.changeKind.service-new')).waitFor()
  const doctors = scheduler.page.getByRole('region', { name: scheduler.word('supply.doctors') })
  await doctors.getByText(scheduler.word('supply.noDoctors')).waitFor()
  await doctors.getByLabel(scheduler.word('supply.nameZh')).fill('沈一诺')
  await doctors.getByLabel(scheduler.word('supply.nameEn')).fill('Shen Yinuo')
  await doctors.getByRole('button', { name: scheduler.word('supply.addDoctor') }).click()
  await history.getByText(scheduler.word('supply.changeKind.doctor-new')).waitFor()
  await doctors.getByText('沈一诺').first().waitFor()
  await scheduler.see('day-10-clinics', scheduler.word('title.supply'))
  await scheduler.page.goto('/office/calendar')
  await scheduler.see('day-11-calendar', scheduler.word('title.calendar'))
  await scheduler.page.goto('/office/releases')
  await scheduler.see('day-12-releases', scheduler.word('title.releases'))
  await scheduler.page.goto('/office/parameters')
  await scheduler.page.getByRole('row', { name: /家庭医生转诊号源/ }).getByRole('button').click()
  await scheduler.page.getByRole('dialog').getByText(scheduler.pattern('parameters.keeps')).waitFor()
})

test('a draw is entered, and after it anybody computes it again', async () => {
  await citizen.page.goto('/draws')
  await citizen.page.getByText(citizen.word('draws.none')).waitFor()
  await ask(scheduler, 'POST', '/api/booking/parameters', { scope: 'hospital', id: organization, name: 'draw.collectMinutes', value: 1440 })
  await expect.poll(async () => (await ask<unknown[]>(citizen, 'GET', '/api/booking/draws')).length, { timeout: 30_000 }).toBeGreaterThan(0)
  await citizen.page.reload()
  await citizen.see('day-13-draws', citizen.word('title.draws'))
  await citizen.page.getByRole('main').getByRole('listitem').getByRole('link').first().click()
  await citizen.button(citizen.word('draws.enter')).click()
  await citizen.page.getByText(citizen.word('draws.state.entered')).waitFor()
  await citizen.see('day-14-draw', citizen.word('title.draw'))

  // The clock of the city stands before the draw: what is published after one is put in its place, true first, then with a winner too many.
  const schedule = citizen.page.url().split('/').at(-1) ?? ''
  const view = await ask<object>(citizen, 'GET', `/api/booking/draws/${schedule}`)
  for (const honest of [true, false]) {
    await citizen.page.route(`**/api/booking/draws/${schedule}`, (route) => route.fulfill({ json: { ...view, ...held(honest) } }))
    await citizen.page.reload()
    await citizen.button(citizen.word('draws.recompute')).click()
    await citizen.page.getByText(citizen.word(honest ? 'draws.equal' : 'draws.unequal')).waitFor()
    await citizen.see(honest ? 'day-15-equal' : 'day-16-unequal', citizen.word('title.draw'))
    await citizen.page.unroute(`**/api/booking/draws/${schedule}`)
  }
  expect([citizen, scheduler, doctor, visitor].flatMap((each) => each.troubles().filter((trouble) => !/status of 422/.test(trouble)))).toEqual([])
})

/** A draw of two places among five tickets, as it is published. */
function held(honest: boolean) {
  const sha = (text: string) => createHash('sha256').update(text).digest('hex')
  const seed = 'seed-of-the-journey'
  const ids = ['1', '2', '3', '4', '5'].map((each) => `01930000-0000-7000-8000-00000000000${each}`)
  const listHash = sha(ids.join('\n'))
  const order = [...ids].sort((a, b) => (sha(`${seed}:${listHash}:${a}`) < sha(`${seed}:${listHash}:${b}`) ? -1 : 1))
  const winners = new Set(honest ? order.slice(0, 2) : [order[0], order[4]])
  return {
    drawn: true, commitment: sha(seed), segments: [{ index: 0, start: morning.toISOString(), end: morning.toISOString(), slot: 'x', places: 2 }],
    held: { at: morning.toISOString(), seed, listHash, tickets: ids.map((id) => ({ id, segments: [], result: winners.has(id) ? 'won' : 'lost', reason: null })) },
  }
}
