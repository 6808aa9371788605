/**
 * A referral's way through the portal: the GP makes one and hands over code and PIN, the department asks and accepts, the patient books it on a
 * phone, and somebody who holds another paper books for the one who gave it to them. GP and doctor read Chinese, the citizens English.
 */
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { Browser } from 'playwright-core'
import { launchBrowser } from './browser.ts'
import { atScreen, type Person, signIn } from './person.ts'
import { type Platform, startPlatform } from './platform.ts'

let browser: Browser
let platform: Platform
let gp: Person
let doctor: Person
let citizen: Person
let helper: Person
let paper = { code: '', pin: '' }

beforeAll(async () => {
  browser = await launchBrowser()
  platform = await startPlatform({ name: 'referral', citizens: 60 })
  gp = await atScreen(browser, platform.url, 'desktop', 'zh')
  doctor = await atScreen(browser, platform.url, 'desktop', 'zh')
  citizen = await atScreen(browser, platform.url, 'phone', 'en')
  helper = await atScreen(browser, platform.url, 'phone', 'en')
})
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') for (const person of [gp, doctor, citizen, helper]) await person.stuck()
})
afterAll(async () => {
  for (const person of [gp, doctor, citizen, helper]) await person?.leave()
  await platform?.stop()
  await browser?.close()
})

test('the GP sees what is open and late, and refers a resident to the cardiologists', async () => {
  await signIn(gp, 'gp')
  await gp.page.goto('/clinic/referrals')
  await gp.page.getByText(gp.word('referral.overdue').trim()).first().waitFor()
  await gp.see('referral-01-list', gp.word('title.referrals'))
  await gp.link(gp.word('referral.make')).click()
  await gp.button(gp.word('referral.make')).click()
  await gp.see('referral-02-faults', gp.word('title.refer'))
  await gp.page.getByLabel(gp.word('referral.resident')).selectOption({ label: await labelOf(gp, gp.word('referral.resident'), /林晓雯/) })
  await gp.page.getByLabel(gp.word('referral.department')).selectOption('03.04')
  const hospital = gp.page.getByLabel(gp.word('referral.hospital'))
  await hospital.locator('option').nth(1).waitFor({ state: 'attached' })
  // 申浦医院 has one from the doctor's demo list that is answered, so another may go there.
  await hospital.selectOption({ label: '上海市申浦医院' })
  await gp.page.getByLabel(gp.word('referral.reason')).fill('活动后心悸加重，请评估')
  await gp.button(gp.word('referral.make')).click()
  await gp.heading(gp.word('referral.paper')).waitFor()
  await gp.see('referral-03-paper', gp.word('referral.paper'))
  const [code = '', pin = ''] = await gp.page.locator('dd.big').allTextContents()
  paper = { code, pin }
  expect(paper.code).toMatch(/^[0-9A-Z]{5}-[0-9A-Z]{5}$/)
  expect(paper.pin).toMatch(/^\d{6}$/)
})

test('the department asks what is missing, the GP answers, the department accepts', async () => {
  await signIn(doctor, 'doctor')
  await doctor.page.goto('/clinic/referrals')
  await doctor.see('referral-04-inbox', doctor.word('title.referrals'))
  await doctor.page.getByRole('row', { name: new RegExp(paper.code.replace('-', '')) }).getByRole('link').click()
  await doctor.page.getByText('活动后心悸加重，请评估').waitFor()
  await doctor.button(doctor.word('referral.step.return')).click()
  await doctor.page.getByLabel(doctor.word('referral.ask.return')).fill('请补充动态心电图')
  await doctor.see('referral-05-return', doctor.word('title.referral'))
  await doctor.button(doctor.word('referral.send')).click()
  await doctor.page.getByText('待补充资料').first().waitFor()

  await gp.page.goto('/clinic/referrals')
  await gp.page.getByRole('row', { name: new RegExp(paper.code.replace('-', '')) }).getByRole('link').click()
  await gp.page.getByText('请补充动态心电图').waitFor()
  await gp.button(gp.word('referral.step.resubmit')).click()
  await gp.page.getByLabel(gp.word('referral.ask.resubmit')).fill('动态心电图：偶发房早')
  await gp.button(gp.word('referral.send')).click()
  await gp.page.getByText('待科室审核').first().waitFor()

  await doctor.page.reload()
  await doctor.button(doctor.word('referral.step.accept')).click()
  await doctor.page.getByText('待患者预约').first().waitFor()
  await doctor.see('referral-06-accepted', doctor.word('title.referral'))
})

test('the patient sees it with its code, gets a PIN once, and books', async () => {
  await signIn(citizen, 'citizen')
  await citizen.page.goto('/referrals')
  const card = citizen.page.getByRole('article').filter({ hasText: paper.code })
  await card.waitFor()
  await card.getByRole('link', { name: citizen.word('referral.book') }).waitFor()
  await citizen.see('referral-07-mine', citizen.word('title.referrals'))
  await card.getByRole('link', { name: citizen.word('referral.book') }).click()
  await citizen.page.getByRole('radio', { name: /\d\d:\d\d–\d\d:\d\d/, disabled: false }).first().check()
  await citizen.see('referral-08-times', citizen.word('title.bookReferral'))
  await citizen.button(citizen.word('referral.confirm')).click()
  await citizen.heading(citizen.word('title.done')).waitFor()
  await citizen.page.goto('/referrals')
  await card.getByRole('link', { name: citizen.word('referral.showVisit') }).waitFor()
  await card.getByRole('button', { name: citizen.word('referral.newPin') }).click()
  await card.getByText(/^\d{6}$/).waitFor()
  await citizen.see('referral-09-pin', citizen.word('title.referrals'))
})

test('who holds another paper books with its code and PIN; a wrong PIN opens nothing', async () => {
  await citizen.page.reload()
  const open = citizen.page.getByRole('article').filter({ has: citizen.page.getByRole('link', { name: citizen.word('referral.book') }) }).first()
  await open.getByRole('button', { name: citizen.word('referral.newPin') }).click()
  const [code = '', pin = ''] = [await open.getByText(/^[0-9A-Z]{5}-[0-9A-Z]{5}$/).textContent(), await open.getByText(/^\d{6}$/).textContent()].map((each) => each ?? '')
  await signIn(helper, 'citizen2')
  await helper.page.goto('/referrals/book')
  const look = async (typed: string) => {
    await helper.page.getByLabel(helper.word('referral.code'), { exact: true }).fill(code)
    await helper.page.getByLabel(helper.word('referral.pin'), { exact: true }).fill(typed)
    await helper.button(helper.word('referral.look')).click()
  }
  await look(pin === '000000' ? '000001' : '000000')
  await helper.page.getByText(helper.word('outcome.referral-pin-wrong')).waitFor()
  await helper.see('referral-10-wrong', helper.word('title.bookReferral'))
  await look(pin)
  await helper.page.getByText(helper.pattern('referral.forWhom')).waitFor()
  // The patient has a place at eight today already: another day.
  await helper.page.getByRole('radio', { disabled: false }).nth(1).check()
  await helper.page.getByRole('radio', { name: /\d\d:\d\d–\d\d:\d\d/, disabled: false }).first().check()
  await helper.button(helper.word('referral.confirm')).click()
  await helper.page.getByText(helper.word('referral.booked')).first().waitFor()
  await helper.see('referral-11-booked', helper.word('title.bookReferral'))
})

test('a grown child books for the father who has allowed it; somebody else is refused', async () => {
  const father = await gp.page.evaluate(async () => {
    const list = await (await fetch('/api/booking/referrals?as=gp')).json() as { patient: { id: string; name: { zh: string } }; code: string; state: string }[]
    return list.find((each) => each.patient.name.zh === '林国强' && each.state === 'requested')
  })
  if (!father) throw new Error('The father has no referral.')
  await doctor.page.goto('/clinic/referrals')
  await doctor.page.getByRole('row', { name: new RegExp(father.code) }).getByRole('link').click()
  await doctor.button(doctor.word('referral.step.accept')).click()
  await doctor.page.getByText('待患者预约').first().waitFor()

  await citizen.page.goto('/appointments')
  await citizen.page.getByLabel(citizen.word('person.label').trim()).selectOption(father.patient.id)
  await citizen.link(citizen.word('title.referrals')).click()
  const card = citizen.page.getByRole('article').filter({ hasText: `${father.code.slice(0, 5)}-${father.code.slice(5)}` })
  await card.getByRole('link', { name: citizen.word('referral.book') }).click()
  // He sees this department today already: another day.
  await citizen.page.getByRole('radio', { disabled: false }).nth(1).check()
  await citizen.page.getByRole('radio', { name: /\d\d:\d\d–\d\d:\d\d/, disabled: false }).first().check()
  await citizen.button(citizen.word('referral.confirm')).click()
  await citizen.heading(citizen.word('title.done')).waitFor()
  await citizen.see('referral-12-for-father', citizen.word('title.done'))

  const refusal = await helper.page.evaluate(async (patient) => {
    const reference = (type: string, id: string) => ({ valueReference: { reference: `${type}/${id}` } })
    const answer = await fetch('/fhir/Appointment/$hold', {
      method: 'POST', headers: { 'content-type': 'application/fhir+json' },
      body: JSON.stringify({ resourceType: 'Parameters', parameter: [{ name: 'slot', ...reference('Slot', await slotOf()) }, { name: 'patient', ...reference('Patient', patient) }] }),
    })
    return { status: answer.status, code: (await answer.json() as { issue: { details: { coding: { code: string }[] } }[] }).issue[0]?.details.coding[0]?.code }

    async function slotOf(): Promise<string> {
      const found = await (await fetch('/fhir/Slot?status=free&_count=1')).json() as { entry: { resource: { id: string } }[] }
      return found.entry[0]?.resource.id ?? ''
    }
  }, father.patient.id)
  expect(refusal).toEqual({ status: 403, code: 'not-your-patient' })
  // The wrong PIN and the stranger's hold were refused on purpose.
  expect([...gp.troubles(), ...doctor.troubles(), ...citizen.troubles(), ...helper.troubles()].filter((each) => !/status of (422|403)/.test(each))).toEqual([])
})

/** The whole label of the option that fits. */
async function labelOf(person: Person, select: string, fits: RegExp): Promise<string> {
  const labels = await person.page.getByLabel(select).locator('option').allTextContents()
  return labels.find((each) => fits.test(each)) ?? ''
}
