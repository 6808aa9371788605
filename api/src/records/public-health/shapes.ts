/** JSON shapes of /api/public-health, imported by the portal as types. */

/** GET /api/public-health/report?month=2026-11: people newly diagnosed with each notifiable disease, by district of residence. Null: hidden, see `threshold`. */
export interface NotifiableReport {
  /** A calendar month in Shanghai. */
  month: string
  /** Numbers below this are hidden, and others beside them from which they would follow. */
  threshold: number
  /** The last is whoever lives elsewhere or nobody knows where. */
  districts: { code: string; zh: string; en: string }[]
  rows: { id: string; class: 'A' | 'B' | 'C'; zh: string; en: string; counts: (number | null)[]; total: number | null }[]
  totals: (number | null)[]
  total: number | null
}

/** GET /api/public-health/cases?month=2026-11: one line a case, for those who follow it up; newest first. */
export interface NotifiableCase {
  /** FHIR id of the Condition. */
  id: string
  disease: { id: string; class: 'A' | 'B' | 'C'; zh: string; en: string }
  /** ICD-10. */
  code: string
  /** Instant of the diagnosis, and until when the report is due. */
  diagnosedAt: string
  dueAt: string
  hospital: string | null
}
