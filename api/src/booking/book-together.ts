/**
 * `$hold` and `$book` of a Slot, for many callers at once: wishes that arrive together for one session share a transaction, in the order
 * of arrival (storage/batched.ts); two wishes for one patient never share one, since the later may end what the earlier got. The same `Idempotency-Key` gives the first answer: its row is written last, in the same transaction;
 * whoever finds it written meanwhile starts again and reads the answer.
 */
import type { Appointment } from '@medplum/fhirtypes'
import { keyOf } from '../fhir/id.ts'
import type { OutcomeError } from '../fhir/outcome.ts'
import { loadResources } from '../records/read-resource.ts'
import type { Store } from '../records/store.ts'
import { answersBefore, type Once, rememberAnswers } from '../storage/answer-once.ts'
import { batched } from '../storage/batched.ts'
import type { Db, Trx } from '../storage/pool.ts'
import { violatedConstraint } from '../storage/sqlstate.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { Member } from './board.ts'
import { parseSlotId } from './segments.ts'
import { storeAppointments, takePlaces, type Taking } from './take-place.ts'

interface Call { member: Member<Taking>; once: Once }
type Result = { appointment: Appointment } | { refused: OutcomeError }

const membersMax = 64
const takers = new WeakMap<Db, (call: Call) => Promise<Result>>()

/** @throws OutcomeError of the rules; `idempotency-mismatch`. */
export async function takeTogether(db: Db, store: Store, call: Call): Promise<Appointment> {
  let taker = takers.get(db)
  if (!taker) {
    taker = batched<Call, Result>({
      max: membersMax, laneOf: ({ member }) => parseSlotId(member.wish.slot)?.session ?? null,
      run: (calls) => takeBatch(db, store, calls),
    })
    takers.set(db, taker)
  }
  const result = await taker(call)
  if ('refused' in result) throw result.refused
  return result.appointment
}

async function takeBatch(db: Db, store: Store, calls: readonly Call[]): Promise<Result[]> {
  // A key or a patient that is in the batch twice: the second waits for the first's answer, and sees what became of it.
  const [first, again] = apart(calls)
  try {
    const results = await inTransaction(db, (trx) => takeAll(trx, store, first))
    if (again.length === 0) return results
    const later = await takeBatch(db, store, again)
    return calls.map((call) => (first.includes(call) ? results[first.indexOf(call)] : later[again.indexOf(call)]) as Result)
  } catch (error) {
    // Another process answered with the key while we worked: its answer is there now.
    if (calls.length === 1 && isKeyTaken(error)) return inTransaction(db, (trx) => takeAll(trx, store, calls))
    throw error
  }
}

function isKeyTaken(error: unknown): boolean {
  return violatedConstraint(error) === 'idempotency_pkey'
}

function apart(calls: readonly Call[]): [Call[], Call[]] {
  const seen = new Set<string>()
  const first: Call[] = []
  const again: Call[] = []
  for (const call of calls) {
    const names = [`patient ${keyOf(call.member.wish.patient)}`, ...(call.once.key === null ? [] : [`key ${call.member.ctx.principal.id} ${call.once.key}`])]
    if (names.some((name) => seen.has(name))) again.push(call)
    else first.push(call)
    for (const name of names) seen.add(name)
  }
  return [first, again]
}

async function takeAll(trx: Trx, store: Store, calls: readonly Call[]): Promise<Result[]> {
  const before = await answersBefore<Appointment>(trx, calls.map(({ member, once }) => ({ ctx: member.ctx, once })))
  const results: (Result | null)[] = before.map((each) => (each === null ? null : 'answer' in each ? { appointment: each.answer } : { refused: each.refused }))
  const open = calls.flatMap((call, index) => (results[index] === null ? [{ call, index }] : []))
  const answers = await takePlaces(trx, store, open.map(({ call }) => call.member))
  const known = await loadResources<Appointment>(trx, 'Appointment', answers.flatMap((each) => ('existing' in each ? [each.existing] : [])))
  const made: { ctx: Member['ctx']; appointment: Appointment; method: 'create'; index: number }[] = []
  for (const [at, { call, index }] of open.entries()) {
    const answer = answers[at]
    if (answer && 'taken' in answer) made.push({ ctx: call.member.ctx, appointment: answer.taken, method: 'create', index })
    else if (answer && 'refused' in answer) results[index] = answer
  }
  const stored = await storeAppointments(trx, store, made)
  for (const [at, { index }] of made.entries()) {
    const appointment = stored[at] as Appointment
    known.set(appointment.id as string, appointment)
    results[index] = { appointment }
  }
  for (const [at, { index }] of open.entries()) {
    const answer = answers[at]
    if (answer && 'existing' in answer) results[index] = existing(known, answer.existing)
  }
  await rememberAnswers(trx, open.flatMap(({ call, index }) => {
    const result = results[index]
    return result && 'appointment' in result ? [{ ctx: call.member.ctx, once: call.once, answer: result.appointment }] : []
  }))
  return results as Result[]
}

/** What the caller has already, from before or from an earlier member of the batch. */
function existing(known: ReadonlyMap<string, Appointment>, id: string): Result {
  const appointment = known.get(id)
  if (!appointment) throw new Error(`The booking of Appointment/${id} has no Appointment.`)
  return { appointment }
}
