/**
 * The draw of scarce places. Whoever asks before the closing has one ticket, however early or often they asked. A secret seed is made and
 * its SHA-256 published before the first ticket; at the closing the list of tickets is fixed, and the order of the draw is that of
 * SHA-256(seed : SHA-256(list) : ticket). Afterwards seed and tickets are published, so anyone can recompute the order.
 * Nobody can aim at it: people do not know the seed, and the desk, which does, cannot know the list before it is closed. Pure.
 */
import { sha256Hex } from '../crypto.ts'

export interface Ticket {
  /** Opaque, made by the desk; known to its holder, says nothing about them. */
  id: string
  /** Indexes of the segments that suit, the dearest first; empty: any. */
  segments: readonly number[]
}

/** What is published before the first ticket. */
export function commitmentOf(seed: string): string {
  return sha256Hex(seed)
}

/** SHA-256 of the ticket ids in ascending order, one a line. */
export function listHashOf(ids: readonly string[]): string {
  return sha256Hex([...ids].sort().join('\n'))
}

/** Ids in the order in which they choose. */
export function drawOrder(seed: string, ids: readonly string[]): string[] {
  const list = listHashOf(ids)
  const rank = new Map(ids.map((id) => [id, sha256Hex(`${seed}:${list}:${id}`)]))
  return [...ids].sort((a, b) => ((rank.get(a) ?? '') < (rank.get(b) ?? '') ? -1 : 1))
}

/**
 * In the order given each ticket gets a place in the first of its segments that has one left; a ticket whose segments are full gets none, and
 * nobody after it loses by that. @param tickets in the order of the draw. @param free places left in each segment, by index.
 * @returns the segment of each winner; losers are missing.
 */
export function allotInOrder(tickets: readonly Ticket[], free: ReadonlyMap<number, number>): Map<string, number> {
  const left = new Map(free)
  const all = [...free.keys()].sort((a, b) => a - b)
  const won = new Map<string, number>()
  for (const { id, segments } of tickets) {
    const segment = (segments.length > 0 ? segments : all).find((index) => (left.get(index) ?? 0) > 0)
    if (segment === undefined) continue
    left.set(segment, (left.get(segment) ?? 0) - 1)
    won.set(id, segment)
  }
  return won
}
