/**
 * What is known while places are taken: the sessions asked for, who holds which of their places, the patients with their other bookings,
 * the numbers in force. Loaded for all members of a batch with one statement a table; patients are locked first, so that
 * two requests for one patient see each other's bookings. Sessions are locked only when somebody would get a place
 * (`lockBoard`), so that a sold-out clinic refuses without making anybody wait.
 */
import type { Patient } from '@medplum/fhirtypes'
import { sql, type SqlBool } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { addDays, dayInShanghai, startOfDay } from '../fhir/date-time.ts'
import { keyOf } from '../fhir/id.ts'
import { fail } from '../fhir/outcome.ts'
import { loadResources } from '../records/read-resource.ts'
import { plainArray } from '../storage/array-literal.ts'
import type { Trx } from '../storage/pool.ts'
import { type Acting, actingFor, worksAt } from './acting.ts'
import { type BookingRow, lockPatients, lockSessions, type PlaceRow, placesTakenIn } from './booking-rows.ts'
import type { Channel } from './channels.ts'
import type { Parameters } from './parameter-definitions.ts'
import { parameterRows, parametersBy, regionOf } from './parameters.ts'
import { lockedReferrals, type ReferralRow } from './referral/rows.ts'
import { parseSlotId } from './segments.ts'
import { selectSessions, type SessionRow } from './session-rows.ts'

/** A wish: the Slot somebody chose and who will come. */
export interface Wish {
  slot: string
  patient: string
  /** A quota named by the caller; null: what they are entitled to. */
  channel: Channel | null
  /** Key of the booking that a move replaces; null otherwise. */
  replaces: string | null
  /** The referral to book with; a move keeps that of what it replaces. `byPin`: the caller has shown code and PIN of the patient's paper. */
  referral?: { key: string; byPin: boolean } | null
}

export interface Member<W extends Wish = Wish> { ctx: Ctx; wish: W }

export interface Board {
  sessions: Map<string, SessionRow>
  parameters: Map<string, Parameters>
  /** By session, the bookings that keep a place, ended holds among them. */
  taken: Map<string, PlaceRow[]>
  /** By key of the patient: bookings of the last months and ahead, and what was cancelled today. */
  bookings: Map<string, BookingRow[]>
  barred: Map<string, Date | null>
  /** By FHIR id. */
  patients: Map<string, Patient & { id: string }>
  acting: Map<Member, Acting>
  /** By key, locked. */
  referrals: Map<string, ReferralRow>
}

/** Who holds the patient's paper with code and PIN books for them with it, and nothing else. */
const withPaper: Acting = { mayAct: true, proxyFault: null, hasContract: false }

/** Key of the referral that a wish is about; null when there is none. */
export function referralOf(wish: Wish, bookings: readonly BookingRow[]): string | null {
  return wish.referral?.key ?? (wish.replaces === null ? null : bookings.find((row) => row.id === wish.replaces)?.referral ?? null)
}

/** A visit may count as follow-up for a year at most, which the bound of `quota.followUp.visitDays` says too. */
const daysBackMax = 365

export async function loadBoard(trx: Trx, members: readonly Member[]): Promise<Board> {
  const ids = members.flatMap(({ wish }) => parseSlotId(wish.slot)?.session ?? [])
  const found = ids.length === 0 ? [] : await selectSessions(trx).where(sql<SqlBool>`s.id = any(${plainArray([...new Set(ids)])}::uuid[])`).execute()
  const sessions = new Map(found.map((row) => [row.id, row]))
  const acting = new Map<Member, Acting>()
  for (const member of members) acting.set(member, member.wish.referral?.byPin ? withPaper : await actingFor(trx, member.ctx, keyOf(member.wish.patient)))
  // A stranger learns nothing more, and makes no row.
  const allowed = members.filter((member) => acting.get(member)?.mayAct || isAtDesk(member, sessions))
  const patients = await loadResources<Patient>(trx, 'Patient', allowed.map(({ wish }) => wish.patient))
  const known = allowed.filter(({ wish }) => patients.has(wish.patient))
  const pids = [...new Set(known.map(({ wish }) => keyOf(wish.patient)))].sort()
  const barred = await lockPatients(trx, pids)
  const now = members[0]?.ctx.now ?? new Date(0)
  const numbers = parametersBy(await parameterRows(trx, found.map(placeOf)))
  const bookings = byPatient(pids, await bookingsOf(trx, pids, now))
  return {
    sessions, acting, barred, bookings,
    referrals: await lockedReferrals(trx, known.flatMap(({ wish }) => referralOf(wish, bookings.get(keyOf(wish.patient)) ?? []) ?? [])),
    patients: new Map([...patients].map(([id, patient]) => [id, { ...patient, id }])),
    parameters: new Map(found.map((session) => [session.id, numbers(placeOf(session), now)])),
    taken: await placesTakenIn(trx, [...sessions.keys()]),
  }
}

function isAtDesk({ ctx, wish }: Member, sessions: ReadonlyMap<string, SessionRow>): boolean {
  const session = sessions.get(parseSlotId(wish.slot)?.session ?? '')
  return ctx.principal.role === 'scheduler' && session !== undefined && worksAt(ctx, session.organization)
}

/** Locks the sessions in the order of their ids and reads anew what may have changed meanwhile. */
export async function lockBoard(trx: Trx, board: Board, sessions: Iterable<string>): Promise<void> {
  const locked = await lockSessions(trx, sessions)
  for (const [id, row] of board.sessions) {
    const now = locked.get(id)
    if (now) board.sessions.set(id, { ...row, status: now.status, used: now.used })
  }
  board.taken = await placesTakenIn(trx, [...board.sessions.keys()])
}

/** @throws OutcomeError `slot-unknown`. */
export function slotOnBoard(board: Board, id: string): { session: SessionRow; place: number } {
  const slot = parseSlotId(id)
  const session = slot ? board.sessions.get(slot.session) : undefined
  if (!slot || !session || slot.place > session.capacity) {
    throw fail('slot-unknown', { zh: `没有找到号源 Slot/${id}，请重新选择。`, en: `Slot/${id} was not found. Please choose again.` })
  }
  return { session, place: slot.place }
}

export function placeOf(session: Pick<SessionRow, 'district_code' | 'organization' | 'department' | 'healthcare_service'>) {
  return {
    region: regionOf(session.district_code), organization: session.organization, department: session.department,
    healthcareService: session.healthcare_service,
  }
}

async function bookingsOf(trx: Trx, pids: readonly string[], now: Date): Promise<BookingRow[]> {
  if (pids.length === 0) return []
  const today = dayInShanghai(now)
  const [kept, cancelled] = await Promise.all([
    trx.selectFrom('booking').selectAll().where(isAnyOf(pids)).where('service_date', '>=', addDays(today, -daysBackMax)).where('state', '<>', 'cancelled').execute(),
    trx.selectFrom('booking').selectAll().where(isAnyOf(pids)).where('state', '=', 'cancelled').where('updated_at', '>=', startOfDay(today).toISOString()).execute(),
  ])
  return [...kept, ...cancelled]
}

/** One parameter for any number of patients: the statement stays one and prepared. */
function isAnyOf(pids: readonly string[]) {
  return sql<SqlBool>`pid = any(${plainArray(pids)}::uuid[])`
}

function byPatient(pids: readonly string[], rows: readonly BookingRow[]): Map<string, BookingRow[]> {
  const found = new Map<string, BookingRow[]>(pids.map((pid) => [pid, []]))
  for (const row of rows) found.get(row.pid)?.push(row)
  return found
}
