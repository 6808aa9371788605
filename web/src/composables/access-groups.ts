/**
 * The access log in plain words: one entry a day and person, with what they looked at or wrote and how much of it, the first and last
 * time, why, and on what ground. Newest first. Pure.
 */
import type { AuditEvent } from '@medplum/fhirtypes'
import { dayOf } from '../i18n/format.ts'

export interface Touched { type: string; count: number }

export interface AccessGroup {
  key: string
  day: string
  name: string
  /** Null: a system, not a person. */
  role: string | null
  organization: string
  /** v3 ActReason code, such as TREAT. */
  purpose: string
  /** Why it was allowed, as the server names it: `appointment`, `gp-contract`, `break-glass` … */
  grounds: string[]
  /** In the order first seen. */
  read: Touched[]
  written: Touched[]
  refused: boolean
  /** An emergency opened the record. */
  emergency: boolean
  count: number
  /** Instants. */
  first: string
  last: string
}

export function accessGroups(events: readonly AuditEvent[]): AccessGroup[] {
  const found = new Map<string, AccessGroup>()
  for (const event of events) {
    if (!event.recorded) continue
    const agent = event.agent?.find((each) => each.requestor) ?? event.agent?.[0]
    const name = agent?.name ?? agent?.who?.display ?? ''
    const role = agent?.role?.[0]?.coding?.[0]?.code ?? null
    const organization = agent?.location?.display ?? event.source?.observer?.display ?? ''
    const day = dayOf(event.recorded)
    const key = [day, name, role, organization].join('|')
    const group: AccessGroup = found.get(key) ?? {
      key, day, name, role, organization, purpose: event.purposeOfEvent?.[0]?.coding?.[0]?.code ?? '', grounds: [], read: [], written: [], refused: false, emergency: false, count: 0,
      first: event.recorded, last: event.recorded,
    }
    found.set(key, group)
    group.count += 1
    if (event.recorded < group.first) group.first = event.recorded
    if (event.recorded > group.last) group.last = event.recorded
    if (event.outcome && event.outcome !== '0') {
      group.refused = true
      continue
    }
    const ground = agent?.policy?.[0]?.split('/').at(-1)
    if (ground && !group.grounds.includes(ground)) group.grounds.push(ground)
    if (ground === 'break-glass' || event.subtype?.[0]?.display === 'break-glass') group.emergency = true
    const list = ['C', 'U', 'D'].includes(event.action ?? 'R') ? group.written : group.read
    for (const each of touchedBy(event)) add(list, each)
  }
  return [...found.values()].sort((a, b) => b.last.localeCompare(a.last))
}

function add(list: Touched[], { type, count }: Touched): void {
  const known = list.find((each) => each.type === type)
  if (known) known.count += count
  else list.push({ type, count })
}

/** The types of what was touched, with how many of each: a search says `Observation: 12, Patient: 1`. The patient itself when nothing more is said. */
function touchedBy(event: AuditEvent): Touched[] {
  const entity = event.entity?.find((each) => each.role?.code === '4' || each.role?.code === '24')
  const counted = [...(entity?.description ?? '').matchAll(/([A-Z][A-Za-z]+): (\d+)/g)].map(([, type = '', count]) => ({ type, count: Number(count) }))
  if (counted.length > 0) return counted.filter((each) => each.count > 0)
  return [{ type: entity?.what?.reference?.split('/').at(-2) ?? entity?.what?.type ?? 'Patient', count: 1 }]
}
