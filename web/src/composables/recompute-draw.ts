/**
 * A draw computed again by whoever reads it, in their own browser: fingerprint of the seed, fingerprint of the list, order, winners. Shares no
 * code with the server, so that it checks what was published and not itself. The rule: docs/waiting.md, "Draws".
 */
import type { DrawView } from '@pujiang/api/booking/shapes.ts'

type Held = NonNullable<DrawView['held']>

export interface Recomputed {
  commitment: boolean
  list: boolean
  winners: boolean
  /** Ticket ids in the order of the draw. */
  order: string[]
}

/** @throws Error where the browser gives no WebCrypto (a connection that is not secure). */
export async function recomputeDraw(draw: Pick<DrawView, 'commitment' | 'segments'> & { held: Held }): Promise<Recomputed> {
  const { seed, listHash, tickets } = draw.held
  const ids = tickets.map(({ id }) => id).sort()
  const list = await sha256(ids.join('\n'))
  const ranked = await Promise.all(ids.map(async (id) => ({ id, rank: await sha256(`${seed}:${list}:${id}`) })))
  const order = ranked.sort((a, b) => (a.rank < b.rank ? -1 : 1)).map(({ id }) => id)
  return { commitment: await sha256(seed) === draw.commitment, list: list === listHash, winners: sameWinners(draw, order), order }
}

/** Places handed out in the order; a ticket that a rule stopped loses its place to the next, as it was published. */
function sameWinners({ segments, held }: Pick<DrawView, 'segments'> & { held: Held }, order: readonly string[]): boolean {
  const free = new Map(segments.map(({ index, places }) => [index, places]))
  const byId = new Map(held.tickets.map((ticket) => [ticket.id, ticket]))
  const drawn = new Set<string>()
  for (;;) {
    const left = new Map(free)
    const round = order.filter((id) => !drawn.has(id)).flatMap((id) => {
      const wanted = byId.get(id)?.segments ?? []
      const segment = (wanted.length > 0 ? wanted : [...free.keys()].sort((a, b) => a - b)).find((index) => (left.get(index) ?? 0) > 0)
      if (segment === undefined) return []
      left.set(segment, (left.get(segment) ?? 0) - 1)
      return [{ id, segment }]
    })
    if (round.length === 0) break
    for (const { id, segment } of round) {
      drawn.add(id)
      if (byId.get(id)?.result !== 'void') free.set(segment, (free.get(segment) ?? 0) - 1)
    }
  }
  return held.tickets.every(({ id, result }) => (result === 'lost') === !drawn.has(id))
}

async function sha256(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return [...new Uint8Array(digest)].map((byte) => byte.toString(16).padStart(2, '0')).join('')
}
