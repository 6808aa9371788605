/**
 * The access log in plain words: one entry a day and person, with what they looked at or wrote, the first and last time and
 * why. Newest first. Pure.
 */
import type { AuditEvent } from '@medplum/fhirtypes'
import { dayOf } from '../i18n/format.ts'

export interface AccessGroup {
  key: string
  day: string
  name: string
  role: string | null
  organization: string
  /** v3 ActReason code, such as TREAT. */
  purpose: string
  /** Types of resources, in the order first seen. */
  read: string[]
  written: string[]
  refused: boolean
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
    const group = found.get(key) ?? {
      key, day, name, role, organization, purpose: event.purposeOfEvent?.[0]?.coding?.[0]?.code ?? '', read: [], written: [], refused: false, count: 0,
      first: event.recorded, last: event.recorded,
    }
    found.set(key, group)
    group.count += 1
    if (event.recorded < group.first) group.first = event.recorded
    if (event.recorded > group.last) group.last = event.recorded
    if (event.outcome && event.outcome !== '0') group.refused = true
    const list = ['C', 'U', 'D'].includes(event.action ?? 'R') ? group.written : group.read
    const type = typeOf(event)
    if (!list.includes(type)) list.push(type)
  }
  return [...found.values()].sort((a, b) => b.last.localeCompare(a.last))
}

/** The type of what was touched; the patient itself when nothing more is said. */
function typeOf(event: AuditEvent): string {
  const touched = event.entity?.find((each) => each.role?.code === '4') ?? event.entity?.at(-1)
  return touched?.what?.reference?.split('/').at(-2) ?? touched?.what?.type ?? 'Patient'
}
