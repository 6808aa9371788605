/** Who is told of a step of a referral. No diagnosis and no department: a notice says that something waits, the page says what. Pure. */
import type { NewNotice } from '../../notices/write-notices.ts'
import type { ReferralRow } from './rows.ts'
import { type Party, type StepName, states } from './steps.ts'

type Told = Exclude<Party, 'platform'>

/** Beside the owner of the new state. */
const alsoTold: Partial<Record<StepName, readonly Told[]>> = {
  return: ['patient'], redirect: ['patient', 'gp'], 'no-place': ['gp'], cancel: ['gp', 'patient', 'department'], expire: ['gp', 'patient'], unbook: ['gp'], missed: ['gp'],
  answer: ['patient'],
}

/** Steps that nobody has to be told of: who took it knows, and booking tells the patient itself. */
const silent: ReadonlySet<StepName> = new Set(['book', 'attend', 'read'])

export function noticesOf(step: StepName, before: ReferralRow, after: ReferralRow): NewNotice[] {
  if (silent.has(step)) return []
  const { owner } = states[after.state]
  const told = new Set<Told>([...(owner === null ? [] : [owner]), ...alsoTold[step] ?? []])
  return [...told].map((party) => noticeTo(party, `referral-${after.state}`, party === 'department' && step === 'cancel' ? before : after))
}

/** @param kind key of the sentence. */
export function noticeTo(party: Told, kind: string, row: ReferralRow): NewNotice {
  return { recipient: recipientOf(party, row), kind, params: { code: row.code, until: row.deadline_at }, appointment: null }
}

function recipientOf(party: Told, row: ReferralRow): NewNotice['recipient'] {
  switch (party) {
    case 'gp': return { kind: 'practitioner', id: row.gp }
    case 'gp-office': return { kind: 'organization', id: row.gp_organization }
    case 'patient': return { kind: 'patient', id: row.patient }
    case 'office': return { kind: 'organization', id: row.organization }
    case 'department': return row.practitioner === null ? { kind: 'organization', id: row.organization } : { kind: 'practitioner', id: row.practitioner }
  }
}
