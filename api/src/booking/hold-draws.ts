/**
 * The sweep behind draws: announces those of the next day (seed made, commitment published, session kept closed) and holds those whose time to
 * enter is over. A draw is one transaction: its list is closed under a lock that whoever enters shares, winners are booked by the same
 * rules as anybody, what a rule forbids goes to the next in the order, what is left is released to everybody. Killed half-way it has
 * not been held, and is held again with the same seed and the same list.
 */
import { platform } from '../access/principal.ts'
import { newSecret } from '../crypto.ts'
import type { Ctx } from '../ctx.ts'
import { addMinutes, clockInShanghai } from '../fhir/date-time.ts'
import { writeNotices } from '../notices/write-notices.ts'
import type { Store } from '../records/store.ts'
import type { Db, Trx } from '../storage/pool.ts'
import type { DrawTicketTable } from '../storage/tables.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { Selectable } from 'kysely'
import { placeOf } from './board.ts'
import { thisTransaction } from './booking-rows.ts'
import { letterOf } from './channels.ts'
import { departmentName } from './departments.ts'
import { allotInOrder, commitmentOf, drawOrder, listHashOf } from './draw.ts'
import { allParameterRows, parametersAt } from './parameters.ts'
import { segmentAt, segmentIndexOf, slotIdOf } from './segments.ts'
import { endTicket } from './serve-entry.ts'
import { selectSessions, type SessionRow } from './session-rows.ts'
import { storeAppointment, takePlaces } from './take-place.ts'

type Ticket = Selectable<DrawTicketTable>

/** A draw is announced this long before the session would be released. */
const announceMinutes = 24 * 60
const perRun = 200

/** @returns how many draws were announced and held. */
export async function holdDraws(db: Db, at: Ctx, store: Store): Promise<number> {
  const ctx: Ctx = { ...at, principal: platform }
  return await announce(db, ctx) + await holdDue(db, ctx, store)
}

async function announce(db: Db, ctx: Ctx): Promise<number> {
  const rows = await allParameterRows(db)
  if (!rows.some((row) => row.name === 'draw.collectMinutes')) return 0
  const ahead = await selectSessions(db).where('s.status', '=', 'open').where('s.release_at', '>', ctx.now.toISOString()).where('s.release_at', '<=', addMinutes(ctx.now, announceMinutes).toISOString())
    .whereRef('s.release_at', '<', 's.start_at').execute()
  let announced = 0
  for (const session of ahead) {
    const minutes = parametersAt(rows, placeOf(session), ctx.now)['draw.collectMinutes']
    if (minutes === 0) continue
    await inTransaction(db, async (trx) => {
      const seed = newSecret()
      const closes = new Date(session.release_at)
      const made = await trx.insertInto('draw').values({
        shard: session.shard, session_id: session.id, seed, commitment: commitmentOf(seed), opens_at: addMinutes(closes, -minutes), closes_at: closes, drawn_at: null, list_hash: null,
      }).onConflict((conflict) => conflict.doNothing()).executeTakeFirst()
      if (made.numInsertedOrUpdatedRows === 0n) return
      await trx.updateTable('clinic_session').set({ release_at: session.start_at, changed: thisTransaction }).where('id', '=', session.id).where('shard', '=', session.shard).execute()
      announced++
    })
  }
  return announced
}

async function holdDue(db: Db, ctx: Ctx, store: Store): Promise<number> {
  const due = await db.selectFrom('draw').select('session_id').where('drawn_at', 'is', null).where('closes_at', '<=', ctx.now.toISOString()).limit(perRun).execute()
  for (const { session_id } of due) await inTransaction(db, (trx) => holdDraw(trx, ctx, store, session_id))
  return due.length
}

async function holdDraw(trx: Trx, ctx: Ctx, store: Store, id: string): Promise<void> {
  const draw = await trx.selectFrom('draw').selectAll().where('session_id', '=', id).where('drawn_at', 'is', null).forUpdate().executeTakeFirst()
  if (!draw) return
  await trx.updateTable('clinic_session').set({ release_at: draw.closes_at, changed: thisTransaction }).where('id', '=', id).where('shard', '=', draw.shard).execute()
  const session = await selectSessions(trx).where('s.id', '=', id).executeTakeFirstOrThrow()
  const tickets = await trx.selectFrom('draw_ticket').selectAll().where('session_id', '=', id).where('state', '=', 'entered').execute()
  const ids = tickets.map((ticket) => ticket.id)
  const order = session.status === 'open' ? drawOrder(draw.seed, ids) : []
  const won = await bookWinners(trx, ctx, store, session, order, tickets)
  for (const ticket of tickets) await settleTicket(trx, ctx, store, session, ticket, won.get(ticket.id) ?? { state: 'lost' })
  await trx.updateTable('draw').set({ drawn_at: ctx.now, list_hash: listHashOf(ids) }).where('session_id', '=', id).where('shard', '=', draw.shard).execute()
}

type Outcome = { state: 'won'; appointment: string; start: Date } | { state: 'void'; reason: string } | { state: 'lost' }

/** Rounds: who is stopped by a rule leaves their place to the next in the order. */
async function bookWinners(trx: Trx, ctx: Ctx, store: Store, session: SessionRow, order: readonly string[], tickets: readonly Ticket[]): Promise<Map<string, Outcome>> {
  const outcomes = new Map<string, Outcome>()
  const byId = new Map(tickets.map((ticket) => [ticket.id, ticket]))
  const free = freePlaces(session)
  for (;;) {
    const open = order.filter((id) => !outcomes.has(id))
    const won = allotInOrder(open.map((id) => ({ id, segments: byId.get(id)?.segments ?? [] })), free)
    if (won.size === 0) return outcomes
    const winners = [...won].map(([id, segment]) => ({ ticket: byId.get(id) as Ticket, segment }))
    const answers = await takePlaces(trx, store, winners.map(({ ticket, segment }) => ({
      ctx, wish: { slot: slotIdOf(session.id, segmentAt(session, segment).firstPlace), patient: ticket.patient, channel: null, replaces: null, verb: 'book', given: null, id: null },
    })))
    for (const [index, { ticket, segment }] of winners.entries()) {
      const answer = answers[index]
      if (answer && 'taken' in answer) {
        await storeAppointment(trx, ctx, store, answer.taken, 'create')
        outcomes.set(ticket.id, { state: 'won', appointment: answer.taken.id as string, start: segmentAt(session, segment).start })
        free.set(segment, (free.get(segment) ?? 0) - 1)
      } else {
        outcomes.set(ticket.id, { state: 'void', reason: answer && 'refused' in answer ? answer.refused.issues[0]?.code ?? 'rule' : 'slot-taken' })
      }
    }
  }
}

/** Places for everybody, by segment; those of quotas are not drawn. */
function freePlaces(session: SessionRow): Map<number, number> {
  const free = new Map<number, number>()
  for (let place = 1; place <= session.capacity; place++) {
    if (letterOf(session, place) !== 'p') continue
    const index = segmentIndexOf(session, place)
    free.set(index, (free.get(index) ?? 0) + 1)
  }
  return free
}

async function settleTicket(trx: Trx, ctx: Ctx, store: Store, session: SessionRow, ticket: Ticket, outcome: Outcome): Promise<void> {
  await endTicket(trx, ctx, store, ticket, outcome.state, outcome.state === 'void' ? outcome.reason : null)
  await writeNotices(trx, ctx, [{
    recipient: { kind: 'patient', id: ticket.patient }, kind: outcome.state === 'won' ? 'draw-won' : outcome.state === 'void' ? 'draw-void' : 'draw-lost',
    appointment: outcome.state === 'won' ? outcome.appointment : ticket.appointment,
    params: {
      hospital: { zh: session.name_zh, en: session.name_en }, department: { ...departmentName(session.department) }, day: session.service_date,
      time: outcome.state === 'won' ? clockInShanghai(outcome.start) : null, reason: outcome.state === 'void' ? outcome.reason : null,
    },
  }])
}
