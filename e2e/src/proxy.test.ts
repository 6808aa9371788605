/**
 * Booking for somebody else on a phone: a daughter keeps a place for her father, sees how long it is kept, books it, finds it under his name and not
 * under hers, moves it to another day and cancels it. Somebody whom he has not asked is refused in words.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Browser } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import { atScreen, type Person, signIn } from './person.ts'
import { type Platform, startPlatform } from './platform.ts'

let browser: Browser
let platform: Platform
let daughter: Person
let stranger: Person
let father = ''

beforeAll(async () => {
  browser = await launchBrowser()
  platform = await startPlatform({ name: 'proxy', citizens: 60 })
  daughter = await atScreen(browser, platform.url, 'phone', 'zh')
  stranger = await atScreen(browser, platform.url, 'phone', 'en')
})
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') for (const person of [daughter, stranger]) await person.stuck()
})
afterAll(async () => {
  for (const person of [daughter, stranger]) await person?.leave()
  await platform?.stop()
  await browser?.close()
})

test('she keeps a place for her father, and sees how long', async () => {
  await signIn(daughter, 'citizen')
  await daughter.link(daughter.word('nav.departments')).click()
  await daughter.page.getByRole('searchbox', { name: daughter.word('book.searchLabel') }).fill('眼科')
  await daughter.page.getByRole('main').getByRole('link', { name: /眼科/ }).first().click()
  await daughter.heading(daughter.word('title.hospitals')).waitFor()
  await daughter.page.getByRole('main').getByRole('listitem').getByRole('link').first().click()
  await daughter.heading(daughter.word('title.doctors')).waitFor()
  await daughter.page.getByRole('main').getByRole('listitem').getByRole('link').first().click()
  await daughter.heading(daughter.word('title.times')).waitFor()
  // Not today, so that it may be moved without being late.
  await daughter.page.getByRole('radio', { name: new RegExp(`^(?!.*${daughter.word('day.today')}).*月`), disabled: false }).first().check()
  await daughter.page.getByRole('radio', { name: /\d\d:\d\d–\d\d:\d\d/, disabled: false }).first().check()
  await daughter.button(daughter.word('action.continue')).click()
  await daughter.see('proxy-01-who', daughter.word('title.who'))
  await daughter.page.getByRole('main').getByRole('radio', { name: /林国强/ }).check()
  await daughter.button(daughter.word('action.continue')).click()
  await daughter.see('proxy-02-check', daughter.word('title.check'))
  const left = daughter.page.getByRole('timer')
  expect(await left.textContent()).toMatch(/^4:\d\d$|^5:00$/)
  await daughter.page.getByRole('main').getByText('林国强').first().waitFor()
})

test('she books it, and finds it under his name, not under hers', async () => {
  await daughter.button(daughter.word('book.confirm')).click()
  await daughter.see('proxy-03-booked', daughter.word('title.done'))
  await daughter.page.goto('/appointments')
  const whose = daughter.page.getByLabel(daughter.word('person.label').trim())
  father = await idOf('林国强')
  await whose.selectOption(father)
  const ahead = daughter.page.getByRole('region', { name: daughter.word('appointments.upcoming') })
  await ahead.getByText('眼科').first().waitFor()
  await daughter.see('proxy-04-his', daughter.word('title.appointments'))
  await whose.selectOption(await idOf('林晓雯'))
  await ahead.waitFor()
  await expect.poll(() => ahead.getByText('眼科').count()).toBe(0)
  await whose.selectOption(father)
})

test('she moves it to another day and then cancels it', async () => {
  await daughter.page.getByRole('region', { name: daughter.word('appointments.upcoming') }).getByRole('listitem').filter({ hasText: '眼科' }).getByRole('link').first().click()
  await daughter.see('proxy-05-appointment', daughter.word('title.appointment'))
  await daughter.link(daughter.word('move.open')).click()
  await daughter.heading(daughter.word('title.move')).waitFor()
  await daughter.page.getByRole('radio', { name: /月/, disabled: false }).last().check()
  await daughter.page.getByRole('radio', { name: /\d\d:\d\d–\d\d:\d\d/, disabled: false }).last().check()
  await daughter.see('proxy-06-move', daughter.word('title.move'))
  await daughter.button(daughter.pattern('move.confirm')).click()
  await daughter.heading(daughter.word('title.appointment')).waitFor()
  await daughter.button(daughter.word('appointments.cancel')).click()
  await daughter.page.getByRole('dialog').getByRole('radio').first().check()
  await daughter.button(daughter.word('appointments.cancelConfirm')).click()
  await daughter.page.getByRole('main').getByText(daughter.word('appointments.cancelled')).first().waitFor()
  await daughter.see('proxy-07-cancelled', daughter.word('title.appointment'))
  expect(daughter.troubles()).toEqual([])
})

test('somebody whom he has not asked is refused with a sentence', async () => {
  await signIn(stranger, 'citizen2')
  const refused = await stranger.page.evaluate(async (patient) => {
    const found = await (await fetch('/fhir/Slot?status=free&_count=1')).json() as { entry: { resource: { id: string } }[] }
    const answer = await fetch('/fhir/Appointment/$hold', {
      method: 'POST', headers: { 'content-type': 'application/fhir+json', 'accept-language': 'en' },
      body: JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'slot', valueReference: { reference: `Slot/${found.entry[0]?.resource.id}` } }, { name: 'patient', valueReference: { reference: `Patient/${patient}` } }] }),
    })
    const { issue: [first] } = await answer.json() as { issue: { details: { coding: { code: string }[]; text: string } }[] }
    return { status: answer.status, code: first?.details.coding[0]?.code, text: first?.details.text }
  }, father)
  expect(refused).toEqual({ status: 403, code: 'not-your-patient', text: 'You may not arrange appointments for this patient. Ask for permission to act for them first.' })
  const seen = await stranger.page.evaluate(async (patient) => (await (await fetch(`/fhir/Appointment?patient=Patient/${patient}`)).json() as { entry?: unknown[] }).entry ?? [], father)
  expect(seen).toEqual([])
})

/** The id of a person in the box of those one acts for. */
async function idOf(name: string): Promise<string> {
  const option = daughter.page.getByLabel(daughter.word('person.label').trim()).locator('option', { hasText: name })
  await option.waitFor({ state: 'attached' })
  return await option.getAttribute('value') ?? ''
}
