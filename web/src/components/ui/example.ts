/** One state of a component: its name, its props and its slot's text in the reader's language. */
export type ExampleLanguage = 'zh' | 'en'

export interface Example {
  state: string
  props: (language: ExampleLanguage) => Record<string, unknown>
  text?: { zh: string; en: string }
}

export function example(state: string, props: Example['props'] | Record<string, unknown>, text?: { zh: string; en: string }): Example {
  return { state, props: typeof props === 'function' ? props as Example['props'] : () => props, ...(text ? { text } : {}) }
}
