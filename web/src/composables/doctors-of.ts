/** Sessions grouped by doctor and hospital, those with the soonest open place first. Pure. */
import type { SessionOffer } from '../api/offers.ts'

export interface DoctorOffer {
  /** Unique in a list: a doctor may work at two hospitals. */
  key: string
  practitioner: SessionOffer['practitioner']
  organization: SessionOffer['organization']
  department: SessionOffer['department']
  title: string
  clinicTypes: string[]
  feeFromFen: number
  free: number
  /** Days in order, with what is left on each. */
  days: { date: string; free: number }[]
  sessions: SessionOffer[]
}

export function doctorsOf(sessions: readonly SessionOffer[]): DoctorOffer[] {
  const found = new Map<string, DoctorOffer>()
  for (const session of [...sessions].sort((a, b) => a.start.localeCompare(b.start))) {
    const key = `${session.practitioner.id}@${session.organization.id}`
    const doctor = found.get(key) ?? {
      key, practitioner: session.practitioner, organization: session.organization, department: session.department, title: session.title,
      clinicTypes: [], feeFromFen: session.feeFen, free: 0, days: [], sessions: [],
    }
    found.set(key, doctor)
    doctor.sessions.push(session)
    doctor.free += session.free
    doctor.feeFromFen = Math.min(doctor.feeFromFen, session.feeFen)
    if (!doctor.clinicTypes.includes(session.clinicType)) doctor.clinicTypes.push(session.clinicType)
    const day = doctor.days.find((each) => each.date === session.date)
    if (day) day.free += session.free
    else doctor.days.push({ date: session.date, free: session.free })
  }
  const soonest = (doctor: DoctorOffer) => doctor.days.find((each) => each.free > 0)?.date ?? '9999'
  return [...found.values()].sort((a, b) => soonest(a).localeCompare(soonest(b)) || b.free - a.free)
}
