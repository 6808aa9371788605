/** One-time passwords by time (RFC 6238): six digits, 30 seconds, SHA-1, as every authenticator app has them. */
import { hmacSha1, sameText } from '../crypto.ts'

const stepSeconds = 30
/** Steps to either side that count, for clocks that differ. */
const driftSteps = 1
const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZ234567'

export function stepAt(now: Date): number {
  return Math.floor(now.getTime() / 1000 / stepSeconds)
}

/** The code of a step. @param digits six in practice; the RFC's examples have eight. */
export function codeOf(secret: Uint8Array, step: number, digits = 6): string {
  const counter = Buffer.alloc(8)
  counter.writeBigUInt64BE(BigInt(step))
  const hash = hmacSha1(secret, counter)
  const offset = (hash.at(-1) ?? 0) & 0xf
  return String((hash.readUInt32BE(offset) & 0x7fffffff) % 10 ** digits).padStart(digits, '0')
}

/** The step whose code this is, among those that count now and are later than `after`; null when it is none of them. */
export function matchingStep(secret: Uint8Array, code: string, now: Date, after: number | null): number | null {
  const current = stepAt(now)
  for (let step = current - driftSteps; step <= current + driftSteps; step++) {
    if ((after === null || step > after) && sameText(codeOf(secret, step), code)) return step
  }
  return null
}

/** RFC 4648 without padding, as authenticator apps take it. */
export function base32(bytes: Uint8Array): string {
  let bits = ''
  for (const byte of bytes) bits += byte.toString(2).padStart(8, '0')
  return (bits.match(/.{1,5}/g) ?? []).map((five) => alphabet[Number.parseInt(five.padEnd(5, '0'), 2)]).join('')
}

/** What the QR code of an enrolment says. */
export function otpauthUri(secret: Uint8Array, login: string): string {
  const issuer = '浦江健康'
  return `otpauth://totp/${encodeURIComponent(issuer)}:${encodeURIComponent(login)}?secret=${base32(secret)}&issuer=${encodeURIComponent(issuer)}&algorithm=SHA1&digits=6&period=${stepSeconds}`
}
