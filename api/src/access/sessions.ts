/**
 * Sign-in sessions: one row a sign-in in the portal, one an app that a person let in. A change is told to all processes by
 * NOTIFY in its own transaction; `session-watch.ts` is who listens. Source: docs/decisions/0017-sessions-are-rows.md.
 */
import { type Kysely, type Selectable, sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { addMinutes } from '../fhir/date-time.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { SignInSessionTable, Tables } from '../storage/tables.ts'
import type { Principal } from './principal.ts'
import { personTokenMinutes } from './tokens.ts'

export type SessionRow = Selectable<SignInSessionTable>
export type EndedWhy = NonNullable<SessionRow['ended_why']>

/** NOTIFY channel; the payload is a session id. */
export const sessionChannel = 'session_changed'

/** Where a session was opened, in words that identify no one. */
export interface Place { device: string; network: string }

/** What an app was allowed. */
export interface AppGrant {
  app: string
  grantId: string
  scopes: readonly string[]
  launchPatient: string | null
  launchEncounter: string | null
  /** Goes on after the person has signed out. */
  offline: boolean
  /** The portal session it was allowed in. */
  parent: string
}

const offlineDays = 90

/** Opens a portal session for the principal's role. @returns its id. */
export async function openPortalSession(db: Kysely<Tables>, ctx: Ctx, level: SessionRow['auth_level'], place: Place): Promise<string> {
  const id = ctx.newId(null)
  await db.insertInto('sign_in_session').values({
    ...common(ctx.principal, ctx.now, place), id, kind: 'portal', auth_level: level, auth_at: ctx.now, expires_at: addMinutes(ctx.now, personTokenMinutes),
    app: null, parent: null, grant_id: null, scopes: null, launch_patient: null, launch_encounter: null, ended_at: null, ended_why: null,
  }).execute()
  return id
}

/** Opens the session of an app that the principal has just allowed. */
export async function openAppSession(trx: Trx, ctx: Ctx, place: Place, grant: AppGrant): Promise<string> {
  const id = ctx.newId(null)
  const { principal } = ctx
  await trx.insertInto('sign_in_session').values({
    ...common(principal, ctx.now, place), id, kind: 'app', auth_level: principal.authLevel ?? 'password', auth_at: principal.authAt ?? ctx.now.toISOString(),
    expires_at: addMinutes(ctx.now, grant.offline ? offlineDays * 1440 : personTokenMinutes), app: grant.app, parent: grant.parent,
    grant_id: grant.grantId, scopes: grant.scopes.join(' '), launch_patient: grant.launchPatient, launch_encounter: grant.launchEncounter,
    offline: grant.offline, ended_at: null, ended_why: null,
  }).execute()
  return id
}

function common(principal: Principal, now: Date, place: Place) {
  return {
    account_id: principal.id, role: principal.role ?? 'citizen', patient: principal.patient, practitioner: principal.practitioner,
    organization: principal.organization, organization_name: principal.organizationName, device: place.device, network: place.network,
    created_at: now, last_seen_at: now,
  }
}

/**
 * Ends sessions and, with a portal session, the apps that were to end with it. Artefacts of the provider that belong to an
 * ended app go too, so that its refresh tokens are gone and not only refused.
 * @returns ids that ended.
 */
export async function endSessions(trx: Trx, now: Date, which: { account: string; ids?: readonly string[]; except?: string | null }, why: EndedWhy): Promise<string[]> {
  const ids = which.ids ? sql`and (s.id = any(${[...which.ids]}::uuid[]) or (s.parent = any(${[...which.ids]}::uuid[]) and not s.offline))` : sql``
  const except = which.except ? sql`and s.id <> ${which.except}::uuid` : sql``
  const { rows } = await sql<{ id: string; grant_id: string | null }>`
    update sign_in_session s set ended_at = ${now}, ended_why = ${why}
    where s.account_id = ${which.account}::uuid and s.ended_at is null ${ids} ${except} returning s.id, s.grant_id`.execute(trx)
  const grants = rows.flatMap((row) => row.grant_id ?? [])
  if (grants.length > 0) await trx.deleteFrom('oidc_artefact').where('grant_id', 'in', grants).execute()
  await tellSessions(trx, rows.map((row) => row.id))
  return rows.map((row) => row.id)
}

/** The person has proved themselves again in this session. */
export async function raiseSession(trx: Trx, now: Date, id: string, level: SessionRow['auth_level']): Promise<void> {
  await trx.updateTable('sign_in_session').set({ auth_level: level, auth_at: now }).where('id', '=', id).execute()
  await tellSessions(trx, [id])
}

async function tellSessions(trx: Kysely<Tables>, ids: readonly string[]): Promise<void> {
  if (ids.length > 0) await sql`select pg_notify(${sessionChannel}, id) from unnest(${[...ids]}::text[]) as id`.execute(trx)
}

export async function readSession(db: Kysely<Tables>, id: string): Promise<SessionRow | null> {
  return await db.selectFrom('sign_in_session').selectAll().where('id', '=', id).executeTakeFirst() ?? null
}

/** The app's session behind a grant of the provider; null when it has ended. */
export async function sessionOfGrant(db: Kysely<Tables>, grantId: string): Promise<SessionRow | null> {
  return await db.selectFrom('sign_in_session').selectAll().where('grant_id', '=', grantId).where('ended_at', 'is', null).executeTakeFirst() ?? null
}

/** Open sessions of an account, the latest used first. */
export function listSessions(db: Db, account: string, now: Date): Promise<(SessionRow & { app_zh: string | null; app_en: string | null })[]> {
  return db.selectFrom('sign_in_session as s').leftJoin('app as a', 'a.id', 's.app')
    .selectAll('s').select(['a.name_zh as app_zh', 'a.name_en as app_en'])
    .where('s.account_id', '=', account).where('s.ended_at', 'is', null).where('s.expires_at', '>', now.toISOString())
    .orderBy('s.last_seen_at', 'desc').limit(100).execute()
}

/** How long a session that is over can still be looked up: half a year, as logs of who signed in must be kept. */
const rememberDays = 200

/** The job: expired artefacts of the provider, counters, and sessions long over go. @returns how many. */
export async function forgetIdentityRows(db: Kysely<Tables>, now: Date): Promise<number> {
  const { rows } = await sql<{ done: number }>`
    with artefacts as (delete from oidc_artefact where expires_at < ${now} returning 1),
      launches as (delete from smart_launch where expires_at < ${addMinutes(now, -60)} returning 1),
      failures as (delete from sign_in_failure where last_at < ${addMinutes(now, -1440)} returning 1),
      sessions as (delete from sign_in_session s where s.expires_at < ${addMinutes(now, -rememberDays * 1440)}
        and not exists (select 1 from sign_in_session c where c.parent = s.id) and not exists (select 1 from smart_launch l where l.session_id = s.id) returning 1),
      devices as (delete from known_device where last_at < ${addMinutes(now, -400 * 1440)} returning 1)
    select (select count(*) from artefacts) + (select count(*) from launches) + (select count(*) from failures) + (select count(*) from sessions) + (select count(*) from devices) as done`.execute(db)
  return Number(rows[0]?.done ?? 0)
}
