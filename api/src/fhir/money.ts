/**
 * Money: integer fen inside, FHIR Money in yuan at the edge. Ratios are whole parts of 10 000, so that no sum ever meets a
 * binary fraction. Rounding is half-up to the fen, only where domain rules name it.
 */
import type { Money } from '@medplum/fhirtypes'

export const ratioParts = 10_000n

/** Yuan with currency; for amounts below 90 trillion yuan, where a double still holds the fen. */
export function yuan(fen: bigint): Money {
  return { value: Number(fen) / 100, currency: 'CNY' }
}

/** Fen of a Money in CNY; null when it is absent, of another currency or finer than a fen. */
export function fenOf(money: Money | undefined): bigint | null {
  if (money?.value === undefined || (money.currency !== undefined && money.currency !== 'CNY')) return null
  const fen = Math.round(money.value * 100)
  return Number.isSafeInteger(fen) && Math.abs(money.value * 100 - fen) < 1e-4 ? BigInt(fen) : null
}

/** `amount · parts / 10 000` in whole fen. The amount is not negative. */
export function shareOf(amountFen: bigint, parts: number, rounding: 'half-up' | 'down' = 'half-up'): bigint {
  return (amountFen * BigInt(parts) + (rounding === 'half-up' ? ratioParts / 2n : 0n)) / ratioParts
}

/** 34675 → `346.75`. */
export function yuanText(fen: bigint): string {
  const sign = fen < 0n ? '-' : ''
  const digits = (fen < 0n ? -fen : fen).toString().padStart(3, '0')
  return `${sign}${digits.slice(0, -2)}.${digits.slice(-2)}`
}

export function smaller(a: bigint, b: bigint): bigint {
  return a < b ? a : b
}

/** Never below zero. */
export function atLeastZero(a: bigint): bigint {
  return a > 0n ? a : 0n
}
