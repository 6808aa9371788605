/** What a notice about a clinic says: where, who, when. No diagnosis, and of sensitive departments not even their name: never a department. */
import { clockInShanghai, dayInShanghai } from '../fhir/date-time.ts'
import type { NewNotice } from '../notices/write-notices.ts'
import type { SessionFace } from './session-rows.ts'

export function noticeParams(session: Pick<SessionFace, 'name_zh' | 'name_en' | 'practitioner_name_zh' | 'practitioner_name_en'>, at: Date): NewNotice['params'] {
  return {
    hospital: { zh: session.name_zh, en: session.name_en }, doctor: { zh: session.practitioner_name_zh, en: session.practitioner_name_en },
    date: dayInShanghai(at), time: clockInShanghai(at),
  }
}
