/**
 * Whether the session of a token still lives, asked at every request of a person. A process remembers the sessions it has
 * seen; a change anywhere is told by NOTIFY and forgets them, so that the next request reads the row. Should the line to the
 * database break unnoticed, a remembered session is read anew after `rereadSeconds`. Costs: one look-up in a map a request, one
 * select a session and half minute, one update a session and minute (measured in docs/decisions/0017-sessions-are-rows.md).
 */
import { sql } from 'kysely'
import { fail } from '../fhir/outcome.ts'
import type { Db } from '../storage/pool.ts'
import type { Principal } from './principal.ts'
import { readSession, type SessionRow } from './sessions.ts'

const rereadSeconds = 30
const writeSeconds = 60
const rememberedMax = 50_000
/** Minutes without a request after which a session has ended. Source: MLPS 8.1.4.1, domain table of controls. */
const idleMinutes = { citizen: 30, staff: 15 } as const

interface Seen { row: SessionRow; readAt: number; lastSeen: number; writtenAt: number }

export interface SessionWatch {
  /** The principal as its session is now: strength and instant of the last proof. @throws OutcomeError `session-ended` (401). */
  alive(principal: Principal, now: Date): Promise<Principal>
  /** A session changed; the next question reads it. */
  forget(id: string): void
  forgetAll(): void
}

export function sessionWatch(db: Db): SessionWatch {
  const seen = new Map<string, Seen>()

  async function read(id: string, now: number): Promise<Seen | null> {
    const row = await readSession(db, id)
    if (!row) return null
    const lastSeen = Date.parse(row.last_seen_at)
    const entry = { row, readAt: now, lastSeen, writtenAt: lastSeen }
    if (seen.size >= rememberedMax) seen.delete(seen.keys().next().value ?? '')
    seen.set(id, entry)
    return entry
  }

  async function assertAlive(id: string, now: number): Promise<SessionRow> {
    let entry = seen.get(id) ?? null
    if (!entry || now - entry.readAt > rereadSeconds * 1000 || isIdle(entry, now)) entry = await read(id, now)
    if (!entry || entry.row.ended_at !== null || Date.parse(entry.row.expires_at) <= now || isIdle(entry, now)) throw sessionEnded()
    if (entry.row.parent !== null && !entry.row.offline) await assertAlive(entry.row.parent, now)
    entry.lastSeen = now
    if (now - entry.writtenAt > writeSeconds * 1000) {
      entry.writtenAt = now
      await sql`update sign_in_session set last_seen_at = greatest(last_seen_at, ${new Date(now)}) where id = ${id}::uuid`.execute(db)
    }
    return entry.row
  }

  return {
    async alive(principal, now) {
      if (principal.sessionId === null) return principal
      const row = await assertAlive(principal.sessionId, now.getTime())
      return { ...principal, authLevel: row.auth_level, authAt: row.auth_at }
    },
    forget(id) { seen.delete(id) },
    forgetAll() { seen.clear() },
  }
}

/** Apps have no idle limit of their own: theirs is the portal session's, or 90 days. */
function isIdle({ row, lastSeen }: Seen, now: number): boolean {
  return row.kind === 'portal' && now - lastSeen > idleMinutes[row.role === 'citizen' ? 'citizen' : 'staff'] * 60_000
}

function sessionEnded() {
  return fail('session-ended', { zh: '登录已结束，请重新登录。', en: 'This sign-in has ended. Please sign in again.' })
}
