/** Takes one screenshot: `node e2e/src/look.ts URL FILE [phone|desktop] [zh|en]`. For looking at pages while writing them. */
import { type Language, launchBrowser, openContext, type Screen, screenshot, screens } from './browser.ts'

const [url, file, screen = 'phone', language = 'zh'] = process.argv.slice(2)
if (!url || !file || !(screen in screens)) {
  process.stderr.write('Usage: node e2e/src/look.ts URL FILE [phone|desktop] [zh|en]\n')
  process.exit(2)
}
const browser = await launchBrowser()
try {
  const context = await openContext(browser, screen as Screen, language as Language)
  const page = await context.newPage()
  page.on('console', (message) => process.stderr.write(`${message.type()}: ${message.text()}\n`))
  page.on('pageerror', (error) => process.stderr.write(`error: ${error.message}\n`))
  await page.goto(url, { waitUntil: 'networkidle' })
  process.stdout.write(`${await screenshot(page, file)}\n`)
} finally {
  await browser.close()
}
