/**
 * What a notice says on a telephone. Others may see or hear it: time, hospital and what to do, never department, doctor, room or name, nor a
 * referral's code. The portal says the rest behind the sign-in.
 */
import { clockInShanghai } from '../fhir/date-time.ts'
import type { Language } from '../fhir/outcome.ts'
import type { ChannelName, Notice } from '../notices/shapes.ts'
import { spokenDay, worded } from './reminder-text.ts'

interface Words {
  /** 您 … 的预约 / Your appointment …; of a notice that names no hospital without it. */
  visit: string
  hospital: string
  /** Day and time of the visit; empty where the notice does not say. */
  when: string
  /** Deadline: day and time, or a day. */
  until: string
}

type Sentence = Readonly<Record<Language, (words: Words) => string>>

const choose: Record<Language, string> = { zh: '可以请家人或家庭医生代办。', en: 'Family or your GP can do it for you.' }
const refunded: Record<Language, string> = { zh: '挂号费全额退还，请不要前往。', en: 'The fee is paid back in full; please do not come.' }

const sentences: Readonly<Record<string, Sentence>> = {
  'session-suspended': {
    zh: ({ visit, until }) => `${visit}停诊了。已为您保留其他号，请在${until}前打开浦江健康选一个；没有选就会取消并全额退费。${choose.zh}`,
    en: ({ visit, until }) => `${visit} cannot be held. Other places are kept for you; please choose one in Pujiang Health by ${until}, or it is cancelled and paid back. ${choose.en}`,
  },
  'doctor-substituted': {
    zh: ({ visit, until }) => `${visit}换了医生。请在${until}前打开浦江健康答复是否接受；没有答复就会取消并全额退费。${choose.zh}`,
    en: ({ visit, until }) => `${visit} is with another doctor. Please say in Pujiang Health by ${until} whether you agree, or it is cancelled and paid back. ${choose.en}`,
  },
  'waitlist-offer': {
    zh: ({ hospital, when, until }) => `您候补的${hospital}有号了：${when}，已为您保留。请在${until}前打开浦江健康接受；过时就给下一位。${choose.zh}`,
    en: ({ hospital, when, until }) => `A place you wait for at ${hospital}, ${when}, is kept for you. Please accept it in Pujiang Health by ${until}; then it goes to the next. ${choose.en}`,
  },
  'waitlist-booked': {
    zh: ({ hospital, when }) => `您候补的${hospital}有号了，已按您的要求约好：${when}。不能来请尽早取消。`,
    en: ({ hospital, when }) => `A place you waited for at ${hospital} is booked, as you had asked: ${when}. If you cannot come, please cancel soon.`,
  },
  'draw-won': {
    zh: ({ hospital, when }) => `${hospital}的抽签您抽中了，已约好：${when}。不能来请尽早取消。`,
    en: ({ hospital, when }) => `You were drawn at ${hospital}; your place is booked: ${when}. If you cannot come, please cancel soon.`,
  },
  'session-suspended-no-choice': { zh: ({ visit }) => `${visit}停诊，已取消。${refunded.zh}`, en: ({ visit }) => `${visit} cannot be held and is cancelled. ${refunded.en}` },
  'choice-ended-suspended': { zh: ({ visit }) => `${visit}停诊，没有选其他号，已取消。${refunded.zh}`, en: ({ visit }) => `${visit} cannot be held; no other place was chosen, so it is cancelled. ${refunded.en}` },
  'choice-ended-substituted': { zh: ({ visit }) => `${visit}换了医生，没有收到答复，已取消。${refunded.zh}`, en: ({ visit }) => `${visit} changed doctors; nobody answered, so it is cancelled. ${refunded.en}` },
  'cancelled-by-hospital': { zh: ({ visit }) => `${visit}由医院取消。${refunded.zh}`, en: ({ visit }) => `${visit} was cancelled by the hospital. ${refunded.en}` },
  'cancelled-by-proxy': { zh: ({ visit }) => `${visit}由代您办理的人取消，请不要前往。`, en: ({ visit }) => `${visit} was cancelled by somebody who acts for you; please do not come.` },
  'room-changed': { zh: ({ visit }) => `${visit}换了诊室，时间不变。新诊室请看浦江健康。`, en: ({ visit }) => `${visit} is in another room at the same time. See Pujiang Health for the room.` },
  'hold-suspended': { zh: ({ visit }) => `${visit}停诊，没有约成，请另选时间。`, en: ({ visit }) => `${visit} cannot be held and was not booked; please choose another time.` },
  'queue-called': { zh: () => '轮到您就诊了，请到诊室。', en: () => 'It is your turn; please go to the room.' },
  'queue-passed': { zh: () => '叫到您时您不在，已往后排，请在候诊区等候。', en: () => 'You were called and not there; you are further back now. Please wait in the hall.' },
  'waitlist-expired': { zh: () => '您的候补没有等到号，已结束。您可以另选时间或其他医院。', en: () => 'No place came free for you, and your wait has ended. You can choose another time or hospital.' },
  'draw-lost': { zh: ({ hospital }) => `${hospital}的抽签有结果了：这次没有抽中。名单和种子已公布，可以核对。`, en: ({ hospital }) => `The draw at ${hospital} was held: not drawn this time. The list and the seed are published.` },
  'draw-void': { zh: ({ hospital }) => `${hospital}的抽签您抽中了，但因预约规则没有约成，原因请看浦江健康。`, en: ({ hospital }) => `You were drawn at ${hospital}, but a rule of booking stood in the way; see Pujiang Health.` },
  'visit-missed': { zh: ({ until }) => `您预约的就诊没有签到，记为爽约${until ? `，网上预约暂停到${until}` : ''}。有特殊原因可以申诉。`, en: ({ until }) => `You did not check in for your appointment; it counts as missed${until ? `, and online booking is closed to you until ${until}` : ''}. You can object.` },
  'absence-excused': { zh: () => '您的爽约记录经医院核实已撤销。', en: () => 'The hospital has withdrawn the missed visit from your record.' },
  'absence-upheld': { zh: () => '您对爽约记录的申诉未获医院同意。', en: () => 'The hospital did not agree with your objection about a missed visit.' },
}
const ofReferral: Sentence = { zh: () => '您的转诊有新的进展，请看浦江健康。', en: () => 'There is news of your referral; see Pujiang Health.' }

export function noticeText(kind: string, params: Notice['params'], channel: ChannelName, language: Language): string {
  const sentence = kind.startsWith('referral-') ? ofReferral : sentences[kind]
  if (!sentence) throw new Error(`No words for the notice ${kind}.`)
  return worded(sentence[language](wordsOf(params, language)), channel, language)
}

function wordsOf(params: Notice['params'], language: Language): Words {
  const hospital = typeof params.hospital === 'object' && params.hospital !== null ? params.hospital[language] : ''
  const day = params.date ?? params.day
  const when = typeof day === 'string' && typeof params.time === 'string' ? `${spokenDay(new Date(`${day}T12:00:00+08:00`), language)} ${params.time}` : ''
  return {
    hospital, when, visit: language === 'zh' ? `您${when} 在${hospital}的预约` : `Your appointment at ${hospital} on ${when}`,
    until: typeof params.until === 'string' ? untilWords(params.until, language) : '',
  }
}

function untilWords(until: string, language: Language): string {
  if (/^\d{4}-\d{2}-\d{2}$/.test(until)) return spokenDay(new Date(`${until}T12:00:00+08:00`), language)
  const at = new Date(until)
  return `${spokenDay(at, language)} ${clockInShanghai(at)}`
}
