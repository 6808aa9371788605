/**
 * What a reminder says. A text message and a call can be seen and heard by others: time and hospital, never department, doctor or
 * name. The app stands behind a sign-in and says more, except of departments whose name says what a person has.
 */
import { departmentBits } from '../access/labels.ts'
import { clockInShanghai } from '../fhir/date-time.ts'
import type { Language } from '../fhir/outcome.ts'
import type { ChannelName } from '../notices/shapes.ts'
import { departmentName } from './departments.ts'
import type { Rung } from './reminder-ladder.ts'
import type { SessionFace } from './session-rows.ts'

export interface ReminderSubject {
  session: Pick<SessionFace, 'name_zh' | 'name_en' | 'department' | 'practitioner_name_zh' | 'practitioner_name_en' | 'location_name_zh' | 'location_name_en'>
  /** Of the segment. */
  start: Date
}

export function reminderText(subject: ReminderSubject, rung: Rung | 'withdrawn', channel: ChannelName, language: Language): string {
  const how = { rung, spoken: channel === 'phone', open: channel === 'app' && departmentBits(subject.session.department) === 0 }
  return language === 'zh' ? chinese(subject, how) : english(subject, how)
}

interface How { rung: Rung | 'withdrawn'; spoken: boolean; open: boolean }

function chinese({ session, start }: ReminderSubject, { rung, spoken, open }: How): string {
  const day = new Intl.DateTimeFormat('zh-CN', { timeZone: 'Asia/Shanghai', month: 'long', day: 'numeric', weekday: 'short' }).format(start)
  const what = open ? `${departmentName(session.department).zh} ${session.practitioner_name_zh}医生的门诊` : '的预约'
  const visit = `${day} ${clockInShanghai(start)} 在${session.name_zh}${what}`
  const said = rung === 'withdrawn' ? `您${visit}已取消，请不要前往。`
    : `${rung === 'booked' ? '您已约好' : '提醒您'}${visit}。${open ? `地点：${session.location_name_zh}。` : ''}请带身份证或医保卡提前签到；不能来请尽早取消。`
  return `${spoken ? '您好，这里是浦江健康。' : '【浦江健康】'}${said}${spoken ? '听清请按 1。' : ''}`
}

function english({ session, start }: ReminderSubject, { rung, spoken, open }: How): string {
  const day = new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Shanghai', weekday: 'long', day: 'numeric', month: 'long' }).format(start)
  const what = open ? `${departmentName(session.department).en} with Dr ${session.practitioner_name_en}` : 'an appointment'
  const visit = `${what} at ${session.name_en} on ${day} at ${clockInShanghai(start)}`
  const said = rung === 'withdrawn' ? `Cancelled: ${visit}. Please do not come.`
    : `${rung === 'booked' ? 'Booked' : 'Reminder'}: ${visit}.${open ? ` Place: ${session.location_name_en}.` : ''} Bring your identity or insurance card and check in early. If you cannot come, please cancel soon.`
  return `${spoken ? 'Hello, this is Pujiang Health. ' : 'Pujiang Health. '}${said}${spoken ? ' Press 1 to say that you have heard this.' : ''}`
}
