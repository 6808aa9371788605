/**
 * Single writes that arrive together share one transaction: one lock, one insert, one audit insert and one commit for up to
 * `joinedMax` of them (write-resources.ts `writeApart`). Each is validated before it joins and judged for itself; two writes of one resource
 * are never under way together. A joint transaction that fails is undone and everybody writes in one of their own, but not when only
 * the answer to its commit was lost: then it may stand, and nothing is written a second time.
 */
import type { Ctx } from '../ctx.ts'
import { keyOf } from '../fhir/id.ts'
import { OutcomeError } from '../fhir/outcome.ts'
import { batched } from '../storage/batched.ts'
import type { Db } from '../storage/pool.ts'
import { inTransaction } from '../storage/transaction.ts'
import type { Store } from './store.ts'
import { assertWritable, type Plan, preparedWrite, type Write } from './write-plan.ts'
import { type ApartResult, writeApart, writeResources, type Written } from './write-resources.ts'

const joinedMax = 64

interface Member { store: Store; plan: Plan }
type Result = ApartResult | { failed: unknown }

/** A client's write of one resource by its id. Throws what `writeResources` throws. */
export async function joinWrite(db: Db, ctx: Ctx, store: Store, write: Write): Promise<Written> {
  if (!joins(store, write)) return writeAlone(db, ctx, store, write)
  const result = await joinerOf(db)({ store, plan: await preparedWrite(db, ctx, store, write) })
  if (result === 'alone') return writeAlone(db, ctx, store, write)
  if ('written' in result) return result.written
  throw 'refused' in result ? result.refused : result.failed
}

/** A rule of a domain reads and locks what it likes, and a Consent changes other rows: those have a transaction of their own. */
function joins(store: Store, { type, path }: Write): boolean {
  return assertWritable(store, type, 'client', path).rule === null && type !== 'Consent'
}

async function writeAlone(db: Db, ctx: Ctx, store: Store, write: Write): Promise<Written> {
  const [written] = await inTransaction(db, (trx) => writeResources(trx, ctx, store, [write], 'client'))
  return written as Written
}

const joiners = new WeakMap<Db, (member: Member) => Promise<Result>>()

function joinerOf(db: Db): (member: Member) => Promise<Result> {
  let joiner = joiners.get(db)
  if (!joiner) {
    joiner = batched<Member, Result>({
      max: joinedMax,
      run: (members) => writeJoined(db, members),
      // One row has one key; what is created has an id that nobody else knows.
      keyOf: ({ plan: { write } }) => (write.id === null ? null : `${write.type}/${keyOf(write.id)}`),
      runAlone: () => Promise.resolve('alone'),
    })
    joiners.set(db, joiner)
  }
  return joiner
}

async function writeJoined(db: Db, members: readonly Member[]): Promise<Result[]> {
  const [first] = members
  let committing = false
  try {
    return await inTransaction(db, async (trx) => {
      committing = false
      const results = await writeApart(trx, (first as Member).store, members.map(({ plan }) => plan))
      committing = true
      return results
    })
  } catch (error) {
    if (committing && !(error instanceof OutcomeError)) return members.map(() => ({ failed: error }))
    throw error
  }
}
