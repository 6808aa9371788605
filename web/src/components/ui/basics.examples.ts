/** States of UiButton, UiTag and UiNotice. */
import { example } from './example.ts'

const confirm = { zh: '确认预约', en: 'Confirm booking' }
export const buttonExamples = [
  example('primary', { kind: 'primary' }, confirm),
  example('secondary', {}, { zh: '打印', en: 'Print' }),
  example('danger', { kind: 'danger' }, { zh: '取消预约', en: 'Cancel appointment' }),
  example('quiet', { kind: 'quiet' }, { zh: '移除', en: 'Remove' }),
  example('busy', { kind: 'primary', busy: true }, confirm),
]

export const tagExamples = [
  example('plain', {}, { zh: '已就诊', en: 'Seen' }),
  example('ok', { kind: 'ok' }, { zh: '已预约', en: 'Booked' }),
  example('warn', { kind: 'warn' }, { zh: '待结算', en: 'To settle' }),
  example('bad', { kind: 'bad' }, { zh: '未通过', en: 'Refused' }),
  example('info', { kind: 'info' }, { zh: '专家门诊', en: 'Expert clinic' }),
  example('high', { kind: 'high' }, { zh: '偏高', en: 'High' }),
  example('low', { kind: 'low' }, { zh: '偏低', en: 'Low' }),
]

const taken = { zh: '这个号刚刚被约走了。请改选其他时间。', en: 'Somebody has just taken this place. Choose another time.' }
export const noticeExamples = [
  example('info', {}, { zh: '号源为您保留 5 分钟。', en: 'Your place is kept for five minutes.' }),
  example('ok', (language) => ({ kind: 'ok', title: language === 'zh' ? '已结算' : 'Settled' }), { zh: '医保基金支付 ¥114.72。', en: 'The fund paid ¥114.72.' }),
  example('warn', { kind: 'warn' }, taken),
  example('bad', { kind: 'bad' }, taken),
]
