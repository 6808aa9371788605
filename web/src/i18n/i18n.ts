/**
 * vue-i18n with lazily loaded files: what everybody reads, and what only professionals' pages say, which comes with the first of those pages.
 * Both languages have the same keys, and a test holds them equal.
 */
import { createI18n } from 'vue-i18n'
import type { Language } from './format.ts'

export const i18n = createI18n({ legacy: false, locale: 'zh', fallbackLocale: false, missingWarn: false, messages: {} })

type Part = 'all' | 'work'
const files: Record<Language, Record<Part, () => Promise<{ default: object }>>> = {
  zh: { all: () => import('./zh.ts'), work: () => import('./zh-work.ts') },
  en: { all: () => import('./en.ts'), work: () => import('./en-work.ts') },
}
const loaded = new Set<string>()
const wanted = new Set<Part>(['all'])

export async function useLanguage(language: Language): Promise<void> {
  await Promise.all([...wanted].map((part) => load(language, part)))
  i18n.global.locale.value = language as never
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
}

/** For professionals' pages, now and after every change of language. */
export async function useWorkSentences(): Promise<void> {
  wanted.add('work')
  await load(i18n.global.locale.value as Language, 'work')
}

async function load(language: Language, part: Part): Promise<void> {
  if (loaded.has(language + part)) return
  const messages = await files[language][part]()
  i18n.global.mergeLocaleMessage(language, messages.default as never)
  loaded.add(language + part)
}
