/**
 * Appointments behind the latest hospital visits: fulfilled, at the time of the visit, tied to the Encounter. The clinics of
 * those days are over and have no sessions here, so these Appointments name no Slot.
 */
import { appointmentInState, newAppointment } from '@pujiang/api/booking/appointment-resource.ts'
import type { SessionFace } from '@pujiang/api/booking/session-rows.ts'
import type { Patient } from '@medplum/fhirtypes'
import { instantMs } from '../calendar.ts'
import { type ClinicType, feeFen } from '../directory/clinics.ts'
import { levels } from '../data/hospitals.ts'
import type { City } from '../directory/city.ts'
import type { Made } from '../fhir-elements.ts'
import { humanNames } from '../fhir-elements.ts'
import type { Chart, Visit } from './chart.ts'

/** How far back appointments are kept in the city. */
const keptDays = 90

export function pastAppointments(city: City, chart: Chart): void {
  for (const visit of chart.visits) {
    const booked = visit.by.post.hospital.level > 1 && (visit.kind === 'outpatient' || visit.kind === 'follow-up')
    if (!booked || visit.day < city.today - keptDays || visit.day >= city.today) continue
    const id = chart.add(visit.day - chart.random.int(1, 9), (newId) => appointmentOf(chart, visit, newId))
    const encounter = chart.resources.find((each) => each.resourceType === 'Encounter' && each.id === visit.id)
    if (encounter) encounter.appointment = [{ reference: `Appointment/${id}` }]
  }
}

function appointmentOf(chart: Chart, visit: Visit, id: string): Made {
  const { person, random } = chart
  const place = random.int(1, 14)
  const appointment = newAppointment({
    id, state: 'booked', session: sessionOf(visit), place, created: new Date(instantMs(visit.day - 2, 480)), heldUntil: null, given: null, channel: 'public',
    segment: { start: new Date(instantMs(visit.day, visit.minutes - (visit.minutes % 30))), end: new Date(instantMs(visit.day, visit.minutes - (visit.minutes % 30) + 30)), firstPlace: place, lastPlace: place },
    patient: { resourceType: 'Patient', id: person.id, name: humanNames(person.name) } as Patient & { id: string },
  })
  const { slot: _slot, ...rest } = appointmentInState(appointment, { state: 'fulfilled', reason: null, comment: null })
  return rest as unknown as Made
}

function sessionOf(visit: Visit): SessionFace {
  const { doctor, post } = visit.by
  const { hospital } = post
  const clinicType: ClinicType = doctor.title === 'chief' || doctor.title === 'associate-chief' ? 'expert' : 'ordinary'
  const day = new Date(instantMs(visit.day, 480)).toISOString()
  return {
    shard: hospital.shard, id: visit.id, organization: hospital.id, department: post.department.code, healthcare_service: post.department.healthcareService,
    practitioner_role: post.role, practitioner: doctor.id, practitioner_name_zh: doctor.name.zh, practitioner_name_en: doctor.name.en,
    location: post.room.id, location_name_zh: post.room.name.zh, location_name_en: post.room.name.en, service_date: day.slice(0, 10), half: 'am',
    start_at: day, end_at: day, capacity: 20, used: 0, segment_minutes: 30, segments: 7, status: 'closed',
    fee_fen: BigInt(feeFen(hospital, doctor.title, clinicType)), clinic_type: clinicType, title: doctor.title, updated_at: day,
    name_zh: hospital.name.zh, name_en: hospital.name.en, level_code: levels[hospital.level].code,
    district_code: hospital.district.code, district_zh: hospital.district.zh, district_en: hospital.district.en,
  }
}
