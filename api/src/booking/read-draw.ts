/**
 * What anybody may see of a draw: before it the commitment and the times; after it seed, tickets and what each got, with which anyone can compute
 * order and winners again (draw.ts). Tickets say nothing about their holders; whose they are only the holder is told.
 */
import type { Ctx } from '../ctx.ts'
import { addMinutes } from '../fhir/date-time.ts'
import type { Db } from '../storage/pool.ts'
import { letterOf } from './channels.ts'
import { departmentName } from './departments.ts'
import { segmentIndexOf, segmentsOf, slotIdOf } from './segments.ts'
import { selectSessions, type SessionRow } from './session-rows.ts'
import type { DrawSummary, DrawTicketView, DrawView } from './shapes.ts'

const drawsMax = 200
/** How long a draw that was held is listed. */
const listedDays = 14

/** Null when places of the session are not drawn. */
export async function readDraw(db: Db, session: string): Promise<DrawView | null> {
  const draw = await db.selectFrom('draw').selectAll().where('session_id', '=', session).executeTakeFirst()
  const row = draw && await selectSessions(db).where('s.id', '=', session).executeTakeFirst()
  if (!draw || !row) return null
  const tickets = await db.selectFrom('draw_ticket').select(['id', 'state', 'reason', 'segments']).where('session_id', '=', session).where('state', '<>', 'withdrawn').orderBy('id').execute()
  const held = draw.drawn_at !== null
  return {
    ...summaryOf(row, { ...draw, entered: tickets.length }), commitment: draw.commitment,
    segments: segmentsOf(row).map((segment) => ({
      index: segmentIndexOf(row, segment.firstPlace), start: segment.start.toISOString(), end: segment.end.toISOString(), slot: slotIdOf(row.id, segment.firstPlace), places: publicPlaces(row, segment),
    })),
    held: held ? {
      at: draw.drawn_at as string, seed: draw.seed, listHash: draw.list_hash as string,
      tickets: tickets.map(({ id, state, reason, segments }) => ({ id, segments, result: state as 'won' | 'lost' | 'void', reason })),
    } : null,
  }
}

function publicPlaces(session: SessionRow, { firstPlace, lastPlace }: { firstPlace: number; lastPlace: number }): number {
  let count = 0
  for (let place = firstPlace; place <= lastPlace; place++) if (letterOf(session, place) === 'p') count++
  return count
}

/** Draws that are announced or were held lately, the next to close first. */
export async function listDraws(db: Db, { now }: Pick<Ctx, 'now'>, department: string | null): Promise<DrawSummary[]> {
  const rows = await selectSessions(db).innerJoin('draw as d', (join) => join.onRef('d.session_id', '=', 's.id').onRef('d.shard', '=', 's.shard'))
    .select(['d.opens_at', 'd.closes_at', 'd.drawn_at']).select((eb) => eb.selectFrom('draw_ticket as t').select((each) => each.fn.countAll<number>().as('entered')).whereRef('t.session_id', '=', 'd.session_id').where('t.state', '<>', 'withdrawn').as('entered'))
    .where('d.closes_at', '>', addMinutes(now, -listedDays * 1440).toISOString()).$if(department !== null, (query) => query.where('s.department', '=', department as string))
    .orderBy('d.closes_at', 'desc').orderBy('s.id').limit(drawsMax).execute()
  return rows.map((row) => summaryOf(row, { ...row, entered: Number(row.entered ?? 0) }))
    .sort((a, b) => (a.drawn === b.drawn ? (a.drawn ? b.closes.localeCompare(a.closes) : a.closes.localeCompare(b.closes)) : a.drawn ? 1 : -1))
}

function summaryOf(row: SessionRow, draw: { opens_at: string; closes_at: string; drawn_at: string | null; entered: number }): DrawSummary {
  return {
    schedule: row.id, organization: { id: row.organization, name: { zh: row.name_zh, en: row.name_en } }, department: { code: row.department, name: { ...departmentName(row.department) } },
    doctor: { zh: row.practitioner_name_zh, en: row.practitioner_name_en }, title: row.title, clinicType: row.clinic_type, date: row.service_date, half: row.half as DrawSummary['half'],
    feeFen: Number(row.fee_fen), capacity: row.capacity, opens: draw.opens_at, closes: draw.closes_at, entered: draw.entered, drawn: draw.drawn_at !== null,
  }
}

/** The tickets of a patient, newest first. */
export async function listTickets(db: Db, pid: string): Promise<DrawTicketView[]> {
  const rows = await db.selectFrom('draw_ticket').select(['id', 'session_id', 'appointment', 'state', 'reason', 'segments', 'entered_at']).where('pid', '=', pid).where('state', '<>', 'withdrawn')
    .orderBy('entered_at', 'desc').limit(drawsMax).execute()
  return rows.map((row) => ({ ticket: row.id, schedule: row.session_id, appointment: row.appointment, state: row.state as DrawTicketView['state'], reason: row.reason, segments: row.segments, at: row.entered_at }))
}
