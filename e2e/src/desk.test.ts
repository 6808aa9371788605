/**
 * The booking desk, in short: a citizen finds a doctor by the beginning of the name and books, the hospital suspends that clinic and changes a
 * number, the citizen is told and takes one of the places that were kept. The scheduler reads Chinese, the citizen English.
 */
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { Browser } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import { atScreen, type Person, signIn } from './person.ts'
import { type Platform, startPlatform } from './platform.ts'

let browser: Browser
let platform: Platform
let citizen: Person
let scheduler: Person
let doctor = { name: '', typed: '', practitioner: '' }

beforeAll(async () => {
  browser = await launchBrowser()
  platform = await startPlatform({ name: 'desk', citizens: 60 })
  citizen = await atScreen(browser, platform.url, 'phone', 'en')
  scheduler = await atScreen(browser, platform.url, 'desktop', 'zh')
})
afterAll(async () => {
  await citizen?.leave()
  await scheduler?.leave()
  await platform?.stop()
  await browser?.close()
})

test('a citizen finds a doctor by the beginning of the name and books', async () => {
  await signIn(scheduler, 'scheduler')
  await scheduler.heading(scheduler.word('title.office')).waitFor()
  const roster = await scheduler.page.evaluate(async () => (await (await fetch('/api/booking/roster?days=14')).json()) as { sessions: { practitioner: { id: string; name: { zh: string; en: string } }; date: string; capacity: number; used: number; clinicType: string }[] })
  const chosen = roster.sessions.filter((each) => each.used < each.capacity / 2 && each.date > (roster.sessions[0]?.date ?? ''))[0]
  if (!chosen) throw new Error('The hospital has no clinic.')
  doctor = { name: chosen.practitioner.name.en, practitioner: chosen.practitioner.id, typed: chosen.practitioner.name.en.toLowerCase().replaceAll(' ', '').slice(0, 6) }

  await signIn(citizen, 'citizen')
  await citizen.link(citizen.word('nav.departments')).waitFor()
  await citizen.page.goto('/book')
  await citizen.page.getByRole('searchbox', { name: citizen.word('book.searchLabel') }).fill(doctor.typed)
  await citizen.heading(citizen.word('book.doctorsNamed')).waitFor()
  await citizen.see('desk-01-doctor-found', citizen.word('title.departments'))
  await citizen.page.getByRole('link', { name: new RegExp(doctor.name) }).first().click()
  await citizen.heading(citizen.word('title.times')).waitFor()
  await citizen.page.getByRole('radio', { name: /\d\d:\d\d–\d\d:\d\d/, disabled: false }).first().check()
  await citizen.button(citizen.word('action.continue')).click()
  await citizen.heading(citizen.word('title.who')).waitFor()
  await citizen.button(citizen.word('action.continue')).click()
  await citizen.heading(citizen.word('title.check')).waitFor()
  await citizen.button(citizen.word('book.confirm')).click()
  await citizen.heading(citizen.word('title.done')).waitFor()
})

test('the scheduler changes a number, sees it in the history, and suspends the clinic', async () => {
  await scheduler.page.goto('/office/parameters')
  await scheduler.see('desk-02-parameters', scheduler.word('title.parameters'))
  await scheduler.page.getByRole('row', { name: /锁号时间/ }).getByRole('button').click()
  await scheduler.page.getByRole('dialog').getByLabel(scheduler.word('parameters.value')).fill('600')
  await scheduler.see('desk-03-change', scheduler.word('title.parameters'))
  await scheduler.button(scheduler.word('parameters.save')).click()
  await scheduler.page.getByRole('table', { name: scheduler.word('parameters.history') }).getByText('锁号时间').waitFor()

  // The journey runs at any hour: this hospital has no quiet ones.
  const quiet = await scheduler.page.evaluate(async () => {
    const { organization } = await (await fetch('/api/me')).json() as { organization: string }
    const set = (name: string) => fetch('/api/booking/parameters', { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ scope: 'hospital', id: organization, name, value: 0, from: null }) })
    return [(await set('reminder.quietFromMinute')).status, (await set('reminder.quietUntilMinute')).status]
  })
  expect(quiet).toEqual([201, 201])

  await scheduler.page.goto('/office/roster')
  await scheduler.see('desk-04-roster', scheduler.word('title.roster'))
  const found = await citizen.page.evaluate(async () => {
    const me = await (await fetch('/api/me')).json() as { patient: string }
    const bundle = await (await fetch(`/fhir/Appointment?patient=Patient/${me.patient}&status=booked&_sort=-_lastUpdated&_count=1`)).json() as { entry: { resource: { slot: { reference: string }[] } }[] }
    return bundle.entry[0]?.resource.slot[0]?.reference.slice('Slot/'.length).replace(/-\d+$/, '') ?? ''
  })
  const answer = await scheduler.page.evaluate(async (schedule) => (await fetch(`/fhir/Schedule/${schedule}/$suspend`, {
    method: 'POST', headers: { 'content-type': 'application/fhir+json' }, body: JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'reason', valueString: '医生出差' }] }),
  })).status, found)
  expect(answer).toBe(200)
  await scheduler.page.reload()
  await scheduler.page.getByRole('button', { name: new RegExp(scheduler.word('roster.suspend')) }).first().click()
  await scheduler.see('desk-05-suspend', scheduler.word('title.roster'))
})

test('the citizen is told on the telephone too, and takes one of the places that were kept with one tap', async () => {
  await citizen.page.goto('/account/messages')
  // The worker looks every five seconds; the page asks every fifteen.
  await citizen.page.getByText(/停诊了/).first().waitFor({ timeout: 45_000 })
  await citizen.see('desk-06-message', citizen.word('title.messages'))
  await citizen.page.goto('/notices')
  await citizen.see('desk-06-notices', citizen.word('title.notices'))
  await citizen.link(citizen.word('notice.open')).first().click()
  await citizen.heading(citizen.word('choice.heading')).waitFor()
  await citizen.see('desk-07-choices', citizen.word('title.appointment'))
  await citizen.page.getByRole('button', { name: new RegExp(citizen.word('choice.take')) }).first().click()
  await citizen.link(citizen.word('move.open')).waitFor()
  await citizen.see('desk-08-taken', citizen.word('title.appointment'))
  await citizen.link(citizen.word('move.open')).click()
  await citizen.see('desk-09-move', citizen.word('title.move'))
  expect([...citizen.troubles(), ...scheduler.troubles()]).toEqual([])
})
