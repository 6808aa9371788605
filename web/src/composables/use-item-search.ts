/** What a doctor types in a search over the price list, and what the server finds; asked a moment after the last key. */
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed, ref, watch } from 'vue'
import { allItems, findItems, type ItemKind, type PriceItem } from '../api/price-list.ts'

export function useItemSearch(kinds: readonly ItemKind[]) {
  const queries = useQueryClient()
  const typed = ref('')
  const settled = ref('')
  let timer: ReturnType<typeof setTimeout> | undefined
  watch(typed, (value) => {
    clearTimeout(timer)
    timer = setTimeout(() => { settled.value = value.trim() }, 200)
  })
  const asked = useQuery({
    queryKey: ['items', kinds, settled], queryFn: ({ signal }) => find(settled.value, signal), enabled: () => settled.value !== '',
    staleTime: 600_000, placeholderData: keepPreviousData,
  })
  async function find(words: string, signal: AbortSignal): Promise<PriceItem[]> {
    if (/[\u3400-\u9fff]/.test(words)) return findItems(words, kinds, signal)
    const all = await queries.fetchQuery({ queryKey: ['price-list'], queryFn: () => allItems(), staleTime: 600_000 })
    const wanted = words.toLowerCase()
    return all.filter((each) => kinds.includes(each.kind) && (each.en.toLowerCase().includes(wanted) || each.code.toLowerCase() === wanted)).slice(0, 12)
  }

  const items = computed(() => (typed.value.trim() ? asked.data.value ?? [] : []))
  const busy = computed(() => asked.isFetching.value || typed.value.trim() !== settled.value)
  return { typed, items, busy }
}
