/** Which centre this process is, and which places belong to it. */
import type { Principal } from '../access/principal.ts'
import type { Ctx } from '../ctx.ts'
import type { Sentence } from '../fhir/outcome.ts'
import type { PeerCentre, Peers } from './peer.ts'

export interface Centre {
  /** GB/T 2260, six digits. */
  region: string
  name: Sentence
  /** Centres of other regions that this one can reach. */
  peers: Peers
}

const names: Record<string, Sentence> = {
  310000: { zh: '上海市', en: 'Shanghai' },
  320500: { zh: '苏州市', en: 'Suzhou' },
  330100: { zh: '杭州市', en: 'Hangzhou' },
}

export function centreOf(region: string, peers: Peers = new Map()): Centre {
  return { region, name: names[region] ?? { zh: region, en: region }, peers }
}

/** The centre a person's claim is handed on to; null when it is decided, or refused, here. */
export function wayTo(centre: Centre, region: string): PeerCentre | null {
  return region === centre.region ? null : centre.peers.get(region) ?? null
}

/** What every answer carries: a new id, the centre, the moment. */
export function frameOf(ctx: Ctx, centre: Centre) {
  return { id: ctx.newId(null), region: centre.region, regionName: centre.name, at: ctx.now }
}

/** Client id under which the centre of a region calls another. */
export function peerClientId(region: string): string {
  return `centre-${region}`
}

/** The region whose centre calls; null for everybody else. */
export function peerRegionOf(principal: Principal): string | null {
  return principal.kind === 'client' ? /^centre-(\d{6})$/.exec(principal.id)?.[1] ?? null : null
}
