/** JSON shapes of the sign-in endpoints under /api, imported by the portal as types. */
import type { Role } from './principal.ts'

export interface RoleChoice { role: Role; organization: string | null; organizationName: string | null }

/** POST /api/sign-in { login, password, role?, organization? }: 200 Me and a session cookie, or 200 { choose } when the person has several roles and named none. */
export interface ChooseRole { choose: RoleChoice[] }

/** GET /api/me. */
export interface Me {
  name: string
  role: Role
  /** FHIR ids; null where the role has none. */
  patient: string | null
  practitioner: string | null
  organization: string | null
  organizationName: string | null
  /** Those a citizen may act for; the citizen first. Empty for professionals. */
  people: { patient: string; name: string; relationship: 'self' | 'child' | 'parent' | 'spouse' | 'other'; until: string | null }[]
  /** The server's clock, an instant with offset +08:00: pages take "today" from here, not from the device. */
  now: string
}
