/**
 * Code and PIN of a referral. The PIN is shown when it is made and kept as an argon2id hash; a new one can be made at any time by the patient or
 * the GP. Tries are counted for the caller, not for the referral: whoever guesses locks out nobody but themselves. A system that many
 * people stand before (a kiosk) is counted by code, so that one of them cannot close it for the others. A try is counted before the PIN is
 * looked at and in a transaction of its own, so that a thousand tries at once are a thousand tries. An unknown code takes as long as a wrong PIN.
 */
import { sql } from 'kysely'
import { hashPassword, randomSecret, randomWithin, verifyPassword } from '../../crypto.ts'
import type { Ctx } from '../../ctx.ts'
import { addMinutes } from '../../fhir/date-time.ts'
import { fail } from '../../fhir/outcome.ts'
import type { Db } from '../../storage/pool.ts'
import { inTransaction } from '../../storage/transaction.ts'
import { parametersFor } from '../parameters.ts'
import type { ReferralRow } from './rows.ts'

/** Without I, L, O and U, which are read as others. 32 letters: a byte chooses without bias. */
const letters = '0123456789ABCDEFGHJKMNPQRSTVWXYZ'
const codeLength = 10

/** Fifty random bits: a code is not guessed, whatever its PIN. */
export function newCode(): string {
  return [...randomSecret(codeLength)].map((byte) => letters[byte % letters.length]).join('')
}

export function newPin(): string {
  return String(randomWithin(0, 999_999)).padStart(6, '0')
}

export const hashPin = (pin: string): Promise<string> => hashPassword(pin)

/** As typed: with spaces, dashes, small letters and the letters that are not used. */
export function normaliseCode(typed: string): string {
  return typed.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1')
}

let nobodysHash: Promise<string> | null = null

/** @returns the referral of code and PIN. @throws OutcomeError `referral-pin-wrong`, `referral-pin-locked`. */
export async function openByPin(db: Db, ctx: Ctx, given: { code: string; pin: string }): Promise<ReferralRow> {
  const code = normaliseCode(given.code)
  const caller = ctx.principal.kind === 'client' ? `${ctx.principal.id} ${code.slice(0, 20)}` : ctx.principal.id
  const numbers = await parametersFor(db, { region: '310000', organization: '', department: '', healthcareService: '' }, ctx.now)
  const tries = await countTry(db, ctx, caller, numbers['referral.pinLockMinutes'])
  if (tries > numbers['referral.pinTries']) {
    const minutes = numbers['referral.pinLockMinutes']
    throw fail('referral-pin-locked', { zh: `转诊码或密码多次输入错误，请 ${minutes} 分钟后再试，或请家庭医生重新生成密码。`, en: `The code or PIN was wrong several times. Try again in ${minutes} minutes, or ask the general practitioner for a new PIN.` })
  }
  const row = await db.selectFrom('referral').selectAll().where('code', '=', code).executeTakeFirst()
  nobodysHash ??= hashPassword('nobody')
  const right = await verifyPassword(given.pin.trim(), row?.pin_hash ?? await nobodysHash)
  if (!row || !right) throw fail('referral-pin-wrong', { zh: '转诊码或密码不正确。', en: 'The code or the PIN is not right.' })
  // Only this try is taken back: with a paper of one's own between the guesses the count would never be reached.
  await inTransaction(db, (trx) => trx.updateTable('referral_try').set((eb) => ({ tries: eb('tries', '-', 1) })).where('caller', '=', caller).where('tries', '>', 0).execute())
  return row
}

/** @returns how many tries the caller has made since the last pause, this one among them; right ones are taken back. */
async function countTry(db: Db, ctx: Ctx, caller: string, pauseMinutes: number): Promise<number> {
  const fresh = addMinutes(ctx.now, -pauseMinutes).toISOString()
  return inTransaction(db, async (trx) => {
    const row = await trx.insertInto('referral_try').values({ caller, tries: 1, since: ctx.now })
      .onConflict((conflict) => conflict.column('caller').doUpdateSet({
        tries: sql`case when referral_try.since <= ${fresh}::timestamptz then 1 else least(referral_try.tries + 1, 1000) end`,
        since: sql`case when referral_try.since <= ${fresh}::timestamptz then excluded.since else referral_try.since end`,
      }))
      .returning('tries').executeTakeFirstOrThrow()
    return row.tries
  })
}
