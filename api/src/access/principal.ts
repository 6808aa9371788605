/**
 * Who asks. Built once a request by `http/auth.ts` from a verified token, read by `access/rules.ts`; nobody else decides
 * by looking at it.
 */
export const roles = [
  'citizen', 'clinician', 'gp', 'scheduler', 'insurer', 'public-health', 'admin-system', 'admin-security', 'admin-audit',
] as const
export type Role = (typeof roles)[number]

export interface Principal {
  /** `person`: someone with an account, in one role; `client`: a system with scopes; `anonymous`: no token. */
  kind: 'person' | 'client' | 'anonymous'
  /** Account id of a person, client id of a system, `anonymous`. */
  id: string
  /** As shown in the audit trail that citizens read. */
  name: string
  /** The role chosen at sign-in; null for clients and anonymous. */
  role: Role | null
  /** FHIR id of the person's own Patient; null for everyone but citizens. */
  patient: string | null
  /** FHIR id of the Practitioner; null for everyone but clinicians and GPs. */
  practitioner: string | null
  /** FHIR id of the Organization the person acts for; null for citizens and most clients. */
  organization: string | null
  /** Name of that organization, as shown in the audit trail; null when there is none. */
  organizationName: string | null
  /**
   * SMART v2 scopes. Of a client: what it may do (`system/*.cruds`). Of a person: empty in our own portal, where the role alone
   * decides; filled when an app acts for them (`patient/Observation.rs`), and then role and scopes must both allow.
   */
  scopes: readonly string[]
  /** The sign-in session (a row of sign_in_session); null for clients and anonymous. */
  sessionId: string | null
  /** How the person proved who they are in this session; null for everyone who did not sign in. */
  authLevel: 'password' | 'second-factor' | null
  /** Instant of the last authentication of that level, ISO 8601 in UTC; step-up asks how long ago it was. Null as authLevel. */
  authAt: string | null
  /** FHIR id of the patient an app was launched for: `patient/…` scopes mean this patient and no other. Null without a launch context. */
  launchPatient: string | null
  /** FHIR id of the encounter an app was launched in; null when there is none. */
  launchEncounter: string | null
}

export const anonymous: Principal = {
  kind: 'anonymous', id: 'anonymous', name: 'anonymous', role: null, patient: null, practitioner: null,
  organization: null, organizationName: null, scopes: [], sessionId: null, authLevel: null, authAt: null, launchPatient: null, launchEncounter: null,
}

/** The platform itself, for jobs and start-up. */
export const platform: Principal = {
  ...anonymous, kind: 'client', id: 'platform', name: '浦江健康平台 Pujiang Health', scopes: ['system/*.cruds'],
}
