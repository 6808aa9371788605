/** A form of text fields that must all be filled: what is in them, what is wrong with which, and sending them one at a time. The server names the field where one is at fault. */
import { computed, reactive, ref } from 'vue'
import { OutcomeError } from '../api/http.ts'
import { useErrorText } from './use-error-text.ts'

/** @param missing the sentence of a field that was left empty. */
export function useFields<Field extends string>(fields: readonly { id: Field }[], missing: (id: Field) => string) {
  const { errorText } = useErrorText()
  const values = reactive(Object.fromEntries(fields.map(({ id }) => [id, '']))) as Record<Field, string>
  const faults = ref({}) as { value: Partial<Record<Field, string>> }
  const refusal = ref('')
  const busy = ref(false)
  const errors = computed(() => [
    ...fields.flatMap(({ id }) => { const text = faults.value[id]; return text ? [{ id: id as string | null, text }] : [] }),
    ...(refusal.value ? [{ id: null, text: refusal.value }] : []),
  ])

  async function submit(send: (values: Record<Field, string>) => Promise<unknown>): Promise<void> {
    if (busy.value) return
    refusal.value = ''
    faults.value = Object.fromEntries(fields.filter(({ id }) => values[id].trim() === '').map(({ id }) => [id, missing(id)])) as Partial<Record<Field, string>>
    if (Object.keys(faults.value).length > 0) return
    busy.value = true
    try {
      await send({ ...values })
    } catch (error) {
      const issue = error instanceof OutcomeError ? error.issues[0] : undefined
      const field = fields.find(({ id }) => id === issue?.expression)?.id
      if (field) faults.value = { [field]: issue?.text || errorText(error) } as Partial<Record<Field, string>>
      else refusal.value = errorText(error)
    } finally {
      busy.value = false
    }
  }

  return { values, faults, errors, busy, submit }
}
