/**
 * The shortest list of open sessions that holds every answer to a question, in the order of start and id. What is put together of several lists
 * is remembered until the lists change, as in a rush many ask the same; what is remembered is bounded.
 */
import { matchesName, nameKeys } from './doctor-names.ts'
import type { OpenSession, OpenSessions } from './open-sessions.ts'

/** Null: any. `doctor` is folded, `hospitals` those near enough. */
export interface Wanted {
  departments: readonly string[] | null
  practitioners: readonly string[] | null
  doctor: string | null
  organizations: readonly string[] | null
  hospitals: ReadonlySet<string> | null
}

/** Sessions in all remembered lists together. */
const rememberedMax = 1_000_000

/** Every session of the list fits `practitioners` and `doctor`; what else was asked is still to be looked at. */
export function candidates(sessions: OpenSessions, { departments, practitioners, doctor, organizations, hospitals }: Wanted): readonly OpenSession[] {
  const lists: (readonly OpenSession[])[] = []
  if (practitioners) lists.push(several(sessions, 'practitioner', sessions.byPractitioner, practitioners))
  if (doctor !== null) lists.push(remembered(sessions, `doctor ${doctor}`, () => sessions.all.filter(namedAs(doctor))))
  if (lists.length === 2) return shortest(lists).filter((each) => practitioners?.includes(each.row.practitioner) && (doctor === null || namedAs(doctor)(each)))
  if (lists.length === 1) return shortest(lists)
  if (departments) lists.push(several(sessions, 'department', sessions.byDepartment, departments))
  if (organizations) lists.push(several(sessions, 'organization', sessions.byOrganization, organizations))
  if (hospitals) lists.push(several(sessions, 'organization', sessions.byOrganization, [...hospitals]))
  return lists.length === 0 ? sessions.all : shortest(lists)
}

function shortest(lists: readonly (readonly OpenSession[])[]): readonly OpenSession[] {
  return lists.reduce((one, other) => (other.length < one.length ? other : one))
}

function several(sessions: OpenSessions, kind: string, by: ReadonlyMap<string, readonly OpenSession[]>, keys: readonly string[]): readonly OpenSession[] {
  const [first, ...more] = [...new Set(keys)].sort()
  if (first === undefined) return []
  if (more.length === 0) return by.get(first) ?? []
  return remembered(sessions, `${kind} ${[first, ...more].join(' ')}`, () => [first, ...more].flatMap((key) => by.get(key) ?? []).sort(inOrder))
}

function remembered({ chosen }: OpenSessions, question: string, choose: () => readonly OpenSession[]): readonly OpenSession[] {
  let found = chosen.get(question)
  if (!found) {
    found = choose()
    let size = found.length
    for (const each of chosen.values()) size += each.length + 1
    if (size > rememberedMax) chosen.clear()
    chosen.set(question, found)
  }
  return found
}

/** Most doctors have many sessions, and many doctors one name: each name is looked at once. */
function namedAs(doctor: string): (session: OpenSession) => boolean {
  const known = new Map<string, boolean>()
  return ({ row }) => {
    const name = `${row.practitioner_name_zh}|${row.practitioner_name_en}`
    let is = known.get(name)
    if (is === undefined) known.set(name, is = matchesName(nameKeys(row.practitioner_name_zh, row.practitioner_name_en), doctor))
    return is
  }
}

function inOrder(a: OpenSession, b: OpenSession): number {
  return a.row.start_at < b.row.start_at ? -1 : a.row.start_at > b.row.start_at ? 1 : a.row.id < b.row.id ? -1 : 1
}
