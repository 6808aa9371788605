/**
 * Background jobs: what runs, how often. Each is a sweep that may run twice or be killed half-way without harm; one process
 * runs a job at a time (advisory lock), so several workers may be started.
 */
import { type Kysely, sql } from 'kysely'
import { sealDays } from '../audit/seal-days.ts'
import { raiseCalendarAlarm } from '../booking/calendar.ts'
import { expireHolds } from '../booking/expire-holds.ts'
import { followUp } from '../booking/follow-up.ts'
import { generateAhead } from '../booking/generate-sessions.ts'
import { holdDraws } from '../booking/hold-draws.ts'
import { markNoShows } from '../booking/mark-no-shows.ts'
import { forgetIdentityRows } from '../access/sessions.ts'
import { rotateSigningKeys, type TokenTables } from '../access/signing-keys.ts'
import { escalateReferrals } from '../booking/referral/escalate.ts'
import { returnPlaces } from '../booking/return-places.ts'
import { deliverNotices } from '../booking/deliver-notices.ts'
import { sendReminders } from '../booking/send-reminders.ts'
import type { Ctx } from '../ctx.ts'
import type { Channels } from '../notices/channels.ts'
import { runExports } from '../records/export/run-exports.ts'
import { reindexChanged } from '../records/reindex.ts'
import type { Store } from '../records/store.ts'
import type { SettlementGateway } from '../settlement/gateway.ts'
import { applyMonths } from '../settlement/reconcile/months.ts'
import { reconcileYesterday } from '../settlement/reconcile/reconcile.ts'
import { resolveAttempts } from '../settlement/resolve-attempts.ts'
import { reverseUnpaid } from '../settlement/reverse-unpaid.ts'
import { uploadDue } from '../settlement/upload-details.ts'
import type { Db } from '../storage/pool.ts'
import type { Tables } from '../storage/tables.ts'

export interface JobDeps { db: Db; store: Store; gateway: SettlementGateway; channels: Channels; signingKeyDays: number | null; ctx(): Ctx }

export interface Job {
  name: string
  /** Pause between two runs, in seconds. */
  everySeconds: number
  /** @returns how many things it did, for the log and the metrics. */
  run(deps: JobDeps): Promise<number>
}

export const jobs: readonly Job[] = [
  { name: 'expire-holds', everySeconds: 15, run: ({ db, store, ctx }) => expireHolds(db, ctx(), store) },
  { name: 'hold-draws', everySeconds: 5, run: ({ db, store, ctx }) => holdDraws(db, ctx(), store) },
  { name: 'follow-up-suspensions', everySeconds: 30, run: ({ db, store, ctx }) => followUp(db, ctx(), store) },
  { name: 'return-places', everySeconds: 5, run: ({ db, store, ctx }) => returnPlaces(db, ctx(), store) },
  { name: 'deliver-notices', everySeconds: 5, run: ({ db, channels, ctx }) => deliverNotices(db, ctx(), channels) },
  { name: 'send-reminders', everySeconds: 5, run: ({ db, channels, ctx }) => sendReminders(db, ctx(), channels) },
  { name: 'escalate-referrals', everySeconds: 60, run: ({ db, store, ctx }) => escalateReferrals(db, ctx(), store) },
  { name: 'mark-no-shows', everySeconds: 60, run: ({ db, store, ctx }) => markNoShows(db, ctx(), store) },
  { name: 'generate-sessions', everySeconds: 3600, run: ({ db, ctx }) => generateAhead(db, ctx()) },
  { name: 'calendar-alarm', everySeconds: 21_600, run: ({ db, ctx }) => raiseCalendarAlarm(db, ctx()) },
  { name: 'resolve-settlements', everySeconds: 5, run: ({ db, store, gateway, ctx }) => resolveAttempts({ db, store, gateway }, ctx()) },
  { name: 'reverse-unpaid', everySeconds: 20, run: ({ db, store, gateway, ctx }) => reverseUnpaid({ db, store, gateway }, ctx()) },
  { name: 'upload-details', everySeconds: 20, run: ({ db, gateway, ctx }) => uploadDue({ db, gateway }, ctx()) },
  { name: 'reconcile-days', everySeconds: 600, run: ({ db, store, gateway, ctx }) => reconcileYesterday({ db, store, gateway }, ctx()) },
  { name: 'follow-clearing', everySeconds: 3600, run: ({ db, gateway, ctx }) => applyMonths({ db, gateway }, ctx()) },
  { name: 'merge-index-pending-lists', everySeconds: 60, run: ({ db }) => mergePendingLists(db) },
  { name: 'reindex', everySeconds: 60, run: ({ db, store, ctx }) => reindexChanged(db, ctx(), store) },
  { name: 'bulk-export', everySeconds: 1, run: ({ db, store, ctx }) => runExports(db, ctx(), store) },
  { name: 'rotate-signing-keys', everySeconds: 3600, run: async ({ db, ctx, signingKeyDays }) => (signingKeyDays === null ? 0 : rotateSigningKeys(db.$pickTables<keyof TokenTables>(), ctx().now, signingKeyDays)) },
  { name: 'forget-identity-rows', everySeconds: 600, run: ({ db, ctx }) => forgetIdentityRows(db, ctx().now) },
  { name: 'seal-audit-days', everySeconds: 3600, run: ({ db, ctx }) => sealDays(db, ctx()) },
  { name: 'forget-used-assertions', everySeconds: 600, run: ({ db, ctx }) => forgetAssertions(db, ctx()) },
]

/** GIN indexes collect new keys in a list that searches must scan; merging it keeps them fast. */
async function mergePendingLists(db: Kysely<Tables>): Promise<number> {
  const { rows } = await sql<{ pages: bigint }>`
    select gin_clean_pending_list(i.indexrelid::regclass) as pages
    from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam
    where a.amname = 'gin' and c.relkind = 'i' and c.relname like 'resource%'`.execute(db)
  return rows.reduce((sum, row) => sum + Number(row.pages), 0)
}

async function forgetAssertions(db: Kysely<Tables>, ctx: Ctx): Promise<number> {
  const done = await db.deleteFrom('used_assertion').where('expires_at', '<', ctx.now.toISOString()).executeTakeFirst()
  return Number(done.numDeletedRows)
}
