import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Browser, Page } from 'playwright-core'
import { launchBrowser, openContext } from './browser.ts'

// What the journeys take for granted of the browser that npm brings.
describe('the browser of the tests', () => {
  let browser: Browser
  let page: Page

  beforeAll(async () => {
    browser = await launchBrowser()
    page = await (await openContext(browser, 'phone', 'zh')).newPage()
  })
  afterAll(async () => { await browser?.close() })

  const picture = async (text: string, style = '') => {
    await page.setContent(`<meta charset="utf-8"><button style="${style}">${text}</button>`)
    return (await page.getByRole('button').screenshot()).toString('base64')
  }

  test('draws Chinese characters, each its own, and not the box of a missing one', async () => {
    const drawn = [await picture('浦'), await picture('江'), await picture('镕'), await picture('\u{10FFFD}')]
    expect(new Set(drawn).size).toBe(4)
  })

  test('has a bold weight', async () => {
    expect(await picture('健康', 'font-weight: 400')).not.toBe(await picture('健康', 'font-weight: 700'))
  })

  test('lives in the zone of the city', async () => {
    const zone = await page.evaluate(() => new Intl.DateTimeFormat().resolvedOptions().timeZone)
    expect(zone).toBe('Asia/Shanghai')
  })
})
