/**
 * What is open, kept in memory: every session that is not over with its taken places, in lists by department, doctor and hospital. A search
 * reads these lists and never the tables. Each question first asks the database what changed since the last look, which is two index
 * probes when nothing did; questions that come meanwhile share the answer, so a rush of readers costs the database no more than one.
 * `changed` of a row is the transaction that last changed it: whatever committed after a look has a number that is not below
 * the oldest transaction then under way, so nothing is missed, whatever the clocks say. Decision 0022.
 */
import { sql, type SqlBool } from 'kysely'
import { addMinutes } from '../fhir/date-time.ts'
import type { Db } from '../storage/pool.ts'
import { type Channel, placeState, publicFrom, letterOf } from './channels.ts'
import type { Parameters } from './parameter-definitions.ts'
import { allParameterRows, type ParameterRow, parametersBy } from './parameters.ts'
import { placeOf } from './board.ts'
import { type Segment, segmentsOf } from './segments.ts'
import { selectSessions, type SessionRow } from './session-rows.ts'
import type { SessionOffer } from './shapes.ts'

/** A session lasts half a day at most. */
const sessionMinutesMax = 720
const reloadMinutes = 1440

export interface OpenSession {
  row: SessionRow
  /** Made when first looked at (`segmentsIn`). */
  segments: readonly Segment[] | null
  /** Place → until when it is held; null for what is booked. */
  taken: ReadonlyMap<number, number | null>
  parameters: Parameters
  /** What everybody may choose from, as last made; good until the clock says otherwise. */
  offer: { made: SessionOffer; from: number; until: number } | null
}

/** Lists are in the order of start and id. */
export interface OpenSessions {
  all: readonly OpenSession[]
  byDepartment: ReadonlyMap<string, readonly OpenSession[]>
  byPractitioner: ReadonlyMap<string, readonly OpenSession[]>
  byOrganization: ReadonlyMap<string, readonly OpenSession[]>
  /** What was chosen from the lists, by question; gone when the lists change (candidates.ts). */
  chosen: Map<string, readonly OpenSession[]>
}

interface State extends OpenSessions { byId: Map<string, OpenSession>; since: Date; seen: string; rows: readonly ParameterRow[] }

const keepers = new WeakMap<Db, (now: Date) => Promise<OpenSessions>>()

/** The sessions that are not over, as the database has them now. */
export function openSessions(db: Db, now: Date): Promise<OpenSessions> {
  let keeper = keepers.get(db)
  if (!keeper) keepers.set(db, keeper = keep(db))
  return keeper(now)
}

function keep(db: Db): (now: Date) => Promise<OpenSessions> {
  let state: State | null = null
  let underWay: Promise<State> | null = null
  return async (now) => {
    underWay ??= (isOutOfReach(state, now) ? load(db, now) : refresh(db, state as State)).finally(() => { underWay = null })
    state = await underWay
    return state
  }
}

/** Too old to be worth keeping, or the clock was set back behind its beginning. */
function isOutOfReach(state: State | null, now: Date): boolean {
  return state === null || now < state.since || now > addMinutes(state.since, reloadMinutes)
}

async function load(db: Db, now: Date): Promise<State> {
  const seen = await snapshot(db)
  const rows = await allParameterRows(db)
  const sessions = await selectSessions(db).where('s.end_at', '>', addMinutes(now, -sessionMinutesMax).toISOString()).execute()
  const taken = await takenSince(db, addMinutes(now, -sessionMinutesMax))
  const numbers = parametersBy(rows)
  const byId = new Map(shared(sessions).map((row) => [row.id, entryOf(row, taken.get(row.id) ?? nothing, numbers)]))
  return { ...lists(byId), byId, since: now, seen, rows }
}

async function snapshot(db: Db): Promise<string> {
  const { rows } = await sql<{ xmin: string }>`select pg_snapshot_xmin(pg_current_snapshot())::text as xmin`.execute(db)
  return rows[0]?.xmin ?? '0'
}

async function refresh(db: Db, state: State): Promise<State> {
  const { rows: [news] } = await sql<{ xmin: string; sessions: string[]; booked: string[]; numbers: number }>`
    select pg_snapshot_xmin(pg_current_snapshot())::text as xmin, array(select id from clinic_session where changed >= ${state.seen}::xid8) as sessions,
      array(select distinct session_id from booking where changed >= ${state.seen}::xid8) as booked, (select count(*)::int from booking_parameter) as numbers`.execute(db)
  if (!news) return state
  const { byId } = state
  const fresh = news.numbers === state.rows.length ? state.rows : await allParameterRows(db)
  const changed = [...new Set([...news.sessions, ...news.booked])]
  if (changed.length > 0) {
    const sessions = news.sessions.length === 0 ? [] : await selectSessions(db).where(sql<SqlBool>`s.id = any(${news.sessions}::uuid[])`).execute()
    const taken = await takenIn(db, changed)
    const rows = new Map(shared(sessions).map((row) => [row.id, row]))
    const numbers = parametersBy(fresh)
    let added = fresh !== state.rows
    for (const id of changed) {
      const known = byId.get(id)
      const row = rows.get(id) ?? known?.row
      if (!row) continue
      const entry = entryOf(row, taken.get(id) ?? nothing, numbers)
      if (known && !isMoved(known.row, row)) Object.assign(known, entry)
      else {
        byId.set(id, entry)
        added = true
      }
    }
    if (added) Object.assign(state, lists(byId))
  }
  if (fresh !== state.rows) {
    const numbers = parametersBy(fresh)
    for (const entry of byId.values()) Object.assign(entry, entryOf(entry.row, entry.taken, numbers))
  }
  return Object.assign(state, { seen: news.xmin, rows: fresh })
}

/** It stands elsewhere in the lists. */
function isMoved(one: SessionRow, other: SessionRow): boolean {
  return one.start_at !== other.start_at || one.practitioner !== other.practitioner || one.practitioner_name_zh !== other.practitioner_name_zh
}

const nothing: ReadonlyMap<number, number | null> = new Map()

const repeated = [
  'organization', 'department', 'healthcare_service', 'practitioner_role', 'practitioner', 'practitioner_name_zh', 'practitioner_name_en', 'location', 'location_name_zh', 'location_name_en',
  'service_date', 'half', 'start_at', 'end_at', 'release_at', 'clinic_type', 'title', 'channels', 'name_zh', 'name_en', 'district_code', 'district_zh', 'district_en',
] as const satisfies readonly (keyof SessionRow)[]

/** The texts that many sessions share, kept once: a million places would hold each hospital's name tens of thousands of times. */
function shared(rows: readonly SessionRow[]): readonly SessionRow[] {
  const once = new Map<string, string>()
  for (const row of rows) {
    for (const column of repeated) {
      const text = row[column]
      const known = once.get(text)
      if (known === undefined) once.set(text, text)
      else (row as Record<typeof column, string>)[column] = known
    }
  }
  return rows
}

function entryOf(row: SessionRow, taken: OpenSession['taken'], numbers: ReturnType<typeof parametersBy>): OpenSession {
  return { row, taken, segments: null, parameters: numbers(placeOf(row), new Date(row.start_at)), offer: null }
}

/** The segments of a session. */
export function segmentsIn(session: OpenSession): readonly Segment[] {
  return session.segments ??= segmentsOf(session.row)
}

function lists(byId: ReadonlyMap<string, OpenSession>): OpenSessions {
  const all = [...byId.values()].sort((a, b) => (a.row.start_at < b.row.start_at ? -1 : a.row.start_at > b.row.start_at ? 1 : a.row.id < b.row.id ? -1 : 1))
  const by = (keyOf: (row: SessionRow) => string) => {
    const found = new Map<string, OpenSession[]>()
    for (const each of all) {
      const list = found.get(keyOf(each.row))
      if (list) list.push(each)
      else found.set(keyOf(each.row), [each])
    }
    return found
  }
  return { all, byDepartment: by((row) => row.department), byPractitioner: by((row) => row.practitioner), byOrganization: by((row) => row.organization), chosen: new Map() }
}

type Taken = Map<string, Map<number, number | null>>
interface TakenRow { session_id: string; no: number; held_until: string | null }

async function takenSince(db: Db, from: Date): Promise<Taken> {
  return byPlace(await db.selectFrom('booking').select(['session_id', 'no', 'held_until']).where('end_at', '>', from.toISOString()).where('state', '<>', 'cancelled').execute())
}

async function takenIn(db: Db, sessions: readonly string[]): Promise<Taken> {
  return byPlace(await db.selectFrom('booking').select(['session_id', 'no', 'held_until']).where(sql<SqlBool>`session_id = any(${sessions}::uuid[])`).where('state', '<>', 'cancelled').execute())
}

function byPlace(rows: readonly TakenRow[]): Taken {
  const found: Taken = new Map()
  for (const row of rows) {
    const places = found.get(row.session_id) ?? new Map<number, number | null>()
    places.set(row.no, row.held_until === null ? null : Date.parse(row.held_until))
    found.set(row.session_id, places)
  }
  return found
}

/** Places taken at an instant: an ended hold takes none, also before the sweep. */
export function takenAt({ taken }: Pick<OpenSession, 'taken'>, now: Date): Set<number> {
  const at = now.getTime()
  const found = new Set<number>()
  for (const [place, until] of taken) if (until === null || until > at) found.add(place)
  return found
}

/** From when a segment is no longer offered. */
function closesAt({ parameters }: Pick<OpenSession, 'parameters'>, segment: Segment): number {
  return segment.end.getTime() - parameters['window.minLeadMinutes'] * 60_000
}

/** How many places those of some channels may take, by segment. */
export function freeBySegment(session: OpenSession, entitled: ReadonlySet<Channel>, now: Date): { segment: Segment; places: number[] }[] {
  if (session.row.status !== 'open') return []
  const taken = takenAt(session, now)
  return segmentsIn(session).map((segment) => {
    const places: number[] = []
    if (closesAt(session, segment) > now.getTime()) {
      for (let no = segment.firstPlace; no <= segment.lastPlace; no++) if (!taken.has(no) && placeState(session.row, no, entitled, now) === 'open') places.push(no)
    }
    return { segment, places }
  })
}

/** The next instant at which the clock alone changes what everybody may choose. */
export function nextChange(session: OpenSession, now: Date): number {
  const at = now.getTime()
  const times = [...segmentsIn(session).map((segment) => closesAt(session, segment)), ...[...session.taken.values()].filter((each) => each !== null)]
  for (const letter of new Set(['p' as const, ...Array.from({ length: session.row.capacity }, (_, index) => letterOf(session.row, index + 1))])) {
    const from = publicFrom(session.row, letter)
    if (from !== null) times.push(from)
  }
  return Math.min(...times.filter((each) => each > at), Number.POSITIVE_INFINITY)
}
