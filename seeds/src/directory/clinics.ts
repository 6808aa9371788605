/**
 * Which half-days of the week a doctor holds clinics on, of which kind, with how many places and at what fee.
 * Invariant: seats 0 and 1 of a room use complementary half-days.
 */
import type { TemplateRow } from '@pujiang/api/booking/generate-sessions.ts'
import { type Day, dayText, instantMs } from '../calendar.ts'
import { consultationFen, diseaseClinicFen, specialNeedFen } from '../data/hospitals.ts'
import type { Random } from '../random.ts'
import type { Doctor, Post, Title } from './doctors.ts'
import type { Hospital } from './hospitals.ts'

export type ClinicType = 'ordinary' | 'expert' | 'disease-specific' | 'special-need'

export interface HalfDay { weekday: number; half: 'am' | 'pm' | 'night'; clinicType: ClinicType; capacity: number }

const times = { am: ['08:00', '11:30'], pm: ['13:30', '16:30'], night: ['17:30', '20:00'] } as const
const segmentMinutes = 30

/** Four to six half-days a week; the demo staff are there every day, so that any day is a good day to try. */
export function weeklyHalfDays(random: Random, hospital: Hospital, title: Title, seat: number, login: Doctor['login']): HalfDay[] {
  if (login !== null) return demoHalfDays(login)
  const weekdays = [1, 2, 3, 4, 5].flatMap((weekday) => [{ weekday, half: (weekday + seat) % 2 === 0 ? 'pm' as const : 'am' as const }])
  const slots: { weekday: number; half: HalfDay['half'] }[] = [...weekdays]
  if (random.chance(0.45)) slots.push({ weekday: 6, half: seat === 0 ? 'am' : 'pm' })
  if (hospital.kind === 'community' && random.chance(0.3)) slots.push({ weekday: 7, half: seat === 0 ? 'am' : 'pm' })
  if (seat === 0 && hospital.level > 1 && random.chance(0.12)) slots.push({ weekday: 3, half: 'night' })
  const count = Math.min(slots.length, title === 'chief' ? 4 : random.int(4, 6))
  return random.shuffle(slots).slice(0, count)
    .sort((one, other) => one.weekday - other.weekday || (one.half < other.half ? -1 : 1))
    .map((slot, index) => {
      const clinicType = clinicTypeOf(random, hospital, title, index)
      return { ...slot, clinicType, capacity: capacityOf(random, clinicType, slot.half) }
    })
}

function demoHalfDays(login: 'doctor' | 'doctor2' | 'gp'): HalfDay[] {
  const halves = login === 'doctor2' ? ['am'] as const : ['am', 'pm'] as const
  const clinicType: ClinicType = login === 'gp' ? 'ordinary' : 'expert'
  return [1, 2, 3, 4, 5, 6, 7].flatMap((weekday) => halves.map((half) => ({ weekday, half, clinicType, capacity: half === 'am' ? 21 : 18 })))
}

function clinicTypeOf(random: Random, hospital: Hospital, title: Title, index: number): ClinicType {
  if (hospital.level === 1) return 'ordinary'
  if (title === 'chief') return index === 0 && hospital.level === 3 && random.chance(0.3) ? 'special-need' : 'expert'
  if (title === 'associate-chief') return random.chance(0.15) ? 'disease-specific' : 'expert'
  return title === 'attending' && random.chance(0.1) ? 'disease-specific' : 'ordinary'
}

function capacityOf(random: Random, clinicType: ClinicType, half: HalfDay['half']): number {
  const [low, high] = { ordinary: [16, 24], expert: [10, 18], 'disease-specific': [10, 16], 'special-need': [10, 12] }[clinicType] as [number, number]
  return half === 'night' ? low : random.int(low, high)
}

export function feeFen(hospital: Hospital, title: Title, clinicType: ClinicType): number {
  if (clinicType === 'special-need') return specialNeedFen
  const fee = consultationFen[hospital.level][title]
  return clinicType === 'disease-specific' ? Math.max(fee, diseaseClinicFen) : fee
}

export function templateRow(random: Random, doctor: Doctor, post: Post, halfDay: HalfDay, from: Day): TemplateRow {
  const [start, end] = times[halfDay.half]
  return {
    id: random.id(instantMs(from, 0), post.hospital.shard),
    organization: post.hospital.id, department: post.department.code, healthcare_service: post.department.healthcareService,
    practitioner_role: post.role, practitioner: doctor.id, practitioner_name_zh: doctor.name.zh, practitioner_name_en: doctor.name.en,
    location: post.room.id, location_name_zh: post.room.name.zh, location_name_en: post.room.name.en,
    weekday: halfDay.weekday, half: halfDay.half, start_time: start, end_time: end, clinic_type: halfDay.clinicType, title: doctor.title,
    fee_fen: BigInt(feeFen(post.hospital, doctor.title, halfDay.clinicType)), capacity: halfDay.capacity, segment_minutes: segmentMinutes,
    valid_from: dayText(from), valid_until: null,
  }
}
