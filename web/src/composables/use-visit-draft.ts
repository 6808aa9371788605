/**
 * What a doctor has written of a visit so far, kept in this tab until it is sent, so that a reload, Back or an expired
 * session loses nothing. Gone when the visit is finished or the doctor signs out.
 */
import { check, integer, minLength, minValue, nonEmpty, object, pipe, safeParse, string, trim, array, number } from 'valibot'
import { reactive, watch } from 'vue'
import { totalFen, type DraftItem, type VisitDraft } from '../api/visit.ts'
import { serverNow } from '../session.ts'

export type { DraftItem, VisitDraft } from '../api/visit.ts'
export { totalFen }

/** Codes of what is missing; the page has a sentence and a field for each. */
const schema = object({
  diagnoses: pipe(array(object({ code: string() })), minLength(1, 'diagnosis')),
  items: pipe(
    array(object({ kind: string(), dose: string(), quantity: pipe(number('quantity'), integer('quantity'), minValue(1, 'quantity')) })),
    check((items) => items.every((each) => each.kind !== 'drug' || safeParse(pipe(string(), trim(), nonEmpty()), each.dose).success), 'dose'),
  ),
})

export type DraftFault = 'diagnosis' | 'dose' | 'quantity'

export function draftFaults(draft: VisitDraft): DraftFault[] {
  const result = safeParse(schema, draft)
  return result.success ? [] : [...new Set(result.issues.map((each) => each.message as DraftFault))]
}

export function useVisitDraft(appointment: string) {
  const key = `visit-${appointment}`
  const draft = reactive<VisitDraft>(kept(key) ?? { diagnoses: [], note: '', items: [], startedAt: serverNow().toISOString() })
  const stop = watch(draft, (value) => {
    try {
      sessionStorage.setItem(key, JSON.stringify(value))
    } catch { /* The draft then lives as long as the page. */ }
  }, { deep: true })

  function add(item: Omit<DraftItem, 'quantity' | 'dose'>): void {
    const before = draft.items.find((each) => each.code === item.code)
    if (before) before.quantity += 1
    else draft.items.push({ ...item, quantity: 1, dose: '' })
  }

  function remove(code: string): void {
    draft.items = draft.items.filter((each) => each.code !== code)
  }

  function clear(): void {
    stop()
    try {
      sessionStorage.removeItem(key)
    } catch { /* Nothing was kept. */ }
  }

  return { draft, add, remove, clear }
}

function kept(key: string): VisitDraft | null {
  try {
    return JSON.parse(sessionStorage.getItem(key) ?? 'null') as VisitDraft | null
  } catch {
    return null
  }
}
