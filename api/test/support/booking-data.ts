/** The smallest city that can be booked: one hospital, one doctor, patterns of one's choice. Each call gives fresh rows. */
import { randomUUID } from 'node:crypto'
import type { ProviderRow, TemplateRow } from '../../src/booking/generate-sessions.ts'
import type { Db } from '../../src/storage/pool.ts'

/** Every place for everybody, one release for all, no gap between visits to a doctor, places back at once: a test counts what it speaks of. */
export async function plainNumbers(db: Db): Promise<void> {
  const names = ['quota.gpReferral', 'quota.followUp', 'quota.onsite', 'release.groupMinutes', 'limit.sameDoctor.gapDays', 'return.maxMinutes']
  const there = await db.selectFrom('booking_parameter').select('id').where('set_by', '=', 'test').limit(1).executeTakeFirst()
  if (there) return
  await db.insertInto('booking_parameter').values(names.map((name) => ({
    scope: 'city' as const, scope_id: '310000', name, value: 0, from_at: '2020-01-01T00:00:00Z', until_at: null, set_by: 'test',
  }))).execute()
}

export const hospitalId = '01930000-0000-7a17-8000-000000000001'
export const doctorId = '01930000-0000-7a17-8000-0000000000d1'

export function hospital(given: Partial<ProviderRow> = {}): ProviderRow {
  return {
    organization: hospitalId, name_zh: '浦江市第一人民医院', name_en: 'Pujiang First People’s Hospital',
    level_code: '02', level_zh: '三级甲等', level_en: 'Tertiary A',
    district_code: '310101', district_zh: '黄浦区', district_en: 'Huangpu',
    address_zh: '黄浦区外滩路 1 号', address_en: '1 Waitan Road, Huangpu', ...given,
  }
}

export function clinicTemplate(given: Partial<TemplateRow> = {}): TemplateRow {
  return {
    id: randomUUID(), organization: hospitalId, department: '03.04', healthcare_service: '01930000-0000-7a17-8000-0000000000c1',
    practitioner_role: '01930000-0000-7a17-8000-0000000000e1', practitioner: doctorId,
    practitioner_name_zh: '陈志远', practitioner_name_en: 'Chen Zhiyuan',
    location: '01930000-0000-7a17-8000-0000000000f1', location_name_zh: '门诊楼 3 层 A 区', location_name_en: 'Outpatient building, floor 3, area A',
    weekday: 1, half: 'am', start_time: '08:00', end_time: '12:00', clinic_type: 'expert', title: 'chief', fee_fen: 5000n,
    capacity: 16, segment_minutes: 30, valid_from: '2026-01-01', valid_until: null, ...given,
  }
}
