/**
 * vue-i18n with lazily loaded files: what everybody reads, what pages of bills say, what citizens' less common pages say and what only
 * professionals' pages say; the last three come with the first of those pages.
 * Both languages have the same keys, and a test holds them equal.
 */
import { createI18n } from 'vue-i18n'
import type { Language } from './format.ts'

export const i18n = createI18n({ legacy: false, locale: 'zh', fallbackLocale: false, missingWarn: false, messages: {} })

export type Part = 'all' | 'bill' | 'later' | 'work'
const files: Record<Language, Record<Part, () => Promise<{ default: object }>>> = {
  zh: { all: () => import('./zh.ts'), bill: () => import('./zh-bill.ts'), later: () => import('./zh-later.ts'), work: () => import('./zh-work.ts') },
  en: { all: () => import('./en.ts'), bill: () => import('./en-bill.ts'), later: () => import('./en-later.ts'), work: () => import('./en-work.ts') },
}
const loaded = new Set<string>()
const wanted = new Set<Part>(['all'])

export async function useLanguage(language: Language): Promise<void> {
  await Promise.all([...wanted].map((part) => load(language, part)))
  i18n.global.locale.value = language as never
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
}

/** Sentences that only some pages need, now and after every change of language. */
export async function useSentences(...parts: Part[]): Promise<void> {
  for (const part of parts) wanted.add(part)
  await Promise.all(parts.map((part) => load(i18n.global.locale.value as Language, part)))
}

async function load(language: Language, part: Part): Promise<void> {
  if (loaded.has(language + part)) return
  const messages = await files[language][part]()
  i18n.global.mergeLocaleMessage(language, messages.default as never)
  loaded.add(language + part)
}
