/**
 * The worker's side of Bulk Data exports: a sweep that brings every unfinished export a step on, in turn, and forgets the expired ones. A
 * step is one transaction: rows, position and the audit rows of the patients it is the first to disclose. So a sweep that is killed goes on where it
 * was, nothing is written twice, and an export whose row is deleted (cancelled) ends with the step under way.
 *
 * The instant of an export is that of its kick-off. A write that began before it may commit later; therefore nothing is read until the
 * transactions of that time are over.
 */
import { sql } from 'kysely'
import type { Principal } from '../../access/principal.ts'
import { recordEvents } from '../../audit/record-event.ts'
import { type Ctx, makeCtx } from '../../ctx.ts'
import { fail, type Issue, OutcomeError } from '../../fhir/outcome.ts'
import type { Db, Trx } from '../../storage/pool.ts'
import { inTransaction } from '../../storage/transaction.ts'
import type { Store } from '../store.ts'
import { refreshParameters } from '../stored-parameters.ts'
import type { ExportPosition, ExportRequest } from './export-request.ts'
import { noteReferences } from './export-references.ts'
import { readStep, type RunningExport } from './export-rows.ts'
import { writeChunks, writeWarnings } from './write-chunks.ts'

export interface ExportSweep {
  /** Steps of one sweep, so that it ends; the next goes on. */
  stepsMax?: number
  /** How long writes may take from their first instant to their first statement. */
  settleMilliseconds?: number
}

/** A write under way for longer than this is no longer waited for. */
const settleSecondsMax = 120
const failuresMax = 5
/** How long a finished export can be fetched. */
export const keptHours = 24

interface ExportRow { id: string; principal: Principal; request: ExportRequest; transaction_at: string; position: ExportPosition | null; failures: number }

/** @returns steps that were done. Throws the last fault of ours, when every other export had its turn. */
export async function runExports(db: Db, ctx: Ctx, store: Store, { stepsMax = 200, settleMilliseconds = 1000 }: ExportSweep = {}): Promise<number> {
  await db.deleteFrom('bulk_export').where('expires_at', '<=', ctx.now.toISOString()).execute()
  await begin(db, settleMilliseconds)
  await refreshParameters(db, store)
  let fault: unknown = null
  let steps = 0
  for (let working = true; working && steps < stepsMax;) {
    working = false
    const running = await db.selectFrom('bulk_export').select('id').where('state', '=', 'running').orderBy('accepted_at').execute()
    for (const { id } of running) {
      if (steps >= stepsMax) break
      try {
        if (await step(db, ctx, store, id)) working = true
      } catch (error) {
        await noteFailure(db, ctx, id, error)
        if (!(error instanceof OutcomeError)) fault = error
      }
      steps++
    }
  }
  if (fault !== null) throw fault
  return steps
}

/** Accepted exports begin when no transaction is left that began before their instant. */
async function begin(db: Db, settleMilliseconds: number): Promise<void> {
  await sql`update bulk_export e set state = 'running' where e.state = 'accepted' and clock_timestamp() >= e.accepted_at + ${settleMilliseconds} * interval '1 millisecond'
    and (clock_timestamp() >= e.accepted_at + ${settleSecondsMax} * interval '1 second' or not exists (select from pg_stat_activity a
      where a.datname = current_database() and a.backend_type = 'client backend' and a.pid <> pg_backend_pid()
        and a.xact_start <= e.accepted_at + ${settleMilliseconds} * interval '1 millisecond'))`.execute(db)
}

/** @returns whether there is more to do. */
function step(db: Db, ctx: Ctx, store: Store, id: string): Promise<boolean> {
  return inTransaction(db, async (trx) => {
    const { rows: [row] } = await sql<ExportRow>`select id, principal, request, transaction_at, position, failures from bulk_export
      where id = ${id}::uuid and state = 'running' for update skip locked`.execute(trx)
    if (!row) return false
    const running: RunningExport = { id, transactionAt: row.transaction_at, request: row.request, position: row.position }
    // What may be exported is decided for the one who asked, at every step.
    const asker = makeCtx(row.principal, { now: ctx.now, language: ctx.language, requestId: id, newId: ctx.newId })
    const found = await readStep(trx, asker, store, running)
    const written = await writeChunks(trx, store, running, found)
    await noteReferences(trx, running, found.rows)
    await discloseTo(trx, asker, id, [...found.rows, ...found.deleted].map((each) => each.pid))
    if (found.next === null) await writeWarnings(trx, running, ctx.language)
    await sql`update bulk_export set position = ${found.next}::jsonb, rows_done = rows_done + ${written}::int, failures = 0,
      state = ${found.next === null ? 'done' : 'running'}, expires_at = ${expiryOf(ctx)} where id = ${id}::uuid`.execute(trx)
    return found.next !== null
  })
}

export function expiryOf({ now }: Pick<Ctx, 'now'>): string {
  return new Date(now.getTime() + keptHours * 3_600_000).toISOString()
}

/** One audit row for each patient, in the step that first writes of them. */
async function discloseTo(trx: Trx, asker: Ctx, id: string, pids: readonly (string | null)[]): Promise<void> {
  const patients = [...new Set(pids.filter((pid) => pid !== null))].sort()
  if (patients.length === 0) return
  const { rows } = await sql<{ pid: string }>`insert into bulk_export_patient (export_id, pid) select ${id}::uuid, pid from unnest(${patients}::uuid[]) as p (pid)
    on conflict on constraint bulk_export_patient_pkey do nothing returning pid`.execute(trx)
  await recordEvents(trx, asker, rows.map(({ pid }) => ({ action: 'R', interaction: '$export', resourceType: null, resourceId: null, pid, detail: null, outcome: 200 })))
}

/** What the asker can mend ends an export at once; a fault of ours is tried again. */
async function noteFailure(db: Db, ctx: Ctx, id: string, error: unknown): Promise<void> {
  const final = error instanceof OutcomeError && error.status < 500
  const issues: readonly Issue[] = error instanceof OutcomeError ? error.issues
    : fail('internal', { zh: '导出失败，请重新提交。', en: 'The export failed. Please ask for it again.' }).issues
  await sql`update bulk_export set failures = failures + 1, issues = ${issues}::jsonb, expires_at = ${expiryOf(ctx)},
    state = case when ${final}::boolean or failures + 1 >= ${failuresMax} then 'failed' else state end where id = ${id}::uuid and state = 'running'`.execute(db)
}
