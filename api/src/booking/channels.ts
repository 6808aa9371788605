/**
 * Who may take which place, and when. A session's places are cut into quotas, one letter a place; each quota opens at its own
 * instant and returns to everybody at another. Nothing is moved at those instants: they stand in the session's row, and whoever
 * asks compares them with the clock. Pure; the SQL of the Slot projection repeats `publicFrom`, a test holds the two equal.
 */
import type { Segment } from './segments.ts'

export const channels = ['public', 'gp', 'follow-up', 'onsite'] as const
export type Channel = (typeof channels)[number]
type Letter = 'p' | 'g' | 'f' | 'w'

const letters: Record<Channel, Letter> = { public: 'p', gp: 'g', 'follow-up': 'f', onsite: 'w' }

/** The columns of a session that decide; instants are ISO text, null as in the migration. */
export interface ChannelTimes {
  channels: string
  release_at: string
  gp_release_at: string | null
  gp_return_at: string | null
  follow_up_return_at: string | null
  onsite_release_at: string | null
  onsite_return_at: string | null
}

export interface Quotas { gp: number; followUp: number; onsite: number }

/** Letters of `capacity` places with the quotas spread evenly over the half-day, so that each segment has some of each. */
export function layChannels(capacity: number, quotas: Quotas): string {
  const [gp, followUp, onsite] = fitted(capacity, quotas)
  const reserved = gp + followUp + onsite
  if (reserved === 0) return ''
  const steps = (n: number, of: number, total: number) => Math.floor((n * of) / total) > Math.floor(((n - 1) * of) / total)
  let text = ''
  let k = 0
  for (let n = 1; n <= capacity; n++) {
    if (!steps(n, reserved, capacity)) text += 'p'
    else {
      k++
      const j = k - Math.floor((k * gp) / reserved)
      text += gp > 0 && steps(k, gp, reserved) ? 'g' : followUp > 0 && steps(j, followUp, followUp + onsite) ? 'f' : 'w'
    }
  }
  return text
}

/** A session keeps at least half of its places for everybody. */
function fitted(capacity: number, { gp, followUp, onsite }: Quotas): [number, number, number] {
  const most = Math.floor(capacity / 2)
  const w = Math.min(onsite, most)
  const g = Math.min(gp, most - w)
  return [g, Math.min(followUp, most - w - g), w]
}

export function letterOf(session: Pick<ChannelTimes, 'channels'>, place: number): Letter {
  return (session.channels[place - 1] ?? 'p') as Letter
}

/** From when everybody may take a place of a letter; null: never. */
export function publicFrom(session: ChannelTimes, letter: Letter): number | null {
  const release = Date.parse(session.release_at)
  if (letter === 'p') return release
  const back = letter === 'g' ? session.gp_return_at : letter === 'f' ? session.follow_up_return_at : session.onsite_return_at
  return back === null ? null : Math.max(release, Date.parse(back))
}

/** From when those of a letter's own channel may take its places. */
function ownFrom(session: ChannelTimes, letter: Letter): number {
  const own = letter === 'g' ? session.gp_release_at : letter === 'w' ? session.onsite_release_at : null
  return Date.parse(own ?? session.release_at)
}

/** May somebody of these channels take the place now? `reserved`: others may; `not-released`: nobody may yet. */
export function placeState(session: ChannelTimes, place: number, entitled: ReadonlySet<Channel>, now: Date): 'open' | 'reserved' | 'not-released' {
  const letter = letterOf(session, place)
  const at = now.getTime()
  const everybody = publicFrom(session, letter)
  if (everybody !== null && everybody <= at) return 'open'
  if (letter === 'p') return 'not-released'
  const own = ownFrom(session, letter) <= at
  if (own && [...entitled].some((channel) => letters[channel] === letter)) return 'open'
  // Before the release nobody of the public may have any place: that is what the caller has to know.
  return Date.parse(session.release_at) > at ? 'not-released' : 'reserved'
}

export type Choice = { place: number } | { why: 'taken' | 'reserved' | 'not-released' }

/**
 * A place of the segment for somebody: the wanted one when it is theirs to take, else one of their own quota, else the lowest.
 * `why` says what stood in the way of the nearest: another's quota before the release, the release before a full segment.
 */
export function choosePlace(session: ChannelTimes, segment: Segment, wanted: number, taken: ReadonlySet<number>, entitled: ReadonlySet<Channel>, now: Date): Choice {
  let lowest: number | null = null
  let own: number | null = null
  let why: 'taken' | 'reserved' | 'not-released' = 'taken'
  for (let place = segment.firstPlace; place <= segment.lastPlace; place++) {
    if (taken.has(place)) continue
    const state = placeState(session, place, entitled, now)
    if (state !== 'open') {
      if (why !== 'reserved') why = state
      continue
    }
    lowest ??= place
    if (own === null && channelTaken(session, place, entitled) !== 'public') own = place
    if (place === wanted) return { place }
  }
  const place = own ?? lowest
  return place === null ? { why } : { place }
}

/** The quota that a place was taken from: the caller's own channel where the place belongs to it, else the pool of everybody. */
export function channelTaken(session: ChannelTimes, place: number, entitled: ReadonlySet<Channel>): Channel {
  const letter = letterOf(session, place)
  return [...entitled].find((channel) => channel !== 'public' && letters[channel] === letter) ?? 'public'
}
