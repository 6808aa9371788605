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

export function reminderText(subject: ReminderSubject, rung: Rung, channel: ChannelName, language: Language): string {
  const how = { rung, open: channel === 'app' && departmentBits(subject.session.department) === 0 }
  return worded(language === 'zh' ? chinese(subject, how) : english(subject, how), channel, language)
}

/** With who speaks, and on the telephone with the key that says it was heard. */
export function worded(said: string, channel: ChannelName, language: Language): string {
  const spoken = channel === 'phone'
  if (language === 'zh') return `${spoken ? '您好，这里是浦江健康。' : '【浦江健康】'}${said}${spoken ? '听清请按 1。' : ''}`
  return `${spoken ? 'Hello, this is Pujiang Health. ' : 'Pujiang Health. '}${said}${spoken ? ' Press 1 to say that you have heard this.' : ''}`
}

/** 11月30日周一; Monday 30 November. */
export function spokenDay(at: Date, language: Language): string {
  return (language === 'zh' ? new Intl.DateTimeFormat('zh-CN', { timeZone: 'Asia/Shanghai', month: 'long', day: 'numeric', weekday: 'short' })
    : new Intl.DateTimeFormat('en-GB', { timeZone: 'Asia/Shanghai', weekday: 'long', day: 'numeric', month: 'long' })).format(at)
}

interface How { rung: Rung; open: boolean }

function chinese({ session, start }: ReminderSubject, { rung, open }: How): string {
  const what = open ? `${departmentName(session.department).zh} ${session.practitioner_name_zh}医生的门诊` : '的预约'
  const visit = `${spokenDay(start, 'zh')} ${clockInShanghai(start)} 在${session.name_zh}${what}`
  return `${rung === 'booked' ? '您已约好' : '提醒您'}${visit}。${open ? `地点：${session.location_name_zh}。` : ''}请带身份证或医保卡提前签到；不能来请尽早取消。`
}

function english({ session, start }: ReminderSubject, { rung, open }: How): string {
  const what = open ? `${departmentName(session.department).en} with Dr ${session.practitioner_name_en}` : 'an appointment'
  const visit = `${what} at ${session.name_en} on ${spokenDay(start, 'en')} at ${clockInShanghai(start)}`
  return `${rung === 'booked' ? 'Booked' : 'Reminder'}: ${visit}.${open ? ` Place: ${session.location_name_en}.` : ''} Bring your identity or insurance card and check in early. If you cannot come, please cancel soon.`
}
