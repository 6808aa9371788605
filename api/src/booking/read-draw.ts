/**
 * What anybody may see of a draw: before it the commitment and the times; after it seed, tickets and what each got, with which anyone can compute
 * the order again (draw.ts). Tickets say nothing about their holders.
 */
import type { Db } from '../storage/pool.ts'
import type { DrawView } from './shapes.ts'

/** Null when places of the session are not drawn. */
export async function readDraw(db: Db, session: string): Promise<DrawView | null> {
  const draw = await db.selectFrom('draw').selectAll().where('session_id', '=', session).executeTakeFirst()
  if (!draw) return null
  const tickets = await db.selectFrom('draw_ticket').select(['id', 'state', 'reason', 'segments']).where('session_id', '=', session).where('state', '<>', 'withdrawn').orderBy('id').execute()
  const held = draw.drawn_at !== null
  return {
    schedule: session, commitment: draw.commitment, opens: draw.opens_at, closes: draw.closes_at, entered: tickets.length,
    held: held ? {
      at: draw.drawn_at as string, seed: draw.seed, listHash: draw.list_hash as string,
      tickets: tickets.map(({ id, state, reason, segments }) => ({ id, segments, result: state as 'won' | 'lost' | 'void', reason })),
    } : null,
  }
}
