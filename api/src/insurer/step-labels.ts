/**
 * What the steps of a sum are called, for people. A trace carries names only; whoever shows it reads them here, others in CodeSystem `claim-step`
 * (`fhir-profiles/pujiang/code-systems/claim-step.json`), which a test holds equal. Steps inside a line, and those that only lead from one amount to
 * the next, have no name for people.
 */
import type { Sentence } from '../fhir/outcome.ts'

export const stepLabels = {
  submitted: { zh: '医疗费总额', en: 'Total of the bill' },
  fullself: { zh: '全自费', en: 'Own expense, outside the catalogue' },
  overlimit: { zh: '超限价自付', en: 'Above the price limit' },
  firstpay: { zh: '分类自负', en: 'First-pay share of class B items' },
  inscope: { zh: '符合医保政策范围', en: 'Within the scope of insurance' },
  'account-current-balance': { zh: '个人账户当年余额', en: 'Balance of the account of this year' },
  'account-current': { zh: '个人账户当年支付', en: 'Paid by the account of this year' },
  'deductible-whole': { zh: '门急诊自负段标准', en: 'Outpatient deductible of the year' },
  'deductible-inpatient': { zh: '住院起付标准', en: 'Inpatient deductible' },
  'deductible-used': { zh: '本年度已付起付线', en: 'Deductible paid earlier this year' },
  'deductible-used-stay': { zh: '本次住院已付起付线', en: 'Deductible paid earlier in this stay' },
  'deductible-left': { zh: '起付线余额', en: 'Deductible still open' },
  deductible: { zh: '本次起付线内支付', en: 'Falls below the deductible' },
  shared: { zh: '起付线以上费用', en: 'Above the deductible' },
  'category-cap': { zh: '本类别年度限额', en: 'Limit of this kind of care in a year' },
  'cap-used': { zh: '本年度起付线以上累计', en: 'Above the deductible so far this year' },
  'below-cap': { zh: '封顶线以内费用', en: 'Below the cap' },
  pool: { zh: '统筹基金支付', en: 'Paid by the pooled fund' },
  'above-cap': { zh: '封顶线以上费用', en: 'Above the cap' },
  supplementary: { zh: '附加基金支付', en: 'Paid by the supplementary fund' },
  self: { zh: '范围内自负', en: 'Own share within scope' },
  critical: { zh: '大病保险支付', en: 'Paid by critical-illness insurance' },
  aid: { zh: '医疗救助支付', en: 'Paid by medical aid' },
  fund: { zh: '基金支付合计', en: 'Paid by funds in all' },
  personal: { zh: '个人负担', en: 'Personal part' },
  'account-prior-balance': { zh: '个人账户历年余额', en: 'Balance of the account of earlier years' },
  'account-prior': { zh: '个人账户历年支付', en: 'Paid by the account of earlier years' },
  cash: { zh: '现金支付', en: 'Cash' },
  'deductible-left-after': { zh: '本年度起付线剩余', en: 'Deductible left this year' },
} as const satisfies Record<string, Sentence>

export type StepLabel = keyof typeof stepLabels

const labels = new Map<string, Sentence>(Object.entries(stepLabels))

/** Of a step by its label, or by its name where it has none; null when people have no name for it. A trace of before says it itself. */
export function stepText({ name, label, text }: { name: string; label?: string; text?: Sentence | null }): Sentence | null {
  return text ?? labels.get(label ?? name) ?? null
}
