/** JSON shapes of the sign-in endpoints under /api, imported by the portal as types. */
import type { Principal, Role } from './principal.ts'

/** `workplace`: the organization's name in both languages. */
export interface RoleChoice { role: Role; organization: string | null; organizationName: string | null; workplace: { zh: string; en: string } | null }

/** POST /api/sign-in { login, password, role?, organization? }: 200 Me and a session cookie, or 200 { choose } when the person has several roles and named none. */
export interface ChooseRole { choose: RoleChoice[] }

/** … or 200 { secondFactor } when the account has an authenticator and no code was sent. */
export interface GiveCode { secondFactor: true }

/** POST /api/sign-out: where the app that asked for it gets the person back; null when none did. */
export interface SignedOut { location: string | null }

/** GET /api/account. */
export interface AccountView {
  login: string
  /** Masked. */
  phone: string | null
  /** `on`: an authenticator; `demo`: the demo code; `off`: none. */
  secondFactor: 'on' | 'demo' | 'off'
  recoveryCodesLeft: number
  authLevel: Principal['authLevel']
  /** A password that was handed out counts until then, an instant; null: the person chose it. */
  passwordUntil: string | null
}

/** GET /api/sessions: sign-ins in the portal, and apps that were let in. Instants with offset +08:00. */
export interface OpenSession {
  id: string
  /** The one that asks. */
  current: boolean
  device: string
  network: string
  role: Role
  organizationName: string | null
  /** The organization's name in both languages. */
  workplace: { zh: string; en: string } | null
  createdAt: string
  lastSeenAt: string
  until: string
  app: { id: string; zh: string; en: string; scopes: string[]; offline: boolean } | null
}

/** GET /api/apps: what can be opened from a patient's record. POST /api/launches { app, patient, encounter? } answers { location }. */
export interface LaunchableApp { id: string; zh: string; en: string; publisher: string }

/** Why a record is opened in an emergency. */
export const emergencyReasons = ['unconscious', 'life-threatening', 'childbirth', 'other-emergency'] as const
export type EmergencyReason = (typeof emergencyReasons)[number]

/** Of GET and POST /api/emergency-access and of its review. Instants; null what has not happened. */
export interface BreakGlassUse {
  id: string
  /** FHIR id of the Patient. */
  patient: string
  /** Who opened it, as the citizen reads it. */
  name: string
  organization: string
  reason: EmergencyReason
  explanation: string
  openedAt: string
  until: string
  seenAt: string | null
  reviewedAt: string | null
  reviewer: string | null
  verdict: 'justified' | 'unjustified' | null
  note: string | null
}

/** A pattern in the audit trail that asks for a look. */
export interface AuditAnomaly {
  kind: 'own-name' | 'many-records' | 'no-visit' | 'night' | 'refused'
  account: string
  name: string
  role: string | null
  organization: string | null
  /** FHIR id of the Patient; null when it is about several. */
  patient: string | null
  /** Entries of the log, or patients for `many-records` and `night`. */
  count: number
  /** Instants. */
  first: string
  last: string
}

/** GET /api/audit/review. Days; `brokenDay` is the first sealed day whose rows are not what they were. */
export interface AuditReview { from: string; until: string; anomalies: AuditAnomaly[]; sealedUntil: string | null; brokenDay: string | null }

/** GET /api/me. */
export interface Me {
  name: string
  role: Role
  /** FHIR ids; null where the role has none. */
  patient: string | null
  practitioner: string | null
  organization: string | null
  organizationName: string | null
  /** The organization's name in both languages. */
  workplace: { zh: string; en: string } | null
  /** Those a citizen may act for; the citizen first. Empty for professionals. */
  people: { patient: string; name: string; relationship: 'self' | 'child' | 'parent' | 'spouse' | 'other'; until: string | null }[]
  /** When a professional's password was handed out: until when it counts, an instant with offset +08:00. */
  passwordUntil: string | null
  /** The server's clock, an instant with offset +08:00: pages take "today" from here, not from the device. */
  now: string
}

/** A patient that an app can be about. */
export interface AuthorizationPatient {
  id: string
  name: string
  /** To the citizen who is asked; null for the patients of a professional. */
  relationship: Me['people'][number]['relationship'] | null
  birthDate: string | null
}

/** GET /oidc/interaction/[uid]/request: what an app asks of the person who is signed in. */
export interface AuthorizationAsked {
  /** `ask`: show it; `sign-in`: nobody is; `sign-in-again`: the app wants a fresh proof; `wrong-role`: the app is for others. */
  state: 'ask' | 'sign-in' | 'sign-in-again' | 'wrong-role'
  /** `host`: where the answer goes. */
  app: { id: string; zh: string; en: string; publisher: string; host: string }
  /** Scopes that can be unticked, each on its own. */
  scopes: string[]
  /** Who is asked; null while nobody is signed in. */
  name: string | null
  /** To choose from; one when the launch fixed it; empty when the app is about no patient. */
  patients: AuthorizationPatient[]
  /** True when the portal opened the app from that patient's record. */
  launched: boolean
  /** Instants until which the permission lasts without and with staying; null before sign-in. */
  untilOnline: string | null
  untilOffline: string | null
}
