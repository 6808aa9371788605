/**
 * The sentence a person reads for an error: ours for the code, which says what to do next, and the server's own beside it
 * where it knows more (a field, a number, a date).
 */
import { useI18n } from 'vue-i18n'
import { OutcomeError } from '../api/http.ts'

/** Codes whose cause only the server can name; its sentence follows ours. */
const needsDetail = new Set([
  'bad-request', 'business-rule', 'cardinality', 'code-unknown', 'conflict', 'element-unknown', 'invariant-broken', 'parameter-invalid',
  'parameter-unknown', 'reference-invalid', 'reference-unresolved', 'required', 'structure', 'value-invalid', 'insurer-rejected',
  'charge-unknown', 'booking-barred', 'coverage-missing', 'limit-day', 'limit-department-day', 'limit-open', 'notice-too-short', 'referral-not-bookable', 'referral-not-yours', 'referral-pin-locked',
])

export function useErrorText() {
  const { t, te } = useI18n()

  function errorText(error: unknown): string {
    if (!(error instanceof OutcomeError)) return t('outcome.internal')
    const first = error.issues[0]
    if (!first) return t('outcome.internal')
    const key = `outcome.${first.code}`
    if (!te(key)) return first.text || t('outcome.internal')
    const own = t(key)
    return needsDetail.has(first.code) && first.text && first.text !== own ? `${own} ${first.text}` : own
  }

  /** For a query: null while there is no error. */
  function errorOf(error: unknown): string | null {
    return error ? errorText(error) : null
  }

  return { errorText, errorOf }
}
