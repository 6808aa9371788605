/**
 * The only place that opens a transaction. Read committed by default; serializable where a decision rests on rows that
 * may not exist yet. Serialization failures and deadlocks are retried, so the body may run more than once: keep no state
 * outside it and send nothing from inside it.
 */
import { setTimeout as sleep } from 'node:timers/promises'
import type { Kysely, Transaction } from 'kysely'
import { fail } from '../fhir/outcome.ts'
import { isRetryable, outcomeOf } from './sqlstate.ts'

const attemptsMax = 5

/** @throws OutcomeError `busy` (503) when the retries are used up, or the outcome of a violated named constraint. */
export async function inTransaction<T, R>(
  db: Kysely<T>, body: (trx: Transaction<T>) => Promise<R>, isolation: 'read committed' | 'serializable' = 'read committed',
): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await db.transaction().setIsolationLevel(isolation).execute(body)
    } catch (error) {
      if (!isRetryable(error)) throw outcomeOf(error) ?? error
      if (attempt >= attemptsMax) {
        throw fail('busy', { zh: '现在太忙，请稍后再试。', en: 'The service is busy. Please try again in a moment.' })
      }
      await sleep(5 * 2 ** attempt * Math.random())
    }
  }
}
