/**
 * Whether a request that failed because the database went away may have changed something. The process counts what it sends that may: a commit, and a statement outside a transaction
 * that does more than read. Who finds the count as it was when the work began, and nothing of the kind under way, knows that nothing of the work took effect, whatever else it did. The other
 * way round it says nothing: somebody else may have moved it. So it costs a number, nobody has to be asked, and it never says too much. It is of the process and only ever grows: taken back,
 * it could be for somebody who came meanwhile what it was for him.
 */
import { DatabaseAway } from './sqlstate.ts'

let sent = 0
/** Statements of which it is not known yet whether they were sent. */
let underWay = 0

/** How often this process has sent any database what may change it. */
export function changesSent(): number {
  return sent
}

/** Whether work that began when `changesSent` was `before` has surely changed nothing. */
export function hasSentNothing(before: number): boolean {
  return sent === before && underWay === 0
}

/** Called just before a commit is sent. */
export function commitIsSent(): void {
  sent++
}

/** Sends a statement that may change something; it does not count when no connection was to be had for it. */
export async function sendChange<T>(send: () => Promise<T>): Promise<T> {
  underWay++
  let isCounted = true
  try {
    return await send()
  } catch (error) {
    isCounted = !(error instanceof DatabaseAway && error.neverSent)
    throw error
  } finally {
    if (isCounted) sent++
    underWay--
  }
}

const reading = /^\s*(?:\/\*[^*]*\*\/\s*)?(?:select|(with))\b/i
const changing = /\b(?:insert|update|delete|merge)\b/i

/** Whether a statement outside a transaction may do more than read. PostgreSQL lets a part of a statement change something only where the whole begins with `with`. */
export function mayChange(statement: string): boolean {
  const found = reading.exec(statement)
  return found === null || (found[1] !== undefined && changing.test(statement))
}
