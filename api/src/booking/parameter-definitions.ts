/**
 * The numbers of booking that a city, hospital, department or clinic may set: default, bounds, unit, name and where the default
 * comes from. Adding a line is all it takes: the page of parameters and its history show it. Text is for schedulers.
 */
import type { Named } from './shapes.ts'

export interface ParameterDefinition { default: number; min: number; max: number; unit: Named; name: Named; source: string }

const units = {
  days: { zh: '天', en: 'days' },
  minutes: { zh: '分钟', en: 'minutes' },
  seconds: { zh: '秒', en: 'seconds' },
  minuteOfDay: { zh: '当日第几分钟（北京时间）', en: 'minutes after midnight, Asia/Shanghai' },
  places: { zh: '个号', en: 'places' },
  percent: { zh: '%', en: '% of the places' },
  times: { zh: '次', en: 'times' },
  hours: { zh: '小时', en: 'hours' },
  groups: { zh: '组', en: 'groups' },
  choices: { zh: '个', en: 'choices' },
  yesNo: { zh: '1 是，0 否', en: '1 yes, 0 no' },
  fen: { zh: '分；0 表示按排班模板', en: 'fen; 0: as the weekly pattern says' },
} as const satisfies Record<string, Named>

function number(value: number, [min, max]: readonly [number, number], unit: keyof typeof units, zh: string, en: string, source: string): ParameterDefinition {
  return { default: value, min, max, unit: units[unit], name: { zh, en }, source }
}

const city = 'City default.'
const fee = (zh: string, en: string) => number(0, [0, 200_000], 'fen', `诊察费：${zh}`, `Consultation fee: ${en}`, 'Price list of the city; a dated row of the day of the visit wins over the pattern.')

export const parameterDefinitions = {
  'window.daysAhead': number(14, [1, 90], 'days', '提前可约天数', 'Days open for booking', 'Published hospital rules range from 7 to 90 days; two weeks is the city default.'),
  'window.minLeadMinutes': number(30, [0, 720], 'minutes', '时段结束前停止预约', 'Booking closes before the end of a segment', 'Same-day places are allowed until shortly before the end of their segment.'),
  'release.minuteOfDay': number(420, [0, 1439], 'minuteOfDay', '放号时间', 'Time of release', 'Shanghai hospitals release places at 07:00 or 07:30.'),
  'release.groups': number(8, [1, 24], 'groups', '错峰放号分组数', 'Groups of hospitals for the release', 'Eight groups flatten the peak of the morning.'),
  'release.groupMinutes': number(5, [0, 60], 'minutes', '各组间隔', 'Minutes between two groups', 'Five minutes between groups; 0 releases all at once.'),
  'quota.gpReferral': number(20, [0, 60], 'percent', '家庭医生转诊号源', 'Places for GP referrals', 'National guidance is about 20 % of expert and specialist places.'),
  'quota.gpReferral.leadDays': number(7, [0, 30], 'days', '转诊号源提前开放', 'GP places open earlier by', city),
  'quota.gpReferral.returnDays': number(2, [0, 14], 'days', '转诊号源提前归还（12:00）', 'GP places return before the visit, at 12:00', city),
  'quota.followUp': number(15, [0, 60], 'percent', '复诊号源', 'Places for follow-up visits', 'For patients who were in the clinic within 90 days.'),
  'quota.followUp.visitDays': number(90, [7, 365], 'days', '复诊认定期', 'A visit counts as follow-up within', city),
  'quota.followUp.returnDays': number(1, [0, 14], 'days', '复诊号源提前归还（12:00）', 'Follow-up places return before the visit, at 12:00', city),
  'quota.onsite': number(10, [0, 60], 'percent', '窗口号源', 'Places for the window', 'Kept for the elderly and for those without a phone; released at 07:00 of the day.'),
  'quota.onsite.minuteOfDay': number(420, [0, 1439], 'minuteOfDay', '窗口号源放号时间', 'Window places open at', city),
  'limit.samePatientDay': number(3, [1, 10], 'places', '同一就诊人每天', 'A patient on a day, all hospitals', city),
  'limit.week': number(14, [1, 60], 'places', '同一就诊人每周', 'A patient in a week', 'Beijing unified booking rules.'),
  'limit.month': number(20, [1, 120], 'places', '同一就诊人每月', 'A patient in a month', 'Beijing unified booking rules.'),
  'limit.openFuture': number(6, [1, 30], 'places', '同一就诊人未就诊预约', 'Places of a patient that lie ahead', city),
  'limit.sameDoctor.gapDays': number(3, [0, 60], 'days', '同一医生两次预约间隔', 'Days between two places with a doctor', 'Avoids double booking; a French platform asks for 6 days.'),
  'hold.ttlSeconds': number(300, [60, 1800], 'seconds', '锁号时间', 'Time to confirm a hold', '5 to 30 minutes seen.'),
  'cancel.noticeMinutes': number(720, [0, 2880], 'minutes', '免责取消的提前时间', 'Notice for cancelling', 'Beijing unified booking rules: 12 hours.'),
  'cancel.lateAllowed': number(1, [0, 1], 'yesNo', '允许临近取消（计次）', 'Cancelling late is allowed, and counted', 'A late cancellation frees the place for somebody.'),
  'cancel.maxPerDay': number(3, [1, 20], 'times', '一天取消次数', 'Cancellations of a patient on a day', 'After that no more bookings on the day: a sign of touts.'),
  'checkin.openMinutes': number(60, [0, 240], 'minutes', '签到提前开放', 'Check-in opens before the segment', city),
  'checkin.lateMinutes': number(30, [0, 240], 'minutes', '签到宽限', 'Check-in after the segment', city),
  'cancel.latePerNoShow': number(3, [1, 20], 'times', '几次临近取消计一次爽约', 'Late cancellations that count as a missed visit', city),
  'noshow.graceMinutes': number(30, [0, 240], 'minutes', '时段结束后多久记为爽约', 'A visit counts as missed after its segment', 'Not before check-in has closed.'),
  'noshow.level1.count': number(3, [1, 50], 'times', '一年内爽约达到（一级）', 'Missed visits in a year, first level', 'Beijing unified booking rules.'),
  'noshow.level1.days': number(90, [0, 365], 'days', '一级：暂停网上预约', 'First level: no booking online for', 'Beijing unified booking rules.'),
  'noshow.level2.count': number(6, [1, 50], 'times', '一年内爽约达到（二级）', 'Missed visits in a year, second level', 'Beijing unified booking rules.'),
  'noshow.level2.days': number(180, [0, 730], 'days', '二级：暂停网上预约', 'Second level: no booking online for', 'Beijing unified booking rules.'),
  'noshow.appealDays': number(30, [1, 365], 'days', '申诉期限', 'Time to object to a missed visit', city),
  'draw.collectMinutes': number(0, [0, 1440], 'minutes', '放号前抽签登记时间（0 为不抽签）', 'Places are drawn among those who ask before the release within (0: not drawn)', 'For clinics whose places are gone within a second.'),
  'return.minMinutes': number(5, [0, 720], 'minutes', '退号最短冷却时间', 'A returned place comes back after, at least', 'Nobody can hand a place over when nobody knows when it comes back.'),
  'return.maxMinutes': number(90, [0, 1440], 'minutes', '退号最长冷却时间（0 为立即放出）', 'A returned place comes back after, at most (0: at once)', 'Nobody can hand a place over when nobody knows when it comes back.'),
  'waitlist.maxOpen': number(3, [1, 20], 'places', '同一就诊人候补数', 'Places a patient waits for', 'Sample rules of a city’s waitlist: three.'),
  'waitlist.deadlineMinuteOfDay': number(1080, [0, 1439], 'minuteOfDay', '候补截止（就诊前一天）', 'The waitlist closes on the day before, at', '18:00 on the day before is usual.'),
  'waitlist.sameWaitMinutes': number(60, [0, 10_080], 'minutes', '候补先后视为同时的间隔（同时的按住址远近）', 'Waits that began within this count as equally long (then the nearer home)', 'Distance decides only between those who wait equally long.'),
  'waitlist.offerMinutes': number(30, [5, 720], 'minutes', '候补答复时间（白天）', 'Time to answer an offer by day', 'Short, because about one in ten accepts and others wait.'),
  'waitlist.offerNightMinutes': number(120, [5, 1440], 'minutes', '候补答复时间（21:00–07:00）', 'Time to answer an offer at night', city),
  'waitlist.declinesMax': number(2, [1, 10], 'times', '几次不接受后退出候补', 'Offers declined before an entry ends', city),
  'referral.triage': number(1, [0, 1], 'yesNo', '转诊须科室审核', 'A referral is looked at by the department before it can be booked', 'Hospitals that trust their GPs switch it off.'),
  'referral.answerHours': number(72, [1, 336], 'hours', '转诊审核期限（普通）', 'Time to answer a referral, routine', city),
  'referral.urgent.answerHours': number(24, [1, 336], 'hours', '转诊审核期限（紧急）', 'Time to answer a referral, urgent', city),
  'referral.infoHours': number(72, [1, 336], 'hours', '补充资料期限', 'Time for the GP to add what was asked for', city),
  'referral.bookDays': number(14, [1, 90], 'days', '转诊预约期限（普通）', 'Time to book with a referral, routine', city),
  'referral.urgent.bookDays': number(3, [1, 90], 'days', '转诊预约期限（紧急）', 'Time to book with a referral, urgent', city),
  'referral.placeHours': number(48, [1, 336], 'hours', '无号协调期限', 'Time for the hospital to find a place', 'Nobody who finds no place is left alone with it.'),
  'referral.visitHours': number(24, [1, 168], 'hours', '就诊结果登记期限', 'Time to record the visit after its hour', city),
  'referral.adviceDays': number(7, [1, 60], 'days', '就诊后回复期限', 'Time to answer the GP after the visit', city),
  'referral.readDays': number(7, [1, 60], 'days', '阅读回复期限', 'Time for the GP to read the answer', city),
  'referral.escalateHours': number(24, [1, 168], 'hours', '再次上报间隔', 'Time until the next one is told', city),
  'referral.validDays': number(60, [7, 180], 'days', '转诊单有效期', 'A referral is valid for', city),
  'referral.pinTries': number(5, [3, 20], 'times', '密码连续输错次数', 'Wrong PINs before a pause', city),
  'referral.pinLockMinutes': number(30, [5, 1440], 'minutes', '输错后暂停', 'Pause after wrong PINs', city),
  'suspend.choices': number(3, [0, 3], 'choices', '停诊后保留的可选号', 'Places kept as choices after a suspension', 'Same doctor later, same title on the day, same department within days.'),
  'suspend.rebookPriorityDays': number(7, [1, 30], 'days', '停诊改约范围', 'Days searched for another place', city),
  'suspend.choiceMinutes': number(1440, [30, 10_080], 'minutes', '停诊改约答复时间', 'Time to choose after a suspension', 'min(24 h, 12 h before the visit).'),
  'reminder.atBooking': number(1, [0, 1], 'yesNo', '预约成功时告知', 'A message at booking', 'A European booking service tells people at booking, 7 days, 48, 24 and 2 hours before.'),
  'reminder.firstHours': number(168, [0, 2160], 'hours', '第一次提醒：就诊前（0 为不提醒）', 'First reminder before the visit (0: none)', 'A European booking service: 7 days.'),
  'reminder.secondHours': number(48, [0, 720], 'hours', '第二次提醒：就诊前（0 为不提醒）', 'Second reminder before the visit (0: none)', 'A European booking service: 48 hours.'),
  'reminder.thirdHours': number(24, [0, 240], 'hours', '第三次提醒：就诊前（0 为不提醒）', 'Third reminder before the visit (0: none)', 'A European booking service: 24 hours.'),
  'reminder.lastHours': number(2, [0, 48], 'hours', '最后一次提醒：就诊前（0 为不提醒）', 'Last reminder before the visit (0: none)', 'A European booking service: 2 hours.'),
  'reminder.fallbackMinutes': number(120, [5, 1440], 'minutes', '未读多久改用下一种方式', 'Unread for so long: the next channel', 'Never longer than half of the time that is left.'),
  'notice.fallbackMinutes': number(15, [1, 240], 'minutes', '停诊、候补等通知未读多久改用下一种方式', 'A notice that cannot wait is unread for so long: the next channel', 'Of a suspension people hear within minutes; never longer than a third of the time that is left.'),
  'reminder.quietFromMinute': number(1260, [0, 1439], 'minuteOfDay', '免打扰开始', 'Quiet hours begin', 'From 21:00 to 8:00 nobody is disturbed for a visit that is not near.'),
  'reminder.quietUntilMinute': number(480, [0, 1439], 'minuteOfDay', '免打扰结束', 'Quiet hours end', 'From 21:00 to 8:00 nobody is disturbed for a visit that is not near.'),
  'reminder.quietExceptHours': number(12, [0, 48], 'hours', '就诊前多久内不受免打扰限制（电话除外）', 'Quiet hours do not count this close to the visit (but for calls)', city),
  'fee.ordinary.chief': fee('普通门诊 主任医师', 'general clinic, chief physician'),
  'fee.ordinary.associate-chief': fee('普通门诊 副主任医师', 'general clinic, associate chief physician'),
  'fee.ordinary.attending': fee('普通门诊 主治医师', 'general clinic, attending physician'),
  'fee.ordinary.resident': fee('普通门诊 住院医师', 'general clinic, resident physician'),
  'fee.expert.chief': fee('专家门诊 主任医师', 'expert clinic, chief physician'),
  'fee.expert.associate-chief': fee('专家门诊 副主任医师', 'expert clinic, associate chief physician'),
  'fee.disease-specific.chief': fee('专病门诊 主任医师', 'disease-specific clinic, chief physician'),
  'fee.disease-specific.associate-chief': fee('专病门诊 副主任医师', 'disease-specific clinic, associate chief physician'),
  'fee.disease-specific.attending': fee('专病门诊 主治医师', 'disease-specific clinic, attending physician'),
  'fee.special-need.chief': fee('特需门诊 主任医师', 'special-need clinic, chief physician'),
  'fee.special-need.associate-chief': fee('特需门诊 副主任医师', 'special-need clinic, associate chief physician'),
} as const satisfies Record<string, ParameterDefinition>

export type ParameterName = keyof typeof parameterDefinitions
export type Parameters = Record<ParameterName, number>

/** What holds where nobody set anything. */
export const platformDefaults: Parameters = Object.fromEntries(
  Object.entries(parameterDefinitions).map(([name, definition]) => [name, definition.default]),
) as Parameters
