/**
 * The one error of the platform. Whatever a caller did wrong is an `OutcomeError`: a status and one or more issues,
 * each with a FHIR issue code, our stable `OutcomeCode`, a sentence in both languages and the FHIRPath of the field.
 * Anything else that is thrown is our fault and becomes a 500 without details.
 * Source: FHIR R4 OperationOutcome, RFC 9457 for `/api`.
 */

/** Codes of http://hl7.org/fhir/issue-type that we use. */
export type IssueType =
  | 'invalid' | 'structure' | 'required' | 'value' | 'invariant' | 'login' | 'unknown' | 'expired' | 'forbidden'
  | 'processing' | 'not-supported' | 'duplicate' | 'not-found' | 'deleted' | 'too-long' | 'code-invalid' | 'extension'
  | 'too-costly' | 'business-rule' | 'conflict' | 'transient' | 'no-store' | 'timeout' | 'throttled' | 'exception' | 'informational'

/** A sentence for people, in the portal's two languages. It says what is wrong and what to do. */
export interface Sentence { zh: string; en: string }

/**
 * One thing that is wrong.
 * `code` is our stable code (kebab-case, listed in `outcomeCodes`); `expression` is the FHIRPath of the field, null when
 * the fault has no field.
 */
export interface Issue {
  severity: 'fatal' | 'error' | 'warning' | 'information'
  type: IssueType
  code: OutcomeCode
  text: Sentence
  expression: string | null
}

/** Every stable code with the HTTP status it answers and its FHIR issue type. Order is alphabetical inside a group. */
export const outcomeCodes = {
  // the request
  'bad-request': [400, 'invalid'],
  'body-too-large': [413, 'too-long'],
  'json-broken': [400, 'structure'],
  'json-too-deep': [400, 'structure'],
  'media-type-unsupported': [415, 'not-supported'],
  'method-not-allowed': [405, 'not-supported'],
  'not-acceptable': [406, 'not-supported'],
  'parameter-invalid': [400, 'invalid'],
  'parameter-unknown': [400, 'not-supported'],
  'rate-limited': [429, 'throttled'],
  // who asks
  'emergency-unreviewed': [409, 'business-rule'],
  'forbidden': [403, 'forbidden'],
  'second-factor-failed': [401, 'login'],
  'second-factor-missing': [403, 'login'],
  'session-ended': [401, 'login'],
  'sign-in-failed': [401, 'login'],
  'sign-in-required': [401, 'login'],
  'sign-in-throttled': [429, 'throttled'],
  'step-up-required': [403, 'login'],
  'token-expired': [401, 'expired'],
  'token-invalid': [401, 'login'],
  // accounts and apps
  'account-exists': [409, 'duplicate'],
  'account-role': [409, 'duplicate'],
  'account-unknown': [404, 'not-found'],
  'account-unproven': [422, 'business-rule'],
  'app-unknown': [404, 'not-found'],
  'authorization-expired': [410, 'expired'],
  'launch-invalid': [422, 'business-rule'],
  'password-expired': [401, 'expired'],
  'password-weak': [422, 'value'],
  'scope-missing': [422, 'required'],
  // the resource
  'cardinality': [422, 'required'],
  'code-unknown': [422, 'code-invalid'],
  'conditional-ambiguous': [412, 'duplicate'],
  'element-unknown': [422, 'structure'],
  'empty-value': [422, 'value'],
  'gone': [410, 'deleted'],
  'id-invalid': [400, 'value'],
  'id-mismatch': [400, 'invalid'],
  'invariant-broken': [422, 'invariant'],
  'not-found': [404, 'not-found'],
  'operation-unknown': [404, 'not-supported'],
  'patch-failed': [422, 'processing'],
  'patch-invalid': [400, 'structure'],
  'profile-unknown': [422, 'not-found'],
  'read-only-type': [405, 'not-supported'],
  'reference-invalid': [422, 'value'],
  'reference-unresolved': [422, 'not-found'],
  'required': [422, 'required'],
  'resource-type-mismatch': [400, 'invalid'],
  'structure': [422, 'structure'],
  'type-unknown': [404, 'not-supported'],
  'value-invalid': [422, 'value'],
  'version-conflict': [412, 'conflict'],
  'version-required': [428, 'conflict'],
  // terminology
  'code-system-absent': [422, 'not-supported'],
  'too-costly': [422, 'too-costly'],
  // booking
  'appointment-not-active': [409, 'conflict'],
  'appeal-closed': [422, 'business-rule'],
  'draw-closed': [422, 'business-rule'],
  'offer-ended': [422, 'business-rule'],
  'queue-not-called': [422, 'business-rule'],
  'waitlist-closed': [422, 'business-rule'],
  'waitlist-full': [422, 'business-rule'],
  'waitlist-twice': [409, 'duplicate'],
  'booking-barred': [422, 'business-rule'],
  'channel-not-yours': [422, 'business-rule'],
  'check-in-closed': [422, 'business-rule'],
  'check-in-nothing': [422, 'business-rule'],
  'hold-expired': [409, 'expired'],
  'identity-mismatch': [422, 'business-rule'],
  'limit-cancels': [422, 'business-rule'],
  'limit-day': [422, 'business-rule'],
  'limit-department-day': [422, 'business-rule'],
  'limit-month': [422, 'business-rule'],
  'limit-open': [422, 'business-rule'],
  'limit-same-doctor': [422, 'business-rule'],
  'limit-week': [422, 'business-rule'],
  'notice-too-short': [422, 'business-rule'],
  'not-your-patient': [403, 'forbidden'],
  'offer-gone': [409, 'conflict'],
  'patient-busy': [422, 'business-rule'],
  'proxy-not-valid': [403, 'forbidden'],
  'referral-elsewhere': [422, 'business-rule'],
  'referral-expired': [409, 'expired'],
  'referral-no-contract': [403, 'forbidden'],
  'referral-not-bookable': [409, 'conflict'],
  'referral-not-yours': [403, 'forbidden'],
  'referral-pin-locked': [429, 'throttled'],
  'referral-pin-wrong': [422, 'business-rule'],
  'referral-state': [409, 'conflict'],
  'referral-target': [422, 'business-rule'],
  'referral-twice': [409, 'duplicate'],
  'referral-unknown': [422, 'not-found'],
  'referral-used': [409, 'conflict'],
  'referral-words-missing': [422, 'required'],
  'session-closed': [409, 'conflict'],
  'slot-in-past': [422, 'business-rule'],
  'slot-not-released': [422, 'business-rule'],
  'slot-reserved': [422, 'business-rule'],
  'slot-taken': [409, 'conflict'],
  'slot-unknown': [404, 'not-found'],
  // settlement
  'amount-mismatch': [409, 'conflict'],
  'bill-empty': [422, 'business-rule'],
  'charge-unknown': [422, 'code-invalid'],
  'coverage-missing': [422, 'business-rule'],
  'coverage-overlap': [409, 'conflict'],
  'insurer-rejected': [422, 'business-rule'],
  'insurer-unreachable': [503, 'transient'],
  'period-closed': [409, 'conflict'],
  'period-open': [409, 'conflict'],
  'region-wrong': [422, 'business-rule'],
  'settled-already': [409, 'duplicate'],
  'settlement-pending': [409, 'conflict'],
  'too-many-lines': [422, 'too-long'],
  // any write
  'business-rule': [422, 'business-rule'],
  'conflict': [409, 'conflict'],
  'idempotency-mismatch': [409, 'conflict'],
  'busy': [503, 'transient'],
  'effect-unknown': [503, 'no-store'],
  'unavailable': [503, 'no-store'],
  'timeout': [503, 'timeout'],
  'not-ready': [503, 'transient'],
  'internal': [500, 'exception'],
} as const satisfies Record<string, readonly [number, IssueType]>

export type OutcomeCode = keyof typeof outcomeCodes

/** The system of `details.coding` for our codes. */
export const outcomeSystem = 'https://pujiang.health/fhir/CodeSystem/outcome'

/** One issue of a code; severity `error` unless said. */
export function issue(code: OutcomeCode, text: Sentence, expression: string | null = null, severity: Issue['severity'] = 'error'): Issue {
  return { severity, type: outcomeCodes[code][1], code, text, expression }
}

/** The only error class a caller's mistake is reported with. The first issue decides the status unless one is given. */
export class OutcomeError extends Error {
  readonly status: number
  readonly issues: readonly Issue[]
  /** Extra response headers, such as `Retry-After`; empty when none. */
  readonly headers: Readonly<Record<string, string>>
  /** Keys of the patients whose record was refused: for the audit trail, never for the answer. */
  readonly patients: readonly string[]

  constructor(issues: readonly Issue[], options: { status?: number; headers?: Record<string, string>; patients?: readonly string[]; cause?: unknown } = {}) {
    const first = issues[0]
    if (!first) throw new Error('An OutcomeError needs at least one issue.')
    super(first.text.en, { cause: options.cause })
    this.name = 'OutcomeError'
    this.issues = issues
    this.status = options.status ?? outcomeCodes[first.code][0]
    this.headers = options.headers ?? {}
    this.patients = options.patients ?? []
  }

  /** The same fault as one of a place in a bundle; what names a place in a bundle already is left. */
  at(expression: string): OutcomeError {
    const issues = this.issues.map((each) => (each.expression?.startsWith('Bundle.') ? each : { ...each, expression }))
    return new OutcomeError(issues, { status: this.status, headers: this.headers, patients: this.patients, cause: this })
  }
}

/** Short form for the common case: one issue. `throw fail('slot-taken', { zh, en })`. */
export function fail(code: OutcomeCode, text: Sentence, expression: string | null = null): OutcomeError {
  return new OutcomeError([issue(code, text, expression)])
}

/** The same refusal, knowing whose records it kept closed. */
export function refused(error: OutcomeError, patients: readonly string[]): OutcomeError {
  return new OutcomeError(error.issues, { status: error.status, headers: error.headers, patients })
}

export function notFound(what: string): OutcomeError {
  return fail('not-found', { zh: `没有找到 ${what}，或您无权查看。`, en: `${what} was not found, or you may not see it.` })
}

export function gone(what: string): OutcomeError {
  return fail('gone', { zh: `${what} 已被删除。`, en: `${what} has been deleted.` })
}

export function forbidden(): OutcomeError {
  return fail('forbidden', { zh: '您的身份不允许这项操作。', en: 'Your role does not allow this.' })
}

/** The FHIR resource of an error, in the reader's language; the other language is a translation extension. */
export function operationOutcome(issues: readonly Issue[], language: Language): Record<string, unknown> {
  return {
    resourceType: 'OperationOutcome',
    issue: issues.map((each) => ({
      severity: each.severity,
      code: each.type,
      details: { coding: [{ system: outcomeSystem, code: each.code }], text: each.text[language] },
      diagnostics: each.text[language],
      ...(each.expression ? { expression: [each.expression] } : {}),
    })),
  }
}

export type Language = 'zh' | 'en'
