/** Type size, theme and language of this device. `public/display.js` reads the same keys before the first paint. */
import { ref } from 'vue'
import { type Language, language } from '../session.ts'

export type Size = 'standard' | 'large' | 'xlarge'
export type Theme = 'auto' | 'light' | 'dark'

const root = document.documentElement

export function useDisplay() {
  const size = ref((root.dataset.size as Size | undefined) ?? 'standard')
  const theme = ref((root.dataset.theme as Theme | undefined) ?? 'auto')

  function setSize(value: Size): void {
    size.value = value
    root.dataset.size = value
    keep('display-size', value)
  }
  function setTheme(value: Theme): void {
    theme.value = value
    root.dataset.theme = value
    keep('display-theme', value)
  }
  function setLanguage(value: Language): void {
    language.value = value
    keep('language', value)
  }
  return { size, theme, language, setSize, setTheme, setLanguage }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value)
  } catch { /* The choice then lasts as long as the page. */ }
}
