/**
 * Reading sessions with what people want to see beside them: the hospital's name and place, and which places are taken.
 * A hold that has ended takes no place, also before the sweep removed it.
 */
import { type RawBuilder, sql } from 'kysely'
import type { Db } from '../storage/pool.ts'
import type { ChannelTimes } from './channels.ts'


const sessionColumns = [
  's.shard', 's.id', 's.organization', 's.department', 's.healthcare_service', 's.practitioner_role', 's.practitioner',
  's.practitioner_name_zh', 's.practitioner_name_en', 's.location', 's.location_name_zh', 's.location_name_en', 's.service_date',
  's.half', 's.start_at', 's.end_at', 's.capacity', 's.used', 's.segment_minutes', 's.segments', 's.status', 's.release_at',
  's.fee_fen', 's.clinic_type', 's.title', 's.updated_at', 's.channels', 's.gp_release_at', 's.gp_return_at', 's.follow_up_return_at',
  's.onsite_release_at', 's.onsite_return_at', 's.substitute_for', 's.status_reason',
  'p.name_zh', 'p.name_en', 'p.level_code', 'p.district_code', 'p.district_zh', 'p.district_en',
  'p.latitude', 'p.longitude',
] as const

/** Sessions joined with their hospital, under the names `s` and `p`. */
export function selectSessions(db: Db) {
  return db.selectFrom('clinic_session as s')
    .innerJoin('clinic_provider as p', (join) => join.onRef('p.organization', '=', 's.organization').onRef('p.shard', '=', 's.shard'))
    .select(sessionColumns)
}

export type SessionRow = Awaited<ReturnType<ReturnType<typeof selectSessions>['executeTakeFirstOrThrow']>>

/** What an Appointment says of its session: names and times, nothing of quotas. */
export type SessionFace = Omit<SessionRow, keyof ChannelTimes | 'substitute_for' | 'status_reason' | 'latitude' | 'longitude'>

/** Numbers of the places of `s` that are taken at an instant. */
export function takenPlaces(now: Date): RawBuilder<number[]> {
  return sql<number[]>`array(select b.no from booking b where b.session_id = s.id and b.shard = s.shard and b.state <> 'cancelled'
    and (b.held_until is null or b.held_until > ${now.toISOString()}::timestamptz))`
}
