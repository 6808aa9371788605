/** JSON shapes of /api/booking/referrals, imported by the portal as types. What was said (reason, question, answer) is read from ServiceRequest and Task, through the access decision. */
import type { Named } from '../shapes.ts'

export type ReferralOwner = 'gp' | 'gp-office' | 'department' | 'office' | 'patient'
export type ReferralPriority = 'routine' | 'urgent'
export type ReferralStateName = 'requested' | 'returned' | 'accepted' | 'no-place' | 'booked' | 'attended' | 'answered' | 'completed' | 'cancelled' | 'expired'
export type ReferralStep = 'accept' | 'return' | 'redirect' | 'resubmit' | 'no-place' | 'reopen' | 'answer' | 'read' | 'cancel'

/** GET /api/booking/referrals?as=gp|department|office|patient[&patient=…]: open ones first, the most urgent deadline on top. */
export interface ReferralView {
  /** FHIR ids of the ServiceRequest and the Task. */
  id: string
  task: string
  code: string
  /** The office sees the name with its middle covered. */
  patient: { id: string; name: Named }
  gp: { id: string; name: Named }
  organization: { id: string; name: Named }
  department: { code: string; name: Named }
  practitioner: { id: string; name: Named } | null
  priority: ReferralPriority
  state: ReferralStateName
  stateName: Named
  /** Whose turn it is, by when; null when it is over. */
  owner: { party: ReferralOwner; name: Named } | null
  deadline: string | null
  overdue: boolean
  /** Who has been told that nobody acted. */
  told: Named[]
  created: string
  expires: string
  /** The place that was booked with it. */
  visit: { appointment: string; start: string } | null
  /** Steps that the caller may take now. */
  steps: ReferralStep[]
}

/** POST /api/booking/referral-paper {code, pin}: what somebody with the patient's paper may know, to find a place. */
export interface ReferralPaper {
  code: string
  /** Covered in its middle. */
  patientName: Named
  organization: { id: string; name: Named }
  department: { code: string; name: Named }
  practitioner: { id: string; name: Named } | null
  state: ReferralStateName
  stateName: Named
  bookable: boolean
  expires: string
}
