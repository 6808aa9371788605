/** Says a sentence through the page's one polite live region, which the shell provides. */
import { inject, type InjectionKey, provide, ref } from 'vue'

const key: InjectionKey<(sentence: string) => void> = Symbol('announce')

export function provideAnnounce() {
  const sentence = ref('')
  provide(key, (text) => {
    sentence.value = ''
    setTimeout(() => { sentence.value = text }, 30)
  })
  return sentence
}

export function useAnnounce(): (sentence: string) => void {
  return inject(key, () => undefined)
}
