/**
 * What /api offers beside FHIR, as data: for each route of the router what it does, who may ask, what it takes and what it answers. The schemas of bodies are those
 * that the routes check by; answers are the shapes of the areas, by name. A test holds this list to the router, both ways.
 */
import type { z } from 'zod'
import type { Sentence } from '../../fhir/outcome.ts'
import { emergencyBody, reviewBody } from '../access-routes.ts'
import { codeBody, confirmedBody, launchBody, passwordBody } from '../account-routes.ts'
import { actBody, countedBody, filingBody, paymentBody } from '../cashier-routes.ts'
import { calendarBody, parameterBody } from '../desk-routes.ts'
import { preferenceBody } from '../message-routes.ts'
import { arrivalBody, skipBody } from '../queue-routes.ts'
import { recoverBody } from '../recover-routes.ts'
import { paperBody } from '../referral-routes.ts'
import { registerBody } from '../register-routes.ts'
import { signInBody, signOutBody } from '../sign-in.ts'
import { closeBody, closeServiceBody, dayBody, doctorBody, leaveBody, patternBody, roomBody, serviceBody } from '../supply-routes.ts'

export interface Endpoint {
  method: 'GET' | 'POST' | 'PUT' | 'DELETE'
  path: string
  tag: keyof typeof tags
  does: Sentence
  /** `anyone`: also without signing in. */
  who: 'anyone' | 'person' | 'citizen' | 'clinician' | 'scheduler' | 'desk' | 'insurer' | 'public-health' | 'admin-system' | 'admin-audit'
  /** Parameters of the query: what each is, in both languages; those whose name ends in `!` must be given. */
  query?: Readonly<Record<string, Sentence>>
  /** Of requests, beside those that all have. */
  headers?: Readonly<Record<string, Sentence>>
  body?: z.ZodType
  /** A shape, several of which one is answered, or a list of one (`Notice[]`); `null`: no body; an object: a schema of its own. */
  answer: string | readonly string[] | Readonly<Record<string, unknown>> | null
  /** 200 unless said. */
  status?: 201 | 204
}

export const tags = {
  'sign-in': { zh: '登录与注册', en: 'Sign-in' },
  'account': { zh: '账号', en: 'Account' },
  'booking': { zh: '预约', en: 'Booking' },
  'waiting': { zh: '候补与爽约', en: 'Waiting and missed visits' },
  'referrals': { zh: '转诊', en: 'Referrals' },
  'desk': { zh: '挂号窗口', en: 'Registration desk' },
  'supply': { zh: '号源', en: 'Supply' },
  'bills': { zh: '账单', en: 'Bills' },
  'till': { zh: '收费窗口', en: 'Cashier' },
  'record': { zh: '档案访问', en: 'Access to records' },
  'notices': { zh: '消息', en: 'Notices' },
  'messages': { zh: '提醒', en: 'Reminders' },
  'public-health': { zh: '公共卫生', en: 'Public health' },
  'insurer': { zh: '医保经办', en: 'Insurance desk' },
  'about': { zh: '接口说明', en: 'About' },
} as const satisfies Record<string, Sentence>

const patient = { zh: '患者编号；缺省为本人', en: 'id of the Patient; oneself when left out' }
const department = { zh: '科室代码', en: 'code of a department' }
const month = { zh: '月份，如 2026-11；缺省本月', en: 'a month, such as 2026-11; this one when left out' }
const effects = {
  type: 'object', required: ['closed', 'moved', 'suspended', 'patients'],
  properties: { closed: { type: 'number', description: 'Sessions nobody has booked, closed.' }, moved: { type: 'number', description: 'Sessions in another room.' }, suspended: { type: 'number', description: 'Booked sessions, suspended.' }, patients: { type: 'number', description: 'Patients who are told.' } },
}
const location = { type: 'object', properties: { location: { type: 'string', description: 'Address to go to.' } }, required: ['location'] }

export const endpoints: readonly Endpoint[] = [
  { method: 'GET', path: '/api/settings', tag: 'sign-in', who: 'anyone', does: { zh: '登录页需要知道的：是否演示环境，演示账号。', en: 'What the sign-in page needs: whether this is a demonstration, and its accounts.' },
    answer: { type: 'object', properties: { demo: { type: 'boolean' }, accounts: { type: 'array', items: { type: 'object' } }, demoCode: { type: ['string', 'null'] } }, required: ['demo', 'accounts', 'demoCode'] } },
  { method: 'POST', path: '/api/sign-in', tag: 'sign-in', who: 'anyone', body: signInBody, answer: ['Me', 'ChooseRole', 'GiveCode'],
    does: { zh: '用账号和密码登录，成功后得到会话 Cookie；有多个身份时先返回可选身份，绑定验证器时要求验证码。', en: 'Signs in by login and password and sets the session cookie; a person of several roles is asked which, one with an authenticator for a code.' } },
  { method: 'POST', path: '/api/sign-out', tag: 'sign-in', who: 'anyone', body: signOutBody, answer: 'SignedOut', does: { zh: '退出登录。', en: 'Ends the session.' } },
  { method: 'GET', path: '/api/me', tag: 'sign-in', who: 'person', answer: 'Me', does: { zh: '当前登录的人、身份，以及可代办的人。', en: 'Who is signed in, in which role, and for whom they may act.' } },
  { method: 'POST', path: '/api/register', tag: 'sign-in', who: 'anyone', body: registerBody, answer: 'Me', status: 201, does: { zh: '实名注册：证件号、姓名和社保卡号须与登记一致。', en: 'Registers a citizen: number, name and social-security card must agree with the register.' } },
  { method: 'POST', path: '/api/recover-password', tag: 'sign-in', who: 'anyone', body: recoverBody, answer: null, status: 204, does: { zh: '忘记密码时以实名信息设新密码；无论有无账号，回答都一样。', en: 'Replaces a forgotten password by the proof that registration asks for; the answer is the same whether there is an account or not.' } },

  { method: 'GET', path: '/api/account', tag: 'account', who: 'person', answer: 'AccountView', does: { zh: '本人账号。', en: 'One\'s own account.' } },
  { method: 'POST', path: '/api/account/password', tag: 'account', who: 'person', body: passwordBody, answer: null, status: 204, does: { zh: '修改密码，其他会话随之结束。', en: 'Changes the password; all other sessions end.' } },
  { method: 'POST', path: '/api/account/second-factor', tag: 'account', who: 'person', body: confirmedBody, answer: 'Enrolment', does: { zh: '开始绑定验证器。', en: 'Begins to set up an authenticator.' } },
  { method: 'POST', path: '/api/account/second-factor/confirm', tag: 'account', who: 'person', body: codeBody, does: { zh: '用一次验证码完成绑定，返回恢复码。', en: 'Completes it with a code; answers the recovery codes.' },
    answer: { type: 'object', properties: { recoveryCodes: { type: 'array', items: { type: 'string' } } }, required: ['recoveryCodes'] } },
  { method: 'DELETE', path: '/api/account/second-factor', tag: 'account', who: 'person', answer: null, status: 204, does: { zh: '解除验证器，须在 5 分钟内验证过。', en: 'Takes the authenticator off; it must have been shown within 5 minutes.' } },
  { method: 'POST', path: '/api/step-up', tag: 'account', who: 'person', body: codeBody, answer: null, status: 204, does: { zh: '再次验证身份，用于敏感操作。', en: 'Shows the second factor again, for what asks for it.' } },
  { method: 'GET', path: '/api/sessions', tag: 'account', who: 'person', answer: 'OpenSession[]', does: { zh: '登录中的设备和已授权的应用。', en: 'Devices that are signed in, and apps that were let in.' } },
  { method: 'DELETE', path: '/api/sessions/:id', tag: 'account', who: 'person', answer: null, status: 204, does: { zh: '结束一个会话。', en: 'Ends a session.' } },
  { method: 'POST', path: '/api/sessions/end-all', tag: 'account', who: 'person', answer: null, status: 204, does: { zh: '结束全部会话。', en: 'Ends all sessions.' } },
  { method: 'GET', path: '/api/apps', tag: 'account', who: 'person', answer: 'LaunchableApp[]', does: { zh: '可从患者档案打开的应用。', en: 'Apps that can be opened from a patient\'s record.' } },
  { method: 'POST', path: '/api/launches', tag: 'account', who: 'person', body: launchBody, answer: location, does: { zh: '从患者档案打开一个应用。', en: 'Opens an app from a patient\'s record.' } },

  { method: 'GET', path: '/api/departments', tag: 'booking', who: 'anyone', answer: 'DepartmentSummary[]', does: { zh: '全市科室目录和可约号源数。', en: 'The departments of the city, with what is open in each.' } },
  { method: 'GET', path: '/api/availability', tag: 'booking', who: 'anyone', answer: 'HospitalAvailability[]', does: { zh: '某科室有号的医院，最早的在前。', en: 'Hospitals with open places in a department, soonest first.' },
    query: { 'department!': { zh: '科室代码，如 03.04', en: 'code of the department, such as 03.04' }, 'district': { zh: '区划代码，如 310101', en: 'code of a district, such as 310101' }, 'from': { zh: '起始日期', en: 'first day' }, 'to': { zh: '结束日期，90 天以内', en: 'last day, within 90 days' } } },
  { method: 'GET', path: '/api/booking/queue-place', tag: 'booking', who: 'citizen', answer: 'QueuePlace?', query: { 'appointment!': { zh: '预约编号', en: 'id of the Appointment' } }, does: { zh: '签到后本人的排队位置。', en: 'One\'s place in the queue after check-in.' } },

  { method: 'GET', path: '/api/booking/waits', tag: 'waiting', who: 'citizen', query: { patient }, answer: 'WaitView[]', does: { zh: '候补中的预约。', en: 'Where a patient waits for a place.' } },
  { method: 'GET', path: '/api/booking/standing', tag: 'waiting', who: 'citizen', query: { patient }, answer: 'StandingView', does: { zh: '本年爽约次数及其后果。', en: 'Missed visits of the year and what follows from them.' } },
  { method: 'GET', path: '/api/booking/draws', tag: 'waiting', who: 'anyone', query: { department }, answer: 'DrawSummary[]', does: { zh: '接受登记的和已开奖的摇号。', en: 'Draws that take entries, and those that were held.' } },
  { method: 'GET', path: '/api/booking/draw-tickets', tag: 'waiting', who: 'citizen', query: { patient }, answer: 'DrawTicketView[]', does: { zh: '参加的摇号及其结果。', en: 'The draws a patient has entered, and what came of it.' } },
  { method: 'GET', path: '/api/booking/draws/:schedule', tag: 'waiting', who: 'anyone', answer: 'DrawView', does: { zh: '一次摇号：承诺、结果，任何人都可复算。', en: 'A draw: its commitment and its result, which anybody can compute again.' } },
  { method: 'GET', path: '/api/booking/appeals', tag: 'waiting', who: 'scheduler', answer: 'OpenAppeal[]', does: { zh: '待处理的爽约申诉。', en: 'Objections that wait for a decision.' } },

  { method: 'GET', path: '/api/booking/referrals', tag: 'referrals', who: 'person', answer: 'ReferralView[]', does: { zh: '转诊单及其状态、负责人、期限。', en: 'Referrals with state, owner and deadline.' }, query: { as: { zh: 'gp、department、office 或 patient；缺省 patient', en: 'gp, department, office or patient; patient when left out' }, patient } },
  { method: 'POST', path: '/api/booking/referral-paper', tag: 'referrals', who: 'person', body: paperBody, answer: 'ReferralPaper', does: { zh: '凭转诊码和密码打开一张转诊单。', en: 'Opens a referral by its code and PIN.' } },

  { method: 'GET', path: '/api/booking/parameters', tag: 'desk', who: 'scheduler', answer: 'ParameterSheet', does: { zh: '预约规则的数值及其历史。', en: 'The numbers of booking as they stand, and their changes.' }, query: { 'scope!': { zh: 'city、hospital、department 或 clinic', en: 'city, hospital, department or clinic' }, 'id!': { zh: '范围的编号', en: 'id of the scope' } } },
  { method: 'POST', path: '/api/booking/parameters', tag: 'desk', who: 'scheduler', body: parameterBody, answer: 'ParameterSheet', status: 201, does: { zh: '修改一个数值，自某时起生效。', en: 'Changes a number from an instant on.' } },
  { method: 'GET', path: '/api/booking/parameters/effects', tag: 'desk', who: 'scheduler', answer: 'ParameterEffects', does: { zh: '修改一个数值会影响哪些门诊。', en: 'Which sessions a change of a number leaves as they are.' }, query: { 'scope!': { zh: 'city、hospital、department 或 clinic', en: 'city, hospital, department or clinic' }, 'id!': { zh: '范围的编号', en: 'id of the scope' }, 'name!': { zh: '数值的名称', en: 'name of the number' }, from: { zh: '生效日期', en: 'day from which it counts' } } },
  { method: 'GET', path: '/api/booking/roster', tag: 'desk', who: 'scheduler', answer: 'Roster', does: { zh: '本院排班。', en: 'The sessions of the hospital.' }, query: { from: { zh: '起始日期，缺省今天', en: 'first day, today when left out' }, days: { zh: '1 到 14 天，缺省 7', en: '1 to 14 days, 7 when left out' } } },
  { method: 'GET', path: '/api/booking/calendar', tag: 'desk', who: 'anyone', answer: 'CalendarSheet', does: { zh: '工作日历中的特殊日。', en: 'Days that do not follow their weekday.' } },
  { method: 'PUT', path: '/api/booking/calendar/:day', tag: 'desk', who: 'scheduler', body: calendarBody, answer: 'CalendarSheet', does: { zh: '设定某日按周几开诊，或停诊。', en: 'Says which weekday\'s clinics a day has, or none.' } },
  { method: 'GET', path: '/api/booking/queue/:schedule', tag: 'desk', who: 'clinician', answer: 'QueueList', does: { zh: '一个门诊单元的排队名单。', en: 'The queue of a session.' } },
  { method: 'POST', path: '/api/booking/queue/:schedule/call', tag: 'desk', who: 'clinician', does: { zh: '叫下一位。', en: 'Calls who comes next.' }, answer: { type: 'object', properties: { called: { type: ['string', 'null'], description: 'FHIR id of the Appointment; null when nobody waits.' } }, required: ['called'] } },
  { method: 'POST', path: '/api/booking/queue/:schedule/skip', tag: 'desk', who: 'clinician', body: skipBody, answer: 'QueueList', does: { zh: '叫到未到，顺延。', en: 'Puts back who was called and did not come.' } },
  { method: 'POST', path: '/api/booking/arrivals', tag: 'desk', who: 'scheduler', body: arrivalBody, answer: 'Arrival', does: { zh: '凭签到码或证件签到，姓名和证件须与预约人一致。', en: 'Checks a patient in by code or document; name and document must be those of who has booked.' } },
  { method: 'GET', path: '/api/booking/hall', tag: 'desk', who: 'anyone', answer: 'HallScreen', does: { zh: '候诊大厅的叫号：只有号码。', en: 'The numbers of a waiting hall; numbers only.' }, query: { 'organization!': { zh: '医院编号', en: 'id of the hospital' }, department } },

  { method: 'GET', path: '/api/booking/supply', tag: 'supply', who: 'scheduler', query: { department }, answer: 'SupplySheet', does: { zh: '本院的出诊模板、诊室和服务。', en: 'Weekly patterns, rooms and services of the hospital.' } },
  { method: 'GET', path: '/api/booking/releases', tag: 'supply', who: 'scheduler', answer: 'ReleaseRow[]', does: { zh: '放号计划。', en: 'When which places are released.' } },
  { method: 'POST', path: '/api/booking/patterns/preview', tag: 'supply', who: 'scheduler', body: patternBody, answer: 'SupplyPreview', does: { zh: '预览出诊模板变更的影响。', en: 'What a change of a weekly pattern would do.' } },
  { method: 'POST', path: '/api/booking/patterns', tag: 'supply', who: 'scheduler', body: patternBody, answer: effects, status: 201, does: { zh: '新增、变更或停止一个出诊模板。', en: 'Begins, changes or ends a weekly pattern.' } },
  { method: 'POST', path: '/api/booking/rooms', tag: 'supply', who: 'scheduler', body: roomBody, answer: 'SupplySheet', status: 201, does: { zh: '新增诊室。', en: 'Adds a room.' } },
  { method: 'POST', path: '/api/booking/rooms/close', tag: 'supply', who: 'scheduler', body: closeBody, answer: 'SupplySheet', does: { zh: '停用诊室。', en: 'Closes a room from a day on.' } },
  { method: 'POST', path: '/api/booking/services', tag: 'supply', who: 'scheduler', body: serviceBody, answer: 'SupplySheet', status: 201, does: { zh: '在一个科室开设一类门诊。', en: 'Offers a kind of clinic in a department.' } },
  { method: 'POST', path: '/api/booking/services/close', tag: 'supply', who: 'scheduler', body: closeServiceBody, answer: 'SupplySheet', does: { zh: '停办一类门诊。', en: 'Closes a kind of clinic from a day on.' } },
  { method: 'POST', path: '/api/booking/doctors', tag: 'supply', who: 'scheduler', body: doctorBody, answer: 'SupplySheet', status: 201, does: { zh: '科室新增医生。', en: 'Enters a doctor of a department.' } },
  { method: 'POST', path: '/api/booking/doctors/leave', tag: 'supply', who: 'scheduler', body: leaveBody, answer: 'SupplySheet', does: { zh: '医生离开科室。', en: 'A doctor leaves a department from a day on.' } },
  { method: 'POST', path: '/api/booking/calendar/:day/effects', tag: 'supply', who: 'scheduler', body: dayBody, answer: effects, does: { zh: '预览某日安排变更的影响。', en: 'What a change of a day would do.' } },
  { method: 'POST', path: '/api/booking/calendar/:day', tag: 'supply', who: 'scheduler', body: dayBody, status: 201, does: { zh: '设定本院某日的安排，并处理受影响的门诊。', en: 'Sets a day of the hospital and suspends the sessions that no longer fit.' },
    answer: { type: 'object', properties: { suspended: { type: 'number', description: 'Sessions that were suspended.' } }, required: ['suspended'] } },

  { method: 'GET', path: '/api/bills', tag: 'bills', who: 'person', answer: 'BillSummary[]', query: { patient, organization: { zh: '医院编号（收费窗口）', en: 'id of the hospital, for its desk' } }, does: { zh: '患者的账单，或一家医院的账单。', en: 'The bills of a patient, or of a hospital.' } },
  { method: 'GET', path: '/api/bills/:encounter', tag: 'bills', who: 'person', answer: 'Bill', query: { estimate: { zh: '1：同时预结算', en: '1: with a pre-settlement' } }, does: { zh: '一张账单的明细和各方支付。', en: 'One bill, its lines and who pays what.' } },
  { method: 'GET', path: '/api/bills/:encounter/packet', tag: 'bills', who: 'person', answer: { type: 'object', description: 'FHIR Bundle' }, does: { zh: '手工报销材料，FHIR Bundle。', en: 'The papers of a reimbursement by hand, a FHIR Bundle.' } },

  { method: 'POST', path: '/api/bills/:encounter/payments', tag: 'till', who: 'desk', body: paymentBody, answer: { type: 'object', description: 'FHIR PaymentNotice' }, status: 201, headers: { 'Idempotency-Key': { zh: '同一键只收一次', en: 'the same key takes money once' } }, does: { zh: '收款、退款或押金。', en: 'Takes money, gives it back, or a deposit.' } },
  { method: 'POST', path: '/api/bills/:encounter/filing', tag: 'till', who: 'desk', body: filingBody, answer: 'Filing', status: 201, does: { zh: '异地就医备案。', en: 'Files treatment away from home with the insured place.' } },
  { method: 'GET', path: '/api/appointments/:appointment/filing', tag: 'till', who: 'person', answer: 'FilingAhead', does: { zh: '这次预约是否需要异地备案，是否已备案。', en: 'Whether the visit of an appointment wants a filing with the insured place, and whether it has one.' } },
  { method: 'POST', path: '/api/appointments/:appointment/filing', tag: 'till', who: 'person', body: filingBody, answer: 'Filing', status: 201, does: { zh: '就诊前为预约办理异地备案。', en: 'Files treatment away from home ahead of the visit.' } },
  { method: 'POST', path: '/api/bills/:encounter/details', tag: 'till', who: 'desk', answer: 'BillUpload', does: { zh: '上传费用明细。', en: 'Sends the charges to the centre now.' } },
  { method: 'POST', path: '/api/bills/:encounter/details/take-back', tag: 'till', who: 'desk', answer: 'BillUpload', does: { zh: '撤回已上传的明细。', en: 'Takes the charges back from the centre.' } },
  { method: 'GET', path: '/api/desk/:organization/work', tag: 'till', who: 'desk', answer: 'DeskWork', does: { zh: '收费窗口的待办。', en: 'What the desk has to do.' } },
  { method: 'GET', path: '/api/desk/:organization/days/:day', tag: 'till', who: 'desk', answer: 'DeskDay', does: { zh: '一天的账：应有、对账、差异。', en: 'A day of the till: what there should be, the comparison, the differences.' } },
  { method: 'POST', path: '/api/desk/:organization/days/:day/close', tag: 'till', who: 'desk', body: countedBody, answer: 'DeskDay', does: { zh: '清点并日结。', en: 'Counts the till and closes the day.' } },
  { method: 'POST', path: '/api/desk/:organization/differences/:id', tag: 'till', who: 'desk', body: actBody, answer: 'DifferenceShape', does: { zh: '认领、按建议分录更正或核销一笔差异。', en: 'Takes a difference on, corrects it by its proposed entries, or signs it off.' } },
  { method: 'GET', path: '/api/desk/:organization/months/:month', tag: 'till', who: 'desk', answer: 'Month', does: { zh: '一个月的清算。', en: 'The clearing of a month.' } },
  { method: 'POST', path: '/api/desk/:organization/months/:month/close', tag: 'till', who: 'desk', answer: 'Month', does: { zh: '月结并申请清算。', en: 'Closes the month and applies for its clearing.' } },

  { method: 'GET', path: '/api/emergency-access', tag: 'record', who: 'person', query: { patient }, answer: 'BreakGlassUse[]', does: { zh: '紧急查阅记录。', en: 'Times that a record was opened in an emergency.' } },
  { method: 'POST', path: '/api/emergency-access', tag: 'record', who: 'clinician', body: emergencyBody, answer: 'BreakGlassUse', status: 201, does: { zh: '在紧急情况下打开一份档案。', en: 'Opens a record in an emergency.' } },
  { method: 'POST', path: '/api/emergency-access/:id/review', tag: 'record', who: 'admin-audit', body: reviewBody, answer: 'BreakGlassUse', does: { zh: '复核一次紧急查阅。', en: 'Reviews such a time.' } },
  { method: 'GET', path: '/api/audit/review', tag: 'record', who: 'admin-audit', answer: 'AuditReview', query: { day: { zh: '日期', en: 'day' } }, does: { zh: '审计日志中值得查看的异常，以及封存是否完好。', en: 'What the audit log shows that asks for a look, and whether its seals hold.' } },

  { method: 'GET', path: '/api/notices', tag: 'notices', who: 'person', query: { patient }, answer: 'Notice[]', does: { zh: '消息，最新在前。', en: 'The inbox, newest first.' } },
  { method: 'POST', path: '/api/notices/read', tag: 'notices', who: 'person', query: { patient }, does: { zh: '全部标为已读。', en: 'Marks all as read.' }, answer: { type: 'object', properties: { read: { type: 'number', description: 'How many were unread.' } }, required: ['read'] } },

  { method: 'GET', path: '/api/messages', tag: 'messages', who: 'citizen', query: { patient }, answer: 'DemoMessage[]', does: { zh: '演示环境里手机和应用收到的提醒。', en: 'What telephone and app received, in the demonstration.' } },
  { method: 'GET', path: '/api/messages/counts', tag: 'messages', who: 'admin-system', answer: 'MessageCount[]', does: { zh: '两周内各渠道发送、已读、撤回的数量。', en: 'How many were sent, read and revoked in two weeks, by channel.' } },
  { method: 'GET', path: '/api/messages/preference', tag: 'messages', who: 'citizen', query: { patient }, answer: 'ContactPreference', does: { zh: '提醒的渠道和语言。', en: 'By which channels and in which language one is reminded.' } },
  { method: 'PUT', path: '/api/messages/preference', tag: 'messages', who: 'citizen', query: { patient }, body: preferenceBody, answer: 'ContactPreference', does: { zh: '修改提醒的渠道和语言。', en: 'Changes them.' } },
  { method: 'POST', path: '/api/messages/:id/read', tag: 'messages', who: 'citizen', query: { patient }, answer: 'DemoMessage[]', does: { zh: '标为已读。', en: 'Marks one as read.' } },

  { method: 'GET', path: '/api/public-health/report', tag: 'public-health', who: 'public-health', query: { month }, answer: 'NotifiableReport', does: { zh: '法定传染病月报，小数隐去。', en: 'The monthly report of notifiable diseases; small numbers are hidden.' } },
  { method: 'GET', path: '/api/public-health/cases', tag: 'public-health', who: 'public-health', query: { month }, answer: 'NotifiableCase[]', does: { zh: '法定报告的病例。', en: 'The cases that the law has reported.' } },

  { method: 'GET', path: '/api/insurer/*', tag: 'insurer', who: 'insurer', does: { zh: '由本地区医保中心回答：claims、claims/编号、differences、clearings、filings、policies。', en: 'Answered by the centre of the region: claims, claims/id, differences, clearings, filings, policies.' },
    answer: ['OfficeClaim[]', 'OfficeClaimDetail', 'OfficeDifference[]', 'OfficeClearing[]', 'OfficeFiling[]', 'OfficePolicy[]'], query: { day: { zh: '日期（claims）', en: 'day, of claims' }, message: { zh: '报文编号（claims）', en: 'number of the message, of claims' } } },
  { method: 'POST', path: '/api/insurer/*', tag: 'insurer', who: 'insurer', answer: { type: 'object' }, does: { zh: '交由医保中心办理：what-if、clearings/region、clearings/编号/approve 和 pay、differences/对账单/报文/settle 或 reverse。', en: 'Done by the centre: what-if, clearings/region, clearings/id/approve and pay, differences/statement/message/settle or reverse.' } },

  { method: 'GET', path: '/api/openapi.json', tag: 'about', who: 'anyone', answer: { type: 'object', description: 'OpenAPI 3.1' }, does: { zh: '本说明的机器可读形式。', en: 'This description, for programs.' } },
]

/** Names of all shapes that are answered. */
export function shapeNames(): string[] {
  const names = endpoints.flatMap(({ answer }) => (typeof answer === 'string' ? [answer] : Array.isArray(answer) ? answer as readonly string[] : []))
  return [...new Set(names.map((name) => name.replace(/[[\]?]+$/, '')))]
}
