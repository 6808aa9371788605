/**
 * One bill and what may be done to it, at home and at the desk. Nothing counts as done before the server has said so: whatever happens
 * on the way of a step, the bill is asked for again. While the end is not known it is asked for by itself.
 */
import type { Bill, Filing } from '@pujiang/api/settlement/shapes.ts'
import { useQuery, useQueryClient } from '@tanstack/vue-query'
import { computed } from 'vue'
import { useRoute } from 'vue-router'
import { bill, fileTreatment, settleBill } from '../api/settlement.ts'
import { useAct } from './use-act.ts'
import { useText } from './use-text.ts'

/** @param list key of the list the bill stands in. @param caught takes an error that is no refusal to show; true when it did. */
export function useBill(list: string, caught: (error: unknown) => boolean = () => false) {
  const { t } = useText()
  const route = useRoute()
  const queries = useQueryClient()
  const id = computed(() => String(route.params.encounter))
  const asked = useQuery({
    queryKey: ['bill', id], queryFn: ({ signal }) => bill(id.value, signal), staleTime: 0,
    refetchInterval: (query) => (query.state.data?.state === 'settling' ? 3_000 : false),
  })
  const shown = computed<Bill | null>(() => asked.data.value ?? null)
  const { busy, refusal, act: run } = useAct(async () => {
    await asked.refetch()
    void queries.invalidateQueries({ queryKey: [list] })
  }, caught)

  return {
    id, asked, shown, busy, refusal, run,
    settle: (selfPay: boolean) => run(() => settleBill(id.value, selfPay), t('bill.settledNow')),
    file: (type: Filing['type']) => run(() => fileTreatment(id.value, type), t('away.done')),
  }
}
