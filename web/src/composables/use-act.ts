/** What a button does: one thing at a time, its refusal in the reader's words, and what is shown asked for anew whatever came of it. */
import { type Ref, ref } from 'vue'
import { useAnnounce } from './use-announce.ts'
import { useErrorText } from './use-error-text.ts'

export interface Act {
  busy: Ref<boolean>
  /** The sentence of the last refusal; empty when there is none. */
  refusal: Ref<string>
  /** Does nothing while something is under way. @param said is announced when it is done. @returns whether it was done. */
  act(work: () => Promise<unknown>, said?: string): Promise<boolean>
}

/**
 * @param after runs when the work is over, done or refused, before the next may begin.
 * @param caught looks at an error first; true when it says elsewhere what is wrong.
 */
export function useAct(after: () => unknown = () => {}, caught: (error: unknown) => boolean = () => false): Act {
  const { errorText } = useErrorText()
  const announce = useAnnounce()
  const busy = ref(false)
  const refusal = ref('')

  async function act(work: () => Promise<unknown>, said = ''): Promise<boolean> {
    if (busy.value) return false
    busy.value = true
    refusal.value = ''
    try {
      await work()
      if (said !== '') announce(said)
      return true
    } catch (error) {
      if (!caught(error)) refusal.value = errorText(error)
      return false
    } finally {
      await after()
      busy.value = false
    }
  }

  return { busy, refusal, act }
}
