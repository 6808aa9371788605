/**
 * What of a visit stands at the centre: its registration and the batches of its details. The plan is pure; rows are written under
 * the lock of the bill. Invariants: a charge line is in one standing batch at most; a line that changed is taken back with its
 * batch before it is uploaded anew; a batch is taken back before its registration.
 */
import { type Selectable, sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { batchDetailsMax, batchMessage, visitMessage, type VisitFacts } from '../fhir/visit-message.ts'
import { batched, perDatabase } from '../storage/batched.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { VisitStepTable } from '../storage/tables.ts'
import { type BillLineRow, lineFen, placesOf } from './bill-rows.ts'
import { newMessageId } from './claim-resource.ts'
import type { BillUpload } from './shapes.ts'
import type { Insurance, Visit } from './visit.ts'

export type StepRow = Selectable<VisitStepTable>
type LineKey = Pick<BillLineRow, 'charge_item'>

interface At { shard: number; encounterKey: string }

/** What stands of a visit or is about to, oldest first. Visits that are asked about together are one statement. */
export async function standingSteps(db: Db, at: At): Promise<StepRow[]> {
  return db.isTransaction ? (await stepsAt(db, [at]))[0] ?? [] : stepsJoined(db, at)
}

const stepsJoined = perDatabase((db: Db) => batched<At, StepRow[]>({ max: 64, run: (places) => stepsAt(db, places) }))

export async function stepsAt(db: Db, places: readonly At[]): Promise<StepRow[][]> {
  const { rows } = await sql<StepRow>`select s.* from visit_step s join (select distinct encounter, shard from ${placesOf(places)}) as w on s.encounter = w.encounter and s.shard = w.shard
    where s.state in ('prepared', 'done', 'undoing') order by s.created_at, s.message_id`.execute(db)
  const found = Map.groupBy(rows, (row) => row.encounter)
  return places.map(({ encounterKey }) => found.get(encounterKey) ?? [])
}

function saidOf(line: BillLineRow): string {
  return [line.code, line.quantity, line.unit_price_fen, line.catalogue_class, line.first_pay_ratio, line.limit_fen ?? ''].join('|')
}

function linesOf(step: Pick<StepRow, 'lines'>): Record<string, string> {
  return JSON.parse(step.lines) as Record<string, string>
}

export interface StepPlan {
  /** To be taken back: their lines have changed, or the registration no longer fits. */
  stale: StepRow[]
  /** Sent or about to be, and not answered. */
  open: StepRow[]
  register: boolean
  /** Lines that no standing batch has. */
  missing: BillLineRow[]
  visitNumber: string | null
}

/** Pure. @param facts what a registration would say now. */
export function planSteps(steps: readonly StepRow[], facts: string, lines: readonly BillLineRow[]): StepPlan {
  const registration = steps.find((each) => each.kind === 'register')
  const uploads = steps.filter((each) => each.kind === 'upload')
  const moved = registration !== undefined && registration.facts !== facts && registration.state === 'done'
  const said = new Map(lines.map((line) => [line.charge_item, saidOf(line)]))
  const fits = (step: StepRow) => Object.entries(linesOf(step)).every(([line, text]) => said.get(line) === text)
  const stale = [...uploads.filter((each) => each.state === 'done' && (moved || !fits(each))), ...(moved ? [registration] : [])]
  const kept = new Set(uploads.filter((each) => each.state !== 'undoing' && !stale.includes(each)).flatMap((each) => Object.keys(linesOf(each))))
  return {
    stale, open: steps.filter((each) => each.state !== 'done'), register: registration === undefined,
    missing: lines.filter((line: LineKey) => !kept.has(line.charge_item)), visitNumber: registration?.state === 'done' && !moved ? registration.visit_number : null,
  }
}

/** What is said at the registration of a visit, but for the message id. */
export function factsOf(visit: Visit, insurance: Pick<Insurance, 'region' | 'psnNo'>): Omit<VisitFacts, 'messageId'> {
  return { region: insurance.region, psnNo: insurance.psnNo, institution: visit.institutionCode ?? '', medicalType: visit.medicalType, begunOn: visit.serviceDate }
}

export async function insertRegistration(trx: Trx, ctx: Ctx, visit: Visit, facts: Omit<VisitFacts, 'messageId'>): Promise<void> {
  const messageId = newMessageId(facts.institution, ctx.now, ctx.newId)
  await insertSteps(trx, ctx, visit, [{ kind: 'register', message_id: messageId, facts: JSON.stringify(facts), request: JSON.stringify(visitMessage({ ...facts, messageId })), lines: '{}', visit_number: null }])
}

export async function insertBatches(trx: Trx, ctx: Ctx, visit: Visit, facts: Omit<VisitFacts, 'messageId'>, visitNumber: string, lines: readonly BillLineRow[]): Promise<void> {
  const batches = Array.from({ length: Math.ceil(lines.length / batchDetailsMax) }, (_, index) => lines.slice(index * batchDetailsMax, (index + 1) * batchDetailsMax))
  await insertSteps(trx, ctx, visit, batches.map((batch) => {
    const messageId = newMessageId(facts.institution, ctx.now, ctx.newId)
    const details = batch.map((line) => ({
      detail: line.charge_item_id, code: line.code, name: line.name_zh, quantity: line.quantity, amountFen: lineFen(line), catalogueClass: line.catalogue_class,
      firstPayParts: line.first_pay_ratio, limitFen: line.limit_fen,
    }))
    return {
      kind: 'upload', message_id: messageId, facts: '', request: JSON.stringify(batchMessage(messageId, visitNumber, facts, details)),
      lines: JSON.stringify(Object.fromEntries(batch.map((line) => [line.charge_item, saidOf(line)]))), visit_number: visitNumber,
    }
  }))
}

async function insertSteps(trx: Trx, ctx: Ctx, visit: Visit, steps: readonly Pick<StepRow, 'kind' | 'message_id' | 'facts' | 'request' | 'lines' | 'visit_number'>[]): Promise<void> {
  await trx.insertInto('visit_step').values(steps.map((step) => ({
    ...step, shard: visit.shard, id: ctx.newId(visit.shard), encounter: visit.encounterKey, state: 'prepared' as const, reason: null, try_at: ctx.now, created_at: ctx.now, decided_at: null,
    principal_id: ctx.principal.id,
  }))).execute()
}

/** @returns false when the step is in that state no more: somebody else went on with it. */
export async function moveStep(db: Db, step: Pick<StepRow, 'shard' | 'id'>, from: StepRow['state'], to: Partial<Pick<StepRow, 'state' | 'reason' | 'tries' | 'visit_number'>> & { try_at?: Date; decided_at?: Date }): Promise<boolean> {
  const done = await db.updateTable('visit_step').set(to).where('shard', '=', step.shard).where('id', '=', step.id).where('state', '=', from).executeTakeFirst()
  return done.numUpdatedRows === 1n
}

/** How far the steps of a visit are, for people. */
export async function uploadOf(db: Db, visit: Visit, lines: readonly BillLineRow[]): Promise<BillUpload> {
  const steps = await db.selectFrom('visit_step').selectAll().where('shard', '=', visit.shard).where('encounter', '=', visit.encounterKey).orderBy('created_at').orderBy('message_id').execute()
  const standing = steps.filter((each) => each.state !== 'undone' && each.state !== 'rejected')
  const registration = standing.find((each) => each.kind === 'register')
  const { missing, stale, open } = planSteps(standing, registration?.facts ?? '', lines)
  const last = steps.at(-1)
  const state = open.some((each) => each.state === 'undoing') ? 'undoing' : open.length > 0 ? 'waiting' : last?.state === 'rejected' ? 'rejected'
    : registration === undefined ? 'none' : missing.length + stale.length > 0 ? 'partly' : 'uploaded'
  return { state, visit: registration?.visit_number ?? null, uploaded: lines.length - missing.length, reason: (open[0] ?? (state === 'rejected' ? last : undefined))?.reason ?? null }
}
