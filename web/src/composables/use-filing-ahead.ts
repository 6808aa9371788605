/** The filing of an appointment away from the place of insurance: how it stands, and making it. The server knows what holds. */
import type { Filing } from '@pujiang/api/settlement/shapes.ts'
import { useQuery } from '@tanstack/vue-query'
import { computed, ref } from 'vue'
import { fileAhead, filingAhead } from '../api/settlement.ts'
import { useSentences } from '../i18n/i18n.ts'
import { useAnnounce } from './use-announce.ts'
import { useErrorText } from './use-error-text.ts'
import { useText } from './use-text.ts'

export function useFilingAhead(appointment: () => string) {
  const { t } = useText()
  const { errorText } = useErrorText()
  const announce = useAnnounce()
  const asked = useQuery({ queryKey: ['filing-ahead', appointment], queryFn: ({ signal }) => filingAhead(appointment(), signal) })
  const ready = ref(false)
  void useSentences('bill').then(() => { ready.value = true })
  const busy = ref(false)
  const refusal = ref('')

  async function file(type: Filing['type']): Promise<void> {
    if (busy.value) return
    busy.value = true
    refusal.value = ''
    try {
      await fileAhead(appointment(), type)
      announce(t('away.done'))
    } catch (error) {
      refusal.value = errorText(error)
    } finally {
      await asked.refetch()
      busy.value = false
    }
  }

  /** Null at home, and until its sentences are here. */
  const away = computed(() => {
    const { region, filed } = asked.data.value ?? { region: null, filed: null }
    return ready.value && region !== null ? { region, filed } : null
  })
  return { away, busy, refusal, file }
}
