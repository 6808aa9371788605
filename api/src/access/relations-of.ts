/**
 * Which resources open a patient's record to whom, and for how long: a visit to its participants, a referral to those it goes to, a care
 * team to its members, a GP contract to the GP. A booking does the same from its own tables (booking/take-place.ts). Pure.
 */
import type { CareTeam, Encounter, EpisodeOfCare, Reference, Resource, ServiceRequest } from '@medplum/fhirtypes'
import { addMinutes } from '../fhir/date-time.ts'
import { keyOf } from '../fhir/id.ts'
import { parseReference } from '../fhir/references.ts'
import type { CareReason } from './grant-care-relation.ts'
import { originOf } from './placement.ts'

export type OpenedBy = Omit<CareReason, 'reasonId'>

const dayMinutes = 24 * 60
/** A visit stays open this long after it. */
export const daysAfterVisit = 30
/** A referral that does not say how long it is valid. */
const referralDays = 30
const referralDaysMax = 181
const teamDaysMax = 366
const gpContract = 'gp-contract'

export function relationsOf(resource: Resource, now: Date): OpenedBy[] {
  switch (resource.resourceType) {
    case 'Encounter': return ofVisit(resource, now)
    case 'ServiceRequest': return ofReferral(resource, now)
    case 'CareTeam': return ofTeam(resource, now)
    case 'EpisodeOfCare': return ofContract(resource, now)
    default: return []
  }
}

/** Types that may open a record. */
export const openingTypes: ReadonlySet<string> = new Set(['Encounter', 'ServiceRequest', 'CareTeam', 'EpisodeOfCare'])

function ofVisit(visit: Encounter, now: Date): OpenedBy[] {
  if (visit.status === 'cancelled' || visit.status === 'entered-in-error') return []
  const start = new Date(visit.period?.start ?? now)
  const end = visit.status === 'finished' && visit.period?.end ? new Date(visit.period.end) : new Date(Math.max(start.getTime(), now.getTime()))
  return actors(visit, (visit.participant ?? []).map((each) => each.individual), {
    reason: 'encounter', from: addMinutes(start, -dayMinutes), until: addMinutes(end, daysAfterVisit * dayMinutes),
  })
}

function ofReferral(request: ServiceRequest, now: Date): OpenedBy[] {
  const codes = (request.category ?? []).flatMap((each) => each.coding ?? []).map((each) => each.code)
  if (request.status !== 'active' || !codes.some((code) => code === 'referral' || code === '3457005')) return []
  const from = new Date(request.authoredOn ?? now)
  const most = addMinutes(from, referralDaysMax * dayMinutes)
  const end = request.occurrencePeriod?.end ? new Date(request.occurrencePeriod.end) : addMinutes(from, referralDays * dayMinutes)
  return actors(request, request.performer ?? [], { reason: 'referral', from, until: end < most ? end : most })
}

function ofTeam(team: CareTeam, now: Date): OpenedBy[] {
  if (team.status !== 'active') return []
  const from = new Date(team.period?.start ?? now)
  const most = addMinutes(from, teamDaysMax * dayMinutes)
  const end = team.period?.end ? new Date(team.period.end) : most
  return actors(team, (team.participant ?? []).map((each) => each.member), { reason: 'care-team', from, until: end < most ? end : most })
}

function ofContract(episode: EpisodeOfCare, now: Date): OpenedBy[] {
  const contract = (episode.type ?? []).some((each) => each.coding?.some((coding) => coding.code === gpContract))
  if (!contract || episode.status !== 'active') return []
  const from = new Date(episode.period?.start ?? now)
  const until = episode.period?.end ? new Date(episode.period.end) : addMinutes(from, teamDaysMax * dayMinutes)
  return actors(episode, [episode.careManager], { reason: 'gp-contract', from, until })
}

/** One for each professional or hospital named. Nobody without a patient and a hospital. */
function actors(resource: Resource, references: readonly (Reference | undefined)[], given: Pick<OpenedBy, 'reason' | 'from' | 'until'>): OpenedBy[] {
  const { organization, department } = originOf(resource)
  const pid = keyIn((resource as { subject?: Reference }).subject ?? (resource as { patient?: Reference }).patient, 'Patient')
  if (pid === null || Number.isNaN(given.from.getTime()) || Number.isNaN(given.until.getTime())) return []
  const found = new Map<string, OpenedBy>()
  for (const reference of references) {
    const hospital = keyIn(reference, 'Organization')
    const key = keyIn(reference, 'Practitioner') ?? hospital
    const at = hospital ?? organization
    if (key !== null && at !== null) found.set(key, { pid, practitioner: key, organization: at, department, ...given })
  }
  return [...found.values()]
}

function keyIn(reference: Reference | undefined, type: string): string | null {
  const parsed = parseReference(reference?.reference ?? '')
  return parsed.kind === 'local' && parsed.type === type ? keyOf(parsed.id) : null
}
