/**
 * The whole journey, once in Chinese and once in English: a citizen books, the server is killed and comes back, the doctor sees
 * the patient and writes the visit, the insurance centre settles it, the citizen reads the bill, the cashier takes the rest and
 * closes the day, and the citizen sees who looked at the record. Each language has a city of its own. Steps build on one another; the first that fails explains those after it.
 */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Browser } from 'playwright-core'
import { type Language, launchBrowser } from './browser.ts'
import { atScreen, demoPassword, type Person, signIn } from './person.ts'
import { type Platform, startPlatform } from './platform.ts'

const citizens = 200
const cardiology = { zh: '心血管内科', en: 'Cardiology' }
/** What the doctor types, and the choice that then is taken. The orders are dear enough to pass the year's deductible. */
const visit: Record<Language, { diagnosis: Choice; orders: Choice[]; drug: Choice; note: string }> = {
  zh: {
    diagnosis: ['高血压', /原发性高血压/],
    orders: [['冠状动脉', /冠状动脉CT/], ['头颈动脉', /头颈动脉CT/], ['头颅磁共振', /头颅磁共振/]],
    drug: ['氨氯地平', /氨氯地平/],
    note: '血压偏高一月，伴头晕、劳累后胸闷。查体：心律齐，血压 162/98 mmHg。',
  },
  en: {
    diagnosis: ['hypertension', /Essential hypertension/],
    orders: [['coronary', /CT coronary/], ['head and neck', /CT angiography head/], ['MRI head', /MRI head/]],
    drug: ['amlodipine', /Amlodipine/],
    note: 'High blood pressure for a month, dizzy, tight chest on effort. Regular rhythm, 162/98 mmHg.',
  },
}
type Choice = readonly [typed: string, taken: RegExp]

let browser: Browser

beforeAll(async () => { browser = await launchBrowser() })
afterAll(async () => { await browser.close() })

describe.each<Language>(['zh', 'en'])('the journey in %s', (language) => {
  let platform: Platform
  let citizen: Person
  let doctor: Person
  let cashier: Person
  /** Names of the people and the place, as the portal writes them in this language. */
  let sees: Names

  beforeAll(async () => {
    platform = await startPlatform({ name: language, citizens })
    citizen = await atScreen(browser, platform.url, 'phone', language)
    doctor = await atScreen(browser, platform.url, 'desktop', language)
    cashier = await atScreen(browser, platform.url, 'desktop', language)
    sees = await names(platform.url, language)
  })
  afterAll(async () => {
    await citizen?.leave()
    await doctor?.leave()
    await cashier?.leave()
    await platform?.stop()
  })
  let stuckAt: string | null = null
  beforeEach(({ skip }) => skip(stuckAt !== null, `the journey stopped at: ${stuckAt}`))
  afterEach(async ({ task }) => {
    const troubles = [...citizen.troubles(), ...doctor.troubles(), ...cashier.troubles()]
    if (task.result?.state === 'fail') {
      stuckAt = task.name
      await Promise.all([citizen.stuck(), doctor.stuck(), cashier.stuck()])
    }
    expect(troubles).toEqual([])
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

  test('the doctor signs in and sees the citizen on the list of the day', async () => {
    await signIn(doctor, 'doctor', '12-doctor-sign-in')
    await doctor.see('13-list-of-the-day', doctor.word('title.clinic'))
    await doctor.page.getByRole('row').filter({ hasText: sees.citizen }).filter({ hasText: doctor.word('appointmentStatus.booked') }).getByRole('link', { name: sees.citizen }).click()
  })

  test('opens the shared record, with visits at other hospitals', async () => {
    await doctor.see('14-record', doctor.word('title.patient'))
    await doctor.page.getByRole('tab', { name: doctor.word('record.tab.visits') }).click()
    const visits = doctor.page.getByRole('tabpanel').getByRole('listitem')
    await visits.first().waitFor()
    expect(await visits.filter({ hasNotText: sees.hospital }).count()).toBeGreaterThan(0)
    await doctor.see('15-visits', doctor.word('title.patient'))
  })

  test('writes diagnosis, note, order, prescription and charges', async () => {
    const words = visit[language]
    await doctor.link(doctor.word('title.writeVisit')).click()
    await doctor.see('16-write-visit', doctor.word('title.writeVisit'))
    await choose(doctor, doctor.word('clinic.addDiagnosis'), words.diagnosis)
    await doctor.page.getByLabel(doctor.word('clinic.noteLabel')).fill(words.note)
    for (const order of words.orders) await choose(doctor, doctor.word('clinic.addOrder'), order)
    await choose(doctor, doctor.word('clinic.addDrug'), words.drug)
    await doctor.button(doctor.word('dose.once')).click()
    await doctor.see('17-visit-written', doctor.word('title.writeVisit'))
    await doctor.button(doctor.word('clinic.check')).click()
    await doctor.see('18-check-visit', doctor.word('title.checkVisit'))
    expect(await doctor.page.getByRole('table', { name: doctor.word('clinic.charges') }).getByRole('row').count()).toBe(1 + 5 + 1)
  })

  test('finishes the visit once, although the button is pressed twice', async () => {
    await doctor.button(doctor.word('clinic.finish')).dblclick()
    await doctor.see('19-visit-finished', doctor.word('title.clinic'))
    await doctor.page.getByText(doctor.word('clinic.finished')).waitFor()
    await doctor.page.getByRole('row').filter({ hasText: sees.citizen }).filter({ hasText: doctor.word('appointmentStatus.fulfilled') }).waitFor()
  })

  test('the citizen settles the bill through the insurance centre', async () => {
    await citizen.link(citizen.word('nav.bills')).click()
    await citizen.see('20-bills', citizen.word('title.bills'))
    await citizen.page.getByRole('region', { name: citizen.word('bill.waiting') }).getByRole('link', { name: cardiology[language] }).click()
    await citizen.see('21-bill', citizen.word('title.bill'))
    await citizen.button(citizen.word('bill.settle')).dblclick()
    await citizen.page.getByText(citizen.pattern('bill.sentence')).waitFor()
    await citizen.see('22-settled', citizen.word('title.bill'))
  })

  test('and sees who pays what, adding up to the total', async () => {
    const split = citizen.page.getByRole('table', { name: citizen.word('bill.split') })
    const share = async (name: string) => fenOf(await split.getByRole('row', { name: citizen.word(`bill.share.${name}`) }).getByRole('cell').innerText())
    const shares = { fund: await share('fund'), account: await share('accountCurrent') + await share('accountPrior'), cash: await share('cash') }
    const total = fenOf(await split.getByRole('row', { name: citizen.word('bill.total') }).getByRole('cell').innerText())
    expect(shares.fund).toBeGreaterThan(0)
    expect(shares.fund + shares.account + shares.cash).toBe(total)
    const lines = citizen.page.getByRole('table', { name: citizen.word('bill.lines') })
    expect(fenOf(await lines.getByRole('row', { name: citizen.word('bill.total') }).getByRole('cell').innerText())).toBe(total)
  })

  test('the cashier takes what the citizen owes, by the bill', async () => {
    await signIn(cashier, 'scheduler', '22a-cashier-sign-in')
    await cashier.see('22b-office', cashier.word('title.office'))
    await cashier.link(cashier.word('title.cashier')).click()
    await cashier.see('22c-cashier', cashier.word('title.cashier'))
    await cashier.page.getByRole('tab', { name: cashier.word('desk.list.toBalance') }).click()
    await cashier.page.getByRole('tabpanel').getByRole('link', { name: cardiology[language] }).first().click()
    await cashier.see('22d-desk-bill', cashier.word('title.deskBill'))
    await cashier.button(cashier.word('payment.do.payment')).dblclick()
    await cashier.page.getByText(cashier.word('desk.balanced'), { exact: true }).waitFor()
    expect(await cashier.page.getByRole('table', { name: cashier.word('payment.list') }).getByRole('row').count()).toBe(1 + 1)
    await cashier.see('22e-paid', cashier.word('title.deskBill'))
  })

  test('compares the day with the insurance centre and closes it', async () => {
    await cashier.link(cashier.word('title.cashier')).click()
    await cashier.link(cashier.word('title.deskDay')).click()
    await cashier.see('22f-day', cashier.word('title.deskDay'))
    await cashier.button(cashier.word('desk.compare')).click()
    await cashier.page.getByText(cashier.pattern('desk.equal')).waitFor()
    for (const channel of ['cash', 'card', 'mobile']) {
      const name = cashier.word(`payment.channel.${channel}`)
      const row = cashier.page.getByRole('table', { name: cashier.word('count.title') }).getByRole('row', { name })
      const expected = await row.getByRole('cell').first().innerText()
      await cashier.page.getByLabel(cashier.word('count.countedOf', { channel: name })).fill(((fenOf(expected) - (channel === 'cash' ? 100 : 0)) / 100).toFixed(2))
    }
    await cashier.page.getByText(cashier.pattern('count.short')).waitFor()
    await cashier.button(cashier.word('count.close')).click()
    await cashier.page.getByText(cashier.pattern('count.closed')).waitFor()
    await cashier.see('22g-day-closed', cashier.word('title.deskDay'))
  })

  test('puts the yuan that was missing in the till right, with a reason and a proof of who does it', async () => {
    await cashier.button(cashier.word('difference.post')).click()
    const question = cashier.page.getByRole('dialog', { name: cashier.word('difference.postQuestion') })
    await question.getByText(cashier.word('difference.account.till-difference')).waitFor()
    const post = question.getByRole('button', { name: cashier.word('difference.post') })
    await post.click()
    await question.getByText(cashier.word('difference.reasonMissing')).waitFor()
    const reason = question.getByLabel(cashier.word('difference.reason'))
    await reason.fill(language === 'zh' ? '找零时多付给病人' : 'Too much change was given')
    await cashier.see('22h-correction', cashier.word('difference.postQuestion'))
    await post.click()
    const proof = cashier.page.getByRole('dialog', { name: cashier.word('stepUp.title') })
    await proof.getByRole('button', { name: cashier.word('action.cancel') }).click()
    await question.getByText(cashier.word('outcome.step-up-required')).waitFor()
    // What was typed is still there.
    expect(await reason.inputValue()).not.toBe('')
    await post.click()
    await proof.getByLabel(cashier.word('stepUp.code')).fill(/\b\d{6}\b/.exec(await proof.innerText())?.[0] ?? '')
    await proof.getByRole('button', { name: cashier.word('stepUp.confirm') }).click()
    await cashier.page.getByText(cashier.word('desk.noDifferences')).waitFor()
    await cashier.see('22i-corrected', cashier.word('title.deskDay'))
    // Both times that the server asked for the proof.
    expect(cashier.troubles().filter((each) => !/403 .*\/differences\//.test(each))).toEqual([])
  })

  test('the citizen sees who looked at the record, when and in which role', async () => {
    await citizen.link(citizen.word('nav.record')).click()
    await citizen.see('23-record', citizen.word('title.record'))
    await citizen.link(citizen.word('title.access')).click()
    await citizen.see('24-access', citizen.word('title.access'))
    const entry = citizen.page.getByRole('article').filter({ has: citizen.heading(new RegExp(sees.account)) }).first()
    const text = await entry.innerText()
    expect(text).toContain(citizen.word('role.clinician'))
    expect(text).toMatch(citizen.pattern('access.read'))
    expect(text).toMatch(citizen.pattern('access.written'))
    expect(text).toMatch(/\d\d:\d\d/)
    expect(text).toContain(citizen.word('purpose.TREAT'))
  })

  test('the officer of the insurance centre finds the claim with its sum, a filing, and tries a new policy on it', async () => {
    const officer = await atScreen(browser, platform.url, 'phone', language)
    await signIn(officer, 'insurer', '24a-officer-sign-in')
    await officer.see('24b-claims', officer.word('title.insurance'))
    await officer.page.getByRole('table', { name: officer.word('officer.tab.claims') }).getByRole('link').first().click()
    await officer.heading(officer.word('officer.steps')).waitFor()
    await officer.see('24c-claim', officer.word('title.officerClaim'))
    await officer.page.goBack()
    await officer.page.getByRole('tab', { name: officer.word('officer.tab.filings') }).click()
    await officer.page.getByRole('region', { name: officer.word('officer.tab.filings') }).getByRole('rowheader').first().waitFor()
    await officer.see('24d-filings', officer.word('title.insurance'))
    await officer.page.getByRole('tab', { name: officer.word('officer.tab.whatIf') }).click()
    const file = await officer.page.evaluate(async () => (await (await fetch('/api/insurer/policies/310000-310-2025-07')).json()) as { categories: { outpatient: { ratio: [object, number][] } } })
    for (const band of file.categories.outpatient.ratio) band[1] -= 1000
    await officer.page.getByLabel(officer.word('officer.file'), { exact: true }).setInputFiles({ name: 'policy.json', mimeType: 'application/json', buffer: Buffer.from(JSON.stringify(file)) })
    await officer.button(officer.word('officer.compute')).last().click()
    await officer.heading(officer.word('officer.difference')).waitFor()
    await officer.see('24e-what-if', officer.word('title.insurance'))
    expect(await officer.page.getByRole('table', { name: officer.word('officer.byFund') }).getByRole('row').count()).toBeGreaterThan(1)
    const troubles = officer.troubles()
    await officer.leave()
    expect(troubles).toEqual([])
  })

  test('lets an app of others see blood pressure, and takes the access back', async () => {
    await connectApp(citizen)
    await citizen.see('40-authorize', citizen.pattern('authorize.heading'))
    await citizen.page.getByRole('radio').first().check()
    await citizen.page.getByRole('checkbox', { name: citizen.word('scope.online_access') }).uncheck()
    await citizen.button(citizen.word('authorize.allow')).click()
    await citizen.page.locator('#result').waitFor()
    await citizen.page.goto('/account/sessions')
    await citizen.see('41-sessions', citizen.word('title.sessions'))
    await citizen.page.getByRole('button', { name: new RegExp(citizen.word('sessions.revoke')) }).click()
    await citizen.page.getByText(citizen.word('sessions.noApps')).waitFor()
  })

  test('an app that is not allowed gets nothing', async () => {
    await connectApp(citizen)
    await citizen.button(citizen.word('authorize.refuse')).click()
    await citizen.page.getByText('access_denied').waitFor()
    expect(await citizen.page.locator('#result').isVisible()).toBe(false)
  })

  test('the doctor opens the app from the patient\'s record, for that patient and visit', async () => {
    await doctor.page.goto('/clinic')
    await doctor.page.getByRole('row').filter({ hasText: sees.citizen }).getByRole('link', { name: sees.citizen }).first().click()
    await doctor.heading(doctor.word('title.patient')).waitFor()
    const launched = doctor.page.waitForRequest((request) => request.url().endsWith('/api/launches'))
    await doctor.page.getByRole('button', { name: /血压手账|Blood pressure diary/ }).click()
    // In the visit of the appointment that the record was opened from.
    expect((await launched).postDataJSON()).toMatchObject({ app: 'blood-pressure-diary', encounter: expect.any(String) })
    await doctor.see('42-authorize-doctor', doctor.pattern('authorize.heading'))
    expect(await doctor.page.getByRole('radio').count()).toBe(0)
    await doctor.button(doctor.word('authorize.allow')).click()
    await doctor.page.locator('#result').waitFor()
  })

  test('sign-out everywhere ends this device too', async () => {
    await citizen.page.goto('/account/sessions')
    await citizen.button(citizen.word('sessions.endAll')).click()
    await citizen.button(citizen.word('sessions.endAllConfirm')).click()
    await citizen.see('43-signed-out', citizen.word('signIn.heading'))
  })
})

/** Types into a search box and takes the choice that is offered. */
async function choose(person: Person, box: string, [typed, taken]: Choice): Promise<void> {
  const input = person.page.getByRole('combobox', { name: box })
  await input.fill(typed)
  await person.page.getByRole('option', { name: taken }).first().click()
}

/** `¥1,234.50` → 123450. */
function fenOf(text: string): number {
  const found = /¥([\d,]+)\.(\d\d)/.exec(text)
  if (!found) throw new Error(`"${text}" is no amount.`)
  return Number(`${(found[1] ?? '').replaceAll(',', '')}${found[2]}`)
}

/** How many appointments with the doctor's department lie ahead, as the list shows them. */
async function upcoming(person: Person): Promise<number> {
  await person.page.goto('/appointments')
  const list = person.page.getByRole('region', { name: person.word('appointments.upcoming') })
  await list.getByText(cardiology[person.language]).first().waitFor()
  return list.getByRole('listitem').filter({ hasText: cardiology[person.language] }).count()
}

/** Names in the reader's language, from the directory and the citizen's own record. */
async function names(url: string, language: Language): Promise<Names> {
  const asDoctor = await signedIn(url, 'doctor')
  const asCitizen = await signedIn(url, 'citizen')
  const hospital = await asDoctor.read(`Organization/${asDoctor.me.organization}`)
  const translated = hospital._name?.extension?.[0]?.extension?.find((each) => each.url === 'content')?.valueString
  const nameOf = ({ name }: Named) => (Array.isArray(name) ? (name[language === 'zh' ? 0 : 1]?.text ?? '') : '')
  const found = {
    doctor: nameOf(await asDoctor.read(`Practitioner/${asDoctor.me.practitioner}`)),
    hospital: language === 'en' ? translated : String(hospital.name),
    citizen: nameOf(await asCitizen.read(`Patient/${asCitizen.me.patient}`)),
  }
  if (!found.doctor || !found.hospital || !found.citizen) throw new Error(`A name is missing in ${language}: ${JSON.stringify(found)}`)
  return { ...found, hospital: found.hospital, account: asDoctor.me.name }
}

/** `account` is the doctor's name as the sign-in account has it; the audit trail keeps that one, whatever the reader's language. */
interface Names { doctor: string; hospital: string; citizen: string; account: string }

interface Named {
  name: string | { text: string }[]
  _name?: { extension?: { extension?: { url: string; valueString?: string }[] }[] }
}

interface SignedIn { name: string; practitioner: string; organization: string; patient: string }

async function signedIn(url: string, login: string): Promise<{ me: SignedIn; read(path: string): Promise<Named> }> {
  const answer = await fetch(`${url}/api/sign-in`, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify({ login, password: demoPassword }) })
  const headers = { Cookie: (answer.headers.getSetCookie()[0] ?? '').split(';')[0] ?? '' }
  return {
    me: await answer.json() as SignedIn,
    read: async (path) => await (await fetch(`${url}/fhir/${path}`, { headers })).json() as Named,
  }
}

/** From the app's own page, as somebody who found it on the web. */
async function connectApp(person: Person): Promise<void> {
  await person.page.goto('/demo-app/index.html')
  await person.page.locator('#connect').click()
  await person.heading(person.pattern('authorize.heading')).waitFor()
}
