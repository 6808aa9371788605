/**
 * Step-up for pages: an action that the server refuses with `step-up-required` opens the dialog for a code and is done again once
 * the code was right. The shell provides it; closing the dialog leaves the refusal to the page.
 */
import { inject, type InjectionKey, provide, ref, type Ref } from 'vue'
import { stepUp } from '../api/account.ts'
import { OutcomeError } from '../api/http.ts'

interface StepUp {
  open: Ref<boolean>
  busy: Ref<boolean>
  refusal: Ref<unknown>
  give(code: string): Promise<void>
  close(): void
  withStepUp<T>(action: () => Promise<T>): Promise<T>
}

const key: InjectionKey<StepUp> = Symbol('step-up')

export function provideStepUp(): StepUp {
  const open = ref(false)
  const busy = ref(false)
  const refusal = ref<unknown>(null)
  let answer: (proved: boolean) => void = () => {}

  const made: StepUp = {
    open, busy, refusal,
    async give(code) {
      if (busy.value) return
      busy.value = true
      refusal.value = null
      try {
        await stepUp(code)
        open.value = false
        answer(true)
      } catch (error) {
        refusal.value = error
      } finally {
        busy.value = false
      }
    },
    close() {
      open.value = false
      answer(false)
    },
    async withStepUp(action) {
      try {
        return await action()
      } catch (error) {
        if (!(error instanceof OutcomeError) || error.code !== 'step-up-required') throw error
        refusal.value = null
        open.value = true
        if (!await new Promise<boolean>((done) => { answer = done })) throw error
        return action()
      }
    },
  }
  provide(key, made)
  return made
}

export function useStepUp(): StepUp {
  const found = inject(key)
  if (!found) throw new Error('The shell provides step-up.')
  return found
}
