/**
 * The answer to a statement, as a promise that knows nothing of the driver. A query of postgres.js 3.4.9 holds two functions that settle it, and such functions are made among
 * the old objects (docs/decisions/0054-garbage-dies-young.md): whatever an answer led to, up to the whole request, outlived it until the whole heap was collected. Here the query
 * is settled by functions that all queries share, as the driver does itself for cursors, and forgets whom it told.
 */
import type { PendingQuery, Row, RowList } from 'postgres'

type Answer = RowList<Row[]>
interface Query { telling: PromiseWithResolvers<Answer> | null; active: boolean; resolve(answer: Answer): void; reject(error: Error): void; execute(): unknown }

function resolve(this: Query, answer: Answer): void {
  told(this)?.resolve(answer)
}

function reject(this: Query, error: Error): void {
  told(this)?.reject(error)
}

function told(query: Query): Query['telling'] {
  const { telling } = query
  query.active = false
  query.telling = null
  return telling
}

/** Sends a statement that was not sent yet and is not used otherwise. */
export function answerOf(pending: PendingQuery<Row[]>): Promise<Answer> {
  const telling = Promise.withResolvers<Answer>()
  const query: Query = Object.assign(pending as unknown as Query, { telling, resolve, reject })
  query.execute()
  return telling.promise
}
