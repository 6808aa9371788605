/**
 * A real Chromium for the tests, out of npm alone: the machine needs no browser, no shared libraries and no fonts of its own.
 * The browser is unpacked once into .cache/, in a scratch folder that is renamed, so that two runs at a time can't meet a
 * half-written one. Its only fonts are the Noto Sans Hans files of a test package (web font files are of no use here: as a
 * system font the browser takes OpenType, not woff2), so a screenshot looks the same on every machine.
 */
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { inflate } from '@sparticuz/chromium'
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core'

/** Screens the portal is looked at on, in CSS pixels. */
export const screens = {
  phone: { width: 390, height: 844 },
  desktop: { width: 1440, height: 900 },
} as const

export type Screen = keyof typeof screens
export type Language = 'zh' | 'en'

const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
export const cacheFolder = join(repository, '.cache')
const require = createRequire(import.meta.url)

/** Starts the browser; the caller closes it. */
export async function launchBrowser(): Promise<Browser> {
  const home = await unpackedBrowser()
  return chromium.launch({
    executablePath: join(home, 'chromium'),
    env: { HOME: home, TMPDIR: home, TZ: 'Asia/Shanghai', LD_LIBRARY_PATH: join(home, 'al2023', 'lib'), FONTCONFIG_PATH: fontFolder(home) },
    args: ['--no-sandbox', '--disable-gpu', '--disable-dev-shm-usage', '--font-render-hinting=none', '--force-color-profile=srgb', '--hide-scrollbars'],
  })
}

/** One person's own browser: separate cookies, language and screen; the city's time zone. */
export async function openContext(browser: Browser, screen: Screen, language: Language, more: BrowserContextOptions = {}): Promise<BrowserContext> {
  return browser.newContext({
    viewport: screens[screen],
    deviceScaleFactor: screen === 'phone' ? 2 : 1,
    hasTouch: screen === 'phone',
    isMobile: screen === 'phone',
    locale: language === 'zh' ? 'zh-CN' : 'en-GB',
    timezoneId: 'Asia/Shanghai',
    reducedMotion: 'reduce',
    ...more,
  })
}

/** Writes the whole page to a PNG file and says where. */
export async function screenshot(page: Page, file: string): Promise<string> {
  mkdirSync(dirname(file), { recursive: true })
  await page.evaluate(() => document.fonts.ready.then(() => null))
  await page.screenshot({ path: file, fullPage: true, animations: 'disabled' })
  return file
}

/** Folder with the unpacked program and the libraries it needs. */
async function unpackedBrowser(): Promise<string> {
  const entry = require.resolve('@sparticuz/chromium')
  const packageFolder = join(dirname(entry), '..')
  const { version } = require(join(packageFolder, 'package.json')) as { version: string }
  const home = join(cacheFolder, `chromium-${version}-${process.arch}`)
  if (existsSync(home)) return home
  mkdirSync(cacheFolder, { recursive: true })
  const scratch = mkdtempSync(join(cacheFolder, 'unpacking-'))
  const before = process.env.TMPDIR
  process.env.TMPDIR = scratch // `inflate` writes to the system's temporary folder and takes no other.
  try {
    for (const archive of ['chromium.br', 'al2023.tar.br']) await inflate(join(packageFolder, 'bin', archive))
  } finally {
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
  }
  try {
    renameSync(scratch, home)
  } catch (error) {
    rmSync(scratch, { recursive: true, force: true })
    if (!existsSync(home)) throw error
  }
  return home
}

/** Writes the font configuration and returns its folder. Without one Chromium draws no text at all. */
function fontFolder(home: string): string {
  const folder = join(home, 'fonts')
  mkdirSync(folder, { recursive: true })
  const families = ['sans-serif', 'serif', 'monospace', 'system-ui', 'Noto Sans CJK SC']
  const config = [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "fonts.dtd">',
    '<fontconfig>',
    `<dir>${join(dirname(require.resolve('@embedpdf/fonts-sc')), '..', 'fonts')}</dir>`,
    `<cachedir>${join(folder, 'cache')}</cachedir>`,
    ...families.map((family) => `<alias binding="strong"><family>${family}</family><prefer><family>Noto Sans S Chinese</family></prefer></alias>`),
    '</fontconfig>',
  ]
  writeFileSync(join(folder, 'fonts.conf'), config.join('\n'))
  return folder
}
