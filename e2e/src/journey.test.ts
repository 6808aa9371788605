/**
 * The whole journey, once in Chinese and once in English: a citizen books, the server is killed and comes back, the doctor sees
 * the patient and writes the visit, the insurance centre settles it, the citizen reads the bill and who looked at the record.
 * Each language has a city of its own. Steps build on one another; the first that fails explains those after it.
 */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import type { Browser } from 'playwright-core'
import { type Language, launchBrowser } from './browser.ts'
import { atScreen, type Person } from './person.ts'
import { type Platform, startPlatform } from './platform.ts'

const password = 'pujiang-demo'
const citizens = 200
const cardiology = { zh: '心血管内科', en: 'Cardiology' }

let browser: Browser

beforeAll(async () => { browser = await launchBrowser() })
afterAll(async () => { await browser.close() })

describe.each<Language>(['zh', 'en'])('the journey in %s', (language) => {
  let platform: Platform
  let citizen: Person
  let doctor: Person
  /** Who the doctor is, as the portal shows it to citizens. */
  let sees: { doctor: string; hospital: string }

  beforeAll(async () => {
    platform = await startPlatform({ name: language, citizens })
    citizen = await atScreen(browser, platform.url, 'phone', language)
    doctor = await atScreen(browser, platform.url, 'desktop', language)
    sees = await whoIs(platform.url, 'doctor', language)
  })
  afterAll(async () => {
    await citizen?.leave()
    await doctor?.leave()
    await platform?.stop()
  })
  afterEach(() => {
    expect([...citizen.troubles(), ...doctor.troubles()]).toEqual([])
  })

  test('the citizen signs in', async () => {
    await signIn(citizen, 'citizen', '01-sign-in')
    await citizen.see('02-home', citizen.word('title.home'))
  })

  test('finds a department over all hospitals', async () => {
    await citizen.link(citizen.word('nav.departments')).click()
    await citizen.see('03-departments', citizen.word('title.departments'))
    await citizen.page.getByRole('searchbox', { name: citizen.word('book.searchLabel') }).fill(language === 'zh' ? '心内科' : 'heart')
    await citizen.link(cardiology[language]).click()
  })

  test('sees open places of several hospitals', async () => {
    await citizen.see('04-hospitals', citizen.word('title.hospitals'))
    const hospitals = citizen.page.getByRole('main').getByRole('listitem').getByRole('link')
    expect(await hospitals.count()).toBeGreaterThanOrEqual(2)
    await citizen.link(sees.hospital).click()
    await citizen.see('05-doctors', citizen.word('title.doctors'))
  })

  test('picks a doctor, a day and a time', async () => {
    await citizen.link(new RegExp(sees.doctor)).click()
    await citizen.see('06-times', citizen.word('title.times'))
    await citizen.page.getByRole('radio', { name: new RegExp(citizen.word('day.today')) }).check()
    await citizen.page.getByRole('radio', { name: /\d\d:\d\d–\d\d:\d\d/, disabled: false }).first().check()
    await citizen.button(citizen.word('action.continue')).click()
    await citizen.see('07-who', citizen.word('title.who'))
    await citizen.button(citizen.word('action.continue')).click()
    await citizen.see('08-check', citizen.word('title.check'))
  })

  test('books once, although the button is pressed twice', async () => {
    await citizen.button(citizen.word('book.confirm')).dblclick()
    await citizen.see('09-booked', citizen.word('title.done'))
    expect(await upcoming(citizen)).toBe(1)
    await citizen.see('10-appointments', citizen.word('title.appointments'))
  })

  test('the booking is still there after kill -9 of the server and a restart', async () => {
    await platform.kill()
    await platform.start()
    await citizen.page.reload()
    expect(await upcoming(citizen)).toBe(1)
    await citizen.see('11-after-restart', citizen.word('title.appointments'))
  })
})

/** Through the form, as people do; the first thing anybody does is choose their language. */
async function signIn(person: Person, login: string, step: string): Promise<void> {
  await person.page.goto('/')
  const english = person.button('English')
  await english.or(person.button('中文')).waitFor()
  if (person.language === 'en' && await english.isVisible()) await english.click()
  await person.see(step, person.word('signIn.heading'))
  await person.page.getByLabel(person.word('signIn.login'), { exact: true }).fill(login)
  await person.page.getByLabel(person.word('signIn.password'), { exact: true }).fill(password)
  await person.button(person.word('signIn.submit')).click()
}

/** How many appointments with the doctor's department lie ahead, as the list shows them. */
async function upcoming(person: Person): Promise<number> {
  await person.page.goto('/appointments')
  const list = person.page.getByRole('region', { name: person.word('appointments.upcoming') })
  await list.getByText(cardiology[person.language]).first().waitFor()
  return list.getByRole('listitem').filter({ hasText: cardiology[person.language] }).count()
}

/** Name of a doctor and of the hospital, in the reader's language, from the public directory. */
async function whoIs(url: string, login: string, language: Language): Promise<{ doctor: string; hospital: string }> {
  const signedIn = await fetch(`${url}/api/sign-in`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ login, password }) })
  const me = await signedIn.json() as { practitioner: string; organization: string }
  const headers = { Cookie: (signedIn.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '' }
  const read = async (path: string): Promise<Directory> => await (await fetch(`${url}/fhir/${path}`, { headers })).json() as Directory
  const practitioner = await read(`Practitioner/${me.practitioner}`)
  const organization = await read(`Organization/${me.organization}`)
  if (!Array.isArray(practitioner.name) || typeof organization.name !== 'string') throw new Error('The directory does not know the doctor.')
  const translated = organization._name?.extension?.[0]?.extension?.find((each) => each.url === 'content')?.valueString
  return language === 'zh'
    ? { doctor: practitioner.name[0]?.text ?? '', hospital: organization.name }
    : { doctor: practitioner.name[1]?.text ?? '', hospital: translated ?? '' }
}

interface Directory {
  name: string | { text: string }[]
  _name?: { extension?: { extension?: { url: string; valueString?: string }[] }[] }
}
