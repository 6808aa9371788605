/**
 * PostgreSQL errors → outcomes. A rule of the physical world is a named constraint; here its name becomes the code and
 * sentence a caller gets, the same as when the rule was seen before writing. That the database is away, for it restarts, is an outcome too, but only where
 * an answer is rendered: until then it is an error like any other, for an outcome would pass for a decision of ours. Source: PostgreSQL Appendix A.
 */
import { fail, type OutcomeCode, type OutcomeError, type Sentence } from '../fhir/outcome.ts'

interface PostgresError { code: string; constraint_name?: string }

/** Constraint name → what a caller is told. Each domain adds its constraints here. */
const constraintOutcomes: Record<string, readonly [OutcomeCode, Sentence]> = {
  resource_pkey: ['conflict', { zh: '同一编号的资源刚刚被创建，请重新读取后再试。', en: 'A resource with this id was created at the same moment. Read it and try again.' }],
  id_alias_pkey: ['conflict', { zh: '同一编号的资源刚刚被创建，请重新读取后再试。', en: 'A resource with this id was created at the same moment. Read it and try again.' }],
  account_login_unique: ['account-exists', { zh: '这个账号或本人已经注册过，请直接登录。', en: 'This account or person is registered already. Please sign in.' }],
  account_role_citizen: ['account-exists', { zh: '这个账号或本人已经注册过，请直接登录。', en: 'This account or person is registered already. Please sign in.' }],
  account_role_unique: ['account-role', { zh: '这个账号已有该角色。', en: 'The account has this role already.' }],
  account_role_one_administrator: ['account-role', { zh: '系统、安全、审计管理员不能由同一人担任。', en: 'Nobody is two of the system, security and audit administrators.' }],
  account_role_administrator_once: ['account-role', { zh: '系统、安全、审计管理员不能由同一人担任。', en: 'Nobody is two of the system, security and audit administrators.' }],
  settlement_attempt_active: ['settlement-pending', { zh: '这张账单正在结算，请稍候查看结果。', en: 'This bill is being settled. Please wait and look at the result.' }],
  booking_place_unique: ['slot-taken', { zh: '这个号源刚刚被别人预约了，请另选时段。', en: 'This place was just taken. Please choose another time.' }],
  clinic_session_used: ['slot-taken', { zh: '这个号源刚刚被别人预约了，请另选时段。', en: 'This place was just taken. Please choose another time.' }],
  booking_channel_kept: ['slot-reserved', { zh: '该号源为其他渠道预留，请另选时段。', en: 'This place is kept for another channel. Please choose another time.' }],
  booking_referral_unique: ['referral-used', { zh: '该转诊单已用于预约，一张转诊单只能预约一次。', en: 'This referral has been used for a place already. One referral books one place.' }],
  referral_open_unique: ['referral-twice', { zh: '该患者已有转往本院该科室、尚未结束的转诊单。', en: 'The patient has an open referral to this department already.' }],
  referral_step: ['referral-state', { zh: '转诊单刚刚被他人处理，请刷新后再试。', en: 'Somebody else has just acted on this referral. Look at it again.' }],
  booking_patient_session_unique: ['limit-department-day', { zh: '就诊人在本院该科室当天已有预约，同一天同一科室只能预约一次。', en: 'The patient already has an appointment in this department on that day. One per day and department is allowed.' }],
  booking_patient_department_day_unique: ['limit-department-day', { zh: '就诊人在本院该科室当天已有预约，同一天同一科室只能预约一次。', en: 'The patient already has an appointment in this department on that day. One per day and department is allowed.' }],
}

/** Words of PostgreSQL, of the driver and of the system for a database that can't be had, or not any more. Those of the first kind come before anything is sent on a connection, and only then. */
const awayCodes: ReadonlyMap<string, 'never sent' | 'perhaps sent'> = new Map([
  ...['57P03', '53300', '08001', '08004', 'CONNECT_TIMEOUT', 'ECONNREFUSED', 'ENOENT', 'ENOTFOUND', 'EAI_AGAIN'].map((code) => [code, 'never sent'] as const),
  ...['57P01', '57P02', '08000', '08003', '08006', 'CONNECTION_CLOSED', 'CONNECTION_ENDED', 'CONNECTION_DESTROYED', 'ECONNRESET', 'ECONNABORTED', 'EPIPE', 'ETIMEDOUT', 'EHOSTUNREACH', 'ENETUNREACH']
    .map((code) => [code, 'perhaps sent'] as const),
])

/**
 * The database can't be had, or the connection to it was lost: no fault of ours, and not the caller's. Without the driver's error, which holds what the statement was about.
 * A class of its own, for the system has the same words for any connection.
 */
export class DatabaseAway extends Error {
  /** SQLSTATE, or the driver's or the system's word. */
  readonly code: string
  /** No connection was to be had for the statement. */
  readonly neverSent: boolean
  constructor(code: string, message: string) {
    super(message || code)
    this.name = 'DatabaseAway'
    this.code = code
    this.neverSent = awayCodes.get(code) === 'never sent'
  }
}

/** What the driver threw, told apart when the database is away. */
export function errorOfDriver(error: unknown): unknown {
  if (error instanceof DatabaseAway || !(error instanceof Error) || !('code' in error) || typeof error.code !== 'string') return error
  return awayCodes.has(error.code) ? new DatabaseAway(error.code, error.message) : error
}

/** @param unchanged that nothing of the work took effect is certain; otherwise nobody knows. */
export function outcomeOfAway(unchanged: boolean): OutcomeError {
  if (unchanged) return fail('unavailable', { zh: '数据库此刻不可用，没有做任何更改，请稍后再试。', en: 'The database is not available at this moment. Nothing was changed; please try again shortly.' })
  return fail('effect-unknown', {
    zh: '数据库的连接刚才中断，不知道这次更改是否已经生效，请先查看，再决定是否重试。',
    en: 'The connection to the database was lost, and it is not known whether the change took effect. Please look before you try again.',
  })
}

function isPostgresError(error: unknown): error is PostgresError {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^[0-9A-Z]{5}$/.test(error.code)
}

/** Serialization failure or deadlock: the same transaction may succeed when run again. */
export function isRetryable(error: unknown): boolean {
  return isPostgresError(error) && (error.code === '40001' || error.code === '40P01')
}

/** Name of the violated constraint, null when the error is something else. */
export function violatedConstraint(error: unknown): string | null {
  return isPostgresError(error) && error.code.startsWith('23') ? (error.constraint_name ?? null) : null
}

export function outcomeOf(error: unknown): OutcomeError | null {
  const name = violatedConstraint(error)
  const found = name === null ? undefined : constraintOutcomes[name]
  if (found) return fail(found[0], found[1])
  if (isPostgresError(error) && error.code === '57014') {
    return fail('timeout', { zh: '查询时间过长，请缩小范围后再试。', en: 'The query took too long. Narrow it and try again.' })
  }
  return null
}
