/**
 * A person at a screen: a browser of their own, the portal's words in their language, and a watch on what people should never
 * meet: errors on the console, broken content-security rules, failed requests and serious accessibility faults. What is
 * pressed and read is found by role and accessible name, so the journey walks where a screen reader could.
 */
import { join } from 'node:path'
import { AxeBuilder } from '@axe-core/playwright'
import type { Browser, Locator, Page } from 'playwright-core'
import en from '../../web/src/i18n/en.ts'
import enBill from '../../web/src/i18n/en-bill.ts'
import enLater from '../../web/src/i18n/en-later.ts'
import enWork from '../../web/src/i18n/en-work.ts'
import zh from '../../web/src/i18n/zh.ts'
import zhBill from '../../web/src/i18n/zh-bill.ts'
import zhLater from '../../web/src/i18n/zh-later.ts'
import zhWork from '../../web/src/i18n/zh-work.ts'
import { cacheFolder, type Language, openContext, type Screen, screenshot } from './browser.ts'

/** A sentence stands in one of the files of its language. */
const messages: Record<Language, readonly object[]> = { zh: [zh, zhBill, zhLater, zhWork], en: [en, enBill, enLater, enWork] }
const patienceMs = 15_000
/** Of every account of the demo city. */
export const demoPassword = 'pujiang-demo'

export interface Person {
  page: Page
  language: Language
  /** The portal's sentence of a key, `{name}` filled in. @throws Error when there is none. */
  word(key: string, values?: Record<string, string | number>): string
  /** A sentence of the portal as a pattern: what its placeholders hold may be anything. */
  pattern(key: string): RegExp
  /** By its whole name, or by a pattern. */
  button(name: string | RegExp): Locator
  link(name: string | RegExp): Locator
  heading(name: string | RegExp): Locator
  /** Waits for the page's heading, then keeps a picture and checks what a reader with an impairment would meet. */
  see(step: string, heading: string | RegExp): Promise<void>
  /** A picture of where the person is stuck, for the reader of a failed run. */
  stuck(): Promise<void>
  /** What went wrong since the last look, in plain words. */
  troubles(): string[]
  leave(): Promise<void>
}

export async function atScreen(browser: Browser, url: string, screen: Screen, language: Language): Promise<Person> {
  const context = await openContext(browser, screen, language, { baseURL: url })
  context.setDefaultTimeout(patienceMs)
  await context.addInitScript(() => {
    document.addEventListener('securitypolicyviolation', (event) => console.error(`Content security: ${event.violatedDirective} ${event.blockedURI}`))
  })
  const page = await context.newPage()
  let found: string[] = []
  page.on('console', (message) => { if (message.type() === 'error') found.push(`console: ${message.text()} ${message.location().url}`) })
  page.on('pageerror', (error) => found.push(`error in the page: ${error.message}`))
  page.on('response', (response) => { if (response.status() >= 500) found.push(`${response.status()} ${response.url()}`) })

  const word = (key: string, values: Record<string, string | number> = {}) => sentence(language, key).replaceAll(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? `{${name}}`))
  const heading = (name: string | RegExp) => page.getByRole('heading', { name })

  const see = async (step: string, title: string | RegExp) => {
    await heading(title).first().waitFor()
    await page.waitForLoadState('networkidle')
    await screenshot(page, join(cacheFolder, 'screenshots', language, `${step}.png`))
    found.push(...await barriers(page, step))
  }

  const troubles = () => {
    const now = found
    found = []
    return now
  }

  return {
    page, language, word, heading, see, troubles,
    stuck: async () => { await screenshot(page, join(cacheFolder, 'screenshots', language, `stuck-${screen}.png`)) },
    pattern: (key) => new RegExp(sentence(language, key).split(/\{\w+\}/).map(escaped).join('.+')),
    button: (name) => page.getByRole('button', { name, exact: true }),
    link: (name) => page.getByRole('link', { name, exact: true }),
    leave: () => context.close(),
  }
}

/**
 * Through the form, as people do; the first thing anybody does is choose their language.
 * @param step names a picture of the form; null for none.
 */
export async function signIn(person: Person, login: string, step: string | null = null): Promise<void> {
  await person.page.goto('/')
  const english = person.button('English')
  await english.or(person.button('中文')).waitFor()
  if (person.language === 'en' && await english.isVisible()) await english.click()
  if (step !== null) await person.see(step, person.word('signIn.heading'))
  await person.page.getByLabel(person.word('signIn.login'), { exact: true }).fill(login)
  await person.page.getByLabel(person.word('signIn.password'), { exact: true }).fill(demoPassword)
  await person.button(person.word('signIn.submit')).click()
  await person.page.waitForURL((url) => !url.pathname.startsWith('/sign-in'))
}

/** Critical and serious findings of axe, one line each. */
async function barriers(page: Page, step: string): Promise<string[]> {
  const { violations } = await new AxeBuilder({ page }).analyze()
  return violations
    .filter(({ impact }) => impact === 'critical' || impact === 'serious')
    .map(({ id, help, nodes }) => `${step}: ${id} (${help}) at ${nodes.slice(0, 3).map((node) => node.target.join(' ')).join('; ')}`)
}

function sentence(language: Language, key: string): string {
  for (const file of messages[language]) {
    let at: unknown = file
    for (const part of key.split('.')) at = at !== null && typeof at === 'object' ? (at as Record<string, unknown>)[part] : undefined
    if (typeof at === 'string') return at
  }
  throw new Error(`The portal has no sentence "${key}" in ${language}.`)
}

function escaped(text: string): string {
  return text.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
