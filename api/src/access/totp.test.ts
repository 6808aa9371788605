import { expect, test } from 'vitest'
import { base32, codeOf, matchingStep, otpauthUri, stepAt } from './totp.ts'

const secret = Buffer.from('12345678901234567890')

test.each([
  [59, '94287082'], [1_111_111_109, '07081804'], [1_111_111_111, '14050471'], [1_234_567_890, '89005924'], [2_000_000_000, '69279037'], [20_000_000_000, '65353130'],
])('RFC 6238 appendix B at %i s', (seconds, code) => {
  expect(codeOf(secret, stepAt(new Date(seconds * 1000)), 8)).toBe(code)
})

test('a code counts one step early or late, and never again once its step has been used', () => {
  const now = new Date('2026-11-23T08:00:10Z')
  const step = stepAt(now)
  for (const [offset, counts] of [[-2, false], [-1, true], [0, true], [1, true], [2, false]] as const) {
    expect(matchingStep(secret, codeOf(secret, step + offset), now, null)).toBe(counts ? step + offset : null)
  }
  expect(matchingStep(secret, codeOf(secret, step), now, step)).toBe(null)
  expect(matchingStep(secret, '12345', now, null)).toBe(null)
})

test('the secret is given in base 32', () => {
  expect(base32(Buffer.from('foobar'))).toBe('MZXW6YTBOI')
  expect(otpauthUri(secret, 'dr li')).toBe('otpauth://totp/%E6%B5%A6%E6%B1%9F%E5%81%A5%E5%BA%B7:dr%20li?secret=GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=%E6%B5%A6%E6%B1%9F%E5%81%A5%E5%BA%B7&algorithm=SHA1&digits=6&period=30')
})
