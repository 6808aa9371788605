/** vue-i18n with one lazily loaded file a language; both have the same keys, and a test holds them equal. */
import { createI18n } from 'vue-i18n'
import type { Language } from './format.ts'

export const i18n = createI18n({ legacy: false, locale: 'zh', fallbackLocale: false, missingWarn: false, messages: {} })

const files: Record<Language, () => Promise<{ default: object }>> = {
  zh: () => import('./zh.ts'),
  en: () => import('./en.ts'),
}
const loaded = new Set<Language>()

export async function useLanguage(language: Language): Promise<void> {
  if (!loaded.has(language)) {
    const messages = await files[language]()
    i18n.global.setLocaleMessage(language, messages.default as never)
    loaded.add(language)
  }
  i18n.global.locale.value = language as never
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en'
}
