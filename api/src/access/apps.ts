/** Apps that may ask people for access, and launches of them from a patient's record. A launch id counts once. */
import type { Selectable } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { newSecret, sha256Hex } from '../crypto.ts'
import { addMinutes } from '../fhir/date-time.ts'
import { fail } from '../fhir/outcome.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { AppTable } from '../storage/tables.ts'
import type { Principal } from './principal.ts'

export type AppRow = Selectable<AppTable>
export type NewApp = Omit<AppRow, 'created_at'>

const launchMinutes = 5

export async function findApp(db: Db, id: string): Promise<AppRow | null> {
  return await db.selectFrom('app').selectAll().where('id', '=', id).executeTakeFirst() ?? null
}

/** Registers apps, or brings their registration up to date. */
export async function upsertApps(db: Db, apps: readonly NewApp[], now: Date): Promise<void> {
  for (const app of apps) {
    const { id: _, ...rest } = app
    await db.insertInto('app').values({ ...app, created_at: now }).onConflict((conflict) => conflict.column('id').doUpdateSet(rest)).execute()
  }
}

/** Apps that the portal can open from a patient's record for someone in this role. */
export function launchableApps(db: Db, principal: Principal): Promise<Pick<AppRow, 'id' | 'name_zh' | 'name_en' | 'publisher'>[]> {
  return db.selectFrom('app').select(['id', 'name_zh', 'name_en', 'publisher'])
    .where('launch_uri', 'is not', null).where((eb) => eb(eb.val(principal.role ?? ''), '=', eb.fn.any('roles'))).orderBy('id').limit(50).execute()
}

/** What a launch is about; whether the professional may see it has been asked before. */
export interface LaunchContext { patient: string; encounter: string | null }

/** @returns the address that opens the app. @throws OutcomeError `app-unknown`. */
export async function makeLaunch(db: Db, ctx: Ctx, issuer: string, app: AppRow | null, about: LaunchContext): Promise<string> {
  const { principal } = ctx
  if (!app?.launch_uri || !app.roles.includes(principal.role ?? '') || principal.sessionId === null) throw unknownApp()
  const secret = newSecret()
  await db.insertInto('smart_launch').values({
    id: sha256Hex(secret), app: app.id, session_id: principal.sessionId, patient: about.patient, encounter: about.encounter,
    created_at: ctx.now, expires_at: addMinutes(ctx.now, launchMinutes), used_at: null,
  }).execute()
  const url = new URL(app.launch_uri)
  url.searchParams.set('iss', `${issuer}/fhir`)
  url.searchParams.set('launch', secret)
  return url.href
}

/** The context of a launch that is this session's, this app's and unused. @throws OutcomeError `launch-invalid`. */
export async function findLaunch(db: Db, ctx: Ctx, app: string, secret: string): Promise<LaunchContext> {
  const row = await db.selectFrom('smart_launch').select(['patient', 'encounter'])
    .where('id', '=', sha256Hex(secret)).where('app', '=', app).where('session_id', '=', ctx.principal.sessionId ?? '')
    .where('used_at', 'is', null).where('expires_at', '>', ctx.now.toISOString()).executeTakeFirst()
  if (!row) throw invalidLaunch()
  return row
}

/** Takes the launch, once. @throws OutcomeError `launch-invalid` when another request was first. */
export async function takeLaunch(trx: Trx, ctx: Ctx, secret: string): Promise<void> {
  const done = await trx.updateTable('smart_launch').set({ used_at: ctx.now }).where('id', '=', sha256Hex(secret)).where('used_at', 'is', null).executeTakeFirst()
  if (done.numUpdatedRows !== 1n) throw invalidLaunch()
}

export function unknownApp() {
  return fail('app-unknown', { zh: '没有找到这个应用，或它不能在这里打开。', en: 'This app was not found or cannot be opened here.' })
}

function invalidLaunch() {
  return fail('launch-invalid', {
    zh: '这次打开已失效。请回到患者档案，重新打开应用。', en: 'This launch is no longer valid. Go back to the patient and open the app again.',
  })
}
