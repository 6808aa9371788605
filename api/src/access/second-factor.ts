/**
 * The second factor: an authenticator app (TOTP), with recovery codes for the day the phone is lost. A code counts once; the
 * secret is sealed at rest; recovery codes are kept as hashes. Demo accounts have one fixed code, never in production.
 */
import { type Kysely, sql } from 'kysely'
import type { Ctx } from '../ctx.ts'
import { randomSecret, sameText, seal, sha256Hex, unseal } from '../crypto.ts'
import { fail } from '../fhir/outcome.ts'
import type { Db } from '../storage/pool.ts'
import type { Tables } from '../storage/tables.ts'
import { base32, matchingStep, otpauthUri } from './totp.ts'

/** Seals the secrets, and whether demo accounts may use the demo code. */
export interface FactorRules { secretsKey: Uint8Array; demoCode: string | null }

const recoveryCodes = 10

export interface Enrolment { uri: string; secret: string }

/** A new secret, not in force until a code of it has been seen. Replaces one that never was. @throws OutcomeError `conflict` when one is in force. */
export async function beginEnrolment(db: Db, rules: FactorRules, account: { id: string; login: string }): Promise<Enrolment> {
  const secret = randomSecret(20)
  const done = await db.updateTable('account').set({ totp_secret: seal(rules.secretsKey, account.id, secret.toString('base64url')), totp_step: null })
    .where('id', '=', account.id).where('totp_confirmed_at', 'is', null).executeTakeFirst()
  if (done.numUpdatedRows !== 1n) throw fail('conflict', { zh: '已经绑定了验证器，请先解除。', en: 'An authenticator is set up already. Remove it first.' })
  return { uri: otpauthUri(secret, account.login), secret: base32(secret) }
}

/** Puts the secret in force. @returns recovery codes, shown once. @throws OutcomeError `second-factor-failed`. */
export async function confirmEnrolment(db: Db, ctx: Ctx, rules: FactorRules, account: string, code: string): Promise<string[]> {
  const row = await db.selectFrom('account').select(['totp_secret', 'totp_confirmed_at']).where('id', '=', account).executeTakeFirst()
  const step = row?.totp_secret && row.totp_confirmed_at === null ? matchingStep(secretOf(rules, account, row.totp_secret), digits(code), ctx.now, null) : null
  if (step === null) throw secondFactorFailed()
  const codes = Array.from({ length: recoveryCodes }, () => base32(randomSecret(10)).toLowerCase().replace(/(.{4})(?=.)/g, '$1-'))
  await db.updateTable('account').set({ totp_confirmed_at: ctx.now, totp_step: BigInt(step), recovery_codes: codes.map(recoveryHash) }).where('id', '=', account).execute()
  return codes
}

export async function removeSecondFactor(db: Kysely<Tables>, account: string): Promise<void> {
  await db.updateTable('account').set({ totp_secret: null, totp_confirmed_at: null, totp_step: null, recovery_codes: [] }).where('id', '=', account).execute()
}

/** `on`: an authenticator is set up; `demo`: the demo code counts; `off`: there is nothing to ask for. */
export type FactorState = 'on' | 'demo' | 'off'

export function factorState(rules: FactorRules, account: { demo: boolean; totp_confirmed_at: string | null }): FactorState {
  if (account.totp_confirmed_at !== null) return 'on'
  return account.demo && rules.demoCode !== null ? 'demo' : 'off'
}

/**
 * Takes a code: of the authenticator, a recovery code, or the demo code. Guarded updates, so that of two requests with the
 * same code one wins. @throws OutcomeError `second-factor-failed` (401), `second-factor-missing` (403) when none is set up.
 */
export async function takeSecondFactor(db: Db, ctx: Ctx, rules: FactorRules, account: string, code: string): Promise<void> {
  const row = await db.selectFrom('account').select(['demo', 'totp_secret', 'totp_confirmed_at', 'totp_step']).where('id', '=', account).executeTakeFirst()
  const state = row ? factorState(rules, row) : 'off'
  if (!row || state === 'off') throw secondFactorMissing()
  if (state === 'demo') {
    if (!sameText(digits(code), rules.demoCode ?? '')) throw secondFactorFailed()
    return
  }
  const step = matchingStep(secretOf(rules, account, row.totp_secret ?? ''), digits(code), ctx.now, row.totp_step === null ? null : Number(row.totp_step))
  const taken = step === null
    ? await db.updateTable('account').set({ recovery_codes: sql<string[]>`array_remove(recovery_codes, ${recoveryHash(code)})` })
      .where('id', '=', account).where(sql<boolean>`${recoveryHash(code)} = any(recovery_codes)`).executeTakeFirst()
    : await db.updateTable('account').set({ totp_step: BigInt(step) })
      .where('id', '=', account).where((eb) => eb.or([eb('totp_step', 'is', null), eb('totp_step', '<', BigInt(step))])).executeTakeFirst()
  if (taken.numUpdatedRows !== 1n) throw secondFactorFailed()
}

function secretOf(rules: FactorRules, account: string, sealed: string): Uint8Array {
  return Buffer.from(unseal(rules.secretsKey, account, sealed), 'base64url')
}

/** Spaces and full-width digits are how people type. */
function digits(code: string): string {
  return code.normalize('NFKC').replaceAll(/\s/g, '')
}

function recoveryHash(code: string): string {
  return sha256Hex(`recovery ${code.normalize('NFKC').toLowerCase().replaceAll(/[^a-z2-7]/g, '')}`)
}

function secondFactorFailed() {
  return fail('second-factor-failed', { zh: '验证码不正确或已用过，请等下一个验证码。', en: 'The code is not right or has been used. Wait for the next one.' })
}

export function secondFactorMissing() {
  return fail('second-factor-missing', { zh: '请先在“我的账户”绑定验证器。', en: 'Set up an authenticator in your account first.' })
}
