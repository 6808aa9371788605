/** JSON shapes of /api/notices, imported by the portal as types. */

/** GET /api/notices[?patient=…]: the caller's own inbox, or that of a patient they act for; newest first. */
export interface Notice {
  id: string
  /** Key of the sentence under `notice` in the language files. */
  kind: string
  params: Record<string, string | number | { zh: string; en: string } | null>
  /** FHIR id of the Appointment it is about; null when it is about none. */
  appointment: string | null
  at: string
  read: boolean
}
